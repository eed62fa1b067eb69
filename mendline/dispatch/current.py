"""The process's own index, kept in step with the database."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import TypeAlias

from django.db import connection

from mendline.dispatch.index import CapacityRow, CoverageRow, Index, StandingRow, StationRow
from mendline.kernel.time import local_day
from mendline.network.revision import Kept, current_revision, stations_changed_since

Values: TypeAlias = dict[str, bool | list[str] | date]

# From this many coverage rows on, reading everything again takes longer than an order may wait: a
# thread does it while the old index serves.
REBUILT_AT_ONCE = 20_000
STANDINGS_EVERY = timedelta(seconds=60)
# An index leaves out what ended before it; a little earlier than today, for steps dated back.
LOOKS_BACK = timedelta(days=7)

STATIONS = """
    SELECT number, name, region_id, coalesce(head_id, ''), area, works_in_cc_web,
        active_from - DATE '0001-01-01' + 1, coalesce(active_until - DATE '0001-01-01' + 1, 3652059)
    FROM network_station WHERE %(all)s OR number = ANY(%(numbers)s)
"""
COVERAGE = """
    SELECT station_id, product_line, area,
        effective_from - DATE '0001-01-01' + 1, coalesce(effective_until - DATE '0001-01-01' + 1, 3652059)
    FROM network_coverage
    WHERE (effective_until IS NULL OR effective_until > %(since)s AND effective_until > effective_from)
"""
CAPACITIES = """
    SELECT station_id, product_line, per_day,
        effective_from - DATE '0001-01-01' + 1, coalesce(effective_until - DATE '0001-01-01' + 1, 3652059)
    FROM network_capacity
    WHERE (effective_until IS NULL OR effective_until > %(since)s AND effective_until > effective_from)
"""
OF_THESE = " AND station_id = ANY(%(numbers)s)"


def current_index(now: datetime) -> Index:
    """Return the index, at most a second behind the database (a bulk import: until it is read in again)."""
    return _holder.get(local_day(now))


def fresh_index(now: datetime) -> Index:
    """Return the index as of this transaction, for a step that found the network changed."""
    return _holder.get_fresh(local_day(now))


def index_revision() -> int:
    """Return the network revision that the present index was built from."""
    return _holder.kept.revision


def forget_index() -> None:
    """Drop the index of this process; the next step builds it anew."""
    _holder.kept.forget()


class _Holder:
    """The kept index, its standings, and the thread that may be building the next one."""

    def __init__(self) -> None:
        self.kept: Kept[Index] = Kept(self._build)
        self._since = date.max
        self._standings_at = float("-inf")
        self._builder: threading.Thread | None = None

    def get(self, day: date) -> Index:
        self._reach_back_to(day)
        index = self.kept.get()
        if time.monotonic() - self._standings_at > STANDINGS_EVERY.total_seconds():
            self._standings_at = time.monotonic()
            standings = _standings()
            index = self.kept.amend(lambda present: present.with_standings(standings))
        return index

    def get_fresh(self, day: date) -> Index:
        self._reach_back_to(day)
        return self.kept.get_fresh()

    def _reach_back_to(self, day: date) -> None:
        if day < self._since:
            self._since = day - LOOKS_BACK
            if self.kept.revision >= 0:
                self.kept.forget()

    def _build(self, old: Index | None, old_revision: int) -> Index | None:
        touched = stations_changed_since(old_revision) if old is not None else None
        if old is None:
            return read_index(self._since)
        if touched is not None:
            return _with_changes(old, touched, self._since)
        if not _is_large():
            return read_index(self._since)
        if self._builder is None or not self._builder.is_alive():
            self._builder = threading.Thread(target=self._build_aside, name="network index", daemon=True)
            self._builder.start()
        return None

    def _build_aside(self) -> None:
        try:
            revision = current_revision()
            self.kept.replace(read_index(self._since), revision)
        finally:
            connection.close()


_holder = _Holder()


def read_index(since: date) -> Index:
    """Read everything that has not ended by `since`."""
    values: Values = {"all": True, "numbers": [], "since": since}
    with connection.cursor() as cursor:
        cursor.execute(STATIONS, values)
        stations = [StationRow(*row) for row in cursor.fetchall()]
    return Index.of(stations, _coverage(COVERAGE, values), _capacities(CAPACITIES, values), _standings(), since)


def _with_changes(old: Index, touched: frozenset[str], since: date) -> Index:
    values: Values = {"all": False, "numbers": sorted(touched), "since": since}
    with connection.cursor() as cursor:
        cursor.execute(STATIONS, values)
        stations = [StationRow(*row) for row in cursor.fetchall()]
    coverage, capacities = _coverage(COVERAGE + OF_THESE, values), _capacities(CAPACITIES + OF_THESE, values)
    return old.changed(touched, stations, coverage, capacities)


def _coverage(statement: str, values: Values) -> Iterator[CoverageRow]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        while rows := cursor.fetchmany(20_000):
            yield from rows


def _capacities(statement: str, values: Values) -> list[CapacityRow]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [CapacityRow(*row) for row in cursor.fetchall()]


def _standings() -> list[StandingRow]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT station_no, on_time_percent, open_orders FROM network_stationstanding")
        return [StandingRow(*row) for row in cursor.fetchall()]


def _is_large() -> bool:
    """Tell whether there are more coverage rows than are read again while somebody waits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM (SELECT FROM network_coverage LIMIT %s) AS counted", [REBUILT_AT_ONCE + 1])
        row = cursor.fetchone()
    return row is not None and int(row[0]) > REBUILT_AT_ONCE
