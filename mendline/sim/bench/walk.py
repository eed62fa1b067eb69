"""Orders taken through the same steps: once to write the statements down, then for speed. Jobs for `member.py`."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from mendline.access.actors import Actor
from mendline.orders.transitions import perform
from mendline.sim.bench.scratch import BenchFailed

# The usual way of an order at its station; each step reads the order and calls the writing function once.
STEPS: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("download", {}),
    ("log_contact", {"contact_outcome": "reached", "contact_note": "用户已确认地址，等约时间"}),
    ("promise", {"promised_at": "2026-03-03T02:00:00Z"}),
    ("print_order", {}),
    ("start_service", {"user_agrees": True}),
)
STARTED_AT = datetime.fromisoformat("2026-03-02T01:00:00+00:00")  # a Monday, 09:00 in Shanghai


def steps_of(refs: Iterable[str]) -> Iterator[tuple[str, str, Mapping[str, Any], datetime]]:
    """Yield every step of every order: all orders take the first step, then the second, as work comes in life."""
    wanted = list(refs)
    for place, (name, given) in enumerate(STEPS):
        for ref in wanted:
            yield ref, name, given, STARTED_AT + timedelta(minutes=place + 1)


def record_walk(shares: list[list[str]], station_no: str, warm: list[str]) -> dict[str, Any]:
    """Carry the steps out once and keep what was sent: the reading statement, and the payloads in a table.

    Raises BenchFailed when a step sends anything but one reading and one write; a comparison would then be unfair.
    """
    actor = _coordinator(station_no)
    walk([], station_no, warm)  # a new process reads calendars once
    reading: set[str] = set()
    rows: list[tuple[int, str]] = []
    for refs in shares:
        for ref, name, given, now in steps_of(refs):
            sent: list[tuple[str, Any]] = []
            with connection.execute_wrapper(_keeping(sent)):
                perform(ref, name, actor=actor, now=now, given=given)
            statements = [statement for statement, _ in sent]
            if len(sent) != 2 or "orders_repairorder" not in statements[0] or "mendline_write" not in statements[1]:
                raise BenchFailed(f"{name} sends more than a reading and a write: {statements}")
            if sent[0][1] != [ref, station_no]:
                raise BenchFailed(f"what {name} reads is bound to {sent[0][1]}")
            reading.add(statements[0])
            rows.append((len(rows), sent[1][1][0]))
    if len(reading) != 1:
        raise BenchFailed(f"{len(reading)} different reading statements")
    return {"read": reading.pop(), "payloads": rows}


def _keeping(sent: list[tuple[str, Any]]) -> Callable[..., Any]:
    def keep(execute: Callable[..., Any], statement: str, bound: Any, many: bool, context: Any) -> Any:
        sent.append((statement, bound))
        return execute(statement, bound, many, context)

    return keep


def walk(refs: list[str], station_no: str, warm: list[str] | None = None) -> dict[str, float]:
    """Carry all steps out and return seconds, CPU seconds of this process, and the number of steps."""
    actor = _coordinator(station_no)
    for ref, name, given, now in steps_of(warm or []):
        perform(ref, name, actor=actor, now=now, given=given)
    if not refs:
        return {"seconds": 0.0, "cpu": 0.0, "steps": 0}
    work = list(steps_of(refs))
    cpu, begun = _cpu(), time.perf_counter()
    for ref, name, given, now in work:
        perform(ref, name, actor=actor, now=now, given=given)
    return {"seconds": time.perf_counter() - begun, "cpu": _cpu() - cpu, "steps": len(work)}


def _coordinator(station_no: str) -> Actor:
    return Actor(None, "测量", "station_coordinator", station_no=station_no, via="bench")


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
