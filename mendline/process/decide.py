"""What the procedure says to one step. Pure: no Django, no database, no clock of its own."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeAlias

from mendline.kernel.calendars import Calendar
from mendline.kernel.errors import Forbidden, Refused
from mendline.kernel.text import Text
from mendline.process import clock_state
from mendline.process.clock_state import ClockState, PlannedTimer
from mendline.process.definition import NEW, Clock, Notice, Process, Transition
from mendline.process.registry import CHANGES, EFFECTS, GUARDS, Facts, No
from mendline.process.values import accept_given

Calendars: TypeAlias = Callable[[str], Calendar]
TIMER = "timer"
_UNKNOWN = object()


@dataclass(frozen=True, slots=True)
class ClockEvent:
    """What one step did to one clock, for the history: started, stopped, paused, resumed, warned, breached."""

    clock: str
    verb: str
    due_at: datetime

    def as_json(self) -> dict[str, str]:
        return {"clock": self.clock, "verb": self.verb, "due": self.due_at.isoformat()}


@dataclass(frozen=True, slots=True)
class Decision:
    """All that a step changes; writing it down is somebody else's work."""

    transition: str
    to_state: str
    category: str
    changes: Mapping[str, Any]
    clocks: Mapping[str, ClockState]
    clock_events: tuple[ClockEvent, ...]
    timers: tuple[PlannedTimer, ...]
    ended_clocks: tuple[str, ...]  # clocks whose open timers are void now
    effects: tuple[str, ...]
    notices: tuple[Notice, ...]
    rules: tuple[str, ...]
    late: tuple[str, ...] = field(default=())  # clocks that this step met too late


def decide(
    process: Process,
    name: str,
    *,
    state: str,
    role: str,
    given: Mapping[str, Any],
    facts: Facts,
    clocks: Mapping[str, ClockState],
    now: datetime,
    calendars: Calendars,
    taken: Mapping[str, Any] | None = None,
) -> Decision:
    """Decide on step `name`.

    `given` is what the actor supplies; only facts that the transition names are taken. `facts` are
    those of the record and those looked up for the guards. `taken` is what `accept_given` made of
    `given`, where the caller needed it before: it is checked once.

    Raises:
        Forbidden: the step belongs to another role.
        Invalid: something required is missing or not understood; every field is named.
        Refused: wrong state, or a guard says no; cites the rule.
    """
    step = permitted(process, name, state=state, role=role)
    if taken is None:
        taken = accept_given(process, step, given)
    known = ChainMap(dict(taken), _standing(role, state, now, clocks, calendars, taken), dict(facts))
    for check in step.guards:
        refuse_if(check, known, process)
    to_state = step.to[state]
    for check, divert in step.diverts.items():
        if GUARDS[check].check(known, process.parameters) is not None:
            to_state = divert
            break
    changes: dict[str, Any] = dict(taken)
    for effect in step.effects:
        if effect in CHANGES:
            made = CHANGES[effect].make(known, process.parameters)
            changes.update(made)
            known = known.new_child(dict(made))
    triggers = frozenset({name} if to_state == state else {name, to_state})
    moved = _move_clocks(process, triggers, known, clocks, now, calendars)
    return Decision(
        transition=name,
        to_state=to_state,
        category=process.states[to_state].category,
        changes=changes,
        clocks=moved.clocks,
        clock_events=tuple(moved.events),
        timers=tuple(moved.timers),
        ended_clocks=tuple(moved.ended),
        effects=tuple(effect for effect in step.effects if effect in EFFECTS),
        notices=notices_for(process, triggers_of=(name,), known=known),
        rules=step.rules,
        late=tuple(event.clock for event in moved.events if event.verb == "stopped late"),
    )


def _standing(
    role: str,
    state: str,
    now: datetime,
    clocks: Mapping[str, ClockState],
    calendars: Calendars,
    taken: Mapping[str, Any],
) -> dict[str, Any]:
    """What guards and changes may read besides facts: who, where, when, and which facts were given just now."""
    return {
        "actor_role": role, "state": state, "now": now, "clocks": clocks, "calendars": calendars,
        "given_names": frozenset(taken),
    }  # fmt: skip


def permitted(process: Process, name: str, *, state: str, role: str) -> Transition:
    """Return the transition if this role may carry it out in this state; otherwise say why not."""
    step = process.transitions.get(name)
    if step is None:
        raise Refused("unknown_transition", Text(f"流程没有“{name}”这一步", f"the process has no step {name!r}"))
    if role not in step.by:
        who = ", ".join(step.by)
        detail = Text(
            f"“{step.label.zh}”由{_roles_zh(step.by)}执行，您的角色不能执行",
            f"{step.label.en} is carried out by {who}, not by {role}",
        )
        raise Forbidden("wrong_role", detail, step.role_rule, rules=step.rules)
    if state not in step.sources:
        label = process.states[state].label if state in process.states else Text("新建", "new")
        detail = Text(
            f"维修单处于“{label.zh}”，此时不能“{step.label.zh}”",
            f"{step.label.en} is not possible while it stands at {label.en}",
        )
        raise Refused("wrong_state", detail, step.state_rule, rules=step.rules)
    return step


def refuse_if(check: str, known: Facts, process: Process) -> None:
    """Raise the guard's refusal, if it refuses."""
    no = GUARDS[check].check(known, process.parameters)
    if no is not None:
        raise refusal_of(check, no)


def refusal_of(check: str, no: No) -> Refused:
    kind = Forbidden if no.forbidden else Refused
    return kind(check, no.text, no.rule, rules=no.rules, field=no.field)


def notices_for(process: Process, *, triggers_of: tuple[str, ...], known: Facts) -> tuple[Notice, ...]:
    """Return the notices that these causes bring about and whose condition holds."""
    found: list[Notice] = []
    for cause in triggers_of:
        for notice in process.notices_on.get(cause, ()):
            if notice.when is None or GUARDS[notice.when].check(known, process.parameters) is None:
                found.append(notice)
    return tuple(found)


@dataclass(slots=True)
class _Moved:
    clocks: dict[str, ClockState]
    events: list[ClockEvent] = field(default_factory=list)
    timers: list[PlannedTimer] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)


def _move_clocks(
    process: Process,
    triggers: frozenset[str],
    known: Facts,
    clocks: Mapping[str, ClockState],
    now: datetime,
    calendars: Calendars,
) -> _Moved:
    """Start, stop, pause and resume what these triggers name.

    A clock that is both stopped and started begins anew, unless it would count from the very instant as before.
    """
    moved = _Moved(dict(clocks))
    if triggers.isdisjoint(process.triggers_of_clocks):
        return moved
    for clock in process.clocks.values():
        present = moved.clocks.get(clock.name)
        running = present is not None and present.run != "stopped"
        if running and present is not None:
            if triggers & clock.stops and triggers & clock.starts and _counts_from_as_before(clock, present, known):
                continue
            if triggers & clock.stops:
                _stop(moved, clock, present, now)
                running = False
            elif present.is_running and triggers & clock.pauses:
                paused = clock_state.pause(present, calendars(clock.calendar), now)
                moved.clocks[clock.name] = paused
                moved.ended.append(clock.name)
                moved.events.append(ClockEvent(clock.name, "paused", paused.due_at))
            elif present.run == "paused" and not triggers & clock.pauses:
                _run(moved, process, clock, clock_state.resume(present, calendars(clock.calendar), now), now, calendars)
        if not running and triggers & clock.starts and _can_count(clock, known):
            _start(moved, process, clock, known, now, calendars)
    return moved


def _can_count(clock: Clock, known: Facts) -> bool:
    """A clock that counts from a fact does not start while the fact is empty: no promise, no visit to be late for."""
    return clock.counts_from is None or _instant(known.get(clock.counts_from)) is not None


def _counts_from_as_before(clock: Clock, present: ClockState, known: Facts) -> bool:
    """A step that would only start the same count once more leaves the clock alone, breached or not."""
    return (
        clock.counts_from is not None
        and present.is_running
        and _instant(known.get(clock.counts_from)) == present.counted_from
    )


def _stop(moved: _Moved, clock: Clock, present: ClockState, now: datetime) -> None:
    stopped = clock_state.stop(present, now)
    moved.clocks[clock.name] = stopped
    moved.ended.append(clock.name)
    verb = "stopped late" if stopped.is_breached else "stopped"
    moved.events.append(ClockEvent(clock.name, verb, stopped.due_at))


def _start(moved: _Moved, process: Process, clock: Clock, known: Facts, now: datetime, calendars: Calendars) -> None:
    """Start `clock` from the fact it counts from (an aware instant or its ISO form), or from now."""
    before = moved.clocks.get(clock.name)
    counted_from = _instant(known.get(clock.counts_from)) if clock.counts_from else None
    fresh = clock_state.start(
        calendars(clock.calendar),
        process.budget_of(clock),
        now=now,
        counted_from=counted_from or now,
        generation=(before.generation if before else 0) + 1,
    )
    _run(moved, process, clock, fresh, now, calendars, verb="started")


def _run(
    moved: _Moved,
    process: Process,
    clock: Clock,
    state: ClockState,
    now: datetime,
    calendars: Calendars,
    *,
    verb: str = "resumed",
) -> None:
    moved.clocks[clock.name] = state
    moved.events.append(ClockEvent(clock.name, verb, state.due_at))
    moved.timers += clock_state.timers_of(
        clock.name,
        state,
        calendar=calendars(clock.calendar),
        budget=process.budget_of(clock),
        warns=clock.warns,
        now=now,
    )


def _instant(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return value
    return datetime.fromisoformat(value) if isinstance(value, str) and value else None


ROLE_NAMES_ZH = {
    "cc_agent": "CC座席", "region_interface": "大区接口人", "region_channel_specialist": "大区渠道专员",
    "station_coordinator": "维修站协调员", "station_engineer": "维修站工程师", "hq_interface": "本部接口人",
    "service_support_dept": "客户服务支持部", "info_support_dept": "客户信息支持部",
    "channel_management": "渠道管理支持处", "process_owner": "流程负责人", "admin": "系统管理员", TIMER: "系统时钟",
    "customer": "用户",
}  # fmt: skip


def _roles_zh(roles: tuple[str, ...]) -> str:
    return "、".join(ROLE_NAMES_ZH.get(role, role) for role in roles)


@dataclass(frozen=True, slots=True)
class TimerDecision:
    """What a due timer changes: the clock, its history, whom it tells, and steps the clock itself then takes."""

    clocks: Mapping[str, ClockState]
    event: ClockEvent
    notices: tuple[Notice, ...]
    then: tuple[str, ...]
    rules: tuple[str, ...]


def decide_timer(
    process: Process,
    clock_name: str,
    step: str,
    generation: int,
    *,
    facts: Facts,
    state: str,
    clocks: Mapping[str, ClockState],
    now: datetime,
    calendars: Calendars,
) -> TimerDecision | None:
    """Decide what a due step of a clock means now; None when that run of the clock is over."""
    clock = process.clocks.get(clock_name)
    present = clocks.get(clock_name)
    if clock is None or present is None or not present.is_running or present.generation != generation:
        return None
    known = ChainMap(_standing(TIMER, state, now, clocks, calendars, {}), dict(facts))
    if step != "breach":
        notices = notices_for(process, triggers_of=(f"{clock_name}.warn",), known=known)
        return TimerDecision(clocks, ClockEvent(clock_name, step, present.due_at), notices, (), clock.rules)
    breached = {**clocks, clock_name: replace(present, breached_at=now)}
    notices = notices_for(process, triggers_of=(f"{clock_name}.breach",), known=known)
    event = ClockEvent(clock_name, "breached", present.due_at)
    return TimerDecision(breached, event, notices, clock.on_breach, clock.rules)


def may(
    process: Process,
    *,
    state: str,
    role: str,
    facts: Facts,
    clocks: Mapping[str, ClockState],
    now: datetime,
    calendars: Calendars,
) -> list[tuple[Transition, Refused | None]]:
    """Return every step of `role` from `state`, each with the refusal that stands in its way before anything is given.

    Guards that read a fact the step itself asks for are left to the attempt. Steps of other roles
    and of the clock are not listed. A guard that needs a looked-up fact which `facts` lacks is left out too.
    """
    if state == NEW:
        return []
    known = ChainMap(_standing(role, state, now, clocks, calendars, {}), dict(facts))
    found: list[tuple[Transition, Refused | None]] = []
    for step in process.steps_from(state):
        if role in step.by:
            found.append((step, _standing_refusal(step, known, process)))
    return found


def _standing_refusal(step: Transition, known: Facts, process: Process) -> Refused | None:
    for check in step.guards:
        if any(known.get(need, _UNKNOWN) is _UNKNOWN for need in GUARDS[check].needs):
            continue
        no = GUARDS[check].check(known, process.parameters)
        if no is not None and (not no.field or no.field not in step.takes):
            return refusal_of(check, no)
    return None
