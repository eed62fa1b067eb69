"""When all is calm: every row of the database against what the oracle holds, and the invariants over all rows."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from django.db import connection

from mendline.contact.outbox import deliver_next
from mendline.contact.ports import Message
from mendline.contact.recipients import address_due
from mendline.sim import invariants
from mendline.sim.ground.oracle.model import Order
from mendline.sim.ground.oracle.plain import Finding
from mendline.sim.ground.stage import Stage

_ORDERS = "SELECT ref, state, station_no, region, facts->>'promises_written' FROM orders_repairorder"
_RECORDS = "SELECT ref, state FROM orders_record"
_SEATS = """
    SELECT d.station_no, d.product_line, d.day, d.taken, (SELECT count(*) FROM network_seat s WHERE s.load_id = d.id)
    FROM network_dayload d
"""
_BREACHES = """
    SELECT subject, data->'clocks'->0->>'clock', data->>'due' FROM journal_entry WHERE kind = 'clock.breach'
"""
_PENDING = "SELECT notice, subject FROM journal_outgoing WHERE state = 'pending' AND channel <> 'inbox'"
_DUE = "SELECT subject, clock, step FROM process_timer WHERE state = 'open' AND due_at <= %s"


class Letterbox:
    """A channel that takes everything; what is sent to whom is the outbox's affair."""

    def send(self, message: Message) -> str:
        return f"letterbox {message.key}"


def differences(stage: Stage) -> list[Finding]:
    """Return what in the database is not as the oracle has it. Delivers what the outbox owes first."""
    now = stage.time.now()
    while address_due(now) >= 50 or deliver_next("email", Letterbox(), now=now):
        pass
    found = [*_orders(stage), *_records(stage), *_seats(stage), *_breaches(stage)]
    found += [_finding("still_pending", "I20", f"{notice} of {subject}") for notice, subject in _rows(_PENDING)]
    found += [_finding("timer_stands", "I11", f"{subject} {clock} {step}") for subject, clock, step in _rows(_DUE, now)]
    return found + _invariants(stage)


def _orders(stage: Stage) -> list[Finding]:
    held = {
        stage.numbers.by_label[o.label]: o for o in stage.oracle.orders.values() if o.label in stage.numbers.by_label
    }
    found: list[Finding] = []
    seen = set()
    for ref, state, station, region, written in _rows(_ORDERS):
        seen.add(ref)
        order = held.get(ref)
        if order is None:
            found.append(_finding("nobody_reported", "I1", f"{ref} ({state}) was never acknowledged to anybody"))
            continue
        shown = (state, station, region, int(written or 0))
        if shown != (order.state, order.station, order.region, order.written):
            found.append(_finding("row_wrong", "I4", f"{order.label}: {shown}, must be {_as_held(order)}"))
    return found + [_finding("report_lost", "I1", f"{held[ref].label} is gone") for ref in sorted(held.keys() - seen)]


def _as_held(order: Order) -> tuple[str, str, str, int]:
    return order.state, order.station, order.region, order.written


def _records(stage: Stage) -> list[Finding]:
    rows = dict(_rows(_RECORDS))
    found: list[Finding] = []
    for order in stage.oracle.orders.values():
        for record in order.records:
            ref = stage.numbers.by_label.get(record.label, "")
            if rows.get(ref) != record.state:
                found.append(_finding("record_wrong", "I4", f"{record.label}: {rows.get(ref)}, must be {record.state}"))
    extra = len(rows) - sum(len(order.records) for order in stage.oracle.orders.values())
    return [*found, *([_finding("records_wrong", "I4", f"{extra} records nobody opened")] if extra else [])]


def _seats(stage: Stage) -> list[Finding]:
    found: list[Finding] = []
    taken = dict(stage.oracle.seats.taken)
    for station, line, day, counted, seats in _rows(_SEATS):
        expected = taken.pop((station, line, day), 0)
        if (counted, seats) != (expected, expected):
            en = f"{station} {line} {day}: counted {counted}, {seats} seats, must be {expected}"
            found.append(_finding("seats_wrong", "I5", en))
    return found + [_finding("seats_wrong", "I5", f"{seat}: no day, must be {n}") for seat, n in taken.items() if n]


def _breaches(stage: Stage) -> list[Finding]:
    """Every clock that ran out did so once, and none that had stopped (I11)."""
    label = stage.numbers.label
    seen = Counter((label(ref), clock, _instant(due)) for ref, clock, due in _rows(_BREACHES))
    held = Counter(
        (name, clock, due.timestamp()) for order in stage.oracle.orders.values() for name, clock, due in order.breaches
    )
    found = [_finding("breach_missing", "I11", str(one[:2])) for one in sorted((held - seen).elements())]
    return found + [_finding("breach_too_many", "I11", str(one[:2])) for one in sorted((seen - held).elements())]


def _instant(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _invariants(stage: Stage) -> list[Finding]:
    connection.ensure_connection()
    raw: Any = connection.connection
    now = stage.time.now()
    broken = [*invariants.broken(raw, now), *invariants.unquiet(raw, now)]
    return [_finding("invariant", one.invariant, str(one)) for one in broken]


def _rows(statement: str, *values: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, list(values))
        found: list[Any] = cursor.fetchall()
    return found


def _finding(kind: str, invariant: str, en: str) -> Finding:
    return Finding(kind, invariant, en, en)
