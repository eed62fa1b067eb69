"""The deadlines that a report and a request for its cancellation get: one on any day, one on working hours."""

from __future__ import annotations

from datetime import datetime

from mendline.orders.transitions import begin
from tests.make import a_report, an_actor


def deadlines_from(start: datetime) -> dict[str, datetime]:
    """Return when the clocks of things that happen at `start` are due, by clock."""
    order = a_report(now=start)
    request = begin(
        "cancellation_request",
        "submit",
        actor=an_actor("station_coordinator"),
        now=start,
        given={"cancel_reason": "user_solved"},
        order_ref=order.ref,
    )
    return {name: clock.due_at for loaded in (order, request) for name, clock in loaded.clocks.items()}


def deadlines(*, starts: list[str]) -> list[dict[str, str]]:
    """The same for many starts, as a job of another process."""
    return [
        {clock: due.isoformat() for clock, due in deadlines_from(datetime.fromisoformat(start)).items()}
        for start in starts
    ]
