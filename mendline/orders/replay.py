"""What a changed procedure would have done with what was done: its steps are decided again, nothing is written.

Each step is decided twice from the same history, under the version the record lives in and under the
changed one, so that what the history cannot tell counts for neither. Two answers come out of it: steps that would
now be refused, and clocks that would have been met late.

The history keeps neither personal data nor most of what was looked up; guards that need such a fact
are not asked again, and the report says which and how often.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from typing import Any

from django.db.models import Max

from mendline.access.actors import OF_A_REGION, OF_A_STATION
from mendline.journal.models import Entry
from mendline.kernel.errors import Refused
from mendline.kernel.text import Text
from mendline.orders.models import Record, RepairOrder
from mendline.orders.transitions import HIDDEN
from mendline.process.calendar_table import calendars_for
from mendline.process.clock_state import ClockState
from mendline.process.decide import Decision, decide
from mendline.process.definition import NEW, Process, Transition
from mendline.process.loading import process_for
from mendline.process.registry import CHANGES, GUARDS
from mendline.process.values import accept_given

KEPT_LOOKUPS = {"chosen_station": "station_choice"}  # looked-up facts that the history keeps, and where
CHUNK = 2_000


@dataclass(frozen=True, slots=True)
class Different:
    """A step that was taken and would now be refused. Names no person."""

    ref: str
    at: datetime
    transition: str
    rule: str
    why: Text


@dataclass(slots=True)
class Refusals:
    """All refusals of one step for one reason: how often, and the first of them."""

    why: Text
    times: int = 0
    examples: list[Different] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Met:
    """How often a clock was stopped by a step, and how often too late: as it was, and as it would be."""

    times: int = 0
    late_was: int = 0
    late_would: int = 0

    def __add__(self, other: Met) -> Met:
        return Met(
            self.times + other.times, self.late_was + other.late_was, self.late_would + other.late_would
        )  # fmt: skip


@dataclass(slots=True)
class Replay:
    """What came of it. `unsure` steps could not be decided again even under their own version.

    `keep` is how many examples of one cause are kept, all where it is None. `reached` says how far a replay of
    `most` records came; None when it came to the end.
    """

    steps: int = 0
    records: int = 0
    unsure: int = 0
    refused: dict[tuple[str, str], Refusals] = field(default_factory=dict)  # by step and rule
    clocks: dict[str, Met] = field(default_factory=dict)
    not_asked: Counter[str] = field(default_factory=Counter)  # guard → steps at which it could not be asked again
    keep: int | None = None
    reached: int | None = None

    @property
    def refusals(self) -> int:
        return sum(one.times for one in self.refused.values())

    def ranked(self) -> list[tuple[str, str, Refusals]]:
        """Return the causes of refusals, the most frequent first: step, rule, and which."""
        causes = sorted(self.refused.items(), key=lambda cause: (-cause[1].times, cause[0]))
        return [(step, rule, found) for (step, rule), found in causes]

    def refuse(self, one: Different) -> None:
        self._refusals(one.transition, one.rule, one.why, 1, [one])

    def add(self, other: Replay) -> None:
        """Take in what came of further records."""
        self.steps += other.steps
        self.records += other.records
        self.unsure += other.unsure
        self.reached = other.reached
        self.not_asked.update(other.not_asked)
        for (step, rule), found in other.refused.items():
            self._refusals(step, rule, found.why, found.times, found.examples)
        for clock, met in other.clocks.items():
            self.meet(clock, met)

    def meet(self, clock: str, met: Met) -> None:
        self.clocks[clock] = self.clocks.get(clock, Met()) + met

    def _refusals(self, step: str, rule: str, why: Text, times: int, examples: list[Different]) -> None:
        found = self.refused.setdefault((step, rule), Refusals(why))
        found.times += times
        room = None if self.keep is None else max(0, self.keep - len(found.examples))
        found.examples += examples[:room]


def replay(
    changed: Process, *, since: datetime, most: int | None = None, below: int | None = None, keep: int | None = None
) -> Replay:
    """Decide every step again that was taken on records of this process since then; nothing is written.

    With `most` only the records are taken to which something happened last, so many at most; with `below` only
    those to which nothing happened from that entry of the history on, as `Replay.reached` of the ones before says.
    """
    found, asked_again = Replay(keep=keep), _AskedAgain()
    touched = _touched(changed.code, since, most, below)
    if touched and most is not None and len(touched) == most:
        found.reached = touched[-1][1]
    for ref, version, entries in _histories(changed.code, [ref for ref, _ in touched]):
        found.records += 1
        _Track(ref, process_for(changed.code, version), changed, found, asked_again).follow(entries, since)
    return found


def records_since(code: str, since: datetime) -> int:
    """Return on how many records of the process something happened since then."""
    return Entry.objects.filter(process=code, at__gte=since).values("subject").distinct().count()


def _touched(code: str, since: datetime, most: int | None, below: int | None) -> list[tuple[str, int]]:
    """Return the records to which something happened since then, each with its last entry, the latest first."""
    recent = Entry.objects.filter(process=code, at__gte=since).values("subject").annotate(last=Max("id"))
    if below is not None:
        recent = recent.filter(last__lt=below)
    return list(recent.order_by("-last").values_list("subject", "last")[:most])


def _histories(code: str, touched: Sequence[str]) -> Iterator[tuple[str, int, Iterator[Entry]]]:
    """Yield number, version and whole history of each of these records of the process."""
    versions: dict[str, int] = {}
    for model in (RepairOrder, Record):
        rows = model.objects.unscoped("the owner of a procedure asks what it would have done").filter(process=code)
        versions |= rows.filter(ref__in=touched).values_list("ref", "process_version")
    entries = Entry.objects.filter(process=code, subject__in=touched).order_by("subject", "id")
    for ref, own in groupby(entries.iterator(CHUNK), key=lambda entry: entry.subject):
        if ref in versions:
            yield ref, versions[ref], own


class _AskedAgain:
    """Processes without what reads a looked-up fact that the history does not keep; with guards, and without any."""

    def __init__(self) -> None:
        self._made: dict[tuple[int, bool], Process] = {}

    def __call__(self, process: Process, *, guarded: bool) -> Process:
        key = id(process), guarded
        if key not in self._made:
            steps = {name: _askable(step, guarded=guarded) for name, step in process.transitions.items()}
            self._made[key] = replace(process, transitions=steps)
        return self._made[key]


class _Track:
    """One record's way through both versions."""

    def __init__(self, ref: str, own: Process, changed: Process, found: Replay, asked_again: _AskedAgain) -> None:
        self.ref, self.own, self.changed, self.found = ref, own, changed, found
        self.asked_again = asked_again
        self.facts: dict[str, Any] = {"ref": ref}
        self.clocks_was: Mapping[str, ClockState] = {}
        self.clocks_would: Mapping[str, ClockState] = {}

    def follow(self, entries: Iterable[Entry], since: datetime) -> None:
        for entry in entries:
            name = entry.kind.partition(".")[2]
            if entry.kind == "clock.breach":
                self._breach(entry)
            elif name in self.own.transitions and "given" in entry.data:
                self._step(entry, name, counted=entry.at >= since)

    def _breach(self, entry: Entry) -> None:
        for event in entry.data["clocks"]:
            present = self.clocks_was.get(event["clock"])
            if present is not None:
                self.clocks_was = {**self.clocks_was, event["clock"]: replace(present, breached_at=entry.at)}

    def _step(self, entry: Entry, name: str, *, counted: bool) -> None:
        was = self._decided(self.own, entry, name, self.clocks_was)
        would = self._decided(self.changed, entry, name, self.clocks_would)
        if isinstance(was, Decision):
            self.clocks_was = was.clocks
            self.facts |= {fact: value for fact, value in was.changes.items() if value != HIDDEN}
        if counted:
            self._count(entry, name, was, would)
        if not isinstance(would, Decision):  # it was taken all the same: go on from there
            would = self._decided(self.changed, entry, name, self.clocks_would, guarded=False)
        if isinstance(would, Decision):
            self.clocks_would = would.clocks
        self.facts |= {**entry.data["changed"], "station_no": entry.station_no, "region": entry.region}

    def _count(self, entry: Entry, name: str, was: Decision | Refused | None, would: Decision | Refused | None) -> None:
        if not isinstance(was, Decision) or would is None:
            self.found.unsure += 1
            return
        self.found.steps += 1
        self.found.not_asked.update(_not_asked(self.changed.transitions.get(name)))
        if isinstance(would, Refused):
            self.found.refuse(Different(self.ref, entry.at, name, would.rule, would.detail))
            return
        for event in was.clock_events:
            if event.verb in ("stopped", "stopped late"):
                self.found.meet(event.clock, Met(1, int(event.clock in was.late), int(event.clock in would.late)))

    def _decided(
        self, process: Process, entry: Entry, name: str, clocks: Mapping[str, ClockState], *, guarded: bool = True
    ) -> Decision | Refused | None:
        """Return the decision or the refusal; None where the history does not hold what deciding needs."""
        asked = self.asked_again(process, guarded=guarded)
        step = asked.transitions.get(name)
        try:
            return decide(
                asked,
                name,
                state=entry.from_state or NEW,
                role=entry.actor_role,
                given={},
                facts={**_about(entry), **self.facts, **_kept(entry), "process_version": process.version},
                clocks=clocks,
                now=entry.at,
                calendars=calendars_for(entry.station_no),
                taken=_taken(asked, step, entry.data["given"]) if step is not None else {},
            )
        except Refused as refusal:
            return refusal
        except (KeyError, TypeError, AttributeError, ValueError):
            return None  # a guard or change reads what the history hides


def _askable(step: Transition, *, guarded: bool) -> Transition:
    """Return the step without what reads a looked-up fact that the history does not keep."""
    return replace(
        step,
        guards=tuple(name for name in step.guards if guarded and _is_kept(GUARDS[name].needs)),
        diverts={name: target for name, target in step.diverts.items() if _is_kept(GUARDS[name].needs)},
        effects=tuple(name for name in step.effects if name not in CHANGES or _is_kept(CHANGES[name].needs)),
    )


def _is_kept(needs: Iterable[str]) -> bool:
    return all(need in KEPT_LOOKUPS for need in needs)


def _not_asked(step: Transition | None) -> list[str]:
    return [name for name in step.guards if not _is_kept(GUARDS[name].needs)] if step is not None else []


def _taken(process: Process, step: Transition, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was given in its stored form; what the history hides stays hidden and counts as given."""
    hidden = {name: HIDDEN for name, value in given.items() if value == HIDDEN and name in step.takes}
    shown = {name: value for name, value in given.items() if value != HIDDEN}
    required = tuple(name for name in step.requires if name not in hidden)
    return {**hidden, **accept_given(process, replace(step, requires=required), shown)}


def _about(entry: Entry) -> dict[str, Any]:
    """Return what is known of whoever acted: people of a station or region act on what is theirs."""
    return {
        "actor_id": entry.actor_id,
        "actor_name": entry.actor_name,
        "actor_station_no": entry.station_no if entry.actor_role in OF_A_STATION else "",
        "actor_region": entry.region if entry.actor_role in OF_A_REGION else "",
    }


def _kept(entry: Entry) -> dict[str, Any]:
    return {fact: entry.data[where] for fact, where in KEPT_LOOKUPS.items() if where in entry.data}
