"""Proves that every rule is noticed: switches off one thing of a process file at a time and plays the scenarios.

A scenario that carries one of the rules behind the switched-off thing must fail; where none does, any other
scenario may. What nobody notices is a rule that could be lost without a word.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, cast
from zlib import crc32

from django.conf import settings

from mendline.process.definition import Process, Transition
from mendline.process.loading import processes
from mendline.process.rule_coverage import RULE_ID
from mendline.process.switches import Switch, switches
from mendline.sim import worlds
from mendline.sim.scenario_files import Scenario, find, read
from mendline.sim.scenarios import built, play, world_key

_PARAMETER = re.compile(r"^  ([a-z_0-9]+): .*#(.*)$")


class Unsettled(Exception):
    """A scenario that fails with everything in place proves nothing about a switch."""


@dataclass
class Witness:
    """A scenario as the proof sees it: which rules it carries, which steps it takes or tries to take."""

    scenario: Scenario
    text: str
    _steps: frozenset[tuple[str, int, str]] | None = None

    def steps(self, world: worlds.World) -> frozenset[tuple[str, int, str]]:
        """Return process, version and transition of each step; found out by playing it once, as everything is.

        Raises Unsettled when it fails with nothing switched off.
        """
        if self._steps is None:
            with _recorded() as steps:
                result = play(self.scenario, world)
            if not result.passed:
                raise Unsettled(f"{result.path}: {result.problem}")
            self._steps = frozenset(steps)
        return self._steps

    @cached_property
    def does(self) -> frozenset[tuple[str, int, str]]:
        """The steps that are written down, of the process that the scenario is about."""
        process = self.scenario.process
        version = self.scenario.version or max(number for code, number in processes() if code == process)
        return frozenset((process, version, step.do) for step in self.scenario.steps if not step.on)

    @cached_property
    def rules(self) -> frozenset[str]:
        refusals = {step.refused for step in self.scenario.steps if RULE_ID.fullmatch(step.refused)}
        return frozenset(refusals | set(self.scenario.rules))


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one switch: the scenario that noticed it and how, or nothing."""

    switch: Switch
    file: str = ""
    problem: str = ""
    carries_the_rule: bool = False

    @property
    def noticed(self) -> bool:
        return bool(self.file)


def all_switches() -> list[Switch]:
    """Return everything that can be switched off in the process files of this installation."""
    found: list[Switch] = []
    for (code, _), process in sorted(processes().items()):
        found += switches(process, _cited_beside_parameters(code, process))
    return found


def _cited_beside_parameters(code: str, process: Process) -> dict[str, tuple[str, ...]]:
    """Read the rules in the comments of a file's parameters."""
    cited: dict[str, tuple[str, ...]] = {}
    for path in sorted(settings.PROCESS_FOLDER.glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        if f"process: {code}\nversion: {process.version}\n" in text:
            for line in text.splitlines():
                found = _PARAMETER.match(line)
                if found and found[1] in process.parameters:
                    cited[found[1]] = tuple(RULE_ID.findall(found[2]))
    return cited


def witnesses(folder: Path) -> list[Witness]:
    """Return all scenarios of a folder. Each is played as it is when a switch first asks for its steps."""
    return [Witness(read(path), path.read_text(encoding="utf-8")) for path in find([folder])]


def settled(folder: Path) -> list[Witness]:
    """Return the same after playing all of them; raises Unsettled when one fails with nothing switched off."""
    found = witnesses(folder)
    known = {witness.scenario.path: witness for witness in found}
    for name, scenarios in _by_world(witness.scenario for witness in found).items():
        world = worlds.load(name)
        with built(world):
            for scenario in scenarios:
                known[scenario.path].steps(world)
    return found


def _by_world(scenarios: Iterable[Scenario]) -> dict[str, list[Scenario]]:
    found: dict[str, list[Scenario]] = defaultdict(list)
    for scenario in scenarios:
        found[world_key(scenario)].append(scenario)
    return dict(sorted(found.items(), key=lambda item: -len(item[1])))


class _Noted(dict[str, Transition]):
    """Transitions that note who is asked for."""

    def __init__(self, process: Process, steps: set[tuple[str, int, str]]) -> None:
        super().__init__(process.transitions)
        self._about, self._steps = (process.code, process.version), steps

    def get(self, name: str, default: Any = None) -> Any:
        self._steps.add((*self._about, name))
        return super().get(name, default)


@contextmanager
def _recorded() -> Iterator[set[tuple[str, int, str]]]:
    """Note every step that is asked for, of whatever process, while the block lasts."""
    steps: set[tuple[str, int, str]] = set()
    with ExitStack() as replaced:
        for process in list(processes().values()):
            replaced.enter_context(instead(replace(process, transitions=_Noted(process, steps))))
        yield steps


def prove(
    wanted: Iterable[Switch], among: Iterable[Witness], *, on_finding: Callable[[Finding], object] = lambda _: None
) -> list[Finding]:
    """Play scenarios with each thing switched off in turn until one fails; nothing stays in the database.

    Scenarios that carry a rule of the switch come first, all others afterwards.
    """
    left = list(wanted)
    found: list[Finding] = []
    known = {witness.scenario.path: witness for witness in among}
    by_world = _by_world(witness.scenario for witness in known.values())
    for carrying in (True, False):
        for name, scenarios in by_world.items():
            here, world = [known[scenario.path] for scenario in scenarios], worlds.load(name)
            if not any(_likely(switch, here, carrying=carrying) for switch in left):
                continue
            with built(world):
                findings = [_look(switch, here, world, carrying=carrying) for switch in left]
            for finding in findings:
                if finding.noticed:
                    on_finding(finding)
            found += [finding for finding in findings if finding.noticed]
            left = [finding.switch for finding in findings if not finding.noticed]
    return found + [Finding(switch) for switch in left]


def _look(switch: Switch, here: list[Witness], world: worlds.World, *, carrying: bool) -> Finding:
    for witness in _likely(switch, here, carrying=carrying):
        # What a scenario does by name need not be found out; what it causes beside that is.
        if witness.does & switch.touches or witness.steps(world) & switch.touches:
            with instead(switch.without):
                result = play(witness.scenario, world)
            if not result.passed:
                witness.steps(world)  # it passes with everything in place, or it is no witness
                return Finding(switch, result.path.name, result.problem, carrying)
    return Finding(switch)


def _likely(switch: Switch, here: list[Witness], *, carrying: bool) -> list[Witness]:
    """Return the scenarios that carry a rule of the switch, or all others.

    Those most likely to notice come first, and of these the shortest.
    """
    rules = set(switch.rules)
    names = {switch.place.partition(".")[2], switch.what.partition(" ")[2]} - {""}
    wanted = [witness for witness in here if bool(rules & witness.rules) == carrying]
    return sorted(wanted, key=lambda one: (-sum(name in one.text for name in names), len(one.text)))


@contextmanager
def instead(process: Process) -> Iterator[None]:
    """Let a changed definition stand in for the one of its code and version while the block lasts."""
    known = cast("dict[tuple[str, int], Process]", processes())
    key = process.code, process.version
    before = known[key]
    known[key] = process
    try:
        yield
    finally:
        known[key] = before


def sample(wanted: Iterable[Switch], one_in: int) -> list[Switch]:
    """Return about one in so many switches, always the same ones: their names decide."""
    return [switch for switch in wanted if crc32(str(switch).encode()) % one_in == 0]
