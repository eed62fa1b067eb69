"""Statements of the hot path, without what Django and the driver put around every one of them.

A cursor for every statement, with its wrappers, its generator and its wait, costs five times what sending a
prepared statement costs. Here each connection keeps what it has prepared, and outside of a transaction
goes through the driver's own layer over libpq. In a transaction the driver begins it, and may have
forgotten what was prepared after a rollback; there a kept cursor is used. Whoever listens to
statements (`execute_wrapper`) hears these as well: then they go Django's way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from itertools import count
from typing import Any, TypeAlias

from django.db import DEFAULT_DB_ALIAS, connections
from psycopg import OperationalError
from psycopg.adapt import Transformer
from psycopg.errors import InvalidSqlStatementName, error_from_result
from psycopg.pq import ConnStatus, ExecStatus

Bound: TypeAlias = "Sequence[Any] | Mapping[str, Any]"
_KEPT = "mendline_statements"
_NUMBERS = count(1)  # no name twice, whatever a connection went through
_PLACE = re.compile(r"%(?:s|\((\w+)\)s|(.?))")
_AS_TEXT: dict[type, Callable[[Any], str]] = {
    str: str, int: str, bool: str, datetime: datetime.isoformat, date: date.isoformat,
}  # fmt: skip


def first_row(statement: str, bound: Bound) -> tuple[Any, ...] | None:
    """Send a statement and return its first row; None when it has none.

    `bound` holds text, whole numbers, truth values, moments, days and None. Placeholders are `%s` or `%(name)s`.
    """
    own = connections[DEFAULT_DB_ALIAS]
    if own.execute_wrappers or own.queries_logged:
        with own.cursor() as cursor:
            return _first_of(cursor, statement, bound)
    with own.wrap_database_errors:
        kept = _kept(own)
        if kept.raw.autocommit:
            return kept.first_row(statement, bound)
        return _first_of(kept.cursor, statement, bound)


def _first_of(cursor: Any, statement: str, bound: Bound) -> tuple[Any, ...] | None:
    cursor.execute(statement, bound)
    row: tuple[Any, ...] | None = cursor.fetchone()
    return row


def _kept(own: Any) -> _Statements:
    """Return what this thread's connection has prepared; a connection made anew has nothing."""
    own.ensure_connection()
    own.validate_no_broken_transaction()
    # In the thread's own object: `django.db.connection` is one proxy for all threads.
    kept: _Statements | None = own.__dict__.get(_KEPT)
    if kept is None or kept.raw is not own.connection:
        kept = own.__dict__[_KEPT] = _Statements(own)
    return kept


class _Statements:
    """The prepared statements of one connection, for use outside of a transaction; `cursor` for use within."""

    def __init__(self, own: Any) -> None:
        self.raw = own.connection
        self.cursor = own.create_cursor()
        self._server = self.raw.pgconn
        self._loading = Transformer.from_context(self.cursor)  # as Django's own cursors: moments in its zone
        self._prepared: dict[str, tuple[bytes, tuple[str, ...]]] = {}

    def first_row(self, statement: str, bound: Bound) -> tuple[Any, ...] | None:
        try:
            found = self._send(statement, bound)
        except InvalidSqlStatementName:  # the driver forgets everything after a rollback; nothing was done
            self._prepared.clear()
            found = self._send(statement, bound)
        if not found.ntuples:
            return None
        self._loading.set_pgresult(found)
        row: tuple[Any, ...] = self._loading.load_row(0, tuple)
        return row

    def _send(self, statement: str, bound: Bound) -> Any:
        name, order = self._prepared.get(statement) or self._prepare(statement)
        values = [bound[key] for key in order] if isinstance(bound, Mapping) else bound
        return self._checked(self._server.exec_prepared(name, [_as_bytes(value) for value in values]))

    def _prepare(self, statement: str) -> tuple[bytes, tuple[str, ...]]:
        text, order = numbered(statement)
        name = b"mendline_%d" % next(_NUMBERS)
        self._checked(self._server.prepare(name, text.encode()))
        self._prepared[statement] = name, order
        return name, order

    def _checked(self, found: Any) -> Any:
        if found.status in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
            return found
        if self._server.status != ConnStatus.OK:
            raise OperationalError(found.get_error_message("utf-8") or "the connection is gone")
        raise error_from_result(found)


def _as_bytes(value: Any) -> bytes | None:
    return None if value is None else _AS_TEXT[type(value)](value).encode()


def numbered(statement: str) -> tuple[str, tuple[str, ...]]:
    """Return the statement with the server's own placeholders, and the names they stand for (none for `%s`)."""
    names: list[str] = []
    unnamed = 0

    def place(found: re.Match[str]) -> str:
        nonlocal unnamed
        if found[2] is not None:
            raise ValueError(f"write %s or %(name)s: {found[0]!r}")
        if found[1] is None:
            unnamed += 1
            return f"${unnamed}"
        if found[1] not in names:
            names.append(found[1])
        return f"${names.index(found[1]) + 1}"

    text = _PLACE.sub(place, statement)
    return text, tuple(names)
