"""Everybody's common ground: the agenda of what happens next, how a call is made, what a person sees of an order."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from mendline.sim.ground import door as doors
from mendline.sim.ground.moods import Mood
from mendline.sim.ground.oracle.model import Order, Record
from mendline.sim.ground.oracle.plain import CHINA, Answer, Call, Network
from mendline.sim.ground.stage import LOST_REPLY, LOST_REQUEST, REUSED, STALE, TWICE, Stage

Happening = Callable[[datetime], None]
# What befalls a call in a storm, and how often.
STORM: Mapping[str, float] = {
    LOST_REQUEST: 0.02, LOST_REPLY: 0.03, doors.BEFORE: 0.02, doors.AFTER: 0.03, TWICE: 0.03, STALE: 0.03, REUSED: 0.01,
}  # fmt: skip
PAUSES = (timedelta(minutes=11), timedelta(hours=6), timedelta(days=3))
MOST_TRIES = 400  # of one report's story: a story that does not end is a finding, not an endless run


@dataclass(slots=True)
class Cast:
    """The people of one run and what they are going to do."""

    stage: Stage
    network: Network
    mood: Mood
    seed: int
    ends: datetime  # when the storm and the reports end
    storm: bool = False
    agenda: list[tuple[datetime, int, Happening]] = field(default_factory=list)
    held: dict[str, Call] = field(default_factory=dict)  # by order: a call whose outcome is unknown
    calls: int = 0
    turns: int = 0
    stories: dict[str, int] = field(default_factory=dict)
    on_known: Callable[[str, datetime], None] = lambda label, moment: None
    _streams: dict[str, Random] = field(default_factory=dict)

    def rng(self, stream: str) -> Random:
        """Return a stream of chance of its own, so that dropping one actor leaves the others as they were."""
        if stream not in self._streams:
            self._streams[stream] = Random(f"{self.seed} {stream}")
        return self._streams[stream]

    def at(self, moment: datetime, what: Happening) -> None:
        self.turns += 1
        heapq.heappush(self.agenda, (moment.replace(microsecond=0), self.turns, what))

    def play_next(self) -> datetime:
        moment, _, what = heapq.heappop(self.agenda)
        moment = max(moment, self.stage.time.now())
        what(moment)
        return moment

    # --- what people see ---

    def order(self, label: str) -> Order:
        return self.stage.oracle.orders[label]

    def record(self, label: str) -> Record:
        return self.stage.oracle.record(label)

    def is_held(self, label: str) -> bool:
        return label.partition(".")[0] in self.held

    def one_of(self, role: str, label: str, *, station: str = "", region: str = "") -> str:
        people = self.network.of_role(role, station=station, region=region)
        return self.rng(label).choice(people) if people else ""

    def coordinator(self, order: Order) -> str:
        return self.one_of("station_coordinator", order.label, station=order.station)

    def region(self, order: Order) -> str:
        return self.one_of("region_interface", order.label, region=order.region)

    # --- what people do ---

    def create(self, by: str, name: str, about: str, given: Mapping[str, Any], moment: datetime) -> Answer:
        return self._call(by, "create", name, about, given, moment)

    def step(self, by: str, name: str, about: str, moment: datetime, **given: Any) -> Answer:
        return self._call(by, "step", name, about, given, moment)

    def look(self, by: str, verb: str, about: str, moment: datetime) -> Answer:
        return self._call(by, verb, "look", about, {}, moment)

    def _call(self, by: str, verb: Any, name: str, about: str, given: Mapping[str, Any], moment: datetime) -> Answer:
        fault = self._befalls(verb, about, moment)
        self.calls += 1
        key = f"s{self.seed}-{self.calls}" if verb in ("create", "step") else ""
        call = Call(self.calls, moment, by, verb, name, about, dict(given), fault=fault, key=key)
        answer = self.stage.do(call)
        if answer.kind == "unknown":
            self._hold(call)
        return answer

    def _befalls(self, verb: str, about: str, moment: datetime) -> str:
        if not self.storm or moment >= self.ends or verb not in ("create", "step"):
            return ""
        rng = self.rng("weather")
        [fault] = rng.choices([*STORM, ""], [*STORM.values(), 1 - sum(STORM.values())])
        if fault == STALE and (verb == "create" or "." in about or not self.order(about).revision):
            return ""
        return fault

    def _hold(self, call: Call) -> None:
        """Send it again later, until it is known; nobody else acts on that order meanwhile."""
        label = call.about.partition(".")[0]
        self.held[label] = call

        def send_again(moment: datetime) -> None:
            again = Call(call.number, moment, call.by, call.verb, call.name, call.about, call.given, key=call.key)
            if self.stage.again(again).kind != "unknown":
                del self.held[label]
                self.on_known(label, moment)
            else:
                self.at(moment + timedelta(minutes=1), send_again)

        wait = self.rng("weather").choice((20, 90, 600, 4000))
        self.at(self.stage.time.now() + timedelta(seconds=wait), send_again)

    def weather(self, moment: datetime) -> None:
        """Now and then the sweeper is dead for a while: minutes, hours, days."""
        rng = self.rng("sweeper")
        if moment >= self.ends:
            return
        pause = rng.choices(PAUSES, (5, 3, 1))[0]
        until = min(moment + pause, self.ends + timedelta(hours=12))
        self.stage.pass_time(moment)
        if self.stage.asleep_until is None:
            self.stage.sleep(until)
        self.at(until + timedelta(hours=rng.uniform(2, 20)), self.weather)

    def goes_on(self, label: str) -> bool:
        """Count the turns of a story; one that never ends is given up, and found at the end to stand open."""
        self.stories[label] = self.stories.get(label, 0) + 1
        return self.stories[label] <= MOST_TRIES


def minutes(rng: Random, least: float, most: float) -> timedelta:
    return timedelta(seconds=int(60 * rng.uniform(least, most)))


def office_hour(moment: datetime, rng: Random) -> datetime:
    """Return the moment itself by day, else some time next morning: people call and visit from 8 to 20."""
    local = moment.astimezone(CHINA)
    if 8 <= local.hour < 20:
        return moment
    morning = local.replace(hour=8, minute=0, second=0) + timedelta(days=local.hour >= 20)
    return max(moment, morning + minutes(rng, 0, 90))


def text_of(moment: datetime) -> str:
    return moment.astimezone(CHINA).isoformat()
