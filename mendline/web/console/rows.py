"""Rows of lists: the same few columns everywhere, the deadline right after the number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from mendline.kernel.text import Text
from mendline.kernel.time import local_day
from mendline.network import areas
from mendline.orders.models import Record, RepairOrder
from mendline.orders.queue import ListedOrder
from mendline.process.clock_state import ClockState
from mendline.process.definition import Process
from mendline.process.loading import process_for
from mendline.web.console.chips import Chip, chip_of
from mendline.web.console.fact_words import product_name, product_names, shown
from mendline.web.shown_zone import shown_moment

TO_BE_CALLED = frozenset({"dispatched", "downloaded", "contacting"})  # until a time is promised (STN-19)


@dataclass(frozen=True, slots=True)
class Calls:
    """How often the user was called today, out of how many times (STN-25; 0: this version has no quota)."""

    today: int
    quota: int


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One order in a list."""

    ref: str
    chip: Chip | None
    state_label: Text
    category: str
    customer: str
    phone: str
    product_name: Text
    area_name: Text
    fault: str
    promise: Text | None
    assignee: str
    station_no: str
    created_at: datetime
    urges: int
    revision: int
    calls: Calls | None  # None: nobody has to be called now


@dataclass(frozen=True, slots=True)
class RecordRow:
    """One request in an inbox."""

    ref: str
    order_ref: str
    chip: Chip | None
    process_label: Text
    state_label: Text
    category: str
    summary: Text
    station_no: str
    created_at: datetime


def order_rows(orders: Iterable[RepairOrder | ListedOrder], now: datetime) -> list[OrderRow]:
    names = product_names()
    return [order_row(order, now, names=names) for order in orders]


def order_row(order: RepairOrder | ListedOrder, now: datetime, *, names: Mapping[str, Text] | None = None) -> OrderRow:
    """Return the row of one order. `names` are those of the products, which a list looks up once for all its rows."""
    product = (names or {}).get(order.product)
    process = process_for(order.process, order.process_version)
    promised = order.facts.get("promised_at")
    return OrderRow(
        ref=order.ref,
        chip=next_chip(process, order.clocks, now),
        state_label=process.states[order.state].label,
        category=order.category,
        customer=order.customer_name,
        phone=order.phone,
        product_name=product or product_name(order.product),
        area_name=Text(areas.name_of(order.area), areas.name_of(order.area, "en")),
        fault=order.fault,
        promise=shown_moment(datetime.fromisoformat(promised)) if promised else None,
        assignee=order.assignee_name,
        station_no=order.station_no,
        created_at=order.created_at,
        urges=int(order.facts.get("urges") or 0),
        revision=order.revision,
        calls=calls_of(process, order, now),
    )


def calls_of(process: Process, order: RepairOrder | ListedOrder, now: datetime) -> Calls | None:
    """Return today's calls of an order whose user is still to be reached; of others only if there were any."""
    attempts = order.facts.get("attempts") or {}
    today = int(attempts.get(local_day(now).isoformat(), 0)) if attempts else 0
    if order.state not in TO_BE_CALLED and not today:
        return None
    quota = process.parameters.get("contact_quota")
    return Calls(today, quota if isinstance(quota, int) else 0)


def record_rows(records: Iterable[Record], now: datetime) -> list[RecordRow]:
    found: list[RecordRow] = []
    for record in records:
        process = process_for(record.process, record.process_version)
        found.append(
            RecordRow(
                ref=record.ref,
                order_ref=record.order_ref,
                chip=next_chip(process, record.clocks, now),
                process_label=process.label,
                state_label=process.states[record.state].label,
                category=record.category,
                summary=_summary(process, record),
                station_no=record.station_no,
                created_at=record.created_at,
            )
        )
    return found


def next_chip(process: Process, clocks: dict[str, dict[str, object]], now: datetime) -> Chip | None:
    """Return the chip of the running clock that is due first, else of a paused one."""
    states = {name: ClockState.from_json(kept) for name, kept in clocks.items() if name in process.clocks}
    alive = [(name, clock) for name, clock in states.items() if clock.run != "stopped"]
    if not alive:
        return None
    name, clock = min(alive, key=lambda pair: (not pair[1].is_running, pair[1].due_at))
    return chip_of(clock, now, process.clocks[name].label, process.clocks[name].responsible)


def _summary(process: Process, record: Record) -> Text:
    """The first two things that were said in the request."""
    said = [
        shown(fact, record.facts[name]).value
        for name, fact in process.facts.items()
        if record.facts.get(name) not in (None, "", [], {}) and not fact.personal
    ][:2]
    return Text("，".join(part.zh for part in said), ", ".join(part.en for part in said))
