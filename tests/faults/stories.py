"""Orders in the middle of their story, as the fault tests need them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from mendline.orders.models import Record, RepairOrder
from mendline.orders.store import Loaded
from mendline.orders.transitions import begin
from tests.make import MONDAY_NINE, a_report, an_actor, do

PART_DUE_AT = MONDAY_NINE + timedelta(hours=48)
PART: dict[str, Any] = {"part_code": "PSU-01", "told_user_why": True, "borrowing": "not_available"}
# The user is in the wrong area: both doors to a reassignment take these words.
WRONG_AREA: dict[str, Any] = {"cancel_reason": "wrong_area", "requested_by": "user", "station_wish": "000002"}


def an_order_waiting_for_a_part(**changed: Any) -> Loaded:
    """An order whose part is promised for `PART_DUE_AT`."""
    order = a_report(**changed)
    do(order, "download")
    return do(order, "order_part", part_due_at=PART_DUE_AT.isoformat(), **PART)


def a_request(order: Loaded, reason: str = "wrong_area") -> Loaded:
    """The station asks its region to cancel."""
    return begin(
        "cancellation_request",
        "submit",
        actor=an_actor("station_coordinator"),
        now=MONDAY_NINE,
        given={"cancel_reason": reason},
        order_ref=order.ref,
    )


def order_now(ref: str) -> RepairOrder:
    return RepairOrder.objects.unscoped("test").get(ref=ref)


def records_of(ref: str, process: str) -> list[Record]:
    return list(Record.objects.unscoped("test").filter(order_ref=ref, process=process).order_by("id"))
