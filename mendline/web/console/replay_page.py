"""A version, other limits or a file that is not in use, tried on what was done in the last days; nothing is written.

A month of a country is more than anybody waits for in one answer. So each answer tries some hundred
records, shows what came of all so far, and asks for the next by itself until all are tried or somebody
stops it. What came of it travels with the page, signed; the server keeps nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from django.core import signing
from django.http import HttpResponse

from mendline.kernel.errors import NotVisible
from mendline.kernel.text import Text
from mendline.kernel.time import parse_moment
from mendline.orders import replay_report
from mendline.orders.replay import Different, Met, Refusals, Replay, records_since
from mendline.orders.replay import replay as replayed
from mendline.process import overlays
from mendline.process.definition import Process
from mendline.process.parameter_words import label_of
from mendline.web.console.editions import WRITES_PROCEDURES, process_or_absent
from mendline.web.console.sent_process import read_sent
from mendline.web.console.visit import Visit, screen

DAYS = (7, 30, 90)
AT_ONCE = 150  # records, half a second's work
EXAMPLES = 5
SALT = "mendline.replay"
CARRIED_FOR = timedelta(hours=12)


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


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of the records tried so far, of `total`."""

    found: Replay
    total: int

    @property
    def is_over(self) -> bool:
        return self.found.reached is None

    @property
    def percent(self) -> int:
        return 100 if self.is_over else min(99, 100 * self.found.records // max(1, self.total))


@screen
def replay(visit: Visit, code: str, version: int) -> HttpResponse:
    """What would this version, other limits, or the file that is sent have done with the last days?"""
    if visit.actor.role not in WRITES_PROCEDURES:
        raise NotVisible
    process = process_or_absent(code, version)
    is_sent = visit.request.method == "POST" and ("text" in visit.request.POST or "file" in visit.request.FILES)
    return _of_a_file(visit, process) if is_sent else _of_limits(visit, process)


def _of_limits(visit: Visit, process: Process) -> HttpResponse:
    settings = _settings(visit, process)
    days = int(visit.asked("days")) if visit.asked("days") in map(str, DAYS) else 30
    context = {"process": process, "settings": settings, "days": days, "choices": DAYS}
    try:
        changed = [f"{setting.name}={setting.tried}" for setting in settings if setting.is_changed]
        tried = replay_report.with_parameters(process, changed)
    except replay_report.NotReplayed as problem:
        return visit.render("console/procedure/replay.html", {**context, "problem": problem.text}, status=422)
    return _shown(visit, tried, days, context)


def _of_a_file(visit: Visit, process: Process) -> HttpResponse:
    """A file that is not in use: it was sent to be compared, and comes with every answer to be tried."""
    sent = read_sent(visit, process.code)
    context: dict[str, Any] = {"process": process, "days": 30, "choices": DAYS, "sent": sent}
    if sent.process is None:
        return visit.render("console/procedure/replay.html", {**context, "faults": sent.faults}, status=422)
    return _shown(visit, sent.process, 30, context)


def _shown(visit: Visit, tried: Process, days: int, context: Mapping[str, Any]) -> HttpResponse:
    """Try the next records and show the page, or the part of it that changes."""
    carried = visit.request.POST.get("carried", "")
    is_part = bool(carried) and visit.request.headers.get("HX-Request") == "true"
    template = "console/procedure/tried.html" if is_part else "console/procedure/replay.html"
    shown = tried_on_the_past(visit, tried, days, at=visit.request.get_full_path(), carried=carried)
    return visit.render(template, {**context, **shown})


def tried_on_the_past(visit: Visit, tried: Process, days: int, *, at: str, carried: str = "") -> dict[str, Any]:
    """Return what is shown of a trial: its next records, after those of `carried`, whose further ones `at` tries.

    A trial that somebody stops (`stop` is posted) is shown as far as it came.
    """
    trial = _read(carried)
    is_stopped = trial is not None and "stop" in visit.request.POST
    if trial is None or not (is_stopped or trial.is_over):
        trial = _further(visit, tried, days, trial)
    return {
        "trial": trial,
        "found": trial.found,
        "is_stopped": is_stopped,
        "headline": replay_report.headline(trial.found),
        "causes": _causes(tried, trial.found),
        "clocks": _clocks(tried, trial.found),
        "not_asked": sorted(trial.found.not_asked),
        "at": at,
        "carried": "" if trial.is_over else signing.dumps(_as_data(trial), salt=SALT, compress=True),
    }


def _further(visit: Visit, tried: Process, days: int, trial: Trial | None) -> Trial:
    since = visit.now - timedelta(days=days)
    below = trial.found.reached if trial else None
    more = replayed(tried, since=since, most=AT_ONCE, below=below, keep=EXAMPLES)
    if trial is None:
        return Trial(more, more.records if more.reached is None else records_since(tried.code, since))
    trial.found.add(more)
    return trial


def _as_data(trial: Trial) -> dict[str, Any]:
    found = trial.found
    return {
        "total": trial.total, "reached": found.reached, "steps": found.steps, "records": found.records,
        "unsure": found.unsure, "not_asked": dict(found.not_asked),
        "clocks": {name: asdict(met) for name, met in found.clocks.items()},
        "refused": [
            [step, rule, them.why.as_dict(), them.times, [[one.ref, one.at.isoformat()] for one in them.examples]]
            for step, rule, them in found.ranked()
        ],
    }  # fmt: skip


def _read(carried: str) -> Trial | None:
    """Return what an earlier answer sent along; None where it is not ours or too old: then the trial begins anew."""
    try:
        data = signing.loads(carried, salt=SALT, max_age=CARRIED_FOR)
    except signing.BadSignature:
        return None
    refused = {
        (step, rule): Refusals(
            Text(**why), times, [Different(ref, parse_moment(at), step, rule, Text(**why)) for ref, at in examples]
        )
        for step, rule, why, times, examples in data["refused"]
    }
    clocks = {name: Met(**met) for name, met in data["clocks"].items()}
    return Trial(
        Replay(data["steps"], data["records"], data["unsure"], refused, clocks, Counter(data["not_asked"]), EXAMPLES,
               data["reached"]),
        data["total"],
    )  # fmt: skip


def _settings(visit: Visit, process: Process) -> list[Setting]:
    found = []
    for name, value in process.parameters.items():
        present = overlays.written(value)
        found.append(Setting(name, label_of(name), present, visit.asked(f"p_{name}", 500) or present))
    return found


def _causes(process: Process, found: Replay) -> list[Cause]:
    return [
        Cause(_label(process, step), rule, them.why, them.times, tuple(them.examples))
        for step, rule, them in found.ranked()
    ]


def _label(process: Process, step: str) -> Text:
    return process.transitions[step].label if step in process.transitions else Text(step, step)


def _clocks(process: Process, found: Replay) -> list[Lateness]:
    return [
        Lateness(process.clocks[name].label, met.times, met.late_was, met.late_would)
        for name, met in found.clocks.items()
        if name in process.clocks
    ]
