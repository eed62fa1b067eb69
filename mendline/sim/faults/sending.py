"""Everything that leaves a process on behalf of one command: statements, commits, files, messages.

Whoever listens in a thread (`heard_by`) is asked about each of them before it happens, and lets it happen, or not.
Statements are heard where the driver sends them, the short way past the driver's cursors included, so that the
product takes the same way as always; a wrapper of Django's (`execute_wrapper`) would send it another one.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import psycopg
from psycopg.pq import TransactionStatus

from mendline.database.statements import _Statements

What: TypeAlias = Literal["statement", "commit", "file", "outbound"]
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_ears = threading.local()
_installed = threading.Lock()
_listeners = 0


@dataclass(frozen=True, slots=True)
class Sending:
    """One thing about to leave. `is_final`: once it is done, nothing that fails later takes it back."""

    what: What
    text: str
    is_final: bool
    connection: psycopg.Connection[Any] | None = None


# Is given the sending and what carries it out; returns what the latter returned.
Listener: TypeAlias = Callable[[Sending, Callable[[], Any]], Any]


@contextmanager
def heard_by(listener: Listener) -> Iterator[None]:
    """Let `listener` carry out everything that this thread sends within the block."""
    before = getattr(_ears, "listener", None)
    with _hearing():
        _ears.listener = listener
        try:
            yield
        finally:
            _ears.listener = before


def send(sending: Sending, carry_out: Callable[[], Any]) -> Any:
    """Carry something out as this thread's listener wants; what a listener itself sends goes unheard."""
    listener: Listener | None = getattr(_ears, "listener", None)
    if listener is None:
        return carry_out()
    _ears.listener = None
    try:
        return listener(sending, carry_out)
    finally:
        _ears.listener = listener


@contextmanager
def _hearing() -> Iterator[None]:
    """Have the ears in place as long as anybody listens, in whichever thread."""
    global _listeners, _put_back
    with _installed:
        if not _listeners:
            _put_back = _install()
        _listeners += 1
    try:
        yield
    finally:
        with _installed:
            _listeners -= 1
            if not _listeners:
                _put_back()


_put_back: Callable[[], None]


def _install() -> Callable[[], None]:
    kept: list[tuple[Any, str, Any]] = []

    def replace(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        kept.append((owner, name, getattr(owner, name)))
        setattr(owner, name, make(getattr(owner, name)))

    replace(psycopg.Cursor, "execute", _heard_statement)
    replace(psycopg.Cursor, "executemany", _heard_statement)
    replace(_Statements, "_send", _heard_short_way)
    replace(psycopg.Connection, "commit", _heard_commit)
    replace(os, "open", _heard_opening)
    for name in ("fsync", "rename", "replace"):
        replace(os, name, _heard_file)

    def put_back() -> None:
        for owner, name, original in reversed(kept):
            setattr(owner, name, original)

    return put_back


def _heard_statement(original: Any) -> Any:
    def execute(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        raw = self.connection
        alone = raw.autocommit and raw.pgconn.transaction_status == TransactionStatus.IDLE
        text = query if isinstance(query, str) else str(query)
        return send(Sending("statement", text, alone, raw), lambda: original(self, query, *args, **kwargs))

    return execute


def _heard_short_way(original: Any) -> Any:
    def short_way(self: Any, statement: str, bound: Any) -> Any:
        return send(Sending("statement", statement, True, self.raw), lambda: original(self, statement, bound))

    return short_way


def _heard_commit(original: Any) -> Any:
    def commit(self: Any) -> Any:
        return send(Sending("commit", "COMMIT", True, self), lambda: original(self))

    return commit


def _heard_opening(original: Any) -> Any:
    def opening(path: Any, flags: int, *args: Any, **kwargs: Any) -> Any:
        if not flags & _WRITES:
            return original(path, flags, *args, **kwargs)
        return send(Sending("file", "open", True), lambda: original(path, flags, *args, **kwargs))

    return opening


def _heard_file(original: Any) -> Any:
    def on_file(*args: Any, **kwargs: Any) -> Any:
        return send(Sending("file", original.__name__, True), lambda: original(*args, **kwargs))

    return on_file
