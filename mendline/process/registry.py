"""Guards, changes, effects and looked-up facts, registered by name; process files join them.

- A *guard* is a pure statement that must hold; it returns `No` with the rule when it does not.
- A *change* is pure as well: it returns the facts that the transition writes.
- An *effect* writes rows beside the order (a seat, another record) in the same transaction.
- A *lookup* reads a fact that the order's own row does not hold.

A lower package is joined to a higher one here and only here: `orders` never imports `parts`, yet
`order_part` opens a part order, because the file names the effect.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

import orjson

from mendline.kernel.text import Text

if TYPE_CHECKING:
    from mendline.access.actors import Actor
    from mendline.process.definition import Parameter

Facts: TypeAlias = Mapping[str, Any]
Parameters: TypeAlias = "Mapping[str, Parameter]"


@dataclass(frozen=True, slots=True)
class No:
    """A guard's refusal: the rule, and what to do instead, in both languages. `field` names the fact to mend."""

    rule: str
    zh: str
    en: str
    field: str = ""
    rules: tuple[str, ...] = ()
    forbidden: bool = False  # it is the role that is wrong, not the data

    @property
    def text(self) -> Text:
        return Text(self.zh, self.en)


GuardFunction: TypeAlias = "Callable[[Facts, Parameters], No | None]"
ChangeFunction: TypeAlias = "Callable[[Facts, Parameters], Mapping[str, Any]]"


@dataclass(frozen=True, slots=True)
class Guard:
    name: str
    check: GuardFunction
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    name: str
    make: ChangeFunction
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Happening:
    """What an effect is told: the record as just written, who did what with which facts, and when."""

    subject: Any  # orders.store.Loaded; named there, because this package lies below
    transition: str
    given: Mapping[str, Any]
    actor: Actor
    now: datetime
    context: dict[str, Any] = field(default_factory=dict)  # what lookups of this step found out


class Effect(Protocol):
    def __call__(self, happening: Happening) -> None: ...


@dataclass(frozen=True, slots=True)
class Question:
    """What a lookup must ask the database: a SELECT of one JSON value, and what to make of its answer.

    A lookup that returns a question instead of a value is answered together with the others of the
    step, in one statement.
    """

    sql: str
    bound: tuple[Any, ...]
    then: Callable[[Any], Any]

    def read(self, answer: str | None) -> Any:
        """Return what is made of the answer, which comes as JSON text."""
        return self.then(None if answer is None else orjson.loads(answer))


class Lookup(Protocol):
    def __call__(self, facts: Facts, actor: Actor, now: datetime) -> Any: ...


GUARDS: dict[str, Guard] = {}
CHANGES: dict[str, Change] = {}
EFFECTS: dict[str, Effect] = {}
LOOKUPS: dict[str, Lookup] = {}
HELD_BY_NO_LOCK: set[str] = set()  # lookups whose answer a lock of the record would not hold still either

G = TypeVar("G", bound=GuardFunction)
C = TypeVar("C", bound=ChangeFunction)
E = TypeVar("E", bound=Effect)
L = TypeVar("L", bound=Lookup)


def guard(*needs: str) -> Callable[[G], G]:
    """Register a guard under its function's name; `needs` are looked-up facts it reads."""

    def register(function: G) -> G:
        _once(GUARDS, function.__name__)
        GUARDS[function.__name__] = Guard(function.__name__, function, needs)
        return function

    return register


def change(*needs: str) -> Callable[[C], C]:
    """Register a pure change of facts under its function's name."""

    def register(function: C) -> C:
        _once(CHANGES, function.__name__)
        CHANGES[function.__name__] = Change(function.__name__, function, needs)
        return function

    return register


def effect(function: E) -> E:
    """Register an effect (rows only) under its function's name."""
    name = getattr(function, "__name__", "")
    _once(EFFECTS, name)
    EFFECTS[name] = function
    return function


def lookup(name: str, *, held: bool = True) -> Callable[[L], L]:
    """Register where a fact comes from that the record's own row does not hold.

    `held`: what it reads changes only under the record's lock (other records of the order), so a step that
    asks for it locks first. People, stations and products are nobody's: they may change at any moment.
    """

    def register(function: L) -> L:
        _once(LOOKUPS, name)
        LOOKUPS[name] = function
        if not held:
            HELD_BY_NO_LOCK.add(name)
        return function

    return register


def _once(table: Mapping[str, object], name: str) -> None:
    if name in table:
        raise RuntimeError(f"{name} is registered twice")
