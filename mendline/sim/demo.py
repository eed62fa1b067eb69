"""The demo: the small world with some ten days of business behind it, up to this moment.

Nothing is written past the door: every order went through `begin` and `perform`, with simulated
time, and every clock through the sweeper. The same seed and the same now give the same demo, but
for the unguessable signs of the numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from random import Random

from django.db import transaction

from mendline.access.models import Person, Role
from mendline.kernel.errors import Refused
from mendline.kernel.text import Text
from mendline.kernel.time import SHANGHAI, local_day
from mendline.network.models import Station
from mendline.orders.models import Record, RepairOrder
from mendline.sim import demo_standing, demo_stories
from mendline.sim.demo_calls import Call, a_call
from mendline.sim.demo_stage import Stage, Story
from mendline.sim.national import load_national
from mendline.sim.national_huge import load_huge
from mendline.sim.world_files import MAIL_DOMAIN
from mendline.sim.worlds import DEMO_PASSWORD, load

__all__ = ["SIZES", "Login", "NotEmpty", "Played", "load_demo", "logins"]

SMALL = 78  # orders of the days before; those that stand in every state come on top
SIZES = ("small", "national", "huge")
DAYS = 10
SEED = 20260302
DEMO_DOMAIN = f"@{MAIL_DOMAIN}"  # where the people of the demo, and nobody real, have their mail
QUIET_BEFORE_NOW = timedelta(hours=5)  # the last hours belong to the orders of `demo_standing`

Course = Callable[[Stage, Call], Story]

# What becomes of an order, and how often in a hundred.
COURSES: tuple[tuple[Course, int], ...] = (
    (demo_stories.repaired, 40),
    (demo_stories.repaired_late, 7),
    (demo_stories.repaired_with_part, 12),
    (demo_stories.repaired_in_two_visits, 6),
    (demo_stories.solved_by_telephone, 10),
    (demo_stories.cancelled_by_user, 6),
    (demo_stories.sent_to_the_wrong_area, 4),
    (demo_stories.refused_by_the_region, 3),
    (demo_stories.reopened, 3),
    (demo_stories.plan_refused_at_the_door, 2),
    (demo_stories.reached_on_the_second_day, 4),
    (demo_stories.brought_to_the_station, 3),
)
# These need their days, so they begin early, whatever chance brings.
EARLY: tuple[Course, ...] = (
    demo_stories.never_reached,
    demo_stories.never_reached,
    demo_stories.reopened,
    demo_stories.plan_refused_at_the_door,
    demo_stories.sent_to_the_wrong_area,
    demo_stories.cancelled_by_user,
)
NEED_A_PART = (demo_stories.repaired_with_part,)
AT_HAIDIAN = (demo_stories.brought_to_the_station,)
# Every station takes desktops; of other lines a second station may not exist.
OF_DESKTOPS = (demo_stories.brought_to_the_station, demo_stories.sent_to_the_wrong_area)
# Calls by hour of the day: a peak in the morning, a smaller one in the afternoon.
CALLS_BY_HOUR = {8: 5, 9: 12, 10: 14, 11: 10, 12: 5, 13: 6, 14: 10, 15: 11, 16: 9, 17: 6, 18: 4, 19: 3, 20: 2}
WEEKEND_SHARE = 0.4

ROLES_EN = {
    "cc_agent": "call-centre agent", "region_interface": "region interface person",
    "region_channel_specialist": "region channel specialist", "station_coordinator": "station coordinator",
    "station_engineer": "station engineer", "hq_interface": "headquarters interface person",
    "service_support_dept": "service support (parts)", "info_support_dept": "information support (callbacks)",
    "channel_management": "channel management", "process_owner": "process owner", "admin": "administrator",
}  # fmt: skip


class NotEmpty(Exception):
    """The database holds something already; the demo adds to nothing and deletes nothing."""


@dataclass(frozen=True, slots=True)
class Login:
    """Somebody of the demo with whom to look around."""

    username: str
    name: str
    role: Text
    place: str  # station number with name, or region; empty where the role is bound to neither
    password: str

    def __str__(self) -> str:
        place = f" {self.place}" if self.place else ""
        return f"{self.username:<10} {self.password}  {self.role.zh} {self.role.en}{place}"


@dataclass(frozen=True, slots=True)
class Played:
    """What the demo left behind, and what it was refused on the way (a sign that stories and procedure disagree)."""

    orders: int
    records: int
    refusals: tuple[Refused | str, ...]


def logins() -> list[Login]:
    """Return one login for each role of the demo, as far as its people are in this database: none in a real one.

    Of a role bound to a station or region it is the first one's, so that they meet in the same orders.
    """
    world = load("small")
    found: list[Login] = []
    present = set(Person.objects.filter(email__endswith=DEMO_DOMAIN).values_list("username", flat=True))
    for role in Role:
        person = world.people(role.value)[0]
        if person.username not in present:
            continue
        station = world.contents.stations.get(person.station_no)
        region = world.contents.regions.get(person.region)
        place = f"{station.number} {station.name}" if station else region.name if region else ""
        found.append(Login(person.username, person.name, Text(role.label, ROLES_EN[role.value]), place, DEMO_PASSWORD))
    return found


def load_demo(
    now: datetime,
    *,
    size: str = "small",
    seed: int = SEED,
    anyway: bool = False,
    progress: Callable[[float], None] = lambda share: None,
) -> Played:
    """Write the demo into an empty database, all or nothing. `progress` hears the share done, from 0 to 1.

    `anyway` goes on where there are people already, such as an administrator; never where there are
    stations or orders.

    Raises:
        NotEmpty: there are orders, stations or people. Nothing is ever deleted.
        NotTheOwner: the larger demos are written past the guard of states, by the owner of the tables only.
    """
    with transaction.atomic():
        _demand_empty(anyway=anyway)
        if size == "small":
            return _small(now, seed, progress)
        written = (load_huge if size == "huge" else load_national)(now, seed=seed, progress=progress)
        return Played(written.orders, written.records, written.refusals)


def _small(now: datetime, seed: int, progress: Callable[[float], None]) -> Played:
    world = load("small")
    world.build()
    stage = Stage(world, now.replace(microsecond=0), Random(seed))
    stage.play([*_business(stage, SMALL), *demo_standing.openings(stage)], progress)
    return Played(
        RepairOrder.objects.unscoped("the demo counts what it made").count(),
        Record.objects.unscoped("the demo counts what it made").count(),
        tuple(stage.refusals),
    )


def _demand_empty(*, anyway: bool) -> None:
    counted = {
        Text("维修单", "orders"): RepairOrder.objects.unscoped("is the database empty").count(),
        Text("维修站", "stations"): Station.objects.count(),
        Text("人员", "people"): Person.objects.count(),
    }
    if anyway and not any(n for what, n in counted.items() if what.en != "people"):
        return
    if any(counted.values()):
        zh = "、".join(f"{what.zh} {n}" for what, n in counted.items() if n)
        en = ", ".join(f"{n} {what.en}" for what, n in counted.items() if n)
        raise NotEmpty(
            f"数据库不是空的（{zh}）。演示数据只写入空库，也不会删除任何数据；请另设 MENDLINE_HOME 或 DATABASE_URL。"
            f" The database is not empty ({en}). The demo goes into an empty one only and deletes nothing:"
            " set another MENDLINE_HOME or DATABASE_URL."
        )


def _business(stage: Stage, orders: int) -> Iterator[tuple[datetime, Story]]:
    """Yield the orders of the days before: each with its moment, its caller and the course it takes."""
    moments = sorted(_moment_of_call(stage) for _ in range(orders))
    for place, moment in enumerate(moments):
        drawn = stage.rng.choices([course for course, _ in COURSES], [weight for _, weight in COURSES])[0]
        course = EARLY[place] if place < len(EARLY) else drawn
        where = demo_standing.HAIDIAN if course in AT_HAIDIAN else None
        line = "desktop" if course in OF_DESKTOPS else ""
        call = a_call(stage.rng, place=where, with_part=course in NEED_A_PART, line=line)
        yield moment, course(stage, call)


def _moment_of_call(stage: Stage) -> datetime:
    """Draw when somebody calls: by the hour of the day, less at weekends, never in the last hours."""
    latest = stage.now - QUIET_BEFORE_NOW
    while True:
        day = local_day(stage.now) - timedelta(days=stage.rng.randrange(DAYS + 1))
        if day.weekday() >= 5 and not stage.chance(100 * WEEKEND_SHARE):
            continue
        hour = stage.rng.choices(list(CALLS_BY_HOUR), list(CALLS_BY_HOUR.values()))[0]
        moment = datetime.combine(day, time(hour, stage.rng.randrange(60), stage.rng.randrange(60)), SHANGHAI)
        if moment <= latest:
            return moment
