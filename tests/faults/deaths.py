"""A process that dies at a chosen statement, and what the database then holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import orjson
from django.db import connection, connections

TABLES = (
    "orders_repairorder", "orders_record", "journal_entry", "journal_outgoing", "process_timer", "network_seat",
    "network_dayload", "customers_customer",
)  # fmt: skip
Rows: TypeAlias = dict[str, list[dict[str, Any]]]


class StoppedHere(BaseException):
    """The process died; no `except Exception` of the code under test may notice."""


@dataclass(slots=True)
class Death:
    """How many statements were sent, and whether it came to the one at which to die."""

    at: int
    sent: int = 0
    happened: bool = False

    def before_a_statement(self) -> None:
        self.sent += 1
        if self.sent == self.at:
            self.happened = True
            raw = connection.connection
            if raw is not None:
                raw.close()  # no ROLLBACK is sent: the server finds the line dead
            raise StoppedHere


@contextmanager
def dying_at(n: int) -> Iterator[Death]:
    """Die in place of the n-th statement, counted from 1; every COMMIT counts as one. The block ends quietly then."""
    death = Death(n)
    real = connections["default"]
    commit: Callable[[], None] = real._commit  # type: ignore[attr-defined]

    def counted(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        death.before_a_statement()
        return execute(sql, params, many, context)

    def counted_commit() -> None:
        death.before_a_statement()
        commit()

    real._commit = counted_commit  # type: ignore[attr-defined]
    try:
        with connection.execute_wrapper(counted):
            yield death
    except BaseException:
        # Cleaning up after a dead connection fails in ways of its own; only other faults are news.
        if not death.happened:
            raise
    finally:
        real._commit = commit  # type: ignore[attr-defined]
        if death.happened:
            connection.close()


def everything() -> Rows:
    """Return every row of the tables that a step may write."""
    found: Rows = {}
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT to_jsonb(t)::text FROM {table} t ORDER BY id")
            found[table] = [orjson.loads(row) for (row,) in cursor.fetchall()]
    return found
