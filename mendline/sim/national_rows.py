"""Writes what the door in memory kept: table by table by COPY, in the transaction of the caller.

The guard of states would refuse a row that is born ended, so it rests meanwhile, for which the
account must own the tables. What it guards was decided by the engine step by step, and is looked
over once more as a whole before it is switched on again (`_look_over`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import orjson
from django.db import connection
from django.db.backends.utils import CursorWrapper

from mendline.orders.store import ORDER_COLUMNS, Loaded
from mendline.sim.national_door import Kept
from mendline.sim.national_lookups import Country

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


def write_country(kept: Kept, country: Country, progress: Callable[[float], None]) -> None:
    """Write everything; `progress` hears the share done.

    Raises:
        NotTheOwner: the account does not own the tables.
    """
    with connection.cursor() as cursor:
        demand_owner(cursor)
        rest_guards(cursor)
        tables = list(_tables(kept, country))
        for place, (table, columns, rows) in enumerate(tables):
            copy_rows(cursor, table, columns, rows)
            progress((place + 1) / (len(tables) + 2))
        for table in COUNTED:
            cursor.execute(f"SELECT setval('{table}_id_seq', (SELECT greatest(max(id), 1) FROM {table}))")
        cursor.execute("ANALYZE")
        _look_over(cursor)
        wake_guards(cursor)
    progress(1.0)


def _tables(kept: Kept, country: Country) -> Iterator[tuple[str, Sequence[str], Iterable[Sequence[Any]]]]:
    orders = [one for one in kept.subjects.values() if one.table == "order"]
    records = [one for one in kept.subjects.values() if one.table == "record"]
    yield "orders_repairorder", (*SHARED, *ORDER_COLUMNS, "customer_name", "phone"), map(_order, _numbered(orders))
    yield "orders_record", (*SHARED, "order_ref"), map(_record, _numbered(records))
    yield "journal_entry", ENTRY, kept.entries
    yield "journal_outgoing", OUTGOING, map(_message, kept.outgoing)
    yield (
        "process_timer", ("subject", "clock", "step", "generation", "due_at", "state", "fired_at"),
        ((t.subject, t.clock, t.step, t.generation, t.due_at, t.state, t.fired_at) for t in kept.timers),
    )  # fmt: skip
    yield (
        "customers_customer", ("phone", "name", "area", "address", "created_at", "updated_at"),
        ((phone, *known) for phone, known in kept.customers.items()),
    )  # fmt: skip
    ids = {key: number for number, key in enumerate(country.days, _first_id("network_dayload"))}
    yield (
        "network_dayload", ("id", "station_no", "product_line", "day", "capacity", "taken"),
        ((number, *key, country.days[key].capacity, country.days[key].taken) for key, number in ids.items()),
    )  # fmt: skip
    yield "network_seat", ("order_ref", "load_id"), ((ref, ids[key]) for ref, key in country.seats.items())


def _numbered(subjects: Sequence[Loaded]) -> Iterator[tuple[int, Loaded]]:
    return enumerate(subjects, _first_id("orders_repairorder" if subjects[0].table == "order" else "orders_record"))


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
    """Send rows by COPY."""
    with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


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
