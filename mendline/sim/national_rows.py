"""Writes what the door in memory kept: table by table by COPY, in the transaction of the caller.

The guard of states would refuse a row that is born ended, so it rests meanwhile, for which the
account must own the tables. What it guards was decided by the engine step by step, and is looked
over once more as a whole before it is switched on again (`_look_over`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from heapq import merge
from itertools import islice
from operator import itemgetter
from typing import Any

import orjson
from django.db import connection
from django.db.backends.utils import CursorWrapper

from mendline.orders.store import ORDER_COLUMNS, Loaded
from mendline.sim.national_door import MemoryDoor
from mendline.sim.national_lookups import Day, Line
from mendline.sim.national_memory import Kept

SENT_AFTER = timedelta(seconds=2)  # how soon a running worker would have sent it
SHARED = (
    "id", "ref", "process", "process_version", "state", "category", "region", "station_no", "revision", "facts",
    "clocks", "due_at", "created_at", "updated_at", "created_by",
)  # fmt: skip
ENTRY = (
    "at", "subject", "kind", "process", "from_state", "to_state", "revision", "actor_id", "actor_name", "actor_role",
    "station_no", "region", "data",
)  # fmt: skip
OUTGOING = (
    "key", "at", "subject", "notice", "channel", "role", "station_no", "region", "data", "state", "address", "attempts",
    "sent_at", "error",
)  # fmt: skip
BLOCK = 500  # lines
GUARDED = ("orders_repairorder", "orders_record")
COUNTED = (*GUARDED, "network_dayload")  # whose ids are given here

_STRAY = """
    SELECT row.ref FROM ({rows}) AS row
    LEFT JOIN LATERAL (SELECT to_state, revision FROM journal_entry WHERE subject = row.ref ORDER BY id DESC LIMIT 1)
        AS last ON true
    WHERE (last.to_state, last.revision) IS DISTINCT FROM (row.state, row.revision) LIMIT 1
"""
_FORBIDDEN = """
    SELECT e.process || ': ' || e.from_state || ' → ' || e.to_state FROM (
        SELECT DISTINCT process, from_state, to_state FROM journal_entry WHERE from_state <> to_state) AS e
    WHERE NOT EXISTS (SELECT FROM process_allowedchange a WHERE a.process = e.process
                      AND a.from_state = e.from_state AND a.to_state = e.to_state)
"""


class NotTheOwner(Exception):
    """The account may not write a past: it does not own the tables."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one door kept, and the days and seats of its stations. Parts share no station and no caller."""

    kept: Kept
    days: Mapping[Line, Day]
    seats: Mapping[str, Line]


def part_of(door: MemoryDoor) -> Part:
    return Part(door.memory.kept, door.country.days, door.country.seats)


def write_parts(parts: Sequence[Part], progress: Callable[[float], None]) -> None:
    """Write everything, the parts' histories in the order of time; `progress` hears the share done.

    Raises:
        NotTheOwner: the account does not own the tables.
    """
    with connection.cursor() as cursor:
        demand_owner(cursor)
        rest_guards(cursor)
        tables = list(_tables(parts))
        for place, (table, columns, rows) in enumerate(tables):
            copy_rows(cursor, table, columns, rows)
            progress((place + 1) / (len(tables) + 2))
        for table in COUNTED:
            cursor.execute(f"SELECT setval('{table}_id_seq', (SELECT greatest(max(id), 1) FROM {table}))")
        cursor.execute("ANALYZE")
        _look_over(cursor)
        wake_guards(cursor)
    progress(1.0)


def _tables(parts: Sequence[Part]) -> Iterator[tuple[str, Sequence[str], Iterable[Sequence[Any]]]]:
    subjects = sorted((one for part in parts for one in part.kept.subjects.values()), key=lambda one: one.created_at)
    orders, records = ([one for one in subjects if one.table == table] for table in ("order", "record"))
    yield "orders_repairorder", (*SHARED, *ORDER_COLUMNS, "customer_name", "phone"), map(_order, _numbered(orders))
    yield "orders_record", (*SHARED, "order_ref"), map(_record, _numbered(records))
    yield "journal_entry", ENTRY, merge(*(part.kept.entries for part in parts), key=itemgetter(0))
    yield "journal_outgoing", OUTGOING, map(_message, merge(*(part.kept.outgoing for part in parts), key=itemgetter(1)))
    yield (
        "process_timer", ("subject", "clock", "step", "generation", "due_at", "state", "fired_at"),
        (
            (t.subject, t.clock, t.step, t.generation, t.due_at, t.state, t.fired_at)
            for part in parts for t in part.kept.timers
        ),
    )  # fmt: skip
    yield (
        "customers_customer", ("phone", "name", "area", "address", "created_at", "updated_at"),
        ((phone, *known) for part in parts for phone, known in part.kept.customers.items()),
    )  # fmt: skip
    days = {key: day for part in parts for key, day in part.days.items()}
    if len(days) < sum(len(part.days) for part in parts):
        raise RuntimeError("two parts of the country gave orders to one station")
    ids = {key: number for number, key in enumerate(days, _first_id("network_dayload"))}
    yield (
        "network_dayload", ("id", "station_no", "product_line", "day", "capacity", "taken"),
        ((number, *key, days[key].capacity, days[key].taken) for key, number in ids.items()),
    )  # fmt: skip
    seats = ((ref, ids[key]) for part in parts for ref, key in part.seats.items())
    yield "network_seat", ("order_ref", "load_id"), seats


def _numbered(subjects: Sequence[Loaded]) -> Iterator[tuple[int, Loaded]]:
    table = "orders_repairorder" if subjects and subjects[0].table == "order" else "orders_record"
    return enumerate(subjects, _first_id(table))


def _first_id(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT coalesce(max(id), 0) + 1 FROM {table}")
        row = cursor.fetchone()
    return int(row[0])


def _order(numbered: tuple[int, Loaded]) -> Sequence[Any]:
    facts = dict(numbered[1].facts)
    customer = facts.pop("customer")
    columns = [facts.pop(column) for column in ORDER_COLUMNS]
    return (*_shared(numbered, facts), *columns, customer["name"], customer["phone"])


def _record(numbered: tuple[int, Loaded]) -> Sequence[Any]:
    return (*_shared(numbered, dict(numbered[1].facts)), numbered[1].order_ref)


def _shared(numbered: tuple[int, Loaded], facts: dict[str, Any]) -> Sequence[Any]:
    number, one = numbered
    for derived in ("ref", "station_no", "region"):
        facts.pop(derived, None)
    clocks = {name: clock.as_json() for name, clock in one.clocks.items()}
    return (
        number, one.ref, one.process, one.process_version, one.state, one.category, one.region, one.station_no,
        one.revision, orjson.dumps(facts).decode(), orjson.dumps(clocks).decode(), one.due_at, one.created_at,
        one.updated_at, one.created_by,
    )  # fmt: skip


def _message(kept: Sequence[Any]) -> Sequence[Any]:
    """The past was told in the past: what waits to be sent counts as sent, and no worker sends it again."""
    *told, state = kept
    if state != "pending":
        return (*told, state, "", 0, None, "")
    return (*told, "sent", "", 1, kept[1] + SENT_AFTER, "")


def copy_rows(cursor: CursorWrapper, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Send rows by COPY, a block of lines at a time: the driver's own rows cost ten times as much."""
    with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        lines = map(line_of, rows)
        while block := "".join(islice(lines, BLOCK)):
            copy.write(block)


def line_of(row: Sequence[Any]) -> str:
    """Return a row as COPY reads it: texts, numbers, aware moments, days, NULL."""
    return "\t".join([_field(value) for value in row]) + "\n"


def _field(value: object) -> str:
    if isinstance(value, str):
        return value if value.isalnum() else _escaped(value)
    return "\\N" if value is None else str(value)


def _escaped(text: str) -> str:
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    if "\n" in text or "\t" in text or "\r" in text:
        text = text.replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")
    return text


def demand_owner(cursor: CursorWrapper) -> None:
    """Raise NotTheOwner unless the account may switch the guards of states off and on."""
    cursor.execute("SELECT bool_and(pg_has_role(tableowner, 'USAGE')) FROM pg_tables WHERE tablename = ANY(%s)",
                   [list(GUARDED)])  # fmt: skip
    row = cursor.fetchone()
    if not row or not row[0]:
        raise NotTheOwner(
            "写入历史数据须用表的属主账号（DATABASE_OWNER_URL）。"
            " Writing a past needs the account that owns the tables: set DATABASE_OWNER_URL."
        )


def rest_guards(cursor: CursorWrapper) -> None:
    for table in GUARDED:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER guard_state")


def wake_guards(cursor: CursorWrapper) -> None:
    for table in GUARDED:
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER guard_state")


def _look_over(cursor: CursorWrapper) -> None:
    """Look whether every row stands where its history ends, and every change is one that some file lists."""
    rows = " UNION ALL ".join(f"SELECT ref, state, revision FROM {table}" for table in GUARDED)
    for statement in (_STRAY.format(rows=rows), _FORBIDDEN):
        cursor.execute(statement)
        if (found := cursor.fetchone()) is not None:
            raise RuntimeError(f"the made past contradicts itself: {found[0]}")
