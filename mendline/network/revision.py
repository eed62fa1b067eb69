"""Has the network changed? One number to compare, and the stations that a change touched.

Every change of regions, stations, coverage, capacity, products and filings gets a new revision by
trigger, whoever writes it. What is kept in memory is checked against it at most once a second;
whoever writes the network in this process calls `look_again()`, so that the next reader sees it.
Inside a longer transaction, which may itself have changed the network, every read compares.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Generic, TypeVar

from django.db import connection

T = TypeVar("T")

CHECK_EVERY = timedelta(seconds=1)

_checks = {"every": CHECK_EVERY.total_seconds(), "generation": 0.0}


def current_revision() -> int:
    """Return the network's revision as this transaction sees it; 0 before the first change."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT revision FROM network_networkrevision WHERE id = 1")
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def stations_changed_since(revision: int) -> frozenset[str] | None:
    """Return the stations touched after `revision`; None when that cannot be told and all must be read again.

    That is so when a change concerned too many stations or none in particular, when `revision` is
    too old, or when it was never committed.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT station_no, revision = %s FROM network_networkchange WHERE revision >= %s",
            [revision, revision],
        )
        rows = cursor.fetchall()
    if not any(is_ours for _, is_ours in rows):
        return None
    touched = frozenset(station_no for station_no, is_ours in rows if not is_ours)
    return None if "" in touched else touched


def look_again() -> None:
    """Make the next reader in this process compare revisions at once, however recently that was done."""
    _checks["generation"] += 1


def check_every(seconds: float) -> None:
    """Set how long a revision may go unchecked; 0 compares on every read (scenarios, tests)."""
    _checks["every"] = seconds


class Kept(Generic[T]):
    """A value built from the network and kept per process until the revision moves.

    `build(old, old_revision)` returns the new value, or None to go on serving the old one while a
    new one is made elsewhere (`replace`). The revision is read before the data: what is written
    in between makes the value newer than its label, and it is then only built once more.
    """

    def __init__(self, build: Callable[[T | None, int], T | None]) -> None:
        self._build = build
        self._lock = threading.Lock()
        self._kept: tuple[T, int] | None = None
        self._checked_at = float("-inf")
        self._generation = -1.0

    @property
    def revision(self) -> int:
        """The revision of the kept value; -1 when there is none."""
        kept = self._kept
        return kept[1] if kept else -1

    def get(self) -> T:
        """Return the value, compared with the database if that was last done more than a moment ago."""
        kept = self._kept
        recently = time.monotonic() - self._checked_at < _checks["every"]
        if kept is not None and recently and self._generation == _checks["generation"] and not connection.savepoint_ids:
            return kept[0]
        return self.get_fresh()

    def get_fresh(self) -> T:
        """Return the value as of the database's present revision, unless it is just being made elsewhere."""
        generation, checked_at = _checks["generation"], time.monotonic()
        kept = self._kept
        if kept is None or current_revision() != kept[1]:
            with self._lock:
                kept = self._in_step(self._kept)
        self._generation, self._checked_at = generation, checked_at
        return kept[0]

    def replace(self, value: T, revision: int) -> None:
        """Put in a value that was made elsewhere."""
        with self._lock:
            self._kept = (value, revision)

    def amend(self, amended: Callable[[T], T]) -> T:
        """Replace the value by what `amended` makes of it, under the same revision."""
        with self._lock:
            if self._kept is None:
                raise RuntimeError("there is nothing to amend")
            self._kept = (amended(self._kept[0]), self._kept[1])
            return self._kept[0]

    def forget(self) -> None:
        """Drop the value; the next reader builds it anew."""
        with self._lock:
            self._kept, self._generation = None, -1.0

    def _in_step(self, kept: tuple[T, int] | None) -> tuple[T, int]:
        revision = current_revision()
        if kept is not None and kept[1] == revision:
            return kept
        made = self._build(*(kept or (None, -1)))
        if made is not None:
            kept = (made, revision)
        if kept is None:
            raise RuntimeError("the first build must return a value")
        self._kept = kept
        return kept
