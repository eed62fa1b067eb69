"""Runs scenario files against the real engine, database and timers, with simulated time.

Every scenario runs in a transaction of its own on a scratch database and is rolled back, so that
thousands can share one world. Time passes only by `wait` and `until`: due timers then take effect
one after the other, each at its own instant.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from django.db import connection, transaction

from mendline.access.actors import Actor
from mendline.dispatch.current import forget_index
from mendline.journal.models import Outgoing
from mendline.kernel.calendars import add
from mendline.kernel.errors import Conflict, MendlineError, NotVisible, Refused
from mendline.kernel.phones import parse_phone
from mendline.kernel.time import SHANGHAI, parse_moment
from mendline.network.directory import forget_directory
from mendline.orders import queries, store
from mendline.orders.models import Record, RepairOrder
from mendline.orders.store import Loaded
from mendline.orders.sweep import next_due_at, sweep
from mendline.orders.transitions import begin, line_of, perform
from mendline.process import calendar_table
from mendline.process.calendar_table import calendar
from mendline.process.definition import Fact, Process
from mendline.process.loading import forget_in_force, in_force, latest, process_for
from mendline.search import finding, index
from mendline.sim import expectations, worlds
from mendline.sim.expectations import Unmet
from mendline.sim.scenario_files import Scenario, Step, Unreadables, find, read

# Kinds of records that stand beside an order; the others stand for themselves.
ABOUT_AN_ORDER = frozenset({"request", "part", "callback"})


# Asked at the end of a scenario, at its moment; returns what is wrong, or nothing.
Look: TypeAlias = Callable[[datetime], str]


class Output(Protocol):
    def write(self, text: str) -> object: ...


@dataclass(slots=True)
class Result:
    """How one scenario went; `problem` is empty when it passed."""

    path: Path
    title: str
    problem: str = ""
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        return not self.problem


class _Rollback(Exception):
    """Ends a scenario's transaction without keeping anything."""


@dataclass(slots=True)
class Stage:
    """What a running scenario knows: the time, the records by name, what people last saw, what was told."""

    scenario: Scenario
    world: worlds.World
    now: datetime
    names: dict[str, str] = field(default_factory=dict)
    seen: dict[tuple[str, str], int] = field(default_factory=dict)
    told_since: int = 0
    answers: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    found: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)


@contextmanager
def scratch_database() -> Iterator[None]:
    """Work on the database that tests use, made if it is not there, and return to the one in use."""
    name = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, keepdb=True, serialize=False)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = name


def run(paths: list[Path], output: Output, *, as_json: bool = False) -> int:
    """Run files and folders on a scratch database; write a line for each; return how many failed."""
    with scratch_database():
        results = run_here(find(paths), output if not as_json else None)
    failed = sum(not result.passed for result in results)
    if as_json:
        rows = [
            {
                "file": str(r.path),
                "scenario": r.title,
                "passed": r.passed,
                "problem": r.problem,
                "ms": round(r.seconds * 1000),
            }
            for r in results
        ]
        output.write(json.dumps(rows, ensure_ascii=False, indent=1) + "\n")
    output.write(f"{len(results) - failed} passed, {failed} failed\n")
    return failed


def run_here(paths: list[Path], output: Output | None = None, *, look: Look | None = None) -> list[Result]:
    """Run scenario files on the database we are connected to, leaving nothing behind. Worlds are built once.

    `look` is asked at the end of each scenario, while its rows are still there: what it returns fails the scenario.
    """
    results: list[Result] = []
    scenarios: list[Scenario] = []
    for path in paths:
        try:
            scenarios.append(read(path))
        except Unreadables as problem:
            results.append(_report(Result(path, path.stem, str(problem)), output))
    for name in dict.fromkeys(world_key(scenario) for scenario in scenarios):
        here = [scenario for scenario in scenarios if world_key(scenario) == name]
        results += _run_in_world(here, output, look)
    return results


def world_key(scenario: Scenario) -> str:
    """Return the name of the scenario's world, or the path of a world that lies beside the scenario."""
    beside = scenario.path.parent / scenario.world
    return str(beside.resolve()) if beside.suffix == ".yaml" and beside.exists() else scenario.world


def _run_in_world(scenarios: list[Scenario], output: Output | None, look: Look | None) -> list[Result]:
    results: list[Result] = []
    try:
        world = worlds.load(world_key(scenarios[0]))
    except Exception as problem:  # a world that cannot be read fails its scenarios, not the whole run
        return [_report(Result(s.path, s.title, f"world {s.world}: {problem}"), output) for s in scenarios]
    with built(world):
        for scenario in scenarios:
            started = time.monotonic()
            result = play(scenario, world, look=look)
            result.seconds = time.monotonic() - started
            results.append(_report(result, output))
    return results


@contextmanager
def other_doors(**ours: Any) -> Iterator[None]:
    """Let scenarios go through other doors than those of this module (`begin`, `perform`, `sweep` …) meanwhile."""
    kept = {name: globals()[name] for name in ours}
    globals().update(ours)
    try:
        yield
    finally:
        globals().update(kept)


@contextmanager
def built(world: worlds.World) -> Iterator[None]:
    """Have the world in the database for as long as the block lasts; nothing of it stays."""
    try:
        with transaction.atomic():
            world.build()
            _forget_everything()
            yield
            raise _Rollback
    except _Rollback:
        _forget_everything()


def _forget_everything() -> None:
    forget_in_force()
    forget_index()
    forget_directory()
    calendar_table.forget()


def _report(result: Result, output: Output | None) -> Result:
    if output is not None:
        mark = "ok  " if result.passed else "FAIL"
        output.write(f"{mark} {result.title}  ({result.path.name}, {result.seconds * 1000:.0f} ms)\n")
        if not result.passed:
            output.write(f"     {result.problem}\n")
    return result


def play(scenario: Scenario, world: worlds.World, *, look: Look | None = None) -> Result:
    """Carry out one scenario in its world, which is in the database already, and undo what it did."""
    result = Result(scenario.path, scenario.title)
    stage = Stage(scenario, world, scenario.now, told_since=_last_message())
    changes_network = False
    try:
        with transaction.atomic():
            for step in scenario.steps:
                try:
                    take(stage, step)
                except Unmet as unmet:
                    result.problem = f"line {step.line}: {unmet}"
                    break
                except MendlineError as error:
                    result.problem = f"line {step.line}: {step.do or 'wait'} was answered with {_words(error)}"
                    break
                except Exception as error:  # reported like a failure, with its line, so that the run goes on
                    result.problem = f"line {step.line}: {type(error).__name__}: {error}"
                    break
                changes_network |= step.do.startswith("coverage_change") or "take_effect" in step.do
            if look is not None and result.passed:
                result.problem = look(stage.now)
            raise _Rollback
    except _Rollback:
        forget_in_force()
        if changes_network or any("coverage" in step.do or step.on == "change" for step in scenario.steps):
            _forget_everything()
    return result


def take(stage: Stage, step: Step) -> None:
    """Carry out one step and hold it against what it expects.

    Raises Unmet.
    """
    if step.wait is not None:
        code = "working_days" if step.wait.working_days else "always"
        pass_time(stage, add(calendar(code), stage.now, step.wait))
    if step.until is not None:
        pass_time(stage, step.until)
    subject: Loaded | None = None
    if step.do:
        subject = _do(stage, step)
    if step.then:
        if subject is None:
            subject = _load(stage, step.on or "order") if step.on or "order" in stage.names else None
        expectations.check(stage, step, subject)
    if step.do:
        stage.told_since = _last_message()


def pass_time(stage: Stage, until: datetime) -> None:
    """Let time pass, firing every timer at its own instant, in order."""
    if until < stage.now:
        raise Unmet(f"time runs forwards only: it is {stage.now.astimezone(SHANGHAI):%Y-%m-%d %H:%M}")
    while (due := next_due_at()) is not None and due <= until:
        moment = max(due, stage.now)
        if not sweep(moment):
            break
        stage.now = moment
    stage.now = until


def _do(stage: Stage, step: Step) -> Loaded | None:
    """Carry out the step's action; compare a refusal, an absence or a conflict with what was expected."""
    actor = _actor(stage, step.by)
    try:
        with transaction.atomic():
            subject = _act(stage, step, actor)
    except NotVisible:
        if step.absent:
            return None
        raise Unmet("it does not exist for this person, which the step does not expect") from None
    except Conflict as conflict:
        if step.conflict:
            return None
        raise Unmet(f"conflict: {conflict.detail.en}") from None
    except Refused as refusal:
        if step.refused and step.refused in (*refusal.rules, refusal.code):
            return None
        wanted = f"refused by {step.refused}" if step.refused else "carried out"
        raise Unmet(f"expected to be {wanted}, but {_words(refusal)}") from None
    for expected, word in (
        (step.refused, f"refused by {step.refused}"),
        (step.absent, "absent"),
        (step.conflict, "in conflict"),
    ):
        if expected:
            stands = f"; it stands at {subject.state}" if subject is not None else ""
            raise Unmet(f"expected to be {word}, but it was carried out{stands}")
    return subject


def _act(stage: Stage, step: Step, actor: Actor) -> Loaded | None:
    if step.do in _LOOKS:
        _LOOKS[step.do](stage, step, actor)
        return _load(stage, step.on) if step.on else None
    if step.key:
        known = stage.answers.get((step.by, step.key))
        body = json.dumps([step.do, step.on, step.given], sort_keys=True, ensure_ascii=False, default=str)
        if known is not None:
            if known[1] != body:
                raise Refused("idempotency_key_reused", expectations.text("同一键不同内容", "same key, other body"))
            return store.load(known[0], actor=actor)
        subject = _change(stage, step, actor)
        stage.answers[step.by, step.key] = (subject.ref, body)
        return subject
    return _change(stage, step, actor)


def _change(stage: Stage, step: Step, actor: Actor) -> Loaded:
    code, _, name = step.do.rpartition(".")
    creating = _creating_process(stage, code or stage.scenario.process, name, step)
    if creating is not None:
        order_ref = (
            "" if creating.kind in ("repair", "document", "coverage") else stage.names.get(step.on or "order", "")
        )
        given = with_zone(creating, step.given)
        version = stage.scenario.version if creating.code == stage.scenario.process else None
        subject = begin(
            creating.code, name, actor=actor, now=stage.now, given=given, order_ref=order_ref, version=version
        )
        stage.names[step.named or ("order" if creating.kind == "repair" else creating.code)] = subject.ref
    else:
        ref = _ref(stage, step.on or "order")
        before = store.load(ref, actor=actor)
        process = process_for(before.process, before.process_version)
        revision = stage.seen.get((step.by, ref), 0) if step.conflict else None
        subject = perform(
            ref, name, actor=actor, now=stage.now, given=with_zone(process, step.given), expected_revision=revision
        )
        if step.named:
            stage.names[step.named] = subject.ref
    stage.seen[step.by, subject.ref] = subject.revision
    return subject


def _creating_process(stage: Stage, code: str, name: str, step: Step) -> Process | None:
    """Return the process when the step creates a record; `callback.open` and `submit` alike."""
    if step.on and step.on not in stage.names and step.on not in ("order",):
        return None
    if "." not in step.do and step.on and step.on != "order":
        return None
    version = stage.scenario.version if code == stage.scenario.process else None
    process = process_for(code, version or in_force(code, line_of(step.given), stage.now)) if code else latest(code)
    transition = process.transitions.get(name)
    return process if transition is not None and transition.creates else None


def with_zone(process: Process, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is given with Shanghai's offset on moments that state none: people write wall-clock time."""
    return {name: _zoned(process.facts.get(name), value) for name, value in given.items()}


def _zoned(fact: Fact | None, value: Any) -> Any:
    if fact is not None and fact.type == "moment" and isinstance(value, str):
        try:
            return parse_moment(value, SHANGHAI).isoformat()
        except ValueError:
            return value
    return value


def _actor(stage: Stage, by: str) -> Actor:
    try:
        return stage.world.actor(by)
    except LookupError as missing:
        raise Unmet(f"nobody is {by} in this world ({missing})") from None


def _ref(stage: Stage, name: str) -> str:
    """Return the number of a record by its name; parts, callbacks and replacements are found by what they are."""
    if name in stage.names:
        return stage.names[name]
    order = stage.names.get("order")
    if order is None:
        raise Unmet(f"nothing is called {name}")
    if name == "replacement":
        replaced_by = RepairOrder.objects.unscoped("scenario").get(ref=order).replaced_by
        if replaced_by:
            stage.names[name] = replaced_by
            return replaced_by
    record = Record.objects.unscoped("scenario").filter(order_ref=order, process=name).order_by("-id").first()
    if record is None:
        raise Unmet(f"nothing is called {name}")
    return record.ref


def _load(stage: Stage, name: str) -> Loaded:
    from mendline.access.actors import THE_CLOCK

    return store.load(_ref(stage, name), actor=THE_CLOCK)


def _look(stage: Stage, step: Step, actor: Actor) -> None:
    """Open the page of an order or record, as a person does before acting on it."""
    page = queries.subject_page(actor, _ref(stage, step.on or "order"), stage.now)
    stage.seen[step.by, page.subject.ref] = page.subject.revision
    stage.found = [s.transition.name for s in page.steps if s.permitted]
    stage.reasons = [row[0] + ":" + row[1] for row in (page.station_choice or {}).get("stations", [])]


def _search(stage: Stage, step: Step, actor: Actor) -> None:
    while index.catch_up(stage.now):  # what the worker does within a second
        pass
    refs = [order.ref for order in finding.find(actor, str(step.given.get("text", ""))).orders]
    stage.found = [name for name, ref in stage.names.items() if ref in refs]


def _queue(stage: Stage, step: Step, actor: Actor) -> None:
    page = queries.page_of_orders(actor, filters=queries.OrderFilters(category=str(step.given.get("category", "open"))))
    stage.found = [name for name, ref in stage.names.items() if ref in [row.ref for row in page.rows]]


def _duplicates(stage: Stage, step: Step, actor: Actor) -> None:
    phone = parse_phone(str(step.given["phone"])) if step.given.get("phone") else ""
    rows = queries.duplicates(actor, phone=phone, serial_no=str(step.given.get("serial_no", "")), now=stage.now)
    stage.found = [name for name, ref in stage.names.items() if ref in [row.ref for row in rows]]


_LOOKS = {"look": _look, "search": _search, "queue": _queue, "duplicates": _duplicates}


def _last_message() -> int:
    return Outgoing.objects.order_by("-id").values_list("id", flat=True).first() or 0


def _words(error: MendlineError) -> str:
    if isinstance(error, Refused):
        return f"{type(error).__name__} {error.rule or error.code}: {error.detail.en}"
    return f"{type(error).__name__}: {error}"
