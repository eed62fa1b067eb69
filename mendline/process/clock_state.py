"""How one clock of one record stands, and the steps of it that still lie ahead. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from mendline.kernel.calendars import Calendar, add, elapsed
from mendline.kernel.durations import Duration

Run = Literal["running", "paused", "stopped"]


@dataclass(frozen=True, slots=True)
class ClockState:
    """A clock's present run. All instants are aware UTC.

    `counted_from` is where the budget starts to count: usually `started_at`. `spent` is the time
    used before the last pause. A breached clock keeps running until something stops it.
    """

    run: Run
    generation: int
    started_at: datetime
    counted_from: datetime
    due_at: datetime
    paused_at: datetime | None = None
    left_seconds: int | None = None  # of the budget, when it was paused
    breached_at: datetime | None = None
    stopped_at: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the compact form kept in the record's row."""
        pairs = {
            "run": self.run, "gen": self.generation, "start": _iso(self.started_at), "from": _iso(self.counted_from),
            "due": _iso(self.due_at), "paused": _iso(self.paused_at), "left": self.left_seconds,
            "breached": _iso(self.breached_at), "stopped": _iso(self.stopped_at),
        }  # fmt: skip
        return {key: value for key, value in pairs.items() if value is not None}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> ClockState:
        return cls(
            kept["run"], kept["gen"], _moment(kept["start"]), _moment(kept["from"]), _moment(kept["due"]),
            _moment_or_none(kept.get("paused")), kept.get("left"), _moment_or_none(kept.get("breached")),
            _moment_or_none(kept.get("stopped")),
        )  # fmt: skip

    @property
    def is_running(self) -> bool:
        return self.run == "running"

    @property
    def is_breached(self) -> bool:
        return self.breached_at is not None


@dataclass(frozen=True, slots=True)
class PlannedTimer:
    """One step of a clock to be swept at `due_at`."""

    clock: str
    step: str  # `warn75` or `breach`
    generation: int
    due_at: datetime


def start(
    calendar: Calendar, budget: Duration, *, now: datetime, counted_from: datetime, generation: int
) -> ClockState:
    """Start a clock now, counting from `counted_from` (usually now as well)."""
    return ClockState("running", generation, now, counted_from, add(calendar, counted_from, budget))


def stop(clock: ClockState, now: datetime) -> ClockState:
    """Stop a clock. Past its deadline counts as breached even where the sweeper has not come by yet.

    Who acts at the very instant of the deadline is in time (240 minutes are within 4 hours), even if
    the alarm of that instant was a moment quicker.
    """
    running = clock.run == "running"
    in_time = running and now <= clock.due_at and clock.breached_at in (None, clock.due_at)
    late = None if in_time else clock.breached_at or (now if running else None)
    return replace(clock, run="stopped", stopped_at=now, breached_at=late)


def pause(clock: ClockState, calendar: Calendar, now: datetime) -> ClockState:
    """Pause a clock and keep what is left of its budget (0 when overdue), in counted seconds."""
    left = elapsed(calendar, now, clock.due_at) if now < clock.due_at else timedelta(0)
    return replace(clock, run="paused", paused_at=now, left_seconds=int(left.total_seconds()))


def resume(clock: ClockState, calendar: Calendar, now: datetime) -> ClockState:
    """Go on with what was left; the deadline moves by the pause. The generation rises, for its timers are new."""
    due = add(calendar, now, Duration(seconds=clock.left_seconds or 0))
    return replace(clock, run="running", generation=clock.generation + 1, due_at=due, paused_at=None, left_seconds=None)


def timers_of(
    name: str, clock: ClockState, *, calendar: Calendar, budget: Duration, warns: tuple[int, ...], now: datetime
) -> list[PlannedTimer]:
    """Return the steps of a running clock that lie ahead, and its breach even if that is already due.

    Warnings are shares of a budget in seconds; a budget in working days has none, because half a
    working day depends on the day it falls on.
    """
    planned = [PlannedTimer(name, "breach", clock.generation, clock.due_at)] if not clock.is_breached else []
    for percent in warns if budget.seconds else ():
        at = add(calendar, clock.counted_from, Duration(seconds=budget.seconds * percent // 100))
        if now < at < clock.due_at:
            planned.append(PlannedTimer(name, f"warn{percent}", clock.generation, at))
    return planned


def _iso(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat() if moment is not None else None


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _moment_or_none(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
