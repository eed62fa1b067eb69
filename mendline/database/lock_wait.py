"""Changing tables while people work: wait shortly for a lock, say who holds it, try again, give up in words (P8).

A change of a table waits for everybody who reads it at that moment, and everybody who comes later waits behind the
change. So one report that somebody left open would stop the whole installation, were it not for a limit: after two
seconds the change steps back, those behind it go on, and it comes again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import OperationalError, connection
from psycopg import sql
from psycopg.errors import LockNotAvailable

from mendline.database.errors import DatabaseUnavailable

LOCK_TIMEOUT = timedelta(seconds=2)  # how long everybody behind us waits at most, each time
PATIENCE = timedelta(seconds=60)
PAUSE = timedelta(seconds=3)  # for those behind us to get on
MOST_NAMED = 3

# Whoever was in the way all the time we waited is in a transaction that is older than that.
_HOLDERS = """
    SELECT a.pid, coalesce(a.usename, a.backend_type), coalesce(a.application_name, ''), coalesce(a.state, ''),
           a.xact_start, left(coalesce(a.query, ''), 120), array_agg(DISTINCT c.relname::text ORDER BY c.relname::text)
    FROM pg_locks l
    JOIN pg_stat_activity a ON a.pid = l.pid
    JOIN pg_class c ON c.oid = l.relation AND c.relkind IN ('r', 'p')
    JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = current_schema()
    WHERE l.locktype = 'relation' AND l.granted AND l.pid <> pg_backend_pid() AND a.datname = current_database()
      AND a.xact_start <= clock_timestamp() - make_interval(secs => %s)
    GROUP BY a.pid, a.usename, a.backend_type, a.application_name, a.state, a.xact_start, a.query
    ORDER BY a.xact_start LIMIT %s
"""
# What a CREATE INDEX CONCURRENTLY leaves behind that did not come to its end, and that nobody is building.
_HALF_BUILT = """
    SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = current_schema()
    WHERE NOT i.indisvalid AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.relid = i.indrelid)
"""


@dataclass(frozen=True, slots=True)
class Holder:
    """A session that holds tables which a change waited for."""

    pid: int
    account: str
    application: str
    doing: str
    since: datetime
    query: str
    tables: tuple[str, ...]

    def words(self, now: datetime) -> str:
        """Return who it is, for people."""
        named = f"{self.account} {self.application}".strip()
        held = ", ".join(self.tables[:5]) + (" …" if len(self.tables) > 5 else "")
        seconds = int((now - self.since).total_seconds())
        return f"  pid {self.pid} ({named}), {seconds} s, {self.doing}: {held}\n    {' '.join(self.query.split())}"


def in_turns(
    work: Callable[[], None],
    *,
    told: Callable[[str], None],
    lock_timeout: timedelta = LOCK_TIMEOUT,
    patience: timedelta = PATIENCE,
    pause: timedelta = PAUSE,
) -> None:
    """Carry out `work` on Django's connection; again, after a pause, while somebody holds what it needs.

    `work` must be able to go on where it was stopped, as Django's `migrate` is. `told` hears of every attempt in vain.

    Raises:
        DatabaseUnavailable: `patience` is over; names who holds the tables.
    """
    ends = time.monotonic() + patience.total_seconds()
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout')")
        before = cursor.fetchone()[0]
    _set_limit(f"{int(lock_timeout.total_seconds() * 1000)}ms")
    try:
        while True:
            _drop_half_built(told)
            try:
                work()
                return
            except OperationalError as problem:
                if not isinstance(problem.__cause__, LockNotAvailable):
                    raise
            held_by = _held_by(holders(lock_timeout))
            if time.monotonic() >= ends:
                raise DatabaseUnavailable(_given_up(held_by)) from None
            told(
                f"有人占用着表，{pause.seconds} 秒后再试 tables are held, trying again in {pause.seconds} s\n{held_by}"
            )
            time.sleep(pause.total_seconds())
    finally:
        _set_limit(before)


def holders(at_least: timedelta) -> list[Holder]:
    """Return the sessions that have held tables of ours for that long, the oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(_HOLDERS, [at_least.total_seconds(), MOST_NAMED])
        return [
            Holder(pid, account, application, doing, since, query, tuple(tables))
            for pid, account, application, doing, since, query, tables in cursor.fetchall()
        ]


def _held_by(found: Iterable[Holder]) -> str:
    now = datetime.now(UTC)
    return "\n".join(holder.words(now) for holder in found)


def _given_up(held_by: str) -> str:
    said = (
        "有人占用着要修改的表，已放弃；已完成的更新保留，系统照常运行。请让下列会话结束，再执行一次。\n"
        "Tables that must change are held by somebody: given up. What was done stays, and everybody works on."
        " Have these sessions ended, then do it again."
    )
    who = f"\n{held_by}\n  SELECT pg_terminate_backend(PID);" if held_by else ""
    return f"{said}{who}"


def _set_limit(value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [value])


def _drop_half_built(told: Callable[[str], None]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_HALF_BUILT)
        for (name,) in cursor.fetchall():
            told(f"去掉没建完的索引 dropping an index that was not finished: {name}")
            cursor.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
