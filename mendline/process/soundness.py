"""Whether a process that reads well also makes sense: nothing unreachable, nobody stuck, every name known."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from mendline.kernel.durations import Duration, parse_duration
from mendline.process.decide import ROLE_NAMES_ZH, TIMER
from mendline.process.definition import NEW, Clock, Process, Transition
from mendline.process.reading import Fault, Reader
from mendline.process.registry import CHANGES, EFFECTS, GUARDS, LOOKUPS

KNOWN_ROLES = frozenset(ROLE_NAMES_ZH)
RESPONSIBLE = frozenset({"station", "region", "cc", "parts", "headquarters"})
OPEN = ("open", "waiting")


def check(process: Process, reader: Reader, rule_ids: Collection[str]) -> list[Fault]:
    """Return every fault in the meaning of a process, with the line it stands on."""
    faults = _Faults(reader)
    for step in process.transitions.values():
        _check_transition(process, step, faults)
        faults.unknown_rules((*step.rules, step.role_rule, step.state_rule), rule_ids, "transitions", step.name)
    for clock in process.clocks.values():
        _check_clock(process, clock, faults)
        faults.unknown_rules(clock.rules, rule_ids, "clocks", clock.name)
    _check_notices(process, faults, rule_ids)
    _check_reach(process, faults)
    _check_use(process, faults)
    for fact in process.close_gate:
        if fact not in process.facts:
            faults.add(f"close_gate names {fact}, which is no fact of this process", "close_gate")
    return faults.found


class _Faults:
    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.found: list[Fault] = []

    def add(self, message: str, *where: str) -> None:
        self.found.append(Fault(self._reader.file, self._reader.document.line(*where), message))

    def unknown_rules(self, cited: Iterable[str], rule_ids: Collection[str], *where: str) -> None:
        for rule in dict.fromkeys(cited):
            if rule and rule not in rule_ids:
                self.add(f"{where[-1]} cites {rule}, which the catalogue does not have", *where)


def _check_transition(process: Process, step: Transition, faults: _Faults) -> None:
    where = ("transitions", step.name)
    if not step.sources:
        faults.add(f"{step.name} has no state to come from", *where)
    for state in [*step.sources, *step.to.values(), *step.diverts.values()]:
        if state != NEW and state not in process.states:
            faults.add(f"{step.name} names the state {state}, which does not exist", *where)
    if not step.by:
        faults.add(f"{step.name} can be carried out by nobody", *where, "by")
    for role in step.by:
        if role not in KNOWN_ROLES:
            faults.add(f"{step.name} names the role {role}, which does not exist", *where, "by")
    for fact in step.takes:
        if fact not in process.facts:
            faults.add(f"{step.name} asks for {fact}, which is no fact of this process", *where)
    for twice in set(step.requires) & set(step.accepts):
        faults.add(f"{step.name} both requires and accepts {twice}", *where)
    for name in [*step.guards, *step.diverts]:
        if name not in GUARDS:
            faults.add(f"{step.name} uses the guard {name}, which nobody registered", *where, "guards")
        else:
            _check_needs(process, name, GUARDS[name].needs, faults, *where)
    for name in step.effects:
        if name in CHANGES:
            _check_needs(process, name, CHANGES[name].needs, faults, *where)
        elif name not in EFFECTS:
            faults.add(f"{step.name} uses the effect {name}, which nobody registered", *where, "effects")


def _check_needs(process: Process, name: str, needs: Iterable[str], faults: _Faults, *where: str) -> None:
    for fact in needs:
        if fact not in LOOKUPS:
            faults.add(f"{name} needs {fact} looked up, and nobody registered how", *where)


def _check_clock(process: Process, clock: Clock, faults: _Faults) -> None:
    where = ("clocks", clock.name)
    names = {*process.states, *process.transitions}
    for kind, causes in (("starts", clock.starts), ("stops", clock.stops), ("pauses", clock.pauses)):
        for cause in causes - names:
            faults.add(f"clock {clock.name} {kind} at {cause}, which is neither a state nor a transition", *where, kind)
    if not clock.starts:
        faults.add(f"clock {clock.name} never starts", *where)
    value = process.parameters.get(clock.budget)
    if value is None:
        try:
            parse_duration(clock.budget)
        except ValueError as problem:
            faults.add(f"clock {clock.name}: budget {clock.budget!r}: {problem}", *where, "budget")
    elif not isinstance(value, Duration):
        faults.add(f"clock {clock.name}: parameter {clock.budget} is not a duration", *where, "budget")
    for name in clock.on_breach:
        step = process.transitions.get(name)
        if step is None or TIMER not in step.by:
            faults.add(f"clock {clock.name}: {name} is no transition that the timer may carry out", *where, "on_breach")
    if clock.responsible not in RESPONSIBLE:
        faults.add(f"clock {clock.name}: responsible must be one of {', '.join(sorted(RESPONSIBLE))}", *where)
    for state in _states_where_it_never_stops(process, clock):
        faults.add(f"clock {clock.name} never stops when the record ends as {state}", *where, "stops")


def _states_where_it_never_stops(process: Process, clock: Clock) -> list[str]:
    """Return end states that a record can reach while the clock still runs."""
    running: set[str] = set()
    for step in process.transitions.values():
        for source, target in _moves(step):
            if ({step.name, target} if target != source else {step.name}) & clock.starts:
                running.add(target)
    frontier = list(running)
    while frontier:
        state = frontier.pop()
        for step in process.transitions.values():
            for source, target in _moves(step):
                stops = ({step.name, target} if target != source else {step.name}) & clock.stops
                if source == state and not stops and target not in running:
                    running.add(target)
                    frontier.append(target)
    ends = {state.name for state in process.states.values() if state.category not in OPEN}
    return sorted((running & ends) - set(clock.starts))


def _moves(step: Transition) -> list[tuple[str, str]]:
    moves = list(step.to.items())
    return moves + [(source, divert) for divert in step.diverts.values() for source in step.to]


def _check_notices(process: Process, faults: _Faults, rule_ids: Collection[str]) -> None:
    steps = {f"{clock}.{kind}" for clock in process.clocks for kind in ("warn", "breach")}
    for notice in process.notices:
        where = ("notices", notice.name)
        for cause in notice.on - steps - set(process.transitions):
            faults.add(f"notice {notice.name} waits for {cause}, which never happens", *where, "on")
        for role in notice.to:
            if role not in KNOWN_ROLES:
                faults.add(f"notice {notice.name} goes to the role {role}, which does not exist", *where, "to")
        if notice.when is not None and notice.when not in GUARDS:
            faults.add(f"notice {notice.name} asks the guard {notice.when}, which nobody registered", *where, "when")
        faults.unknown_rules(notice.rules, rule_ids, *where)


def _check_reach(process: Process, faults: _Faults) -> None:
    """Every state can be reached from a creation, and every state that is not an end leads to one."""
    if not process.creating:
        faults.add("no transition creates this record (from: [new])", "transitions")
        return
    pairs = process.allowed_changes
    for name in sorted(set(process.states) - _closure({NEW}, pairs)):
        faults.add(f"state {name} can never be reached", "states", name)
    ends = {state.name for state in process.states.values() if state.category not in OPEN}
    if not ends:
        faults.add("no state is an end (category done or void)", "states")
    leads_to_end = _closure(ends, {(target, source) for source, target in pairs})
    for name in sorted(set(process.states) - leads_to_end):
        faults.add(f"state {name} is a dead end: no way leads from it to an end", "states", name)
    for state in process.states.values():
        leaving = [
            s for s in process.transitions.values() if any(t != state.name for t in _targets_from(s, state.name))
        ]
        if state.category in OPEN and leaving and all(step.by_the_clock_only for step in leaving):
            if not any(clock.on_breach for clock in process.clocks.values()):
                faults.add(f"in state {state.name} no role can act", "states", state.name)


def _targets_from(step: Transition, state: str) -> list[str]:
    return [target for source, target in _moves(step) if source == state]


def _closure(start: set[str], pairs: Iterable[tuple[str, str]]) -> set[str]:
    reached, edges = set(start), list(pairs)
    grew = True
    while grew:
        more = {target for source, target in edges if source in reached} - reached
        reached |= more
        grew = bool(more)
    return reached


def _check_use(process: Process, faults: _Faults) -> None:
    """A clock or transition name that is also a state's would be ambiguous in `starts` and `stops`."""
    for name in sorted(set(process.states) & set(process.transitions)):
        faults.add(f"{name} is the name of a state and of a transition", "transitions", name)
