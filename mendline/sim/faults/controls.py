"""The product with one of its walls taken away: what a test of that wall must object to.

Each is a block; afterwards the wall stands again. Works as the owner, on the database we are connected to, which
is never an installation's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import SimpleNamespace

from django.db import connection

from mendline.orders import transitions


@contextmanager
def _written_otherwise(function: str, *changes: tuple[str, str]) -> Iterator[None]:
    """Replace words in a function of the database; each must be there."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef(%s::regprocedure)", [function])
        [original] = cursor.fetchone()
        changed = original
        for words, others in changes:
            if words not in changed:
                raise LookupError(f"{function} does not say {words!r}")
            changed = changed.replace(words, others)
        cursor.execute(changed)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(original)


@contextmanager
def without_seat_guard() -> Iterator[None]:
    """A seat is taken because one was seen to be free, and nobody looks again while taking it (I5)."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE network_dayload DISABLE TRIGGER network_dayload_never_oversold")
    try:
        with _written_otherwise(
            "network_take_seat(varchar, varchar, varchar, date)", ("AND taken < capacity", "AND true")
        ):
            yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE network_dayload ENABLE TRIGGER network_dayload_never_oversold")


@contextmanager
def without_revision_guard() -> Iterator[None]:
    """Whoever writes last wins: nobody asks whether the row is still what it was when it was read (I4)."""
    with _written_otherwise("mendline_write(jsonb)", ("AND revision = (item->>'revision')::int", "")):
        yield


@contextmanager
def without_key_guard() -> Iterator[None]:
    """The answer of a key is kept, and nothing keeps a second one from being kept as well (I2)."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE orders_idempotencykey DROP CONSTRAINT one_answer_per_key")
    try:
        with _written_otherwise("mendline_write(jsonb)", ("IF NOT pg_try_advisory_xact_lock(", "IF 0 = (")):
            yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE orders_idempotencykey")
            cursor.execute(
                "ALTER TABLE orders_idempotencykey ADD CONSTRAINT one_answer_per_key UNIQUE (person_id, key)"
            )


@contextmanager
def without_transaction() -> Iterator[None]:
    """A step that writes several records commits each of them by itself (I4)."""
    module = vars(transitions)
    kept = module["transaction"]
    module["transaction"] = SimpleNamespace(atomic=nullcontext)
    try:
        yield
    finally:
        module["transaction"] = kept


# Name of a play → the wall without which it must go wrong.
OF_PLAYS: Mapping[str, Callable[[], AbstractContextManager[None]]] = {
    "the last seats": without_seat_guard,
    "one screen, three people": without_revision_guard,
    "the same key again": without_key_guard,
}
