"""Statements of the hot path, without what Django puts around every one of them.

A cursor of its own for every statement, with its wrappers, costs three times what sending the statement
costs. Here one cursor per connection is kept. Whoever listens to statements (`execute_wrapper`)
hears these as well: then they go Django's way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from django.db import DEFAULT_DB_ALIAS, connections

Bound: TypeAlias = "Sequence[Any] | Mapping[str, Any]"
_KEPT = "mendline_cursor"


def first_row(statement: str, bound: Bound) -> tuple[Any, ...] | None:
    """Send a statement and return its first row; None when it has none."""
    own = connections[DEFAULT_DB_ALIAS]
    if own.execute_wrappers or own.queries_logged:
        with own.cursor() as cursor:
            cursor.execute(statement, bound)
            row: tuple[Any, ...] | None = cursor.fetchone()
            return row
    with own.wrap_database_errors:
        kept = _cursor(own)
        kept.execute(statement, bound)
        found: tuple[Any, ...] | None = kept.fetchone()
        return found


def _cursor(own: Any) -> Any:
    """Return the kept cursor of this thread's connection; a connection made anew has a new one."""
    own.ensure_connection()
    own.validate_no_broken_transaction()
    # In the thread's own object: `django.db.connection` is one proxy for all threads.
    raw, cursor = own.__dict__.get(_KEPT, (None, None))
    if raw is not own.connection:
        raw, cursor = own.connection, own.create_cursor()
        own.__dict__[_KEPT] = raw, cursor
    return cursor
