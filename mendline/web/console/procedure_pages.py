"""Pages about the procedure itself: what is in force, its steps and rules, and what a change of it would do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse

from mendline.kernel.errors import NotVisible
from mendline.kernel.text import Text
from mendline.orders import readings, replay_report
from mendline.orders.replay import Different, Replay, by_cause
from mendline.process import overlays
from mendline.process import rules as rule_texts
from mendline.process.definition import Process, base_of
from mendline.process.diagram import svg
from mendline.process.parameter_words import label_of
from mendline.web.console.editions import (
    PROPOSES,
    WRITES_PROCEDURES,
    editions_of,
    families,
    limits_of,
    process_or_absent,
    waiting_for,
)
from mendline.web.console.sent_process import read_sent
from mendline.web.console.visit import Visit, screen

DAYS = (7, 30, 90)
MOST_RECORDS = 1_000  # decided again while somebody waits for the page; the command line takes all
EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Setting:
    """One parameter of the procedure: as it is, and as it is tried."""

    name: str
    label: Text
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
    """Every process with its editions, which of them holds for whom, and what waits for a decision."""
    context = {
        "families": families(visit),
        "waiting": waiting_for(visit),
        "unread": sum(one.read_at is None for one in readings.to_read(visit.actor)),
        "may_try": visit.actor.role in WRITES_PROCEDURES,
    }
    return visit.render("console/procedure/list.html", context)


@screen
def procedure(visit: Visit, code: str, version: int) -> HttpResponse:
    """One procedure: its picture, its limits, its steps, who takes them and under which rules."""
    process = process_or_absent(code, version)
    base = process_or_absent(code, base_of(version))
    context = {
        "process": process,
        "base": base if base is not process else None,
        "picture": svg(process, visit.language),
        "limits": limits_of(process, base),
        "steps": list(process.transitions.values()),
        "may_try": visit.actor.role in WRITES_PROCEDURES,
        "may_propose": visit.actor.role in PROPOSES and process.parameters,
        "others": [one for one in editions_of(code) if one.version != version],
    }
    return visit.render("console/procedure/page.html", context)


@screen
def replay(visit: Visit, code: str, version: int) -> HttpResponse:
    """What would this version, or other limits, have done with the last days? Nothing is written."""
    if visit.actor.role not in WRITES_PROCEDURES:
        raise NotVisible
    process = process_or_absent(code, version)
    if visit.request.method == "POST":
        return _replay_sent(visit, process)
    settings = _settings(visit, process)
    days = int(visit.asked("days")) if visit.asked("days") in map(str, DAYS) else 30
    context = {"process": process, "settings": settings, "days": days, "choices": DAYS, "most": MOST_RECORDS}
    try:
        changed = [f"{setting.name}={setting.tried}" for setting in settings if setting.is_changed]
        tried = replay_report.with_parameters(process, changed)
    except replay_report.NotReplayed as problem:
        return visit.render("console/procedure/replay.html", {**context, "problem": problem.text}, status=422)
    return visit.render("console/procedure/replay.html", {**context, **tried_on_the_past(visit, tried, days)})


def _replay_sent(visit: Visit, process: Process) -> HttpResponse:
    """The same for a file that is not in use: it was sent to be compared, and is sent once more to be tried."""
    sent = read_sent(visit, process.code)
    context: dict[str, Any] = {"process": process, "days": 30, "choices": DAYS, "most": MOST_RECORDS, "sent": sent}
    if sent.process is None:
        return visit.render("console/procedure/replay.html", {**context, "faults": sent.faults}, status=422)
    return visit.render("console/procedure/replay.html", {**context, **tried_on_the_past(visit, sent.process, 30)})


def tried_on_the_past(visit: Visit, tried: Process, days: int) -> dict[str, Any]:
    """Return what a page shows of a replay."""
    found = replay_report.run(tried, days=days, now=visit.now, most=MOST_RECORDS)
    return {
        "found": found,
        "headline": replay_report.headline(found),
        "causes": _causes(tried, found),
        "clocks": _clocks(tried, found),
        "not_asked": sorted(found.not_asked),
    }


def _settings(visit: Visit, process: Process) -> list[Setting]:
    found = []
    for name, value in process.parameters.items():
        present = overlays.written(value)
        found.append(Setting(name, label_of(name), present, visit.asked(f"p_{name}", 500) or present))
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
