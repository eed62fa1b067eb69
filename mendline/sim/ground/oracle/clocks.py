"""Clocks as the rules have them: what starts and stops each, from when it counts, when it is due."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from mendline.sim.ground.oracle.days import next_midnight, plus_working_days, plus_working_hours
from mendline.sim.ground.oracle.model import Clock, Order, Record

ENDED = frozenset(("resolved", "cancelled", "cancelled_and_reassigned"))
CONTACT = timedelta(hours=4)  # STN-19
VERDICT = timedelta(hours=4)  # of working hours
UNDISPATCHED = timedelta(hours=1)
Due = Callable[[datetime], datetime]


@dataclass(frozen=True, slots=True)
class Rule:
    """`starts` and `stops` are steps or states entered; `counts_from` reads the moment the budget counts from."""

    starts: frozenset[str]
    stops: frozenset[str]
    due: Due
    counts_from: Callable[[Order], datetime | None] | None = None


_VISIT = frozenset(("promise", "order_part", "in_service", "leave_unresolved"))
OF_ORDERS: Mapping[str, Rule] = {
    "dispatching": Rule(
        frozenset(("undispatched",)), frozenset(("dispatched", "cancelled", "cancelled_and_reassigned")),
        lambda start: start + UNDISPATCHED,
    ),  # COM-10
    "contact": Rule(
        frozenset(("dispatched", "reopen")), ENDED | {"promise", "mark_unreachable", "order_part"},
        lambda start: start + CONTACT,
    ),  # STN-19
    "unreachable": Rule(
        frozenset(("mark_unreachable",)), ENDED | {"promise", "order_part"},
        lambda start: plus_working_days(start, 5), lambda order: order.t1,
    ),  # STN-26
    "contact_quota": Rule(
        frozenset(("mark_unreachable",)), ENDED | {"promise", "order_part"},
        lambda start: plus_working_days(start, 3),
        lambda order: next_midnight(order.special_at) if order.special_at else None,
    ),  # STN-25
    "visit": Rule(_VISIT, _VISIT | ENDED, lambda start: start, lambda order: order.visit_due),  # STN-07, STN-33
}  # fmt: skip


def move(order: Order, step: str, before: str, now: datetime) -> None:
    """Move the clocks of an order by a step that led from state `before` to where it stands."""
    causes = {step} if order.state == before else {step, order.state}
    for name, rule in OF_ORDERS.items():
        present = order.clocks.get(name)
        start = rule.counts_from(order) if rule.counts_from else now
        if present is not None and present.running and causes & rule.stops:
            if causes & rule.starts and rule.counts_from and start == present.counted_from:
                continue  # the same count once more is no new clock
            stop(present, now)
        if causes & rule.starts and start is not None and not (present is not None and present.running):
            order.clocks[name] = Clock(rule.due(start), start)


def stop(clock: Clock, now: datetime) -> None:
    """Stop a clock; past its deadline it was late whether or not the sweeper came by."""
    in_time = now <= clock.due and clock.breached_at in (None, clock.due)
    clock.running, clock.late, clock.stopped_at = False, not in_time, now


def open_record(record: Record, now: datetime) -> None:
    """Start what runs while somebody owes an answer."""
    if record.process in ("cancellation_request", "special_situation"):
        record.clocks["verdict"] = Clock(plus_working_hours(now, VERDICT), now)  # CAN-39
    elif record.process == "callback":
        record.clocks["callback"] = Clock(plus_working_days(now, 2), now)  # STN-48
    elif record.due is not None:
        record.clocks["delivery"] = Clock(record.due, record.due)  # STN-39


def promise_delivery(record: Record, due: datetime, now: datetime) -> None:
    """A new promise of delivery is a new clock; the same one leaves the old clock alone."""
    present = record.clocks["delivery"]
    if present.running and present.counted_from == due:
        return
    if present.running:
        stop(present, now)
    record.clocks["delivery"] = Clock(due, due)


def end_record(record: Record, now: datetime) -> None:
    for clock in record.clocks.values():
        if clock.running:
            stop(clock, now)


PART_WAITS = frozenset(("promised", "awaiting_part", "multi_visit", "contacting"))


def sweep(order: Order, now: datetime) -> None:
    """Let everything take effect that is due by `now` and still runs: once for each run of a clock."""
    for label, name, clock in _running(order):
        if clock.breached_at is None and clock.due <= now:
            clock.breached_at = now
            order.breaches.append((label, name, clock.due))
    for part in order.parts():
        delivery = part.clocks["delivery"]
        if delivery.running and delivery.breached_at == now and order.state in PART_WAITS and not part.arrived:
            part.late = part.late or part.state in ("ordered", "shipped")


def _running(order: Order) -> list[tuple[str, str, Clock]]:
    found = [(order.label, name, clock) for name, clock in order.clocks.items() if clock.running]
    found += [(r.label, name, clock) for r in order.records for name, clock in r.clocks.items() if clock.running]
    return found


def next_due(order: Order) -> datetime | None:
    return min((clock.due for _, _, clock in _running(order) if clock.breached_at is None), default=None)
