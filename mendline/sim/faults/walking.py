"""The scenario files, walked with a fault at every sending of every step.

The files reach every step of every procedure from wherever it can be taken, so they are the way to carry out
whatever the registry lists. Steps of people go through the interface with a key of theirs; what nobody may send
there (the clock's own steps, a version that is not in force) goes through the door. What happens when time passes
is the worker's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeAlias

from django.conf import settings
from django.db import connection

from mendline.access.actors import THE_CLOCK, TIMER_ROLE, Actor
from mendline.dispatch.current import forget_index
from mendline.network.directory import forget_directory
from mendline.orders import store, sweep, transitions
from mendline.orders.store import Loaded
from mendline.process import calendar_table, loading
from mendline.process.definition import NEW
from mendline.sim import invariants, scenarios, worlds
from mendline.sim.faults import nth
from mendline.sim.faults.calls import Response, Secrets, at_time, post, raised
from mendline.sim.faults.nth import KINDS, Answer, Command, Found, Kind
from mendline.sim.faults.rows import Difference, Rows
from mendline.sim.scenario_files import Scenario, find, read

# Whoever begins these is a step of the order; the interface lets nobody else.
OPENED_BY_STEPS = ("part_order", "callback")
_OF_THE_NETWORK = ("network_", "process_")

Step: TypeAlias = tuple[str, int, str, str, str]  # process, version, transition, from state, role


@dataclass(slots=True)
class Walk:
    """What was swept so far, over all scenarios. `wanted` chooses among steps that were not swept yet."""

    wanted: Callable[[Step], bool] = lambda step: True
    kinds: tuple[Kind, ...] = KINDS
    met: set[Step] = field(default_factory=set)  # carried out
    swept: set[Step] = field(default_factory=set)  # carried out with every fault at every place
    scenarios: int = 0
    found: Found = field(default_factory=Found)
    broken: list[str] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        return [*map(str, self.found.problems), *self.broken]


def scenario_files() -> list[Path]:
    return find([Path(settings.BASE_DIR) / "scenarios"])


def registered() -> set[str]:
    """Return every step of every registered procedure, as `process.transition`."""
    return {f"{process.code}.{name}" for process in loading.processes().values() for name in process.transitions}


def of_nobody() -> set[str]:
    """Return the registered steps that no person takes by itself: the clock does, or a step that causes it."""
    return {
        f"{process.code}.{name}"
        for process in loading.processes().values()
        for name, step in process.transitions.items()
        if set(step.by) <= {TIMER_ROLE} or (process.code in OPENED_BY_STEPS and step in process.creating)
    }


def never_met(met: Iterable[Step]) -> list[str]:
    """Return the registered steps that are not among those carried out."""
    return sorted(registered() - {f"{process}.{name}" for process, _, name, _, _ in met})


def by_what_is_new(paths: Iterable[Path]) -> list[Path]:
    """Return the files in another order: first whoever takes the most steps that no file before it takes.

    Whoever has time for some of them only comes through more of the procedures so.
    """
    steps = {path: {(one.do, one.by) for one in read(path).steps if one.do} for path in paths}
    found: list[Path] = []
    known: set[tuple[str, str]] = set()
    while steps:
        best = max(steps, key=lambda path: (len(steps[path] - known), -len(steps[path]), str(path)))
        known |= steps.pop(best)
        found.append(best)
    return found


def walk_through(paths: Iterable[Path], walk: Walk, *, told: Callable[[str], None] = lambda line: None) -> Walk:
    """Play scenario files on the database that we are connected to as its owner, which they leave empty.

    `told` hears of each scenario that is done. A scenario that fails by itself is a fault of the rig and is raised.
    """
    by_world: dict[str, list[Scenario]] = {}
    for path in paths:
        scenario = read(path)
        by_world.setdefault(scenarios.world_key(scenario), []).append(scenario)
    rows = Rows()
    for name, here in by_world.items():
        empty = rows.now()
        world = worlds.load(name)
        world.build()
        _forget_everything()
        secrets = Secrets()
        for person_id in world.person_ids.values():
            secrets(person_id)
        built = rows.now()
        for scenario in here:
            _play(scenario, world, rows, secrets, walk)
            rows.put_back(rows.since(built))
            _forget_everything()
            told(scenario.title)
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM access_token")
        rows.put_back(rows.since(empty))
        _forget_everything()
    return walk


def _play(scenario: Scenario, world: worlds.World, rows: Rows, secrets: Secrets, walk: Walk) -> None:
    stage = scenarios.Stage(scenario, world, scenario.now)
    doors = _Doors(scenario, rows, secrets, walk)
    with doors.in_place():
        for step in scenario.steps:
            try:
                scenarios.take(stage, step)
            except Exception as problem:
                raise RuntimeError(f"{scenario.path.name}, line {step.line}: {problem}") from problem
    walk.scenarios += 1
    with connection.cursor() as cursor:
        for one in invariants.broken(cursor, stage.now):
            walk.broken.append(f"{scenario.path.name}: {one}")


class _Doors:
    """Stands where the scenario runner expects the doors of the product, and makes what goes through them fail."""

    def __init__(self, scenario: Scenario, rows: Rows, secrets: Secrets, walk: Walk) -> None:
        self._scenario = scenario
        self._rows = rows
        self._secrets = secrets
        self._walk = walk
        self._numbers = count(1)

    def in_place(self) -> AbstractContextManager[None]:
        return scenarios.other_doors(
            begin=self._begin, perform=self._perform, sweep=self._sweep, transaction=SimpleNamespace(atomic=nullcontext)
        )

    def _begin(self, code: str, name: str, *, actor: Actor, now: datetime, given: Mapping[str, Any],
               order_ref: str = "", version: int | None = None) -> Loaded:  # fmt: skip
        in_force = loading.in_force(code, transitions.line_of(given), now)
        step = (code, version or in_force, name, NEW, actor.role)
        if actor.person_id is None or code in OPENED_BY_STEPS or version not in (None, in_force):
            return self._through_the_door(step, lambda: transitions.begin(
                code, name, actor=actor, now=now, given=given, order_ref=order_ref, version=version))  # fmt: skip
        path = "/api/v1/orders" if loading.latest(code).kind == transitions.ORDER_KIND else f"/api/v1/records/{code}"
        body: dict[str, Any] = {"given": given, "transition": name}
        return self._through_the_interface(step, path, {**body, **({"order_ref": order_ref} if order_ref else {})},
                                           actor, now)  # fmt: skip

    def _perform(self, ref: str, name: str, *, actor: Actor, now: datetime, given: Mapping[str, Any],
                 expected_revision: int | None = None) -> Loaded:  # fmt: skip
        before = store.load(ref, actor=THE_CLOCK)
        step = (before.process, before.process_version, name, before.state, actor.role)
        if actor.person_id is None:
            return self._through_the_door(step, lambda: transitions.perform(
                ref, name, actor=actor, now=now, given=given, expected_revision=expected_revision))  # fmt: skip
        kind = "orders" if before.table == "order" else "records"
        body: dict[str, Any] = {"given": given}
        if expected_revision is not None:
            body["revision"] = expected_revision
        return self._through_the_interface(step, f"/api/v1/{kind}/{ref}/transitions/{name}", body, actor, now)

    def _sweep(self, now: datetime) -> int:
        def due() -> Answer:
            return Answer(True, str(sweep.sweep(now)))

        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT subject, clock, step FROM process_timer WHERE state = 'open' AND due_at <= %s", [now]
            )
            timers = cursor.fetchall()
        names = {
            f"{store.load(ref, actor=THE_CLOCK).process}:{clock}.{'breach' if step == 'breach' else 'warn'}"
            for ref, clock, step in timers
        }
        step = ("clock", 0, " ".join(sorted(names)), "", "timer")
        return int(self._carried_out(step, Command(f"clock {step[2]}", due, in_parts=True)).text)

    def _through_the_door(self, step: Step, send: Callable[[], Loaded]) -> Loaded:
        last: list[Loaded] = []

        def sent() -> Answer:
            last.append(send())
            return Answer(True, last[-1].ref, last[-1].ref)

        self._carried_out(step, Command(_named(step), sent, keyed=False))
        return last[-1]

    def _through_the_interface(
        self, step: Step, path: str, body: Mapping[str, Any], actor: Actor, now: datetime
    ) -> Loaded:
        assert actor.person_id is not None
        secret, key = self._secrets(actor.person_id), f"{self._scenario.path.stem}-{next(self._numbers)}"[-80:]
        last: list[Response] = []

        def sent() -> Answer:
            with at_time(now):
                last.append(post(path, secret, key, body))
            return last[-1].answer()

        answer = self._carried_out(step, Command(_named(step), sent))
        if not answer.done:
            raise raised(last[-1])
        return store.load(answer.ref, actor=THE_CLOCK)

    def _carried_out(self, step: Step, command: Command) -> Answer:
        if step in self._walk.swept or not self._walk.wanted(step):
            answer = command.send()
        else:
            found, answer = nth.sweep(command, self._rows, forget=_forget_what_was_put_back, kinds=self._walk.kinds)
            self._walk.found += found
            if answer.done:
                self._walk.swept.add(step)
        if answer.done:
            self._walk.met.add(step)
        return answer


def _named(step: Step) -> str:
    process, version, name, state, role = step
    return f"{process} {version}: {name} from {state} by {role}"


def _forget_what_was_put_back(change: Difference) -> None:
    if any(table.startswith(_OF_THE_NETWORK) and table not in ("process_timer", "network_seat", "network_dayload")
           for table in change.tables):  # fmt: skip
        _forget_everything()


def _forget_everything() -> None:
    loading.forget_in_force()
    forget_index()
    forget_directory()
    calendar_table.forget()
