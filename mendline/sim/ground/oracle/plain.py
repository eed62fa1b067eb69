"""What travels between the world, the oracle and the report: plain values, no behaviour worth the name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from typing import Any, Literal

CHINA = timezone(timedelta(hours=8))  # no summer time since 1991, which is long before any simulated day

Kind = Literal["ok", "refused", "unknown"]


@dataclass(frozen=True, slots=True)
class Station:
    """A head station or, with `head`, a point of one. `covers` is pairs of area code and product line."""

    number: str
    region: str
    head: str
    in_cc_web: bool
    part_days: int
    covers: tuple[tuple[str, str], ...]
    capacity: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Person:
    username: str
    role: str
    region: str = ""
    station: str = ""


@dataclass(frozen=True, slots=True)
class Network:
    """Who serves what, and who works where. `lines` maps a product to its line, `served` says which lines count."""

    stations: Mapping[str, Station]
    people: Mapping[str, Person]
    lines: Mapping[str, str]
    served: frozenset[str]  # lines whose channel uses unified repair reporting (CAN-34)
    region_of: Mapping[str, str]  # province → region
    areas: tuple[str, ...]  # counties from which reports come
    without_800: tuple[str, ...] = ()

    def of_role(self, role: str, *, station: str = "", region: str = "") -> tuple[str, ...]:
        """Return user names, in the order of the world."""
        return tuple(
            person.username
            for person in self.people.values()
            if person.role == role and person.station == station and person.region == region
        )

    def of_role_anywhere(self, role: str) -> tuple[str, ...]:
        return tuple(person.username for person in self.people.values() if person.role == role)


@dataclass(frozen=True, slots=True)
class Call:
    """One call as its caller knows it. `about` is the label of the order or record; of a creation the new label.

    `fault` is what befalls it on the way; `key` is what makes a second delivery harmless.
    """

    number: int
    at: datetime
    by: str
    verb: Literal["create", "step", "read", "records", "queue"]
    name: str
    about: str
    given: Mapping[str, Any] = field(default_factory=dict)
    revision: int | None = None
    fault: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class ClockSeen:
    run: str
    due: datetime
    breached: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `refs` are labels (or unknown numbers) that the body names; `body` its digest."""

    kind: Kind
    status: int = 0
    code: str = ""
    rules: frozenset[str] = frozenset()
    state: str = ""
    station: str = ""
    region: str = ""
    revision: int | None = None
    clocks: Mapping[str, ClockSeen] = field(default_factory=dict)
    may: frozenset[str] | None = None
    listed: tuple[str, ...] | None = None
    more: bool = False  # the list goes on on another page
    named: frozenset[str] = frozenset()  # labels whose numbers or users' names stand anywhere in the body
    phones: tuple[str, ...] = ()  # whole telephone numbers in the body
    replayed: bool = False
    body: str = ""
    statements: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that may not be. `kind` is stable (shrinking compares it); `what` is for people."""

    kind: str
    invariant: str
    zh: str
    en: str
    call: int = -1

    def __str__(self) -> str:
        return f"{self.invariant} {self.kind} (call {self.call}): {self.zh} / {self.en}"


def day_of(moment: datetime) -> date:
    return moment.astimezone(CHINA).date()
