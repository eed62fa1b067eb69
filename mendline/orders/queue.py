"""The list people work from all day: orders of a scope by their next deadline, and how many there are.

Two statements written by hand. A page of fifty rows through the ORM cost 3 ms of processor time and half of
everything the page did; this is a third of it. Open orders are read from the partial indexes `order_queue`,
`order_region_queue` and `order_due`, so what was finished in earlier years costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.db import connection

from mendline.access.actors import Actor
from mendline.access.scopes import scope_clause
from mendline.orders.queries import PAGE, OrderFilters

COUNTED = 999  # beyond that, people are told "more than 999": nobody works through them by hand
_COLUMNS = (
    "id", "ref", "process", "process_version", "state", "category", "station_no", "revision", "facts", "clocks",
    "due_at", "created_at", "customer_name", "phone", "product", "area", "fault", "assignee_name",
)  # fmt: skip
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM orders_repairorder WHERE "
_IS_OPEN = "category IN ('open', 'waiting')"  # word for word the condition of the indexes

Key = tuple[str, int]  # deadline or creation as ISO text (empty: no clock runs), and id


@dataclass(frozen=True, slots=True)
class ListedOrder:
    """What a list shows of one order; the names are those of the row."""

    id: int
    ref: str
    process: str
    process_version: int
    state: str
    category: str
    station_no: str
    revision: int
    facts: dict[str, Any]
    clocks: dict[str, dict[str, Any]]
    due_at: datetime | None
    created_at: datetime
    customer_name: str
    phone: str
    product: str
    area: str
    fault: str
    assignee_name: str


@dataclass(frozen=True, slots=True)
class QueuePage:
    """One page of the queue, and where the next begins (None: it is the last)."""

    rows: list[ListedOrder]
    next_after: Key | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How many open orders a scope has. With `is_more` there are more than `COUNTED`, and the states are not counted.

    The late ones are counted in either case: they come first, so all of the counted may be late.
    """

    open: int
    late: int
    by_state: Mapping[str, int]
    is_more: bool


def queue_page(actor: Actor, filters: OrderFilters, *, after: Key | None = None, limit: int = PAGE) -> QueuePage:
    """Return one page: open orders by next deadline, those without a running clock last; others newest first.

    `after` is the `next_after` of the page before. A page is found by its key and never by counting.
    """
    where, bound = _where(actor, filters)
    if filters.category != "open":
        rows = _older(where, bound, after, limit + 1)
    elif after is None:
        rows = _read(where, bound, "due_at, id", limit + 1)  # PostgreSQL puts nulls last by itself
    else:
        rows = _due(where, bound, after, limit + 1) if after[0] else []
        if len(rows) <= limit:  # the deadlines are used up
            rows += _without_clock(where, bound, 0 if after[0] else after[1], limit + 1 - len(rows))
    last = rows[limit - 1] if len(rows) > limit else None
    return QueuePage(rows[:limit], _key_of(last, filters) if last else None)


def rows_of(actor: Actor, refs: Sequence[str]) -> list[ListedOrder]:
    """Return these orders, as far as they lie in the scope, the next deadline first."""
    scope, bound = scope_clause(actor)
    return _read(f"{scope} AND ref = ANY(%s)", [*bound, list(refs)], "due_at, id", len(refs))


def matching(actor: Actor, filters: OrderFilters, refs: Sequence[str]) -> frozenset[str]:
    """Return those of these orders that belong to the list that the filters make."""
    where, bound = _where(actor, filters)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT ref FROM orders_repairorder WHERE {where} AND ref = ANY(%s)", [*bound, list(refs)])
        return frozenset(row[0] for row in cursor.fetchall())


def standing(actor: Actor, now: datetime) -> Standing:
    """Count the open orders of the scope, up to `COUNTED`."""
    scope, bound = scope_clause(actor)
    statement = (
        "SELECT state, count(*), count(*) FILTER (WHERE due_at < %s) FROM"
        f" (SELECT state, due_at FROM orders_repairorder WHERE {scope} AND {_IS_OPEN}"
        " ORDER BY due_at, id LIMIT %s) AS counted GROUP BY state"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [now, *bound, COUNTED + 1])
        found = cursor.fetchall()
    number = sum(row[1] for row in found)
    is_more = number > COUNTED
    by_state = {} if is_more else {row[0]: row[1] for row in found}
    return Standing(min(number, COUNTED), min(sum(row[2] for row in found), COUNTED), by_state, is_more)


def _where(actor: Actor, filters: OrderFilters) -> tuple[str, list[Any]]:
    clause, limits = scope_clause(actor)
    parts, bound = [clause], list[Any](limits)
    if filters.category == "open":
        parts.append(_IS_OPEN)
    elif filters.category == "ended":
        parts.append(f"NOT {_IS_OPEN}")
    for condition, value in (
        ("state = ANY(%s)", list(filters.states)),
        ("station_no = %s", filters.station_no),
        ("due_at < %s", filters.overdue_at),
        ("assignee_id = %s", filters.assignee_id),
    ):
        if value:
            parts.append(condition)
            bound.append(value)
    if filters.states == ("undispatched",):  # they have no station yet, and by that the index finds them at once
        parts.append("station_no = ''")
    return " AND ".join(parts), bound


def _due(where: str, bound: list[Any], after: Key, limit: int) -> list[ListedOrder]:
    """Rows after a deadline. Compared as a pair, which an index can find; with OR it would read all before it."""
    moment = datetime.fromisoformat(after[0])
    return _read(f"{where} AND (due_at, id) > (%s, %s)", [*bound, moment, after[1]], "due_at, id", limit)


def _without_clock(where: str, bound: list[Any], after_id: int, limit: int) -> list[ListedOrder]:
    return _read(f"{where} AND due_at IS NULL AND id > %s", [*bound, after_id], "id", limit)


def _older(where: str, bound: list[Any], after: Key | None, limit: int) -> list[ListedOrder]:
    if after is not None and after[0]:
        where = f"{where} AND (created_at, id) < (%s, %s)"
        bound = [*bound, datetime.fromisoformat(after[0]), after[1]]
    return _read(where, bound, "created_at DESC, id DESC", limit)


def _read(where: str, bound: list[Any], order: str, limit: int) -> list[ListedOrder]:
    with connection.cursor() as cursor:
        cursor.execute(f"{_SELECT}{where} ORDER BY {order} LIMIT %s", [*bound, limit])
        found = cursor.fetchall()
    return [_listed(row) for row in found]


def _listed(row: tuple[Any, ...]) -> ListedOrder:
    columns: tuple[Any, ...] = (*row[:8], orjson.loads(row[8]), orjson.loads(row[9]), *row[10:])
    return ListedOrder(*columns)


def _key_of(row: ListedOrder, filters: OrderFilters) -> Key:
    moment = row.due_at if filters.category == "open" else row.created_at
    return (moment.isoformat() if moment else "", row.id)
