"""Why an order was late, and through whom: every run of every clock, told from the history alone. Pure.

A run is cut into stages at everything that was done while it counted, and at its deadline. What a
stage took is counted on the clock's own calendar, so a night between two working days takes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias

from mendline.journal.models import Entry
from mendline.kernel.calendars import Calendar, elapsed
from mendline.kernel.durations import Duration
from mendline.process.definition import Clock, Process

NOTHING = timedelta(0)
STARTED, RESUMED, PAUSED, BREACHED = "started", "resumed", "paused", "breached"
STOPPED, STOPPED_LATE = "stopped", "stopped late"
DUE = "due"  # the deadline itself: nobody does it, and the history does not always hold it

Calendars: TypeAlias = Callable[[str], Calendar]
Outcome = Literal["in_time", "late", "running", "running_late", "paused"]


@dataclass(frozen=True, slots=True)
class Stage:
    """The stretch from one thing that happened to the next.

    `verb` says what it did to the clock (empty: the order went on under it), `entry` is what happened
    (None at the deadline). `used` lies within the limit, `over` beyond it; both are zero while the
    clock is paused. `total` is what was counted of the whole run when the stage ended.
    """

    verb: str
    entry: Entry | None
    begun_at: datetime
    ended_at: datetime
    state: str
    station_no: str
    used: timedelta
    over: timedelta
    total: timedelta
    is_counting: bool


@dataclass(frozen=True, slots=True)
class ClockRun:
    """One run of one clock, from its start until something stopped it, or until now (`ended_by` is None)."""

    clock: Clock
    limit: Duration
    counted_from: datetime
    due_at: datetime
    stages: tuple[Stage, ...]
    outcome: Outcome
    ended_at: datetime
    ended_by: Entry | None

    @property
    def is_late(self) -> bool:
        return self.outcome in ("late", "running_late")

    @property
    def used(self) -> timedelta:
        return sum((stage.used for stage in self.stages), NOTHING)

    @property
    def over(self) -> timedelta:
        return sum((stage.over for stage in self.stages), NOTHING)

    @property
    def longest(self) -> Stage:
        """The stage in which most of the time went."""
        return max(self.stages, key=lambda stage: stage.used + stage.over)

    def by_state(self) -> dict[str, timedelta]:
        """Return what was counted while the order stood at each state, in the order of the states."""
        found: dict[str, timedelta] = {}
        for stage in self.stages:
            found[stage.state] = found.get(stage.state, NOTHING) + stage.used + stage.over
        return {state: length for state, length in found.items() if length}


@dataclass(slots=True)
class _Mark:
    """Something that happened while the clock was there; it begins a stage."""

    verb: str
    entry: Entry | None
    at: datetime
    due_at: datetime
    is_counting: bool
    state: str
    station_no: str


@dataclass(slots=True)
class _OpenRun:
    counted_from: datetime
    marks: list[_Mark] = field(default_factory=list)

    @property
    def last(self) -> _Mark:
        return self.marks[-1]


def clock_runs(process: Process, entries: Iterable[Entry], *, now: datetime, calendars: Calendars) -> list[ClockRun]:
    """Return all runs of all clocks of one record, in the order in which they began.

    `entries` is its history from the beginning, oldest first.
    """
    facts: dict[str, Any] = {}
    open_runs: dict[str, _OpenRun] = {}
    found: list[ClockRun] = []
    for entry in entries:
        facts |= {**(entry.data.get("changed") or {}), **(entry.data.get("given") or {})}
        events = list(entry.data.get("clocks") or ())
        moved = {str(event["clock"]) for event in events}
        for event in events:
            clock = process.clocks.get(str(event["clock"]))
            if clock is not None:
                _take(process, clock, event, entry, facts, open_runs, found, calendars)
        if not moved and entry.kind.partition(".")[2] in process.transitions:
            for run in open_runs.values():
                _mark(run, "", entry)
    for name, run in open_runs.items():
        found.append(_closed(process, process.clocks[name], run, now, None, "", calendars))
    return sorted(found, key=lambda run: run.stages[0].begun_at)


def _take(
    process: Process,
    clock: Clock,
    event: dict[str, str],
    entry: Entry,
    facts: dict[str, Any],
    open_runs: dict[str, _OpenRun],
    found: list[ClockRun],
    calendars: Calendars,
) -> None:
    """Let one clock event of the history begin, continue or end a run."""
    verb, due_at = event["verb"], datetime.fromisoformat(event["due"])
    run = open_runs.get(clock.name)
    if verb == STARTED:
        counted_from = facts.get(clock.counts_from or "")
        begun = datetime.fromisoformat(str(counted_from)) if counted_from else entry.at
        if process.budget_of(clock) == Duration():
            begun = due_at  # without a budget it counts from its end, whatever the fact was called then
        open_runs[clock.name] = _OpenRun(begun, [_Mark(verb, entry, entry.at, due_at, True, *_place(entry))])
    elif run is not None and verb in (STOPPED, STOPPED_LATE):
        found.append(_closed(process, clock, run, entry.at, entry, verb, calendars))
        del open_runs[clock.name]
    elif run is not None:
        counting = verb == RESUMED if verb in (PAUSED, RESUMED) else run.last.is_counting
        run.marks.append(_Mark(verb, entry, entry.at, due_at, counting, *_place(entry)))


def _mark(run: _OpenRun, verb: str, entry: Entry) -> None:
    run.marks.append(_Mark(verb, entry, entry.at, run.last.due_at, run.last.is_counting, *_place(entry)))


def _place(entry: Entry) -> tuple[str, str]:
    return entry.to_state, entry.station_no


def _closed(
    process: Process,
    clock: Clock,
    run: _OpenRun,
    ended_at: datetime,
    ended_by: Entry | None,
    verb: str,
    calendars: Calendars,
) -> ClockRun:
    due_at = run.last.due_at
    return ClockRun(
        clock=clock,
        limit=process.budget_of(clock),
        counted_from=run.counted_from,
        due_at=due_at,
        stages=_stages(run, ended_at, calendars(clock.calendar)),
        outcome=_outcome(run, ended_at, verb),
        ended_at=ended_at,
        ended_by=ended_by,
    )


def _outcome(run: _OpenRun, ended_at: datetime, verb: str) -> Outcome:
    """A clock that has breached is late, whatever stops it; who acts at the very deadline is in time."""
    if verb:
        return "late" if verb == STOPPED_LATE else "in_time"
    if ended_at > run.last.due_at and run.last.is_counting:
        return "running_late"
    return "running" if run.last.is_counting else "paused"


def _stages(run: _OpenRun, ended_at: datetime, calendar: Calendar) -> tuple[Stage, ...]:
    marks = _with_deadline(run.marks, ended_at)
    total, found = NOTHING, []
    for mark, next_at in zip(marks, [*(mark.at for mark in marks[1:]), ended_at], strict=True):
        # A clock may count from before it was started (from T1, STN-26), or only from later on (from the promise).
        begun = run.counted_from if mark is marks[0] else max(mark.at, run.counted_from)
        used = over = NOTHING
        if mark.is_counting and next_at > begun:
            within = min(max(mark.due_at, begun), next_at)
            used, over = elapsed(calendar, begun, within), elapsed(calendar, within, next_at)
        total += used + over
        found.append(
            Stage(mark.verb, mark.entry, min(begun, mark.at), next_at, mark.state, mark.station_no, used, over, total,
                  mark.is_counting)
        )  # fmt: skip
    return tuple(found)


def _with_deadline(marks: list[_Mark], ended_at: datetime) -> list[_Mark]:
    """Put the deadline among the marks where it passed; the alarm of that very moment stands for it."""
    due_at, counting = marks[-1].due_at, marks[-1].is_counting
    alarm = next((mark for mark in marks if mark.verb == BREACHED), None)
    if not counting or due_at >= ended_at or (alarm is not None and alarm.at == due_at):
        return marks
    before = [mark for mark in marks if mark.at <= due_at] or marks[:1]
    after = marks[len(before) :]
    last = before[-1]
    at = max(due_at, last.at)
    deadline = _Mark(DUE, None, at, due_at, last.is_counting, last.state, last.station_no)
    return [*before, deadline, *(mark for mark in after if mark.verb != BREACHED)]
