"""Keeps what can be found in step with the orders, as a follower of their history.

Most orders are read twice. The second reading costs little: an order whose texts are as they
were is not written again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from mendline.journal.following import BATCH, Follower
from mendline.orders.store import ORDER_PREFIX
from mendline.search.models import Current, Findable, Past, Reading
from mendline.search.words import VERSION, Source, keys_of

CURRENT_FOR = timedelta(days=365)
OPEN = ("open", "waiting")
_WRITTEN = "order_id, region, station_no, created_at, source, keys"

# The digest is made where the texts are, so that an order that did not change is neither sent nor written.
_ORDERS = """
    SELECT * FROM (
        SELECT o.id, o.ref, o.customer_name, o.phone, o.serial_no, o.area, o.address, o.region, o.station_no,
               o.category, o.created_at, c.order_id IS NOT NULL, p.order_id IS NOT NULL,
               hashtextextended(concat_ws(chr(31), o.ref, o.customer_name, o.phone, o.serial_no, o.area, o.address,
                                          o.region, o.station_no), {version}) AS source, c.source, p.source
        FROM orders_repairorder o
        LEFT JOIN search_current c ON c.order_id = o.id LEFT JOIN search_past p ON p.order_id = o.id
        WHERE {which}
    ) AS found (id, ref, name, phone, serial, area, address, region, station, category, created_at, in_current,
                in_past, source, current_source, past_source)
    WHERE in_current = in_past OR source IS DISTINCT FROM coalesce(current_source, past_source)
       OR in_past AND category IN ('open', 'waiting')
"""
_BY_REF = _ORDERS.format(version=VERSION, which="o.ref = ANY(%s)")
_BY_ID = _ORDERS.format(version=VERSION, which="o.id > %s AND o.id <= %s")
_PUT_AWAY = """
    WITH gone AS (
        DELETE FROM search_current WHERE order_id IN (
            SELECT c.order_id FROM search_current c JOIN orders_repairorder o ON o.id = c.order_id
            WHERE c.created_at < %s AND o.category NOT IN ('open', 'waiting') ORDER BY c.created_at LIMIT %s)
        RETURNING order_id, region, station_no, created_at, source, keys)
    INSERT INTO search_past (order_id, region, station_no, created_at, source, keys) SELECT * FROM gone
    ON CONFLICT (order_id) DO NOTHING
"""


def _take_up(refs: list[str], now: datetime) -> None:
    _keep(_BY_REF, [refs], now)


def _walk(above: int, until: int, now: datetime) -> None:
    _keep(_BY_ID, [above, until], now)


def _put_away(now: datetime) -> bool:
    """Move what ended and is older than twelve months, some at a time; return whether there may be more."""
    with connection.cursor() as cursor:
        cursor.execute(_PUT_AWAY, [now - CURRENT_FOR, BATCH])
        return bool(cursor.rowcount == BATCH)


FOLLOWER = Follower(Reading, ORDER_PREFIX, "orders_repairorder", _take_up, _walk, _put_away)
catch_up, start_over = FOLLOWER.catch_up, FOLLOWER.start_over


def _keep(statement: str, bound: list[Any], now: datetime) -> None:
    """Write what the chosen orders can be found by; those that are kept as they stand are passed over."""
    made: dict[type[Findable], list[tuple[object, ...]]] = {Current: [], Past: []}
    outdated: dict[type[Findable], list[int]] = {Current: [], Past: []}
    with connection.cursor() as cursor:
        cursor.execute(statement, bound)
        rows = cursor.fetchall()
    for row in rows:
        row_id, ref, name, phone, serial, area, address, region, station, category, created_at = row[:11]
        in_current, in_past, source = row[11:14]
        keys = keys_of(Source(ref, name, phone, serial, area, address, region, station))
        model: type[Findable] = Current if category in OPEN or created_at >= now - CURRENT_FOR else Past
        made[model].append((row_id, region, station, created_at, source, f"{{{','.join(map(str, keys))}}}"))
        outdated[Current] += [row_id] if in_current else []
        outdated[Past] += [row_id] if in_past else []
    for model in (Current, Past):
        if outdated[model]:
            _objects(model).unscoped("written anew").filter(order_id__in=outdated[model]).delete()
        _add(model, made[model])


def _add(model: type[Findable], rows: list[tuple[object, ...]]) -> None:
    """Add many rows at once: copying takes a fifth of what inserting them does."""
    if rows:
        statement = f"COPY {model._meta.db_table} ({_WRITTEN}) FROM STDIN"
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)


def _objects(model: type[Findable]) -> Any:
    return model.objects  # type: ignore[attr-defined]
