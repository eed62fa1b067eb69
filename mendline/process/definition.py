"""A process as data: what a file under `processes/` says, checked and typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeAlias

from mendline.kernel.durations import Duration, parse_duration
from mendline.kernel.text import Text

NEW = "new"  # the pseudo-state a record comes from when it is created
SAME = "same"  # a target: the transition leaves the state as it is

Category: TypeAlias = Literal["open", "waiting", "done", "void"]
CATEGORIES: tuple[Category, ...] = ("open", "waiting", "done", "void")

FACT_TYPES = (
    "text", "choice", "yes_no", "number", "money", "moment", "day", "duration", "phone", "area", "address",
    "product", "product_line", "serial", "person", "photo", "file", "signature", "record",
)  # fmt: skip

# An overlay of version 3 is a version of its own: 3001, shown as 3.1.
OVERLAYS_PER_VERSION = 1_000

Parameter: TypeAlias = "Duration | int | float | str | tuple[str, ...]"


@dataclass(frozen=True, slots=True)
class Fact:
    """Something a process knows or asks for; the form field of every screen is drawn from it."""

    name: str
    type: str
    label: Text
    of: Mapping[str, Text] = field(default_factory=dict)  # choices with their labels
    fields: Mapping[str, Fact] = field(default_factory=dict)  # parts of a record
    shown_to: tuple[str, ...] = ()  # roles; empty: everybody in scope
    personal: bool = False  # masked, revealed with a reason, erased on request
    help: Text | None = None
    suggest: tuple[str, ...] = ()  # wordings offered for a text
    longest: int = 500  # characters


@dataclass(frozen=True, slots=True)
class State:
    """How a record stands."""

    name: str
    label: Text
    category: Category


@dataclass(frozen=True, slots=True)
class Clock:
    """A named clock. `starts`, `stops` and `pauses` name states (on entering) or transitions (on carrying out)."""

    name: str
    label: Text
    budget: str  # a duration, or the name of a parameter that is one
    calendar: str
    starts: frozenset[str]
    stops: frozenset[str]
    pauses: frozenset[str]
    counts_from: str | None  # a fact that holds the instant to count from; else the start itself
    warns: tuple[int, ...]  # percent of the budget
    on_breach: tuple[str, ...]  # transitions that the clock itself then carries out
    responsible: str  # who owns the order's progress while it runs: station | region | cc | parts
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Transition:
    """One step: from where to where, by whom, with what, under which guards, with which effects."""

    name: str
    label: Text
    sources: frozenset[str]
    to: Mapping[str, str]  # source → target, `same` resolved
    diverts: Mapping[str, str]  # guard → target to take instead while the guard says no
    by: tuple[str, ...]
    requires: tuple[str, ...]
    accepts: tuple[str, ...]
    guards: tuple[str, ...]
    effects: tuple[str, ...]
    rules: tuple[str, ...]
    role_rule: str  # cited when the role is refused
    state_rule: str  # cited when the state is refused
    help: Text | None
    danger: bool  # the screen asks once more
    rank: int  # the lower, the more likely the primary button

    @property
    def takes(self) -> tuple[str, ...]:
        return (*self.requires, *self.accepts)

    @property
    def creates(self) -> bool:
        return NEW in self.sources

    @property
    def by_the_clock_only(self) -> bool:
        return self.by == ("timer",)


@dataclass(frozen=True, slots=True)
class Notice:
    """Who is told what, by which channels, on which transitions or clock steps (`contact.breach`)."""

    name: str
    on: frozenset[str]
    to: tuple[str, ...]
    channels: tuple[str, ...]
    text: Text
    rules: tuple[str, ...]
    when: str | None = None  # a guard that must hold


def edition_of(version: int) -> str:
    """Return how people write a version: `3` is a file's, `3.1` the first overlay of its parameters.

    >>> edition_of(3), edition_of(3001)
    ('3', '3.1')
    """
    base, overlay = divmod(version, OVERLAYS_PER_VERSION)
    return f"{base}.{overlay}" if base else str(overlay)


def version_of(edition: str) -> int:
    """Return the version that an edition means; 0 for what is none.

    >>> version_of("3"), version_of("3.1")
    (3, 3001)
    """
    base, point, overlay = edition.partition(".")
    if not base.isdigit() or (point and not overlay.isdigit()):
        return 0
    return int(base) * OVERLAYS_PER_VERSION + int(overlay) if point else int(base)


def base_of(version: int) -> int:
    """Return the version of the file that a version stands on; a file's stands on itself.

    >>> base_of(3), base_of(3001)
    (3, 3)
    """
    return version // OVERLAYS_PER_VERSION or version


@dataclass(frozen=True)
class Process:
    """A whole process version."""

    code: str
    version: int
    label: Text
    source: str
    kind: str
    parameters: Mapping[str, Parameter]
    facts: Mapping[str, Fact]
    states: Mapping[str, State]
    clocks: Mapping[str, Clock]
    transitions: Mapping[str, Transition]
    notices: tuple[Notice, ...]
    close_gate: tuple[str, ...]

    @property
    def edition(self) -> str:
        """The version as people write it."""
        return edition_of(self.version)

    def budget_of(self, clock: Clock) -> Duration:
        """Return the clock's budget, following the parameter it names."""
        return self._duration(clock.budget)

    def _duration(self, name: str) -> Duration:
        value = self.parameters[name] if name in self.parameters else parse_duration(name)
        if not isinstance(value, Duration):
            raise TypeError(f"{self.code} {self.version}: {name} is not a duration")
        return value

    @cached_property
    def creating(self) -> tuple[Transition, ...]:
        return tuple(step for step in self.transitions.values() if step.creates)

    @cached_property
    def notices_on(self) -> Mapping[str, tuple[Notice, ...]]:
        """Notices by the transition or clock step that causes them."""
        causes = {cause for notice in self.notices for cause in notice.on}
        return {cause: tuple(notice for notice in self.notices if cause in notice.on) for cause in causes}

    @cached_property
    def allowed_changes(self) -> frozenset[tuple[str, str]]:
        """Every pair of states that some transition can cause: what the database table lists."""
        pairs: set[tuple[str, str]] = set()
        for step in self.transitions.values():
            for source, target in step.to.items():
                pairs.add((source, target))
                pairs.update((source, divert) for divert in step.diverts.values())
        return frozenset(pairs)

    @cached_property
    def triggers_of_clocks(self) -> frozenset[str]:
        """States and transitions that move any clock; all others need not look."""
        return frozenset(name for clock in self.clocks.values() for name in clock.starts | clock.stops | clock.pauses)

    def steps_from(self, state: str) -> tuple[Transition, ...]:
        """Return the transitions that leave `state`, most likely first."""
        return self._steps.get(state, ())

    @cached_property
    def _steps(self) -> Mapping[str, tuple[Transition, ...]]:
        ranked = sorted(self.transitions.values(), key=lambda step: step.rank)
        return {state: tuple(step for step in ranked if state in step.sources) for state in (NEW, *self.states)}
