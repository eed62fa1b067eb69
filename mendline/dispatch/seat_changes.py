"""Other seats for one day or a span of days, by change requests through the one door (COM-05, COM-06).

A request says "from this day on". A span is therefore two or more of them: one for every day in it on
which another number would begin, and one that brings back what held before. Whoever may judge such
requests has them approved at once, in the same transaction; others hand them in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction

from mendline.access.actors import Actor
from mendline.kernel.errors import Invalid
from mendline.kernel.text import Text
from mendline.network.day_seats import value_on
from mendline.network.history import Period, capacity_periods
from mendline.orders.store import Loaded
from mendline.orders.transitions import begin, perform
from mendline.process.loading import latest

PROCESS, ASK, JUDGE = "coverage_change", "submit", "approve"
LONGEST_SPAN = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class SeatsWanted:
    """So many orders a day from `first` to `last`, both included; without `last` until further notice."""

    station: str
    line: str
    per_day: int
    first: date
    last: date | None
    reason: str


def may_ask(actor: Actor) -> bool:
    """Tell whether the role may ask for other seats at all."""
    return actor.role in latest(PROCESS).transitions[ASK].by


def may_judge(actor: Actor) -> bool:
    """Tell whether what this role asks for is approved with the asking."""
    return may_ask(actor) and actor.role in latest(PROCESS).transitions[JUDGE].by


def change_seats(wanted: SeatsWanted, *, actor: Actor, now: datetime) -> list[Loaded]:
    """Hand in the requests, and approve them where the role may; returns them in the order of their days.

    Raises:
        Invalid: the span ends before it begins, is too long, or nothing would change.
        Refused, Forbidden, NotVisible: as the process file says.
    """
    _check_span(wanted)
    with transaction.atomic():
        periods = capacity_periods([wanted.station]).get((wanted.station, wanted.line), [])
        steps = steps_of(periods, wanted)
        if not steps:
            raise Invalid({"per_day": Text("这些天的产能已经是这个数", "the days have this number of seats already")})
        return [_asked(wanted, day, value, actor, now) for day, value in steps]


def _check_span(wanted: SeatsWanted) -> None:
    if wanted.last is not None and wanted.last < wanted.first:
        raise Invalid({"last": Text("最后一天不能早于第一天", "the last day cannot be before the first")})
    if wanted.last is not None and wanted.last - wanted.first > LONGEST_SPAN:
        raise Invalid(
            {"last": Text("一次最多改一年；长期有效请留空", "at most a year at once; leave it empty for good")}
        )


def steps_of(periods: Sequence[Period], wanted: SeatsWanted) -> list[tuple[date, int]]:
    """Return from which day on which number has to be filed. A day on which it holds already is left out.

    >>> held = [Period(date(2026, 1, 1), None, 10)]
    >>> span = SeatsWanted("000001", "desktop", 4, date(2026, 3, 2), date(2026, 3, 6), "")
    >>> [(str(day), value) for day, value in steps_of(held, span)]
    [('2026-03-02', 4), ('2026-03-07', 10)]
    """
    begins = {period.since for period in periods if not period.is_void and period.since > wanted.first}
    ends = {period.until for period in periods if period.until is not None and period.until > wanted.first}
    after = wanted.last + timedelta(days=1) if wanted.last is not None else None
    turns = sorted(day for day in begins | ends if after is None or day < after)
    if after is None:
        # Until further notice means: until the next change that was filed (`history.set_capacity`).
        turns = []
    steps = [(day, wanted.per_day) for day in (wanted.first, *turns) if value_on(periods, day) != wanted.per_day]
    if after is not None and steps and after not in begins:
        before = value_on(periods, after) or 0
        if before != wanted.per_day:
            steps.append((after, before))
    return steps


def _asked(wanted: SeatsWanted, day: date, value: int, actor: Actor, now: datetime) -> Loaded:
    given: dict[str, Any] = {
        "station_no": wanted.station, "change_kind": "set_capacity", "product_line": wanted.line, "per_day": value,
        "effective_from": day.isoformat(), "change_reason": _reason(wanted, day),
    }  # fmt: skip
    request = begin(PROCESS, ASK, actor=actor, now=now, given=given)
    return perform(request.ref, JUDGE, actor=actor, now=now) if may_judge(actor) else request


def _reason(wanted: SeatsWanted, day: date) -> str:
    """Return the reason as given; the way back says what it ends."""
    if wanted.last is not None and day > wanted.last:
        return f"{wanted.first.isoformat()} 至 {wanted.last.isoformat()} 的临时调整到期，恢复原产能"
    return wanted.reason
