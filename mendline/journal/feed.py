"""What has just happened, for those who watch: the history after a certain entry, read by its number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection

MOST = 500  # entries a reading; whoever is further behind is told that there is more
# The numbers are a sequence's: an entry with a lower one may be committed after one with a higher one.
AFTER = """
    SELECT id, subject, region, station_no FROM journal_entry
    WHERE id > %s OR id = ANY(%s) ORDER BY id LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Happened:
    """One entry as the feed knows it: what it was about, and whose that is now."""

    id: int
    subject: str
    region: str
    station_no: str


@dataclass(slots=True)
class Reader:
    """Remembers how far the history was read, and which numbers were passed over because they were not there yet.

    A number that does not come within `patience` seconds never will: its transaction was given up.
    """

    top: int
    patience: float = 15.0
    missing: dict[int, float] = field(default_factory=dict)  # number → when it was first missed, in seconds

    def parameters(self) -> tuple[int, list[int], int]:
        return self.top, list(self.missing), MOST

    def took(self, found: Sequence[Happened], now: float) -> list[Happened]:
        """Note what was read at `now` (seconds of any clock that never goes back) and return it."""
        for number in [number for number, since in self.missing.items() if now - since > self.patience]:
            del self.missing[number]
        for entry in found:
            if entry.id > self.top:
                for number in range(max(self.top + 1, entry.id - MOST), entry.id):
                    self.missing[number] = now
                self.top = entry.id
            else:
                self.missing.pop(entry.id, None)
        return list(found)


def newest_entry() -> int:
    """Return the number of the newest entry; 0 when nothing ever happened."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM journal_entry")
        row = cursor.fetchone()
    return int(row[0])


def happened_after(number: int) -> list[Happened]:
    """Return what happened after an entry, at most `MOST`; the oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(AFTER, [number, [], MOST])
        return from_rows(cursor.fetchall())


def concerned_since(subject: str, moment: datetime) -> bool:
    """Tell whether the history has an entry about this subject from a moment on."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM journal_entry WHERE subject = %s AND at >= %s)", [subject, moment])
        row = cursor.fetchone()
    return bool(row[0])


def from_rows(rows: Iterable[tuple[int, str, str, str]]) -> list[Happened]:
    return [Happened(*row) for row in rows]
