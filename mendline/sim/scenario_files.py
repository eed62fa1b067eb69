"""Scenario files: acceptance in the language of the procedure, read and checked before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from mendline.kernel import plain_yaml
from mendline.kernel.durations import Duration, parse_duration
from mendline.kernel.time import SHANGHAI, Unreadable, parse_moment

TOP_KEYS = {"scenario", "process", "version", "rules", "world", "now", "steps", "why"}
STEP_KEYS = {
    "by", "do", "on", "given", "as", "wait", "until", "then", "refused", "absent", "conflict", "key", "why",
}  # fmt: skip
EXPECTATIONS = {
    "state", "station", "region", "assignee", "clocks", "breached", "facts", "told", "open_requests", "linked",
    "documents", "capacity_left", "found", "version", "reasons",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a scenario: who does what to what, or time passing, and what must be so afterwards."""

    line: int
    by: str = ""
    do: str = ""
    on: str = ""
    given: Mapping[str, Any] = field(default_factory=dict)
    named: str = ""
    wait: Duration | None = None
    until: datetime | None = None
    then: Mapping[str, Any] = field(default_factory=dict)
    refused: str = ""
    absent: bool = False
    conflict: bool = False
    key: str = ""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario with its world, its instant of beginning and its steps."""

    path: Path
    title: str
    process: str
    version: int | None
    rules: tuple[str, ...]
    world: str
    now: datetime
    steps: tuple[Step, ...]


class Unreadables(Exception):
    """Everything that is wrong with a scenario file, each with its line."""

    def __init__(self, path: Path, faults: list[tuple[int, str]]) -> None:
        self.faults = faults
        super().__init__("; ".join(f"{path}:{line}: {message}" for line, message in faults))


def find(paths: list[Path]) -> list[Path]:
    """Return the scenario files among files and folders; a folder's `worlds` are not scenarios."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(inner for inner in path.rglob("*.yaml") if "worlds" not in inner.relative_to(path).parts)
        else:
            found.append(path)
    return found


def read(path: Path) -> Scenario:
    """Read one scenario.

    Raises Unreadables with every fault of the file at once.
    """
    if not path.exists():
        raise Unreadables(path, [(1, "there is no such file")])
    document = plain_yaml.read(path)
    faults = list(document.faults)
    top = document.value if isinstance(document.value, dict) else {}
    for key in top:
        if key not in TOP_KEYS:
            faults.append((document.line(key), f"unknown key {key!r}; known are {', '.join(sorted(TOP_KEYS))}"))
    for key in ("scenario", "process", "world", "now", "steps"):
        if key not in top:
            faults.append((1, f"{key} is missing"))
    now = _moment(top.get("now"), document.line("now"), faults) if "now" in top else None
    steps = top.get("steps")
    read_steps = [
        _step(step, document, place, faults) for place, step in enumerate(steps if isinstance(steps, list) else [])
    ]
    if not read_steps and "steps" in top:
        faults.append((document.line("steps"), "a scenario needs steps"))
    if faults or now is None:
        raise Unreadables(path, faults)
    rules = top.get("rules")
    version = top.get("version")
    return Scenario(
        path=path,
        title=str(top["scenario"]),
        process=str(top["process"]),
        version=version if isinstance(version, int) else None,
        rules=tuple(str(rule) for rule in rules) if isinstance(rules, list) else (),
        world=str(top["world"]),
        now=now,
        steps=tuple(read_steps),
    )


def _step(step: object, document: plain_yaml.Document, place: int, faults: list[tuple[int, str]]) -> Step:
    line = document.line("steps", place)
    if not isinstance(step, dict):
        faults.append((line, "a step has keys and values"))
        return Step(line)
    for key in step:
        if key not in STEP_KEYS:
            faults.append((document.line("steps", place, key), f"unknown key {key!r} in a step"))
    then = step.get("then") or {}
    if not isinstance(then, dict):
        faults.append((line, "then must have keys and values"))
        then = {}
    for key in then:
        if key not in EXPECTATIONS:
            known = ", ".join(sorted(EXPECTATIONS))
            faults.append((document.line("steps", place, "then"), f"unknown expectation {key!r}; known are {known}"))
    if not ({"do", "wait", "until", "then"} & set(step)):
        faults.append((line, "a step does something, waits, or expects something"))
    if "do" in step and "by" not in step:
        faults.append((line, "say who does it (by)"))
    given = step.get("given") or {}
    return Step(
        line=line,
        by=str(step.get("by") or ""),
        do=str(step.get("do") or ""),
        on=str(step.get("on") or ""),
        given=given if isinstance(given, dict) else {},
        named=str(step.get("as") or ""),
        wait=_duration(step.get("wait"), line, faults),
        until=_moment(step["until"], line, faults) if "until" in step else None,
        then=then,
        refused=str(step.get("refused") or ""),
        absent=_yes(step.get("absent")),
        conflict=_yes(step.get("conflict")),
        key=str(step.get("key") or ""),
    )


def _moment(value: object, line: int, faults: list[tuple[int, str]]) -> datetime | None:
    try:
        return parse_moment(str(value), SHANGHAI)
    except Unreadable as problem:
        faults.append((line, problem.detail.en))
        return None


def _duration(value: object, line: int, faults: list[tuple[int, str]]) -> Duration | None:
    if value is None:
        return None
    try:
        return parse_duration(str(value))
    except ValueError as problem:
        faults.append((line, str(problem)))
        return None


def _yes(value: object) -> bool:
    return value in (True, "yes")
