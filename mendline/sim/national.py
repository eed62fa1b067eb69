"""The national demo: a month of the whole country, true to the last entry, written in a minute.

Two hundred thousand steps are decided by the engine in memory, with simulated time, and written by
COPY in one transaction (`national_door`, `national_rows`). The same seed and the same now give the
same orders and histories, numbers included; documents and changes of coverage go through the
engine's own door, and have its unguessable numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from multiprocessing import get_context
from random import Random
from typing import TypeAlias

from django.db import transaction

from mendline.access.models import Person
from mendline.care.standing import refresh_standings
from mendline.dispatch.current import forget_index
from mendline.kernel.time import local_day
from mendline.network.areas import load_areas
from mendline.network.directory import forget_directory
from mendline.sim import demo_standing
from mendline.sim.demo_calls import Call, a_call
from mendline.sim.demo_stage import Stage, Story
from mendline.sim.demo_standing import Wish
from mendline.sim.demo_stories import DAY
from mendline.sim.national_calls import DAYS, Calls
from mendline.sim.national_door import MemoryDoor
from mendline.sim.national_lookups import country_of
from mendline.sim.national_network import STATIONS, national
from mendline.sim.national_products import a_trouble
from mendline.sim.national_refs import Refs
from mendline.sim.national_rows import Part, part_of, write_parts
from mendline.sim.national_stories import COURSES, NEED_A_PART, Conduct
from mendline.sim.world_contents import WorldContents
from mendline.sim.worlds import World

ORDERS = 9_000
PLAYED_SHARE = 0.75  # of the time that playing takes, for the progress bar
FAILING_CITY = "4101"
CAPITAL = "11"  # where the printed logins are at home
DESK_LINES = ("desktop", "notebook", "printer", "display")

Progress = Callable[[float], None]


# The country is played in two halves that share no station and no caller, side by side where there is enough to do.
HALVES = (
    tuple(province for province in STATIONS if province[0] in "1246" or province[0] == "8"),
    tuple(province for province in STATIONS if province[0] in "357"),
)
WORTH_A_PROCESS = 2_000  # orders


@dataclass(frozen=True, slots=True)
class Written:
    """What was written, and what stories were refused on the way (none, unless they and the procedure disagree)."""

    orders: int
    records: int
    entries: int
    refusals: tuple[str, ...]
    parts: tuple[Part, ...] = field(repr=False)


def load_national(
    now: datetime, *, seed: int, progress: Progress, orders: int = ORDERS, world: World | None = None
) -> Written:
    """Write the national demo into an empty database, in the caller's transaction or one of its own.

    `world` may be a larger network that is like the national one.

    Raises:
        NotTheOwner: the account does not own the tables.
    """
    now = now.replace(microsecond=0)
    with transaction.atomic():
        world = without_who_is_there(world or World(national()))
        world.build()
        load_areas()
        _forget()
        paper(world, now, seed)
        played = halves(world, now, seed, orders, lambda share: progress(PLAYED_SHARE * share))
        parts = tuple(part for part, _ in played)
        write_parts(parts, lambda share: progress(PLAYED_SHARE + (1 - PLAYED_SHARE) * share))
        refresh_standings(now)
    _forget()
    subjects = [subject for part in parts for subject in part.kept.subjects.values()]
    made = sum(subject.table == "order" for subject in subjects)
    entries = sum(len(part.kept.entries) for part in parts)
    return Written(made, len(subjects) - made, entries, tuple(told for _, more in played for told in more), parts)


def without_who_is_there(world: World) -> World:
    """Leave out people whose user names exist already, such as an administrator who signed up first."""
    present = set(Person.objects.values_list("username", flat=True))
    people = {name: person for name, person in world.contents.people.items() if name not in present}
    return World(replace(world.contents, people=people), world.person_ids)


Played: TypeAlias = "tuple[Part, tuple[str, ...]]"


def halves(world: World, now: datetime, seed: int, orders: int, progress: Progress) -> list[Played]:
    """Play both halves of the country; the second in a process of its own where that is worth it.

    What it needs of the database is asked for before, so that the process never touches the connection
    it inherits.
    """
    country = country_of(world, local_day(now) - timedelta(days=DAYS + 2))
    doors = [MemoryDoor(replace(country, days={}, seats={}, by_phone={}, by_serial={}), Refs(seed + place))
             for place in range(len(HALVES))]  # fmt: skip
    for door in doors:
        door.ask_beforehand(now, country.directory)
    shares = [sum(STATIONS[province] for province in half) / sum(STATIONS.values()) for half in HALVES]

    def play(place: int, hear: Progress) -> Played:
        stage = Stage(world, now, Random(seed * 10 + place), doors[place])
        stage.play(business(stage, round(orders * shares[place]), HALVES[place]), hear)
        return part_of(doors[place]), tuple(map(str, stage.refusals))

    if orders < WORTH_A_PROCESS:
        return [play(0, progress), play(1, progress)]
    return _side_by_side(play, progress)


def _side_by_side(play: Callable[[int, Progress], Played], progress: Progress) -> list[Played]:
    """Play the second half in a child process while this one plays the first."""
    forked = get_context("fork")
    here, there = forked.Pipe(duplex=False)
    child = forked.Process(target=lambda: there.send(play(1, lambda share: None)), daemon=True)
    child.start()
    there.close()  # so that a child that died is noticed
    try:
        first = play(0, progress)
        return [first, here.recv()]
    except EOFError:
        raise RuntimeError("the second half of the country ended early; its fault is printed above") from None
    finally:
        child.kill()
        child.join()


def business(stage: Stage, orders: int, provinces: Sequence[str]) -> Iterator[tuple[datetime, Story]]:
    """Yield the orders of the thirty days: each with its moment, its caller and the course it takes."""
    contents = stage.world.contents
    heads: dict[str, list[str]] = {}
    for station in contents.stations.values():
        if not station.head:
            heads.setdefault(station.area[:2], []).append(station.number)
    conduct = Conduct(stage.now, failing_station(contents), heads)
    courses, weights = [course for course, _ in COURSES], [weight for _, weight in COURSES]
    for moment, call in Calls(stage.now, stage.rng, provinces).drawn(orders):
        course = stage.rng.choices(courses, weights)[0]
        if course in NEED_A_PART and not call.fault.part:
            call = replace(call, fault=a_trouble(stage.rng, call.fault.product.split("-")[0], with_part=True))
        yield moment, course(stage, call, conduct)
    if CAPITAL in provinces:
        yield from desks(stage)


def desks(stage: Stage) -> Iterator[tuple[datetime, Story]]:
    """Yield what stands on the desks of those whose logins are printed, whatever hour it is: some of every state."""

    def calls(place: int, *, with_part: bool = False) -> Call:
        fault = a_trouble(stage.rng, DESK_LINES[place % len(DESK_LINES)], with_part=with_part)
        return replace(a_call(stage.rng, place=demo_standing.HAIDIAN), fault=fault, service_mode="on_site")

    for place, (ago, steps) in enumerate(demo_standing.IN_STATE[::3]):
        yield stage.ago(ago), demo_standing.standing(stage, calls(place), steps)
    for place in range(2):
        story = demo_standing.waiting_for_part(stage, calls(place, with_part=True), place=2 * place)
        yield stage.ago(600 + 300 * place), story
    for ago, ground, detail in ((95, "user_solved", "用户已自行解决"), (30, "capacity_error", "工程师全部外出")):
        yield stage.ago(ago + 120), demo_standing.asking_to_cancel(stage, calls(1), ground, detail, ago)


def failing_station(contents: WorldContents) -> str:
    """Return the station of the story about one that lost its people."""
    return next(number for number, one in contents.stations.items() if one.area.startswith(FAILING_CITY))


def paper(world: World, now: datetime, seed: int) -> None:
    """Play what is not an order through the engine's own door: documents, changes of coverage and capacity."""
    stage = Stage(world, now, Random(seed + 1))
    stories = [
        (stage.ago(5 * DAY), demo_standing.documents(stage)),
        (stage.ago(9 * DAY), demo_standing.coverage_changes(stage, wishes(world.contents))),
    ]
    stage.play(stories, lambda share: None)
    if stage.refusals:
        raise stage.refusals[0]


def wishes(contents: WorldContents) -> tuple[Wish, ...]:
    """Return what stations asked for: more capacity after the heat wave, new areas, and one that gives up its own."""
    heads = [station for station in contents.stations.values() if not station.head]
    first = {region: next(s for s in heads if s.region == region) for region in contents.regions}
    more = [
        Wish(
            (9 - place) * DAY, station.number,
            {"change_kind": "set_capacity", "per_day": station.capacity["notebook"] + 4, "product_line": "notebook"},
            verdict="approve" if place % 3 else "", note="高温及新品期间增加产能",
        )
        for place, station in enumerate(first.values())
    ]  # fmt: skip
    west, failing = first["northwest"], contents.stations[failing_station(contents)]
    return (
        *more,
        Wish(
            1.8 * DAY, west.number, {"change_kind": "add_area", "area": "65", "product_line": "tablet"},
            verdict="refuse", note="路程太远，由当地维修站申请",
        ),
        Wish(
            DAY, failing.number,
            {"change_kind": "end_area", "area": failing.coverage[0][0], "product_line": "desktop"},
        ),
        Wish(
            0.4 * DAY, first["north"].number, {"change_kind": "add_area", "area": "15", "product_line": "tablet"},
            "save_draft",
        ),
    )  # fmt: skip


def digest_of(parts: Sequence[Part]) -> str:
    """Return one number for all that was kept, to tell whether two runs are alike."""
    told = sha256()
    for part in parts:
        for ref, subject in part.kept.subjects.items():
            told.update(f"{ref} {subject.state} {subject.revision} {sorted(subject.facts.items(), key=str)}".encode())
        for row in (*part.kept.entries, *part.kept.outgoing):
            told.update(repr(row).encode())
    return told.hexdigest()


def _forget() -> None:
    """Whatever this process kept of the network is read anew: it was written by somebody else's transaction."""
    forget_index()
    forget_directory()
