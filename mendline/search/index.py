"""Keeps what can be found in step with the orders: reads the history, and walks all orders once.

The history's numbers are given out before their transactions end, so a later number may be seen
first. Every entry is therefore read as soon as it is seen, and what lies below the highest seen
is read once more when everybody who was writing at that moment has ended. The second reading
costs little: an order whose texts are as they were is not written again.

Nothing here is lost with a worker: how far it came is written with what it wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.forms.models import model_to_dict

from mendline.orders.store import ORDER_PREFIX
from mendline.search.models import Current, Findable, Past, Reading
from mendline.search.words import VERSION, Source, keys_of

CURRENT_FOR = timedelta(days=365)
OPEN = ("open", "waiting")
BATCH = 2000
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
_ENTRIES = """
    SELECT id, subject FROM journal_entry WHERE id > %s AND id <= %s ORDER BY id LIMIT %s
"""
# Whoever adds to the history holds this lock from before the entry gets its number until the commit can be seen.
_WRITERS = """
    SELECT DISTINCT virtualtransaction FROM pg_locks
    WHERE relation = 'journal_entry'::regclass AND mode = 'RowExclusiveLock' AND pid <> pg_backend_pid()
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_PUT_AWAY = """
    WITH gone AS (
        DELETE FROM search_current WHERE order_id IN (
            SELECT c.order_id FROM search_current c JOIN orders_repairorder o ON o.id = c.order_id
            WHERE c.created_at < %s AND o.category NOT IN ('open', 'waiting') ORDER BY c.created_at LIMIT %s)
        RETURNING order_id, region, station_no, created_at, source, keys)
    INSERT INTO search_past (order_id, region, station_no, created_at, source, keys) SELECT * FROM gone
    ON CONFLICT (order_id) DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class _Horizon:
    """One look around: the newest entry that is seen, and who was writing at that moment."""

    newest_entry: int
    writers: frozenset[str]

    def over(self, earlier: Iterable[str]) -> bool:
        """Tell whether all who were writing at an earlier look have ended."""
        return self.writers.isdisjoint(earlier)


def catch_up(now: datetime) -> bool:
    """Take up what happened since the last time; return whether there is more to do at once.

    Harmless to call from many workers: one does it, the others find it taken.
    """
    with transaction.atomic():
        horizon = _look()
        reading = _reading(horizon, wait=False)
        if reading is None:
            return False
        before = model_to_dict(reading)
        more = _read_new(reading, horizon, now)
        more = _read_again(reading, horizon, now) or more
        more = _fill(reading, horizon, now) or more
        if model_to_dict(reading) != before:
            reading.save()
    return more


def start_over(now: datetime, progress: Callable[[int], None]) -> None:
    """Look at every order once more, batch by batch; meanwhile everything goes on being found.

    `progress` hears the id of the last order of each batch. Ended in the middle, the worker goes on with it.
    """
    with transaction.atomic():
        reading = _reading(_look(), wait=True)
        assert reading is not None
        # What is under way now stands in the history after `read_to`, so the walk need not wait for it.
        reading.filled_to, reading.fill_after = 0, []
        reading.save()
    while True:
        with transaction.atomic():
            horizon = _look()
            reading = _reading(horizon, wait=True)
            assert reading is not None
            if not _fill(reading, horizon, now):
                reading.save()
                return
            reading.save()
            progress(reading.filled_to or 0)


def put_away(now: datetime) -> bool:
    """Move what ended and is older than twelve months, some at a time; return whether there may be more."""
    with transaction.atomic():
        if _reading(_look(), wait=False) is None:
            return False
        with connection.cursor() as cursor:
            cursor.execute(_PUT_AWAY, [now - CURRENT_FOR, BATCH])
            return bool(cursor.rowcount == BATCH)


# --- reading ----------------------------------------------------------------------------------------------------


def _look() -> _Horizon:
    with connection.cursor() as cursor:  # in this order: who writes below the newest entry is among the writers
        cursor.execute("SELECT coalesce(max(id), 0) FROM journal_entry")
        newest = cursor.fetchone()
        cursor.execute(_WRITERS)
        writers = cursor.fetchall()
    return _Horizon(newest[0] if newest else 0, frozenset(row[0] for row in writers))


def _reading(horizon: _Horizon, *, wait: bool) -> Reading | None:
    """Return the one row, locked; None when another worker has it and we do not wait.

    The first time there is none: the history until now is left to the walk through the orders, which begins
    when everybody who is writing has ended (`fill_after`).
    """
    if not Reading.objects.exists():
        first = Reading(
            id=1,
            read_to=horizon.newest_entry,
            done_to=horizon.newest_entry,
            filled_to=0,
            fill_after=sorted(horizon.writers),
        )
        Reading.objects.bulk_create([first], ignore_conflicts=True)
    return Reading.objects.select_for_update(skip_locked=not wait).first()


def _read_new(reading: Reading, horizon: _Horizon, now: datetime) -> bool:
    """Read what came since; the highest entry seen waits for its second reading where somebody was writing."""
    last, full = _follow(reading.done_to, horizon.newest_entry, now)
    reading.done_to = max(reading.done_to, last)
    seen = min(reading.done_to, horizon.newest_entry)  # another worker may have read on since we looked
    if reading.seen_to is None and seen > reading.read_to:
        reading.seen_to, reading.seen_among = seen, sorted(horizon.writers)
    return full


def _read_again(reading: Reading, horizon: _Horizon, now: datetime) -> bool:
    """Read for the second time, now that nothing can come in between any more."""
    if reading.seen_to is None or not horizon.over(reading.seen_among):
        return False
    full = False
    if reading.seen_among:
        last, full = _follow(reading.read_to, reading.seen_to, now)
        reading.read_to = last if full else reading.seen_to
    else:  # nobody was writing: what was read was all there is
        reading.read_to = reading.seen_to
    if not full:
        reading.seen_to, reading.seen_among = None, []
    return full


def _follow(above: int, until: int, now: datetime) -> tuple[int, bool]:
    """Take up the orders of the entries after `above`; return the last entry read, and whether the batch was full."""
    if until <= above:
        return above, False
    with connection.cursor() as cursor:
        cursor.execute(_ENTRIES, [above, until, BATCH])
        entries = cursor.fetchall()
    refs = sorted({subject for _, subject in entries if subject.startswith(ORDER_PREFIX)})
    if refs:
        _take_up(_BY_REF, [refs], now)
    return (entries[-1][0] if entries else above), len(entries) == BATCH


def _fill(reading: Reading, horizon: _Horizon, now: datetime) -> bool:
    """Look at the next orders of the walk; return whether it goes on."""
    if reading.filled_to is None or not horizon.over(reading.fill_after):
        return False
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT max(id) FROM (SELECT id FROM orders_repairorder WHERE id > %s ORDER BY id LIMIT %s) AS next",
            [reading.filled_to, BATCH],
        )
        row = cursor.fetchone()
    last = row[0] if row else None
    if last is not None:
        _take_up(_BY_ID, [reading.filled_to, last], now)
    reading.filled_to = last
    return last is not None


# --- writing ----------------------------------------------------------------------------------------------------


def _take_up(statement: str, bound: list[Any], now: datetime) -> None:
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
