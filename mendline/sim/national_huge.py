"""The huge demo: the national month, and two million orders of the three years before it.

The month is true to the last entry, as in the national demo. The years before are copies of its
ended orders, moved back by whole weeks and given to other users, machines and stations; of them
the rows stand there and no histories, as after taking over the orders of an older system.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Any

import orjson
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from mendline.kernel.ids import ALPHABET
from mendline.network import areas
from mendline.orders.store import ORDER_COLUMNS, Loaded
from mendline.sim.bench.many_orders import drop_indexes
from mendline.sim.demo_calls import GIVEN_NAMES, SURNAMES
from mendline.sim.national import Progress, Written, load_national
from mendline.sim.national_network import PER_DAY, ROADS, national
from mendline.sim.national_rows import SHARED, copy_rows, line_of, rest_guards, wake_guards
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
MONTH_SHARE, ROWS_SHARE = 0.25, 0.6  # of the time, for the progress bar
LOTS = 1 << 31  # a lot is a number below

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
# What a copy takes from its pattern, moved by whole weeks, and what from the place that it is given to.
_OF_PATTERN = (
    "process", "process_version", "state", "category", "revision", "facts", "clocks", "due_at", "created_at",
    "updated_at", "created_by", "origin", "product_line", "product", "service_mode", "fault", "replaces", "replaced_by",
    "assigned",
)  # fmt: skip
_OF_PLACE = ("region", "number", "area", "engineer", "name", "tickets_to")
_TABLES = """
    CREATE TEMPORARY TABLE pattern ON COMMIT DROP AS
        SELECT 0 AS place, process, process_version, state, category, revision, facts, clocks, due_at, created_at,
               updated_at, created_by, origin, product_line, product, service_mode, fault, replaces, replaced_by,
               false AS assigned
        FROM orders_repairorder WHERE false;
    CREATE TEMPORARY TABLE place (
        region text, number text, area text, engineer bigint, name text, tickets_to int) ON COMMIT DROP;
    CREATE TEMPORARY TABLE ticket (
        ticket int PRIMARY KEY, number text, region text, area text, engineer bigint, name text) ON COMMIT DROP;
"""
# Some stations have many times others' orders: each holds so many tickets.
_TICKETS = """
    INSERT INTO ticket
    SELECT t, number, region, area, engineer, name
    FROM (SELECT *, lag(tickets_to, 1, 0) OVER (ORDER BY tickets_to) AS tickets_from FROM place) AS p
    CROSS JOIN LATERAL generate_series(tickets_from, tickets_to - 1) AS t
"""
# Lots are drawn from the order's number, so that nothing depends on the order in which rows are read. A caller has one
# telephone, one name and three machines. The nine signs of a number spread it so that neighbours do not look alike.
_WEEK = """
    INSERT INTO orders_repairorder ({columns})
    SELECT n, 'WX' || to_char(p.created_at AT TIME ZONE 'Asia/Shanghai', 'YYMMDD') || '-' || signs.said,
        p.process, p.process_version, p.state, p.category, t.region, t.number, p.revision, p.facts, p.clocks, p.due_at,
        p.created_at, p.updated_at, p.created_by, p.origin, p.product_line, p.product,
        'S' || lpad((1000000 + 3 * caller + n %% 3)::text, 9, '0'), p.service_mode, t.area,
        (%(roads)s::text[])[1 + caller %% cardinality(%(roads)s::text[])] || 1 + house_lot %% 899 || '号', p.fault,
        CASE WHEN p.assigned THEN t.engineer END, CASE WHEN p.assigned THEN t.name ELSE '' END,
        p.replaces, p.replaced_by,
        (%(surnames)s::text[])[1 + caller %% cardinality(%(surnames)s::text[])]
            || (%(given)s::text[])[1 + caller / 7 %% cardinality(%(given)s::text[])],
        '+86139' || lpad((caller::bigint * 97 %% 100000000)::text, 8, '0')
    FROM (
        SELECT n, (hashint8extended(n, %(seed)s) & {lots} - 1) %% %(patterns)s AS which,
               (hashint8extended(n, %(seed)s + 1) & {lots} - 1) %% %(tickets)s AS ticket,
               ((hashint8extended(n, %(seed)s + 2) & {lots} - 1) %% {callers})::int AS caller,
               (hashint8extended(n, %(seed)s + 3) & {lots} - 1)::int AS house_lot, n * 7368787 %% {signs} AS spread
        FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n
    ) AS drawn
    JOIN pattern AS p ON p.place = which
    JOIN ticket AS t USING (ticket)
    CROSS JOIN LATERAL (SELECT {said} AS said) AS signs
    ORDER BY p.created_at, n
"""


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
        years_before(month, world, seed + 7, wanted, lambda share: progress(MONTH_SHARE + 0.75 * share))
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
class Pattern:
    """An ended order as COPY reads it, cut at its dates: text, date, text, date, …, text."""

    pieces: tuple[str, ...]

    def moved(self, weeks: int, dates: dict[str, str]) -> str:
        """Return the row with every date so many weeks earlier; `dates` keeps those of this number of weeks."""
        return "".join(
            piece if place % 2 == 0 else dates.get(piece) or _earlier(piece, weeks, dates)
            for place, piece in enumerate(self.pieces)
        )


def _earlier(day: str, weeks: int, dates: dict[str, str]) -> str:
    dates[day] = (date.fromisoformat(day) - timedelta(weeks=weeks)).isoformat()
    return dates[day]


def years_before(month: Written, world: World, seed: int, wanted: int, progress: Progress) -> None:
    """Write `wanted` orders of the years before the month, week by week from the oldest on.

    Each is a row of the set that one statement makes of a week: sent as lines, PostgreSQL would spend two thirds of its
    time on reading the same few hundred documents over and over.
    """
    rng = Random(seed)
    patterns = [_pattern(place, order) for place, order in enumerate(patterns_of(month, rng))]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
        cursor.execute("SET LOCAL maintenance_work_mem = '512MB'")
        cursor.execute("SET LOCAL work_mem = '64MB'")
        rest_guards(cursor)
        indexes = drop_indexes(connection.connection, "orders_repairorder")
        cursor.execute(_TABLES)
        tickets = _give_tickets(cursor, world, rng)
        first = _next_id(cursor)
        for weeks, share in _weeks(wanted):
            _write_week(cursor, [pattern.moved(weeks, {}) for pattern in patterns])
            _copies(cursor, seed, len(patterns), tickets, range(first, first + share))
            first += share
            progress(ROWS_SHARE * (1 - weeks / WEEKS))
        cursor.execute("SELECT setval('orders_repairorder_id_seq', (SELECT max(id) FROM orders_repairorder))")
        for place, definition in enumerate(indexes):
            cursor.execute(definition)
            progress(ROWS_SHARE + 0.3 * (place + 1) / len(indexes))
        _remember_callers(cursor)
        cursor.execute("ANALYZE orders_repairorder, customers_customer")
        wake_guards(cursor)
    progress(1.0)


def _next_id(cursor: CursorWrapper) -> int:
    cursor.execute("SELECT coalesce(max(id), 0) + 1 FROM orders_repairorder")
    return int(cursor.fetchone()[0])


def _give_tickets(cursor: CursorWrapper, world: World, rng: Random) -> int:
    """Give every head station its tickets, with one of its engineers; return how many there are."""
    engineer: dict[str, WorldPerson] = {}
    for person in world.people("station_engineer"):
        engineer.setdefault(person.station_no, person)
    heads = [station for station in world.contents.stations.values() if not station.head]
    upto = list(accumulate(1 + round(40 * rng.random() ** 6) for _ in heads))
    rows = [
        (station.region, station.number, station.area, world.person_ids[engineer[station.number].username],
         engineer[station.number].name, tickets_to)
        for station, tickets_to in zip(heads, upto, strict=True)
    ]  # fmt: skip
    copy_rows(cursor, "place", _OF_PLACE, rows)
    cursor.execute(_TICKETS)
    cursor.execute("ANALYZE ticket")
    return upto[-1]


def _write_week(cursor: CursorWrapper, lines: Sequence[str]) -> None:
    cursor.execute("TRUNCATE pattern")
    with cursor.copy(f"COPY pattern (place, {', '.join(_OF_PATTERN)}) FROM STDIN") as copy:
        copy.write("".join(lines))


def _copies(cursor: CursorWrapper, seed: int, patterns: int, tickets: int, numbers: range) -> None:
    """Write an order of each number, of the week whose patterns stand in their table."""
    if not numbers:
        return
    base = len(ALPHABET)
    said = " || ".join(
        f"substr('{ALPHABET}', (spread / {base**place} % {base})::int + 1, 1)".replace("%", "%%") for place in range(9)
    )
    statement = _WEEK.format(
        columns=", ".join(COLUMNS), lots=LOTS, callers=CALLERS, signs=base**9, said=said,
    )  # fmt: skip
    values: dict[str, Any] = {
        "seed": seed, "patterns": patterns, "tickets": tickets, "first": numbers[0], "last": numbers[-1],
        "roads": list(ROADS), "surnames": list(SURNAMES), "given": list(GIVEN_NAMES),
    }  # fmt: skip
    cursor.execute(statement, values)


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


def _pattern(place: int, order: Loaded) -> Pattern:
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
        "assigned": columns["assignee_id"] is not None,
    }  # fmt: skip
    text = line_of([place, *(row[name] for name in _OF_PATTERN)])
    pieces: list[str] = []
    end = 0
    for found in _DATE.finditer(text):
        pieces += [text[end : found.start()], found.group()]
        end = found.end()
    return Pattern((*pieces, text[end:]))


def _weeks(wanted: int) -> Iterator[tuple[int, int]]:
    """Yield how many weeks back, and how many orders then: growing towards the present."""
    weights = [FIRST_WEEK_SHARE + (1 - FIRST_WEEK_SHARE) * place / WEEKS for place in range(WEEKS)]
    given, total = 0, sum(weights)
    for place, reached in enumerate(accumulate(weights)):
        upto = round(wanted * reached / total)
        yield WEEKS - place + 4, upto - given
        given = upto
