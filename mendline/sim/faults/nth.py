"""A command that fails at its first, second, third … sending: nothing happened, or everything did, once.

The command is carried out undisturbed once, which shows what it does. Then all rows go back to what they were and
it is carried out again with one thing that fails, at the next place each time, until a run ends without having
come that far. After every fault the caller tries again under the same key, as callers do, and hears what he would
have heard. No chance is involved, so what is found is found every time.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Literal, TypeAlias

import psycopg
from django.db import connection

from mendline.sim.faults.rows import Difference, Effect, Rows
from mendline.sim.faults.sending import Sending, heard_by

# `before`: it is not done and fails. `after`: it is done, and fails all the same. `cut`: it is done, and the line is
# dead before the answer comes, so that nobody who asks can know.
Kind: TypeAlias = Literal["before", "after", "cut"]
KINDS: tuple[Kind, ...] = ("before", "after", "cut")
MOST_SENDINGS = 400


@dataclass(frozen=True, slots=True)
class Answer:
    """What the caller hears; `done` when it says that the command was carried out."""

    done: bool
    text: str
    ref: str = ""


@dataclass(frozen=True, slots=True)
class Command:
    """Something to carry out. `send` may raise whatever an unanswered call raises.

    `in_parts` is work that is done in several transactions (the worker's): a fault may leave some of them done, and
    the next round does the rest. `keyed` commands may be sent again and are answered as before.
    """

    name: str
    send: Callable[[], Answer]
    keyed: bool = True
    in_parts: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """A fault after which the command had a half, a second, or another effect, or was answered otherwise."""

    command: str
    place: int
    kind: Kind
    sending: str
    what: str

    def __str__(self) -> str:
        return f"{self.command}: {self.kind} sending {self.place} ({self.sending}): {self.what}"


@dataclass(slots=True)
class Found:
    """What came of a sweep."""

    commands: int = 0
    faults: int = 0
    unknown: int = 0  # times that the caller heard a failure though everything was done
    problems: list[Problem] = field(default_factory=list)

    def __iadd__(self, other: Found) -> Found:
        self.commands += other.commands
        self.faults += other.faults
        self.unknown += other.unknown
        self.problems += other.problems
        return self


@dataclass(slots=True)
class Fault:
    """Fails at the `place`-th sending, counted from 1."""

    place: int
    kind: Kind
    sent: int = 0
    at: str = ""

    @property
    def happened(self) -> bool:
        return bool(self.at)

    def __call__(self, sending: Sending, carry_out: Callable[[], Any]) -> Any:
        self.sent += 1
        if self.sent != self.place:
            return carry_out()
        self.at = f"{sending.what} {' '.join(sending.text.split())[:60]}"
        if self.kind != "before":
            carry_out()
        if sending.what == "file":
            raise OSError(errno.ENOSPC, "no space left")
        if sending.what == "outbound":
            raise ConnectionResetError("the line broke")
        if self.kind == "cut" and sending.connection is not None:
            sending.connection.close()
        raise psycopg.OperationalError("made to fail")


def sweep(
    command: Command, rows: Rows, *, forget: Callable[[Difference], None], kinds: tuple[Kind, ...] = KINDS
) -> tuple[Found, Answer]:
    """Carry the command out with every fault at every place, and leave it carried out once, undisturbed.

    `forget` drops what the process remembers of rows that are put back. Of a command that is refused only that it
    wrote nothing is looked at.

    Raises whatever the undisturbed command raises.
    """
    before = rows.now()
    answer: Answer | None = None
    found = Found()
    try:
        answer = command.send()
    finally:
        whole = rows.since(before)
        if whole and (answer is None or not answer.done):
            what = f"was refused and wrote {sorted(whole.tables)}"
            found.problems.append(Problem(command.name, 0, "before", "undisturbed", what))
    if not answer.done:
        return found, answer
    found.commands = 1
    trial = _Trial(command, rows, before, whole.effect(), forget, found)
    trial.undo(whole)
    for place in count(1):
        assert place < MOST_SENDINGS, f"{command.name} never reached its end"
        # Not all at once: once the place lies behind the end for one kind, it does for the others.
        if not all([trial.run(place, kind) for kind in kinds]):
            break
    return found, command.send()


@dataclass(slots=True)
class _Trial:
    command: Command
    rows: Rows
    before: dict[str, frozenset[str]]
    effect: Effect
    forget: Callable[[Difference], None]
    found: Found

    def run(self, place: int, kind: Kind) -> bool:
        """Carry out with one fault; False when the run ended before it came to that place."""
        fault = Fault(place, kind)
        with heard_by(fault):
            answer = sent(self.command)
        drop_dead_line()
        left = self.rows.since(self.before)
        if fault.happened:
            self.found.faults += 1
            for what in self._wrong(answer, left):
                self.found.problems.append(Problem(self.command.name, place, kind, fault.at, what))
            left = self.rows.since(self.before)
        self.undo(left)
        return fault.happened

    def _wrong(self, heard: Answer | None, left: Difference) -> Iterator[str]:
        happened = left.effect()
        whole = happened == self.effect
        if happened and not whole and not self.command.in_parts:
            yield f"left a half: {_difference(happened, self.effect)}"
        if heard is not None and heard.done and not whole and not self.command.in_parts:
            yield f"was answered {heard.text[:80]} and not done"
        if whole and (heard is None or not heard.done):
            self.found.unknown += 1
        if not self.command.keyed and happened:
            return
        again = sent(self.command)
        if again is None or not again.done:
            yield f"tried again: {again.text[:200] if again is not None else 'no answer'}"
            return
        now = self.rows.since(self.before).effect()
        if now != self.effect:
            yield f"tried again: {_difference(now, self.effect)}"
        if not self.command.keyed or self.command.in_parts:
            return
        if heard is not None and heard.done and heard.text != again.text:
            yield f"was told {heard.text[:80]}, then {again.text[:80]}"
        third = sent(self.command)
        if third is None or third.text != again.text:
            yield f"the third time: {third.text[:80] if third is not None else 'no answer'}"
        if self.rows.since(self.before).effect() != now:
            yield "the third time did something"

    def undo(self, left: Difference) -> None:
        self.rows.put_back(left)
        self.forget(left)


def sent(command: Command) -> Answer | None:
    """Return the answer; None when the caller was left without one."""
    try:
        return command.send()
    except Exception:  # whatever ends a call that was made to fail: what it left behind is what is looked at
        return None


def drop_dead_line() -> None:
    raw = connection.connection
    if raw is not None and (raw.closed or not connection.is_usable()):
        connection.close()


def _difference(now: Effect, wanted: Effect) -> str:
    more = [line[:300] for line in now if line not in wanted]
    less = [line[:300] for line in wanted if line not in now]
    return f"{len(more)} rows too many {more[:2]}, {len(less)} too few {less[:2]}"
