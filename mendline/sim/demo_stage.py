"""Simulated time for the demo: stories that go on at their moments, and clocks that run out between them.

Everything a story does goes through the one door with the moment as `now`, so histories, clocks,
timers and notices are those that the real days would have left.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from functools import cached_property
from itertools import count
from random import Random
from typing import Any, Protocol, TypeAlias

from mendline.access.actors import THE_CLOCK, Actor
from mendline.kernel.errors import Refused
from mendline.kernel.time import SHANGHAI, local_day
from mendline.orders import store
from mendline.orders.models import Record
from mendline.orders.store import Loaded
from mendline.orders.sweep import next_due_at, sweep
from mendline.orders.transitions import begin, perform
from mendline.sim.demo_calls import Call
from mendline.sim.world_contents import WorldPerson
from mendline.sim.worlds import World

# A story yields the moment at which it goes on; what lies after the demo's own now never happens.
Story: TypeAlias = Generator[datetime, None, None]
Progress: TypeAlias = Callable[[float], None]

OPENS, CLOSES = 9, 20  # local hours in which offices call and decide
SWEPT_AFTER = timedelta(seconds=1)  # how soon a running worker would notice


class Door(Protocol):
    """Through which stories act: the engine's own, or the one in memory (`national_door`)."""

    def begin(
        self, process_code: str, name: str, *, actor: Actor, now: datetime, given: Mapping[str, Any], order_ref: str
    ) -> Loaded: ...

    def perform(self, ref: str, name: str, *, actor: Actor, now: datetime, given: Mapping[str, Any]) -> Loaded: ...

    def look(self, ref: str) -> Loaded: ...

    def newest_open(self, order_ref: str, process: str) -> str: ...

    def let_time_pass(self, until: datetime) -> None: ...


class EngineDoor:
    """The engine's own door, into the database."""

    begin = staticmethod(begin)
    perform = staticmethod(perform)

    def look(self, ref: str) -> Loaded:
        return store.load(ref, actor=THE_CLOCK)

    def newest_open(self, order_ref: str, process: str) -> str:
        waiting = Record.objects.unscoped("the demo plays everybody").filter(
            order_ref=order_ref, process=process, category__in=["open", "waiting"]
        )
        return str(waiting.order_by("-id").values_list("ref", flat=True)[0])

    def let_time_pass(self, until: datetime) -> None:
        """Let every timer take effect a moment after it is due, as with a worker that is always there."""
        while (due := next_due_at()) is not None and due <= until:
            if not sweep(min(due + SWEPT_AFTER, until)):
                raise RuntimeError(f"a timer due {due} does not settle")


@dataclass
class Stage:
    """Where stories play: the world, the present moment, and chance (seeded, so that the same demo comes again)."""

    world: World
    now: datetime  # the real one: nothing happens after it
    rng: Random
    door: Door = field(default_factory=EngineDoor)
    at: datetime = field(init=False)
    refusals: list[Refused] = field(default_factory=list)
    _serial: count[int] = field(default_factory=count)

    def play(self, stories: Iterable[tuple[datetime, Story]], progress: Progress) -> None:
        """Play all stories from their first moment until now; then let the clocks run until now.

        A story that the procedure refuses ends there; what was refused is kept in `refusals`.
        """
        agenda = [(moment, next(self._serial), story) for moment, story in stories if moment <= self.now]
        heapq.heapify(agenda)
        self.at = begun = agenda[0][0]
        while agenda:
            moment, _, story = heapq.heappop(agenda)
            self.door.let_time_pass(moment)
            self.at = max(moment, self.at)
            going_on = self._go_on(story)
            if going_on is not None and going_on <= self.now:
                heapq.heappush(agenda, (going_on, next(self._serial), story))
            progress((self.at - begun) / (self.now - begun))
        self.door.let_time_pass(self.now)
        self.at = self.now

    def _go_on(self, story: Story) -> datetime | None:
        try:
            return next(story, None)
        except Refused as refusal:
            self.refusals.append(refusal)
            return None

    # --- what people do ---

    def report(self, call: Call, **more: Any) -> str:
        """Let some agent take a report; returns the order's number."""
        actor = self.somebody("cc_agent")
        given = {**call.as_given(), **more}
        return self.door.begin("unified_repair", "report", actor=actor, now=self.at, given=given, order_ref="").ref

    def open_record(self, process: str, name: str, by: Actor, *, order_ref: str = "", **given: Any) -> str:
        return self.door.begin(process, name, actor=by, now=self.at, given=given, order_ref=order_ref).ref

    def do(self, ref: str, name: str, by: str | Actor = "station_coordinator", **given: Any) -> Loaded:
        """Carry out a step. A role of a station or region means somebody there; `engineer` the order's own."""
        actor = by if isinstance(by, Actor) else self.of_order(ref, by)
        return self.door.perform(ref, name, actor=actor, now=self.at, given=given)

    def record_of(self, order_ref: str, process: str) -> str:
        """Return the newest open record of that process that hangs on the order."""
        return self.door.newest_open(order_ref, process)

    def look(self, ref: str) -> Loaded:
        return self.door.look(ref)

    def of_order(self, ref: str, role: str) -> Actor:
        """Return who of that role deals with the order: its engineer, its station's coordinator, its region."""
        subject = self.look(ref)
        if role == "station_engineer" and subject.facts.get("assignee_id"):
            return self.world.actor(self._usernames[subject.facts["assignee_id"]], via="field")
        return self.somebody(role, station_no=subject.station_no, region=subject.region)

    def somebody(self, role: str, *, station_no: str = "", region: str = "") -> Actor:
        """Return anybody of that role; station and region count only where the role is bound to them."""
        person = self.rng.choice(self._fitting(role, station_no, region))
        return self.world.actor(person.username, via="console")

    def engineer_of(self, ref: str) -> str:
        """Return the user name of an engineer of the order's station."""
        return self.rng.choice(self._fitting("station_engineer", self.look(ref).station_no, "")).username

    def _fitting(self, role: str, station_no: str, region: str) -> list[WorldPerson]:
        """Return who of a role works there, in the order of the world; asked for again and again, so it is kept."""
        key = role, station_no, region
        if key not in self._cast:
            self._cast[key] = [
                person
                for person in self._by_role.get(role, ())
                if person.station_no in ("", station_no or person.station_no)
                and person.region in ("", region or person.region)
            ]
        return self._cast[key]

    @cached_property
    def _usernames(self) -> dict[int, str]:
        return {number: username for username, number in self.world.person_ids.items()}

    @cached_property
    def _by_role(self) -> dict[str, list[WorldPerson]]:
        found: dict[str, list[WorldPerson]] = {}
        for person in self.world.people():
            found.setdefault(person.role, []).append(person)
        return found

    @cached_property
    def _cast(self) -> dict[tuple[str, str, str], list[WorldPerson]]:
        return {}

    # --- moments ---

    def after(self, low_minutes: float, high_minutes: float | None = None) -> datetime:
        """Return a moment so many minutes from the present one, drawn between the two."""
        minutes = low_minutes if high_minutes is None else self.rng.uniform(low_minutes, high_minutes)
        return (self.at + timedelta(minutes=minutes)).replace(microsecond=0)

    def by_day(self, low_minutes: float, high_minutes: float) -> datetime:
        """Return a moment as `after` does, put off to the next morning where it falls into the evening or the night."""
        moment = self.after(low_minutes, high_minutes).astimezone(SHANGHAI)
        if OPENS <= moment.hour < CLOSES:
            return moment.astimezone(UTC)
        day = moment.date() + timedelta(days=1 if moment.hour >= CLOSES else 0)
        morning = datetime.combine(day, time(OPENS), SHANGHAI) + timedelta(minutes=self.rng.randrange(150))
        return morning.astimezone(UTC)

    def ago(self, minutes: float) -> datetime:
        """Return the moment so many minutes before the real now; a negative number lies ahead."""
        return self.now - timedelta(minutes=minutes)

    def visit_time(self, not_before: datetime | None = None) -> datetime:
        """Return when somebody could come: on a later day, on the full or half hour between 9 and 17."""
        earliest = max(not_before or self.at, self.at)
        day = local_day(earliest) + timedelta(days=1)
        wall = datetime.combine(day, time(self.rng.randrange(9, 17), self.rng.choice((0, 30))), SHANGHAI)
        return wall.astimezone(UTC)

    def chance(self, percent: float) -> bool:
        return self.rng.random() * 100 < percent
