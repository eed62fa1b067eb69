"""One seed, played: everybody does what they do for some days, then all faults end and time runs until it is quiet."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mendline.dispatch.current import forget_index
from mendline.network.directory import forget_directory
from mendline.process import calendar_table
from mendline.process.loading import forget_in_force
from mendline.sim.ground.at_rest import differences
from mendline.sim.ground.cast import Cast, minutes, office_hour
from mendline.sim.ground.clock import simulated_time
from mendline.sim.ground.customers import Customers
from mendline.sim.ground.door import Door
from mendline.sim.ground.moods import mood_of
from mendline.sim.ground.offices import Offices
from mendline.sim.ground.oracle.oracle import Oracle
from mendline.sim.ground.oracle.plain import CHINA, Finding, Network
from mendline.sim.ground.stage import Stage
from mendline.sim.ground.stations import Stations

START = datetime(2026, 4, 1, 8, 0, tzinfo=CHINA).astimezone(UTC)  # Qingming lies ahead, and Labour Day
LEAST_WAIT = timedelta(minutes=1)
LONGEST_CALM = timedelta(days=75)
Progress = Callable[["Stage", float], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is played. The same plan makes the same trace."""

    world: str = "small"
    seed: int = 1
    days: float = 3
    reports: int = 300
    storm: bool = True


@dataclass(slots=True)
class Outcome:
    """What came of it. `stage` still holds everything that was asked and answered."""

    plan: Plan
    stage: Stage
    findings: list[Finding]
    trace: str
    ended: datetime
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    calls: int = 0
    storm_calls: int = 0
    extra: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class Story:
    """Who acts next on an order: its region, its station, quality; and everything beside it."""

    cast: Cast
    customers: Customers = field(init=False)
    stations: Stations = field(init=False)
    offices: Offices = field(init=False)
    minded: set[str] = field(default_factory=set)  # records that somebody already deals with

    def __post_init__(self) -> None:
        self.customers = Customers(self.cast, self.follow)
        self.stations = Stations(self.cast, self.customers, self.opened)
        self.offices = Offices(self.cast, self.customers, self.follow)
        self.cast.on_known = self._mind

    def follow(self, label: str, moment: datetime) -> None:
        self.cast.at(moment, lambda now: self._turn(label, now))

    def opened(self, label: str, moment: datetime) -> None:
        if label in self.minded:
            return
        self.minded.add(label)
        self.cast.at(moment + minutes(self.cast.rng(label), 30, 300), lambda now: self._beside(label, now))

    def _mind(self, label: str, moment: datetime) -> None:
        """See that somebody deals with what a step opened, also if its answer came only later."""
        for record in self.cast.stage.oracle.orders[label].records if label in self.cast.stage.oracle.orders else ():
            if record.process != "callback" and record.is_open:
                self.opened(record.label, moment)

    def _turn(self, label: str, now: datetime) -> None:
        cast = self.cast
        if cast.is_held(label):
            self.follow(label, now + timedelta(minutes=5))
            return
        if label not in cast.stage.oracle.orders or not cast.goes_on(label):
            return
        rng = cast.rng(label)
        daytime = office_hour(now, rng)
        if daytime > now:
            self.follow(label, daytime)
            return
        self.offices.look(label, now)
        wait = self._act(label, now) if not cast.is_held(label) else timedelta(minutes=5)
        self._mind(label, cast.stage.time.now())
        if wait is not None:
            self.follow(label, self._after(now) + max(wait, LEAST_WAIT))

    def _act(self, label: str, now: datetime) -> timedelta | None:
        order = self.cast.order(label)
        if order.state == "undispatched":
            return self.offices.undispatched(label, now)
        if order.state == "resolved":
            return self.offices.call_back(label, now) or timedelta(hours=3)
        if order.state == "called_back":
            return timedelta(hours=2) if self.offices.called_back(label, now) else None
        return self.stations.turn(label, now) if order.is_open else None

    def _beside(self, label: str, now: datetime) -> None:
        cast = self.cast
        if cast.is_held(label):
            cast.at(now + timedelta(minutes=7), lambda later: self._beside(label, later))
            return
        known = [record for record in cast.stage.oracle.order_of(label).records if record.label == label]
        if not known or not cast.goes_on(label):
            return
        daytime = office_hour(now, cast.rng(label))
        if daytime > now:
            cast.at(daytime, lambda later: self._beside(label, later))
            return
        act = self.offices.supply if known[0].process == "part_order" else self.offices.judge
        wait = act(label, now)
        if wait is not None:
            cast.at(self._after(now) + wait, lambda later: self._beside(label, later))

    def _after(self, now: datetime) -> datetime:
        """Return when this turn was over; the world's clock stands still for whoever only waits."""
        return max(now, self.cast.stage.time.now())


def play(plan: Plan, network: Network, progress: Progress | None = None) -> Outcome:
    """Play a plan against the database that this process is connected to, in which the world stands already."""
    forget_everything()
    began, cpu = time.monotonic(), time.process_time()
    with simulated_time(START) as clock:
        stage = Stage(Oracle(network), Door(), clock, network.of_role_anywhere("cc_agent")[0], cut_sweeps=plan.storm)
        ends = START + timedelta(days=plan.days)
        cast = Cast(stage, network, mood_of(plan.seed), plan.seed, ends, storm=plan.storm)
        _reports(plan, Story(cast))
        if plan.storm:
            cast.at(START + timedelta(hours=3), cast.weather)
        stormy = 0
        while cast.agenda and clock.now() < ends + LONGEST_CALM and not stage.is_beyond_hope:
            now = _next(cast, stage)
            if now < ends:
                stormy = stage.tally["calls"]
            if progress is not None:
                progress(stage, min(1.0, (now - START) / (ends - START)))
        if not stage.is_beyond_hope:
            stage.pass_time(clock.now() + timedelta(days=1))
        _note_contacts(stage)
        findings = [*stage.findings, *stage.oracle.unrest(), *differences(stage)]
    return Outcome(
        plan, stage, findings, stage.trace, clock.now(), time.monotonic() - began, time.process_time() - cpu,
        stage.tally["calls"], stormy,
    )  # fmt: skip


def _next(cast: Cast, stage: Stage) -> datetime:
    """Let the next thing happen. What breaks a story off is a finding: people's stories never break by themselves."""
    try:
        return cast.play_next()
    except Exception as fault:
        stage.note(broken_off(fault))
        return stage.time.now()


def broken_off(fault: Exception) -> Finding:
    """Return what is to be said of a fault that nobody expected."""
    where = traceback.extract_tb(fault.__traceback__)[-1]
    en = f"{type(fault).__name__} in {where.name} ({Path(where.filename).name}:{where.lineno}): {fault}"
    return Finding("story_broke", "I18", f"情节中断：{en}", en)


def _note_contacts(stage: Stage) -> None:
    for order in stage.oracle.orders.values():
        contact = order.clocks.get("contact")
        if contact is not None and not contact.running:
            stage.seen.note("contact_late" if contact.late else "contact_in_time")


def _reports(plan: Plan, story: Story) -> None:
    """Spread the reports over the days, more by day than by night."""
    rng = story.cast.rng("reports")
    for number in range(plan.reports):
        label = f"o{10 * number + 11}"  # the last digit tells a second report of the same user from the first
        moment = START + timedelta(days=plan.days * rng.random())
        if rng.random() < 0.9:
            moment = office_hour(moment, rng)
        story.cast.at(moment, lambda now, label=label: story.customers.report(label, now))  # type: ignore[misc]


def forget_everything() -> None:
    """Forget what this process remembers of another database."""
    forget_in_force()
    forget_index()
    forget_directory()
    calendar_table.forget()
