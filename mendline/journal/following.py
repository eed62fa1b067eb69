"""Following the history without missing what is committed late: for tables that are kept in step with it.

The history's numbers are given out before their transactions end, so a later number may be seen
first. Every entry is therefore read as soon as it is seen, and what lies below the highest seen
is read once more when everybody who was writing at that moment has ended. Taking up a subject
twice must be harmless.

What was there before the first worker came is walked through once, beside the reading. How far
both are stands in one row, written in the transaction of what was taken up, so that nothing is
lost with a worker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Generic, TypeVar

from django.contrib.postgres.fields import ArrayField
from django.db import connection, models, transaction
from django.forms.models import model_to_dict

BATCH = 2000
TOLD_EVERY = timedelta(seconds=10)  # how often "as of" is written where nothing happened

_ENTRIES = """
    SELECT id, subject FROM journal_entry WHERE id > %s AND id <= %s ORDER BY id LIMIT %s
"""
_NEXT_ROWS = "SELECT max(id) FROM (SELECT id FROM {} WHERE id > %s ORDER BY id LIMIT %s) AS next"
# Whoever adds to the history holds this lock from before the entry gets its number until the commit can be seen.
_WRITERS = """
    SELECT DISTINCT virtualtransaction FROM pg_locks
    WHERE relation = 'journal_entry'::regclass AND mode = 'RowExclusiveLock' AND pid <> pg_backend_pid()
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class HistoryReading(models.Model):
    """How far a worker has read the history; one row. Each follower has a table of its own."""

    read_to = models.BigIntegerField()  # history entries up to here: nothing is missing
    done_to = models.BigIntegerField()  # … up to here: what could be seen at the time
    seen_to = models.BigIntegerField(null=True)  # … up to here is read again when all of `seen_among` have ended
    seen_among = ArrayField(models.CharField(max_length=40), default=list, blank=True)  # transactions
    filled_to = models.BigIntegerField(null=True)  # the walk came to here; empty when it is over
    fill_after = ArrayField(models.CharField(max_length=40), default=list, blank=True)  # not before these have ended
    as_of = models.DateTimeField(null=True)  # when everything that could be seen had last been taken up

    class Meta:
        abstract = True
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(id=1), name="%(app_label)s_one_reading"),
        ]

    def __str__(self) -> str:
        return f"{self.read_to}/{self.done_to}"


R = TypeVar("R", bound=HistoryReading)


@dataclass(frozen=True, slots=True)
class Horizon:
    """One look around: the newest entry that is seen, and who was writing at that moment."""

    newest_entry: int
    writers: frozenset[str]

    def over(self, earlier: Iterable[str]) -> bool:
        """Tell whether all who were writing at an earlier look have ended."""
        return self.writers.isdisjoint(earlier)


@dataclass(frozen=True)
class Follower(Generic[R]):
    """Somebody who keeps a table in step with the history.

    `take_up` is handed numbers of subjects about which something happened. `walk` takes up the rows of
    `table` whose ids lie above one number and not above another. `look_again` takes up what changes by
    the mere passing of time; it returns whether there is more.
    """

    reading: type[R]
    prefix: str  # of the subjects that count
    table: str  # where their rows are, with an `id`
    take_up: Callable[[list[str], datetime], None]
    walk: Callable[[int, int, datetime], None]
    look_again: Callable[[datetime], bool]

    def catch_up(self, now: datetime) -> bool:
        """Take up what happened since the last time; return whether there is more to do at once.

        Harmless to call from many workers: one does it, the others find it taken.
        """
        with transaction.atomic():
            horizon = look_around()
            reading = self._locked(horizon, wait=False)
            if reading is None:
                return False
            before = model_to_dict(reading)
            more = self._read_new(reading, horizon, now)
            more = self._read_again(reading, horizon, now) or more
            more = self._fill(reading, horizon, now) or more
            more = self.look_again(now) or more
            if not more and reading.filled_to is None and _is_old(reading.as_of, now):
                reading.as_of = now
            if model_to_dict(reading) != before:
                reading.save()
        return more

    def start_over(self, now: datetime, progress: Callable[[int], None]) -> None:
        """Walk through everything once more, batch by batch; meanwhile what is kept stays in use.

        `progress` hears the id of the last row of each batch. Ended in the middle, the worker goes on with it.
        """
        with transaction.atomic():
            reading = self._locked(look_around(), wait=True)
            assert reading is not None
            # What is under way now stands in the history after `read_to`, so the walk need not wait for it.
            reading.filled_to, reading.fill_after = 0, []
            reading.save()
        while True:
            with transaction.atomic():
                horizon = look_around()
                reading = self._locked(horizon, wait=True)
                assert reading is not None
                more = self._fill(reading, horizon, now)
                reading.save()
                if not more:
                    return
                progress(reading.filled_to or 0)

    def _locked(self, horizon: Horizon, *, wait: bool) -> R | None:
        """Return the one row, locked; None when another worker has it and we do not wait.

        The first time there is none: the history until now is left to the walk, which begins when
        everybody who is writing has ended (`fill_after`).
        """
        rows = self.reading._default_manager
        if not rows.exists():
            first = self.reading(
                id=1,
                read_to=horizon.newest_entry,
                done_to=horizon.newest_entry,
                filled_to=0,
                fill_after=sorted(horizon.writers),
            )
            rows.bulk_create([first], ignore_conflicts=True)
        return rows.select_for_update(skip_locked=not wait).first()

    def _read_new(self, reading: R, horizon: Horizon, now: datetime) -> bool:
        """Read what came since; the highest entry seen waits for its second reading where somebody was writing."""
        last, full = self._follow(reading.done_to, horizon.newest_entry, now)
        reading.done_to = max(reading.done_to, last)
        seen = min(reading.done_to, horizon.newest_entry)  # another worker may have read on since we looked
        if reading.seen_to is None and seen > reading.read_to:
            reading.seen_to, reading.seen_among = seen, sorted(horizon.writers)
        return full

    def _read_again(self, reading: R, horizon: Horizon, now: datetime) -> bool:
        """Read for the second time, now that nothing can come in between any more."""
        if reading.seen_to is None or not horizon.over(reading.seen_among):
            return False
        full = False
        if reading.seen_among:
            last, full = self._follow(reading.read_to, reading.seen_to, now)
            reading.read_to = last if full else reading.seen_to
        else:  # nobody was writing: what was read was all there is
            reading.read_to = reading.seen_to
        if not full:
            reading.seen_to, reading.seen_among = None, []
        return full

    def _follow(self, above: int, until: int, now: datetime) -> tuple[int, bool]:
        """Take up the subjects of the entries after `above`; return the last entry read, and whether more may come."""
        if until <= above:
            return above, False
        with connection.cursor() as cursor:
            cursor.execute(_ENTRIES, [above, until, BATCH])
            entries = cursor.fetchall()
        refs = sorted({subject for _, subject in entries if subject.startswith(self.prefix)})
        if refs:
            self.take_up(refs, now)
        return (entries[-1][0] if entries else above), len(entries) == BATCH

    def _fill(self, reading: R, horizon: Horizon, now: datetime) -> bool:
        """Take up the next rows of the walk; return whether it goes on."""
        if reading.filled_to is None or not horizon.over(reading.fill_after):
            return False
        with connection.cursor() as cursor:
            cursor.execute(_NEXT_ROWS.format(self.table), [reading.filled_to, BATCH])
            row = cursor.fetchone()
        until = row[0] if row else None
        if until is not None:
            self.walk(reading.filled_to, until, now)
        reading.filled_to = until
        return until is not None

    def last_row(self) -> int:
        """Return the highest id there is to walk to; 0 where there is none."""
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT coalesce(max(id), 0) FROM {self.table}")
            row = cursor.fetchone()
        return int(row[0]) if row else 0


def entries_not_read(reading: HistoryReading) -> int:
    """Return how many numbers of the history lie ahead of what was read."""
    return max(0, look_around().newest_entry - reading.done_to)


def _is_old(as_of: datetime | None, now: datetime) -> bool:
    return as_of is None or not timedelta(0) <= now - as_of < TOLD_EVERY


def look_around() -> Horizon:
    """Return how far the history reaches at this moment, and who is adding to it."""
    with connection.cursor() as cursor:  # in this order: who writes below the newest entry is among the writers
        cursor.execute("SELECT coalesce(max(id), 0) FROM journal_entry")
        newest = cursor.fetchone()
        cursor.execute(_WRITERS)
        writers = cursor.fetchall()
    return Horizon(newest[0] if newest else 0, frozenset(row[0] for row in writers))
