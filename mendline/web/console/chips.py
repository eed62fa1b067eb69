"""How a clock looks: an icon, words, and a tone that only helps the words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from mendline.kernel.text import Text
from mendline.process.clock_state import ClockState
from mendline.process.definition import Process

DUE_SHARE = 4  # from a quarter of the budget left, a deadline counts as near


@dataclass(frozen=True, slots=True)
class Chip:
    """One deadline as people see it. `due_at` lets the browser count on; empty when nothing runs."""

    tone: str  # running | due | breached | paused | fulfilled
    icon: str
    words: Text
    due_at: datetime | None = None
    label: Text | None = None
    responsible: str = ""


def span(length: timedelta) -> Text:
    """Return a length of time in two units: 2天3小时, 3小时05分, 12分."""
    minutes = max(0, int(length.total_seconds() // 60))
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return Text(f"{days}天{hours}小时", f"{days} d {hours} h")
    if hours:
        return Text(f"{hours}小时{rest:02d}分", f"{hours} h {rest:02d} min")
    return Text(f"{rest}分", f"{rest} min")


def chip_of(clock: ClockState, now: datetime, label: Text | None = None, responsible: str = "") -> Chip:
    """Return the chip of one clock."""
    if clock.run == "stopped":
        if clock.is_breached:
            return Chip("breached", "alert-triangle", Text("超时完成", "done late"), None, label, responsible)
        return Chip("fulfilled", "circle-check", Text("按时完成", "done in time"), None, label, responsible)
    if clock.run == "paused":
        left = span(timedelta(seconds=clock.left_seconds or 0))
        words = Text(f"暂停，剩 {left.zh}", f"paused, {left.en} left")
        return Chip("paused", "player-pause", words, None, label, responsible)
    return _running(clock.counted_from, clock.due_at, now, label, responsible)


def chip_of_due(due_at: datetime | None, started_at: datetime, now: datetime) -> Chip | None:
    """Return the chip of a list row, where only the next deadline is known."""
    return _running(started_at, due_at, now, None, "") if due_at else None


def _running(start: datetime, due_at: datetime, now: datetime, label: Text | None, responsible: str) -> Chip:
    if now > due_at:
        late = span(now - due_at)
        words = Text(f"超时 {late.zh}", f"{late.en} late")
        return Chip("breached", "alert-triangle", words, due_at, label, responsible)
    left = span(due_at - now)
    near = (due_at - now) * DUE_SHARE <= due_at - start or due_at - now <= timedelta(hours=1)
    words = Text(f"剩 {left.zh}", f"{left.en} left")
    return Chip(
        "due" if near else "running", "clock-exclamation" if near else "clock", words, due_at, label, responsible
    )


def chips_of(process: Process, clocks: Mapping[str, ClockState], now: datetime) -> list[Chip]:
    """Return a chip for every clock that ever ran: what runs first, by its deadline."""
    order = {"running": 0, "paused": 1, "stopped": 2}
    known = [(clock, process.clocks[name]) for name, clock in clocks.items() if name in process.clocks]
    known.sort(key=lambda pair: (order[pair[0].run], pair[0].due_at))
    return [chip_of(clock, now, definition.label, definition.responsible) for clock, definition in known]
