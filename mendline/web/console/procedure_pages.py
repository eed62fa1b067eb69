"""Pages about the procedure itself: what is in force, its steps and rules, and what a change of it would do."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpResponse

from mendline.kernel.errors import NotVisible
from mendline.kernel.text import Text
from mendline.orders import replay_report
from mendline.orders.replay import Different, Replay, by_cause
from mendline.process import overlays
from mendline.process import rules as rule_texts
from mendline.process.definition import Process
from mendline.process.diagram import svg
from mendline.process.loading import processes
from mendline.web.console.visit import Visit, screen

WRITES_PROCEDURES = frozenset({"process_owner", "channel_management", "hq_interface", "admin"})
DAYS = (7, 30, 90)
MOST_RECORDS = 1_000  # decided again while somebody waits for the page; the command line takes all
EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Setting:
    """One parameter of the procedure: as it is, and as it is tried."""

    name: str
    label: Text | None  # of the clock that it limits
    present: str
    tried: str

    @property
    def is_changed(self) -> bool:
        return self.tried != self.present


@dataclass(frozen=True, slots=True)
class Cause:
    """Steps refused for one reason."""

    step: Text
    rule: str
    why: Text
    times: int
    examples: tuple[Different, ...]


@dataclass(frozen=True, slots=True)
class Lateness:
    """How one clock was met, and how it would be."""

    clock: Text
    times: int
    was: int
    would: int


@screen
def procedures(visit: Visit) -> HttpResponse:
    """Every process file, the newest version of each first."""
    known = sorted(processes().values(), key=lambda process: (process.kind != "repair", process.code, -process.version))
    return visit.render("console/procedure/list.html", {"processes": known})


@screen
def procedure(visit: Visit, code: str, version: int) -> HttpResponse:
    """One procedure: its picture, its steps, who takes them and under which rules."""
    process = _process(code, version)
    context = {
        "process": process,
        "picture": svg(process, visit.language),
        "steps": list(process.transitions.values()),
        "may_try": visit.actor.role in WRITES_PROCEDURES,
    }
    return visit.render("console/procedure/page.html", context)


@screen
def replay(visit: Visit, code: str, version: int) -> HttpResponse:
    """What would this version, or other limits, have done with the last days? Nothing is written."""
    if visit.actor.role not in WRITES_PROCEDURES:
        raise NotVisible
    process = _process(code, version)
    settings = _settings(visit, process)
    days = int(visit.asked("days")) if visit.asked("days") in map(str, DAYS) else 30
    context = {"process": process, "settings": settings, "days": days, "choices": DAYS, "most": MOST_RECORDS}
    try:
        changed = [f"{setting.name}={setting.tried}" for setting in settings if setting.is_changed]
        tried = replay_report.with_parameters(process, changed)
    except replay_report.NotReplayed as problem:
        return visit.render("console/procedure/replay.html", {**context, "problem": problem.text}, status=422)
    found = replay_report.run(tried, days=days, now=visit.now, most=MOST_RECORDS)
    context |= {
        "found": found,
        "headline": replay_report.headline(found),
        "causes": _causes(process, found),
        "clocks": _clocks(process, found),
        "not_asked": sorted(found.not_asked),
    }
    return visit.render("console/procedure/replay.html", context)


def _process(code: str, version: int) -> Process:
    process = processes().get((code, version))
    if process is None:
        raise NotVisible
    return process


def _settings(visit: Visit, process: Process) -> list[Setting]:
    labels = {clock.budget: clock.label for clock in process.clocks.values()}
    found = []
    for name, value in process.parameters.items():
        present = overlays.written(value)
        found.append(Setting(name, labels.get(name), present, visit.asked(f"p_{name}", 500) or present))
    return found


def _causes(process: Process, found: Replay) -> list[Cause]:
    return [
        Cause(_label(process, step), rule, why, len(them), tuple(them[:EXAMPLES]))
        for step, rule, why, them in by_cause(found.refused)
    ]


def _label(process: Process, step: str) -> Text:
    return process.transitions[step].label if step in process.transitions else Text(step, step)


def _clocks(process: Process, found: Replay) -> list[Lateness]:
    return [
        Lateness(process.clocks[name].label, met.times, met.late_was, met.late_would)
        for name, met in found.clocks.items()
        if name in process.clocks
    ]


@screen
def rule_list(visit: Visit) -> HttpResponse:
    """All rules with their sentences; refusals link here."""
    return visit.render("console/procedure/rules.html", {"rules": list(rule_texts.rules().values())})
