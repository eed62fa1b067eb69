"""Several people at once, in an order that a number decides: real sessions, one statement at a time.

Every actor has a thread and a database session of its own and runs the product as it is. Before each statement it
waits for the baton, and a generator drawn from a seed says who goes on. Whoever then waits for another's lock is
recognised by asking the database, not by the clock: he is let be until the lock is his. So the same seed leads to
the same order, and an order in which something goes wrong can be had again. One thing no seed decides: when two wait
for one row and it becomes free, both wake, and which of them comes first is PostgreSQL's and the machine's.
"""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Literal, Protocol, TypeAlias

import psycopg
from django.db import DEFAULT_DB_ALIAS, connection, connections

from mendline.database.statements import _KEPT
from mendline.dispatch import current
from mendline.network import directory
from mendline.network.revision import check_every
from mendline.sim.faults.sending import Sending, heard_by

State: TypeAlias = Literal["held", "flying", "done"]
_ASK_EVERY = 0.003  # seconds; how often the database is asked, which decides nothing
_STUCK_AFTER = 60.0
_BLOCKED = "SELECT pid FROM unnest(%s::int[]) AS p(pid) WHERE cardinality(pg_blocking_pids(pid)) > 0"
_MOST_STEPS = 2_000
_SAVEPOINT = re.compile(r"\"s\d+_x\d+\"")  # named after the thread and how many it had


class RigFailed(Exception):
    """The test bench itself failed; nothing is said about the product."""


class Chooser(Protocol):
    """Says who goes on, of those who could."""

    def __call__(self, ready: Sequence[str]) -> str: ...


def uniform(chance: random.Random) -> Chooser:
    """Everybody has the same chance at every step."""
    return lambda ready: chance.choice(ready)


def few_changes(chance: random.Random, names: Sequence[str], *, changes: int = 3, steps: int = 60) -> Chooser:
    """Whoever ranks highest goes on; at a few places, drawn beforehand, he is put last.

    Faults that need one particular switch are found sooner so than by switching all the time.
    """
    ranks = list(names)
    chance.shuffle(ranks)
    places = {chance.randrange(steps) for _ in range(changes)}
    step = 0

    def choose(ready: Sequence[str]) -> str:
        nonlocal step
        first = min(ready, key=ranks.index)
        if step in places:
            ranks.remove(first)
            ranks.append(first)
            first = min(ready, key=ranks.index)
        step += 1
        return first

    return choose


def chooser_of(seed: int, names: Sequence[str]) -> Chooser:
    """Return the order of a seed: even ones choose uniformly, odd ones change few times."""
    chance = random.Random(seed)
    return uniform(chance) if seed % 2 == 0 else few_changes(chance, names)


@dataclass(frozen=True, slots=True)
class Played:
    """In which order it went, and what each actor came to (an answer, or the error that he got)."""

    trace: tuple[str, ...]
    answers: Mapping[str, Any]
    waits: int  # how often somebody waited for a lock
    decided: int  # how many steps the seed alone decides: until two wait at once

    def agrees_with(self, other: Played) -> bool:
        """Tell whether both went the same way as far as their seed decides it."""
        until = min(self.decided, other.decided)
        return self.trace[:until] == other.trace[:until]


@dataclass(slots=True)
class _Actor:
    name: str
    act: Callable[[], Any]
    state: State = "flying"
    at: str = ""
    pid: int = 0
    turn: threading.Event = field(default_factory=threading.Event)
    answer: Any = None


class Crew:
    """Threads with sessions of their own, kept from one play to the next. `observer` asks who waits for whom."""

    def __init__(self, size: int, observer: psycopg.Connection[Any]) -> None:
        self._observer = observer
        self._moved = threading.Condition()
        self._work: list[_Actor | None] = [None] * size
        self._called = [threading.Event() for _ in range(size)]
        self._ended = False
        self._threads = [threading.Thread(target=self._live, args=(place,), daemon=True) for place in range(size)]
        for thread in self._threads:
            thread.start()

    def play(self, acts: Mapping[str, Callable[[], Any]], choose: Chooser) -> Played:
        """Let everybody act, one statement at a time, until all have come to an end.

        Raises RigFailed when nobody can go on for a minute.
        """
        actors = [_Actor(name, act) for name, act in acts.items()]
        if len(actors) > len(self._threads):
            raise ValueError(f"{len(actors)} actors, {len(self._threads)} sessions")
        for place, actor in enumerate(actors):
            self._work[place] = actor
            self._called[place].set()
        trace: list[str] = []
        waits, decided = 0, _MOST_STEPS
        while True:
            waiting = self._settle(actors)
            waits += waiting
            if waiting > 1:
                decided = min(decided, len(trace) + 1)  # who goes on now is drawn from the same people yet
            held = {actor.name: actor for actor in actors if actor.state == "held"}
            if not held:
                if all(actor.state == "done" for actor in actors):
                    return Played(tuple(trace), {actor.name: actor.answer for actor in actors}, waits, decided)
                self._until_somebody_moves(actors)  # all wait for each other: the database will end that
                continue
            chosen = held[choose(sorted(held))]
            trace.append(f"{chosen.name}: {chosen.at}")
            if len(trace) > _MOST_STEPS:
                raise RigFailed(f"more than {_MOST_STEPS} steps, last {trace[-3:]}")
            chosen.state = "flying"
            chosen.turn.set()

    def end(self) -> None:
        self._ended = True
        for called in self._called:
            called.set()
        for thread in self._threads:
            thread.join(10)

    def _settle(self, actors: Sequence[_Actor]) -> int:
        """Wait until everybody is held, done, or waits for somebody's lock; return how many do the latter."""
        give_up_at = time.monotonic() + _STUCK_AFTER
        while True:
            with self._moved:
                if any(actor.state == "flying" for actor in actors):
                    self._moved.wait(_ASK_EVERY)
                flying = [actor for actor in actors if actor.state == "flying"]
            if not flying:
                return 0
            # Who flies was noted before the question: whoever arrives meanwhile is seen in the next round.
            if all(actor.pid for actor in flying) and self._blocked(flying) >= {actor.pid for actor in flying}:
                return len(flying)
            if time.monotonic() > give_up_at:
                raise RigFailed(f"neither moves nor waits: {[(actor.name, actor.at) for actor in flying]}")

    def _blocked(self, flying: Sequence[_Actor]) -> set[int]:
        return {pid for (pid,) in self._observer.execute(_BLOCKED, [[actor.pid for actor in flying]])}

    def _until_somebody_moves(self, actors: Sequence[_Actor]) -> None:
        before = [actor.state for actor in actors]
        give_up_at = time.monotonic() + _STUCK_AFTER
        with self._moved:
            while [actor.state for actor in actors] == before:
                if time.monotonic() > give_up_at:
                    raise RigFailed("all wait for each other, and the database lets them")
                self._moved.wait(_ASK_EVERY)

    def _live(self, place: int) -> None:
        while True:
            self._called[place].wait()
            self._called[place].clear()
            if self._ended:
                connection.close()
                return
            actor = self._work[place]
            assert actor is not None
            _as_new()
            try:
                with heard_by(self._waiting_for_the_baton(actor)):
                    actor.answer = actor.act()
            except Exception as error:
                actor.answer = error
            self._note(actor, "done")

    def _waiting_for_the_baton(self, actor: _Actor) -> Callable[[Sending, Callable[[], Any]], Any]:
        def listener(sending: Sending, carry_out: Callable[[], Any]) -> Any:
            if sending.what in ("statement", "commit"):
                actor.at = _SAVEPOINT.sub("savepoint", " ".join(sending.text.split())[:70])
                if sending.connection is not None:
                    actor.pid = sending.connection.info.backend_pid
                self._note(actor, "held")
                actor.turn.wait()
                actor.turn.clear()
            return carry_out()

        return listener

    def _note(self, actor: _Actor, state: State) -> None:
        with self._moved:
            actor.state = state
            self._moved.notify_all()


def _as_new() -> None:
    """Leave nothing of the last play in this thread's session that would be heard in the next."""
    connection.ensure_connection()
    own = connections[DEFAULT_DB_ALIAS].__dict__
    # What is prepared goes with a rollback, and is sent again; a session is asked for its health after a request.
    own.pop(_KEPT, None)
    own.update(health_check_enabled=False, errors_occurred=False)


@contextmanager
def a_crew(size: int) -> Iterator[Crew]:
    """Have a crew that works with the database we are connected to; what depends on a clock is made not to."""
    own = connection.settings_dict
    connection.ensure_connection()
    raw = connection.connection
    observer = psycopg.connect(raw.info.dsn, password=own["PASSWORD"] or None, autocommit=True)
    every, clock = 1.0, vars(current)["time"]
    locks: list[tuple[Any, Any]] = [(kept, kept._lock) for kept in (current._holder.kept, directory._kept)]
    for kept, _ in locks:
        # In life these people sit at different processes, so none waits for another's memory. Two that
        # build the same index at once build it twice.
        kept._lock = nullcontext()
    check_every(0)
    vars(current)["time"] = SimpleNamespace(monotonic=lambda: 0.0)
    crew = Crew(size, observer)
    try:
        yield crew
    finally:
        crew.end()
        check_every(every)
        vars(current)["time"] = clock
        for kept, lock in locks:
            kept._lock = lock
        with suppress(psycopg.Error):
            observer.close()
