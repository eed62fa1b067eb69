"""Statements of the hot path, without what Django puts around every one of them.

A cursor of its own for every statement, with its wrappers, costs three times what sending the statement
costs. Here one cursor per connection is kept. Whoever listens to statements (`execute_wrapper`)
hears these as well: then they go Django's way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from django.db import connection

Bound: TypeAlias = "Sequence[Any] | Mapping[str, Any]"
_KEPT = "mendline_cursor"


def first_row(statement: str, bound: Bound) -> tuple[Any, ...] | None:
    """Send a statement and return its first row; None when it has none."""
    if _is_listened_to():
        with connection.cursor() as cursor:
            cursor.execute(statement, bound)
            row: tuple[Any, ...] | None = cursor.fetchone()
            return row
    with connection.wrap_database_errors:
        kept = _cursor()
        kept.execute(statement, bound)
        found: tuple[Any, ...] | None = kept.fetchone()
        return found


def _is_listened_to() -> bool:
    return bool(connection.execute_wrappers) or connection.queries_logged


def _cursor() -> Any:
    """Return the kept cursor of this thread's connection; a connection made anew has a new one."""
    connection.ensure_connection()
    connection.validate_no_broken_transaction()
    raw, cursor = connection.__dict__.get(_KEPT, (None, None))
    if raw is not connection.connection:
        raw, cursor = connection.connection, connection.create_cursor()
        connection.__dict__[_KEPT] = raw, cursor
    return cursor
