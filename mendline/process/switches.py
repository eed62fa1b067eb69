"""Everything that a process file says and that can be left unsaid, one at a time, for the proof of the rules.

A switch is a copy of the definition that lacks one guard, one required fact, one effect, one clock, one audience of
a notice … or that lets every role take a step, or that has moved one number by its smallest unit. Pure.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import FunctionType, ModuleType
from typing import TypeVar

from mendline.kernel.durations import Duration
from mendline.process.decide import ROLE_NAMES_ZH
from mendline.process.definition import Clock, Notice, Parameter, Process, Transition
from mendline.process.registry import CHANGES, EFFECTS, GUARDS
from mendline.process.rule_coverage import RULE_ID

EVERYBODY = tuple(ROLE_NAMES_ZH)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Switch:
    """One thing left out of one process version, and the rules that stand behind it, the nearest first."""

    code: str
    version: int
    place: str  # `transitions.promise`, `clocks.contact`, `notices.new_order`, `parameters`
    what: str  # `guard promises_left`, `audience station_coordinator`
    rules: tuple[str, ...]
    touches: frozenset[tuple[str, int, str]] = field(
        repr=False
    )  # steps (process, version, name) it can make a difference to
    without: Process = field(compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.code} {self.version} {self.place}: {self.what}"


def switches(process: Process, cited: Mapping[str, tuple[str, ...]]) -> Iterator[Switch]:
    """Yield everything that can be switched off in `process`.

    `cited` are the rules beside each parameter in the file, for a parameter carries none of its own.
    """
    for step in process.transitions.values():
        yield from _of_transition(process, step)
    for clock in process.clocks.values():
        yield from _of_clock(process, clock)
    for notice in process.notices:
        yield from _of_notice(process, notice)
    for name, value in process.parameters.items():
        for what, moved in _moved(value):
            parameters = {**process.parameters, name: moved}
            yield _switch(
                process, f"parameters.{name}", what, cited.get(name, ()), process.transitions, parameters=parameters
            )


def rules_of_name(name: str) -> tuple[str, ...]:
    """Return the rules that a registered guard, change or effect cites, itself or in functions it calls."""
    function: object = EFFECTS.get(name)
    if name in GUARDS:
        function = GUARDS[name].check
    elif name in CHANGES:
        function = CHANGES[name].make
    return tuple(dict.fromkeys(_rules_within(function, depth=2)))


def _rules_within(function: object, depth: int) -> Iterator[str]:
    if not isinstance(function, FunctionType) or not function.__module__.startswith("mendline."):
        return
    yield from RULE_ID.findall(inspect.getsource(function))
    if depth:
        known = function.__globals__
        modules = [known[name] for name in function.__code__.co_names if isinstance(known.get(name), ModuleType)]
        for name in function.__code__.co_names:
            for table in (known, *map(vars, modules)):
                yield from _rules_within(table.get(name), depth - 1)


def _of_transition(process: Process, step: Transition) -> Iterator[Switch]:
    place = f"transitions.{step.name}"

    def without(what: str, first: Iterable[str], **fields: object) -> Switch:
        changed = {**process.transitions, step.name: replace(step, **fields)}  # type: ignore[arg-type]
        rules = tuple(dict.fromkeys((*first, *step.rules)))
        return _switch(process, place, what, rules, [step.name], transitions=changed)

    for name in step.guards:
        yield without(f"guard {name}", rules_of_name(name), guards=_all_but(step.guards, name))
    for name in step.requires:
        accepts = (*step.accepts, name)
        yield without(f"requires {name}", (), requires=_all_but(step.requires, name), accepts=accepts)
    for name in step.effects:
        yield without(f"effect {name}", rules_of_name(name), effects=_all_but(step.effects, name))
    for name in step.diverts:
        yield without(f"divert {name}", rules_of_name(name), diverts=_without(step.diverts, name))
    if not step.by_the_clock_only:
        yield without("role", (step.role_rule,), by=EVERYBODY)


def _of_clock(process: Process, clock: Clock) -> Iterator[Switch]:
    place, moving = f"clocks.{clock.name}", _moving(process, clock)

    def without(what: str, **fields: object) -> Switch:
        changed = {**process.clocks, clock.name: replace(clock, **fields)}  # type: ignore[arg-type]
        return _switch(process, place, what, clock.rules, moving, clocks=changed)

    yield _switch(process, place, "clock", clock.rules, moving, clocks=_without(process.clocks, clock.name))
    for name in sorted(clock.starts):
        yield without(f"starts {name}", starts=clock.starts - {name})
    for name in sorted(clock.stops):
        yield without(f"stops {name}", stops=clock.stops - {name})
    for percent in clock.warns:
        yield without(f"warns {percent}", warns=tuple(one for one in clock.warns if one != percent))
    for name in clock.on_breach:
        yield without(f"on_breach {name}", on_breach=_all_but(clock.on_breach, name))
    if clock.counts_from:
        yield without(f"counts_from {clock.counts_from}", counts_from=None)
    if clock.calendar != "always":
        yield without(f"calendar {clock.calendar}", calendar="always")


def _of_notice(process: Process, notice: Notice) -> Iterator[Switch]:
    place, causes = f"notices.{notice.name}", _causing(process, notice)

    def without(what: str, **fields: object) -> Switch:
        changed = replace(notice, **fields)  # type: ignore[arg-type]
        notices = tuple(changed if one.name == notice.name else one for one in process.notices)
        return _switch(process, place, what, notice.rules, causes, notices=notices)

    for cause in sorted(notice.on):
        yield without(f"on {cause}", on=notice.on - {cause})
    for role in notice.to:
        yield without(f"audience {role}", to=_all_but(notice.to, role))
    for channel in notice.channels:
        yield without(f"channel {channel}", channels=_all_but(notice.channels, channel))
    if notice.when:
        yield without(f"when {notice.when}", when=None)


def _moved(value: Parameter) -> Iterator[tuple[str, Parameter]]:
    """A limit a minute (or working day) longer and shorter, a number one more and less, a list without each entry."""
    if isinstance(value, Duration) and value.working_days:
        yield "one working day more", Duration(working_days=value.working_days + 1)
        yield "one working day less", Duration(working_days=value.working_days - 1)
    elif isinstance(value, Duration):
        yield "one minute more", Duration(seconds=value.seconds + 60)
        if value.seconds:
            yield "one minute less", Duration(seconds=value.seconds - 60)
    elif isinstance(value, bool):
        return
    elif isinstance(value, int):
        yield "one more", value + 1
        if value:
            yield "one less", value - 1
    elif isinstance(value, tuple):
        for item in value:
            yield f"without {item}", _all_but(value, item)


def _moving(process: Process, clock: Clock) -> list[str]:
    """Return the steps that start the clock: nothing about it can matter before one of them."""
    return [
        step.name
        for step in process.transitions.values()
        if clock.starts & {step.name, *step.to.values(), *step.diverts.values()}
    ]


def _causing(process: Process, notice: Notice) -> list[str]:
    found: list[str] = []
    for cause in notice.on:
        clock = process.clocks.get(cause.partition(".")[0])
        found += _moving(process, clock) if clock and "." in cause else [cause]
    return found


def _switch(
    process: Process, place: str, what: str, rules: tuple[str, ...], steps: Iterable[str], **fields: object
) -> Switch:
    touches = frozenset((process.code, process.version, name) for name in steps)
    changed = replace(process, **fields)  # type: ignore[arg-type]
    return Switch(process.code, process.version, place, what, rules, touches, changed)


def _all_but(names: tuple[str, ...], left_out: str) -> tuple[str, ...]:
    return tuple(name for name in names if name != left_out)


def _without(table: Mapping[str, T], left_out: str) -> dict[str, T]:
    return {name: value for name, value in table.items() if name != left_out}
