"""The product with one of its walls taken away: what a test of that wall must object to.

Each is a block; afterwards the wall stands again. Works as the owner, on the database we are connected to, which
is never an installation's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace

from django.db import connection

from mendline.dispatch import seats
from mendline.orders import store, sweep, transitions


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
def _in_place(module: ModuleType, name: str, other: object) -> Iterator[None]:
    """Let a name of a module of the product mean something else."""
    names = vars(module)
    kept = names[name]
    names[name] = other
    try:
        yield
    finally:
        names[name] = kept


@contextmanager
def without_seat_guard() -> Iterator[None]:
    """A seat is taken because one was seen to be free, and nobody looks again while taking it (I5).

    Two walls go: the taker's own condition, and the trigger behind it, which would answer with an error (it is not
    switched off, because whoever puts rows back switches all triggers on again).
    """
    taking = "network_take_seat(varchar, varchar, varchar, date)"
    with (
        _written_otherwise(taking, ("AND taken < capacity", "AND true")),
        _written_otherwise("network_refuse_overselling()", ("RAISE EXCEPTION", "RETURN NEW; RAISE EXCEPTION")),
    ):
        yield


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
    with _in_place(transitions, "transaction", SimpleNamespace(atomic=nullcontext)):
        yield


def _release_by_what_was_read(order_ref: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT d.id, d.taken FROM network_dayload d JOIN network_seat s ON s.load_id = d.id"
            " WHERE s.order_ref = %s",
            [order_ref],
        )
        found = cursor.fetchone()
        if found is None:
            return False
        cursor.execute("DELETE FROM network_seat WHERE order_ref = %s", [order_ref])
        cursor.execute("UPDATE network_dayload SET taken = %s WHERE id = %s", [found[1] - 1, found[0]])
    return True


@contextmanager
def without_counting_down() -> Iterator[None]:
    """A seat is given back by writing one less than was read, instead of one less than there is (I5)."""
    with _in_place(seats, "release", _release_by_what_was_read):
        yield


@contextmanager
def without_announced_moves() -> Iterator[None]:
    """Whoever moves an order between two days holds one counter and waits for the other, as everybody does (I18)."""
    with _in_place(seats, "announce_move", lambda: None):
        yield


@contextmanager
def without_waiting_for_a_filing() -> Iterator[None]:
    """A station's day opens with the capacity of now while another one is being filed for it (I5)."""
    with _written_otherwise(
        "network_open_day(varchar, varchar, date)", ("PERFORM pg_advisory_xact_lock_shared(72019, 5);", "")
    ):
        yield


@contextmanager
def without_order_before_record() -> Iterator[None]:
    """A verdict locks its request and then the order, a cancellation the order and then its requests (I18)."""
    with _in_place(store, "_LOCK_ORDER_OF", "SELECT 0 WHERE %s::text IS NULL"):
        yield


@contextmanager
def without_timer_lock() -> Iterator[None]:
    """A due timer is read and not held, so two sweepers believe that it is theirs (I11)."""
    lock = "FOR UPDATE OF t SKIP LOCKED"
    if lock not in sweep._DUE:
        raise LookupError(f"the sweeper does not say {lock!r}")
    with _in_place(sweep, "_DUE", sweep._DUE.replace(lock, "")):
        yield


@dataclass(frozen=True, slots=True)
class Control:
    """`without` takes the wall away; `shows` is said of a play that went wrong for want of it, and of no other."""

    without: Callable[[], AbstractContextManager[None]]
    shows: str

    @property
    def name(self) -> str:
        return self.without.__name__.replace("_", " ")

    def is_red(self, wrong: Iterable[str]) -> bool:
        return any(self.shows in what for what in wrong)


# Name of a play → the wall without which it must go wrong.
OF_PLAYS: Mapping[str, Control] = {
    "the last seats": Control(without_seat_guard, "I5 never_oversold"),
    "a seat comes back": Control(without_counting_down, "I5 seats_are_counted"),
    "two orders change places": Control(without_announced_moves, '"busy"'),
    "a capacity is lowered": Control(without_waiting_for_a_filing, "seats, 1 was filed"),
    "one screen, three people": Control(without_revision_guard, "I4 every_revision_has_one_entry"),
    "verdict and cancellation": Control(without_order_before_record, '"busy"'),
    "the alarm and the person": Control(without_timer_lock, "I11 a_timer_takes_effect_once"),
    "the same key again": Control(without_key_guard, "I2 one_answer_per_key"),
}
