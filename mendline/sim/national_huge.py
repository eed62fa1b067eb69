"""The huge demo: the national month, and two million orders of the three years before it.

The month is true to the last entry, as in the national demo. The years before are copies of its
ended orders, moved back by whole weeks and given to other users, machines and stations; of them
the rows stand there and no histories, as after taking over the orders of an older system.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import accumulate
from random import Random

import orjson
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from mendline.kernel.ids import ALPHABET
from mendline.kernel.time import local_day
from mendline.network import areas
from mendline.orders.store import ORDER_COLUMNS, Loaded
from mendline.sim.bench.many_orders import drop_indexes
from mendline.sim.demo_calls import GIVEN_NAMES, SURNAMES
from mendline.sim.national import Progress, Written, load_national
from mendline.sim.national_network import PER_DAY, ROADS, national
from mendline.sim.national_rows import BLOCK, SHARED, line_of, rest_guards, wake_guards
from mendline.sim.world_contents import WorldContents, WorldPerson, WorldStation
from mendline.sim.world_files import MAIL_DOMAIN
from mendline.sim.worlds import World

ORDERS = 2_000_000
STATIONS = 5_000
WEEKS = 152  # beside the month itself: three years
PATTERNS = 500  # ended orders of the month that are copied
CALLERS = 600_000  # who called in those years, three times each
FIRST_WEEK_SHARE = 0.6  # business grew: the first week had so much of the last one's
COUNTY_LINES = ("desktop", "notebook", "printer")
COLUMNS = (*SHARED, *ORDER_COLUMNS, "customer_name", "phone")
MONTH_SHARE, COPY_SHARE = 0.25, 0.6  # of the time, for the progress bar

_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def load_huge(
    now: datetime, *, seed: int, progress: Progress, orders: int = ORDERS, stations: int = STATIONS
) -> Written:
    """Write the huge demo into an empty database, all or nothing.

    Raises:
        NotTheOwner: the account does not own the tables.
    """
    now = now.replace(microsecond=0)
    with transaction.atomic():
        world = World(country(stations))
        month = load_national(now, seed=seed, progress=lambda share: progress(MONTH_SHARE * share), world=world)
        wanted = max(0, orders - month.orders)
        _years_before(month, world, now, Random(seed + 7), wanted, lambda share: progress(MONTH_SHARE + 0.75 * share))
    return replace(month, orders=month.orders + wanted)


def country(stations: int) -> WorldContents:
    """Return the national network, grown to so many head stations by one for each county, then a second one."""
    contents = national()
    region_of = {province: code for code, region in contents.regions.items() for province in region.provinces}
    counties = sorted(code for code in areas.table().places if len(code) == 6)
    more: dict[str, WorldStation] = {}
    people = dict(contents.people)
    rng = Random(8)
    missing = stations - sum(not station.head for station in contents.stations.values())
    for place in range(missing):
        county = (
            counties[place * len(counties) // missing] if missing < len(counties) else counties[place % len(counties)]
        )
        number = f"{100_000 + place:06d}"
        more[number] = WorldStation(
            number=number, name=f"{areas.table().places[county].name}维修站{'' if place < len(counties) else '（二）'}",
            region=region_of[county[:2]], area=county, address=f"{ROADS[place % len(ROADS)]}{place % 90 + 1}号",
            coverage=tuple((county, line) for line in COUNTY_LINES),
            capacity={line: PER_DAY[line] for line in COUNTY_LINES},
        )  # fmt: skip
        for username, role in ((f"c{number}", "station_coordinator"), (f"e{number}", "station_engineer")):
            name = rng.choice(SURNAMES) + rng.choice(GIVEN_NAMES)
            people[username] = WorldPerson(username, name, role, "", number, f"{username}@{MAIL_DOMAIN}")
    return replace(contents, name="huge", stations={**contents.stations, **more}, people=people)


@dataclass(frozen=True, slots=True)
class Place:
    """A station to give orders to, as the columns of a row have it."""

    region: str
    number: str
    area: str
    engineer: str  # id and name, as COPY reads them
    name: str


def _years_before(month: Written, world: World, now: datetime, rng: Random, wanted: int, progress: Progress) -> None:
    patterns = [_pattern(order) for order in patterns_of(month, rng)]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
        cursor.execute("SET LOCAL maintenance_work_mem = '512MB'")
        rest_guards(cursor)
        indexes = drop_indexes(connection.connection, "orders_repairorder")
        lines = old_orders(patterns, places_of(world), now, rng, wanted, _next_id(cursor))
        _copied(cursor, f"COPY orders_repairorder ({', '.join(COLUMNS)}) FROM STDIN", lines,
                lambda done: progress(COPY_SHARE * done / max(1, wanted)))  # fmt: skip
        cursor.execute("SELECT setval('orders_repairorder_id_seq', (SELECT max(id) FROM orders_repairorder))")
        for place, definition in enumerate(indexes):
            cursor.execute(definition)
            progress(COPY_SHARE + 0.3 * (place + 1) / len(indexes))
        _remember_callers(cursor)
        cursor.execute("ANALYZE orders_repairorder, customers_customer")
        wake_guards(cursor)
    progress(1.0)


def _next_id(cursor: CursorWrapper) -> int:
    cursor.execute("SELECT coalesce(max(id), 0) + 1 FROM orders_repairorder")
    return int(cursor.fetchone()[0])


def _copied(cursor: CursorWrapper, statement: str, lines: Iterator[str], hear: Callable[[int], None]) -> None:
    done = 0
    with cursor.copy(statement) as copy:
        block: list[str] = []
        for line in lines:
            block.append(line)
            if len(block) == BLOCK:
                copy.write("".join(block))
                done += BLOCK
                block.clear()
                hear(done)
        copy.write("".join(block))


def _remember_callers(cursor: CursorWrapper) -> None:
    """Everybody who called is known by the last name and address that was given."""
    cursor.execute(
        "INSERT INTO customers_customer (phone, name, area, address, created_at, updated_at)"
        " SELECT DISTINCT ON (phone) phone, customer_name, area, address, created_at, created_at"
        " FROM orders_repairorder ORDER BY phone, created_at DESC ON CONFLICT (phone) DO NOTHING"
    )


def patterns_of(month: Written, rng: Random) -> list[Loaded]:
    """Return ended orders of the month that stand for themselves: nothing else points to them or from them."""
    alone = [
        order
        for part in month.parts
        for order in part.kept.subjects.values()
        if order.table == "order" and order.category in ("done", "void") and order.state != "resolved"
        and order.station_no
        and not any(order.facts.get(link) for link in ("replaces", "replaced_by", "likely_duplicate", "parts"))
    ]  # fmt: skip
    return rng.sample(alone, min(PATTERNS, len(alone)))


def places_of(world: World) -> list[Place]:
    """Return all head stations with one of their engineers."""
    engineer: dict[str, WorldPerson] = {}
    for person in world.people("station_engineer"):
        engineer.setdefault(person.station_no, person)
    found = []
    for station in world.contents.stations.values():
        if not station.head:
            who = engineer[station.number]
            found.append(
                Place(station.region, station.number, station.area, str(world.person_ids[who.username]), who.name)
            )
    return found


@dataclass(frozen=True, slots=True)
class Pattern:
    """A row as COPY reads it, with `%s` for what each copy has of its own, cut at its dates."""

    pieces: tuple[str, ...]  # text, date, text, date, …, text
    created_at: datetime

    def moved(self, weeks: int, dates: dict[str, str]) -> str:
        """Return the row with every date so many weeks earlier; `dates` keeps those of this number of weeks."""
        return "".join(
            piece if place % 2 == 0 else dates.get(piece) or _earlier(piece, weeks, dates)
            for place, piece in enumerate(self.pieces)
        )


def _earlier(day: str, weeks: int, dates: dict[str, str]) -> str:
    dates[day] = (date.fromisoformat(day) - timedelta(weeks=weeks)).isoformat()
    return dates[day]


OWN = ("id", "ref", "region", "station_no", "serial_no", "area", "address", "customer_name", "phone")


def _pattern(order: Loaded) -> Pattern:
    facts = dict(order.facts)
    for name in ("customer", "ref", "station_no", "region"):
        facts.pop(name, None)
    columns = {column: facts.pop(column) for column in ORDER_COLUMNS}
    facts.pop("engineer", None)  # the copy's is another
    if "user_signature" in facts:
        facts["user_signature"] = "用户"  # whoever it is in the copy
    row = {
        **{name: getattr(order, name) for name in SHARED if name not in ("facts", "clocks")}, **columns,
        "facts": orjson.dumps(facts).decode(),
        "clocks": orjson.dumps({name: clock.as_json() for name, clock in order.clocks.items()}).decode(),
        "customer_name": "", "phone": "",
    }  # fmt: skip
    has_engineer = row["assignee_id"] is not None
    escaped = {name: line_of([row[name]]).rstrip("\n").replace("%", "%%") for name in COLUMNS}
    escaped |= {name: f"%({name})s" for name in OWN}
    if has_engineer:
        escaped |= {name: f"%({name})s" for name in ("assignee_id", "assignee_name")}
    text = "\t".join(escaped[name] for name in COLUMNS) + "\n"
    pieces: list[str] = []
    end = 0
    for found in _DATE.finditer(text):
        pieces += [text[end : found.start()], found.group()]
        end = found.end()
    return Pattern((*pieces, text[end:]), order.created_at)


def old_orders(
    patterns: Sequence[Pattern], places: Sequence[Place], now: datetime, rng: Random, wanted: int, first_id: int
) -> Iterator[str]:
    """Yield `wanted` rows as COPY reads them, week by week from the oldest on."""
    patterns = sorted(patterns, key=lambda pattern: pattern.created_at)
    number = first_id
    chosen_by = list(accumulate(1 + 40 * rng.random() ** 6 for _ in places))  # some stations have many times others'
    for weeks, share in _weeks(wanted):
        dates: dict[str, str] = {}
        moved = [pattern.moved(weeks, dates) for pattern in patterns]
        days = [local_day(pattern.created_at) - timedelta(weeks=weeks) for pattern in patterns]
        for which in sorted(rng.choices(range(len(patterns)), k=share)):
            place = rng.choices(places, cum_weights=chosen_by)[0]
            yield moved[which] % _own(rng, place, days[which], number)
            number += 1


def _weeks(wanted: int) -> Iterator[tuple[int, int]]:
    """Yield how many weeks back, and how many orders then: growing towards the present."""
    weights = [FIRST_WEEK_SHARE + (1 - FIRST_WEEK_SHARE) * place / WEEKS for place in range(WEEKS)]
    given, total = 0, sum(weights)
    for place, reached in enumerate(accumulate(weights)):
        upto = round(wanted * reached / total)
        yield WEEKS - place + 4, upto - given
        given = upto


def _own(rng: Random, place: Place, day: date, number: int) -> Mapping[str, object]:
    """Return what a copy has of its own. A caller has one telephone, one name and some machines."""
    caller = rng.randrange(CALLERS)
    house, machine = rng.randrange(1, 900), 1_000_000 + 3 * caller + number % 3
    return {
        "id": number,
        "ref": f"WX{day:%y%m%d}-{_signs(number)}",
        "region": place.region,
        "station_no": place.number,
        "serial_no": f"S{machine:09d}",
        "area": place.area,
        "address": f"{ROADS[caller % len(ROADS)]}{house}号",
        "customer_name": SURNAMES[caller % len(SURNAMES)] + GIVEN_NAMES[caller // 7 % len(GIVEN_NAMES)],
        "phone": f"+86139{caller * 97 % 100_000_000:08d}",
        "assignee_id": place.engineer,
        "assignee_name": place.name,
    }


def _signs(number: int) -> str:
    """Return nine signs that no other order has: its number, spread so that neighbours do not look alike."""
    spread = number * 7_368_787 % (len(ALPHABET) ** 9)
    signs = []
    for _ in range(9):
        spread, place = divmod(spread, len(ALPHABET))
        signs.append(ALPHABET[place])
    return "".join(signs)
