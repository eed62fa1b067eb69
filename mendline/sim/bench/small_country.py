"""A network of any size, people with tokens, and orders taken through the door. Jobs for `member.py`."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import connection, transaction

from mendline.access import tokens
from mendline.access.actors import Actor
from mendline.access.models import Person
from mendline.network import areas
from mendline.network.areas import load_areas
from mendline.network.models import Product, ProductLine, Region
from mendline.orders.transitions import begin

REGIONS = {
    "north": ("华北区", ("11", "12", "13", "14", "15")),
    "northeast": ("东北区", ("21", "22", "23")),
    "east": ("华东区", ("31", "32", "33", "34", "35", "36", "37")),
    "central": ("华中区", ("41", "42", "43")),
    "south": ("华南区", ("44", "45", "46", "71", "81", "82")),
    "southwest": ("西南区", ("50", "51", "52", "53", "54")),
    "northwest": ("西北区", ("61", "62", "63", "64", "65")),
}
LINES = ("desktop", "notebook", "server", "printer", "display", "tablet", "scanner")
FAULTS = (
    "开机黑屏",
    "无法启动，风扇转动",
    "键盘部分按键失灵",
    "打印有竖纹",
    "硬盘异响，系统很慢",
    "屏幕闪烁",
    "无法联网",
)
FIRST_REF = 100_000_000
UNLIMITED = 1_000_000  # orders a day: a full day is another question than speed

_STATIONS = """
    INSERT INTO network_station (number, name, region_id, area, address, phone, works_in_cc_web, is_central,
                                 active_from, part_delivery_days)
    SELECT lpad(n::text, 6, '0'), '维修站' || n, %(regions)s::jsonb ->> left(county, 2), county, '', '', true, false,
           DATE '2020-01-01', 3
    FROM generate_series(1, %(stations)s) AS n
    CROSS JOIN LATERAL (
        SELECT (%(counties)s::text[])[1 + (n - 1) * %(many)s / %(stations)s %% %(many)s] AS county) AS place
"""
# Each station serves counties side by side, spread so that none is left out; some serve one more, so that the
# number of rows comes out exactly.
_COVERAGE = """
    INSERT INTO network_coverage (station_id, area, product_line, effective_from, request)
    SELECT lpad(n::text, 6, '0'),
           (%(counties)s::text[])[1 + ((n - 1) * %(many)s / %(stations)s + step) %% %(many)s],
           line.code, DATE '2020-01-01', ''
    FROM generate_series(1, %(stations)s) AS n
    CROSS JOIN unnest(%(lines)s::text[]) WITH ORDINALITY AS line (code, place)
    CROSS JOIN LATERAL generate_series(0, %(least)s - (CASE WHEN ((n - 1) * %(kinds)s + line.place - 1)
                                                   %% %(cycle)s < %(more)s THEN 0 ELSE 1 END)) AS step
"""
_CAPACITY = """
    INSERT INTO network_capacity (station_id, product_line, per_day, effective_from, request)
    SELECT lpad(n::text, 6, '0'), line, %(per_day)s, DATE '2020-01-01', ''
    FROM generate_series(1, %(stations)s) AS n CROSS JOIN unnest(%(lines)s::text[]) AS line
"""


def fill_network(stations: int, coverage_rows: int, lines: int) -> dict[str, int]:
    """Write regions, product lines, stations, coverage and capacity; returns how many rows there are of each."""
    codes = counties()
    pairs = stations * lines
    least, rest = divmod(coverage_rows, pairs)
    values: dict[str, Any] = {
        "stations": stations, "counties": codes, "many": len(codes),
        "lines": list(LINES[:lines]), "kinds": lines, "least": least, "more": rest, "cycle": pairs,
        "per_day": UNLIMITED, "regions": _region_of_province(),
    }  # fmt: skip
    with transaction.atomic(), connection.cursor() as cursor:
        load_areas()
        Region.objects.bulk_create(Region(code=c, name=n, provinces=list(p)) for c, (n, p) in REGIONS.items())
        for line in LINES[:lines]:
            made = ProductLine.objects.create(code=line, name_zh=line, name_en=line, channel="desktop_repair")
            Product.objects.create(code=line, line=made, name_zh=line, name_en=line)
        for statement in (_STATIONS, _COVERAGE, _CAPACITY):
            cursor.execute(statement, values)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        cursor.execute(
            "SELECT (SELECT count(*) FROM network_station), (SELECT count(*) FROM network_coverage),"
            " (SELECT count(*) FROM network_capacity)"
        )
        row = cursor.fetchone()
    assert row is not None
    return {"stations": row[0], "coverage": row[1], "capacity": row[2]}


def counties() -> list[str]:
    """Return every six-digit area, in the order of the table."""
    return sorted(code for code in areas.table().places if len(code) == 6)


def _region_of_province() -> str:
    pairs = ",".join(f'"{province}":"{code}"' for code, (_, found) in REGIONS.items() for province in found)
    return f"{{{pairs}}}"


def take_orders(number: int, now: str, station_no: str = "", first: int = 0) -> list[str]:
    """Take `number` reports through the door and return their refs, which count up from `FIRST_REF + first`.

    With `station_no` they are that station's own orders, so that one coordinator sees them all.
    """
    moment = datetime.fromisoformat(now)
    name = "self_order" if station_no else "report"
    role = "station_coordinator" if station_no else "cc_agent"
    actor = Actor(None, "测量", role, station_no=station_no, via="bench")
    refs: list[str] = []
    for place, given in zip(range(first, first + number), reports(first), strict=False):
        order = begin("unified_repair", name, actor=actor, now=moment, given=given, ref=f"WX{FIRST_REF + place}")
        refs.append(order.ref)
    return refs


def reports(seed: int) -> Iterator[dict[str, Any]]:
    """Yield believable reports without end, each of another caller and device; the same for the same seed."""
    chance = random.Random(seed)
    codes = counties()
    while True:
        number = chance.randrange(10**8)
        yield {
            "customer": {"name": chance.choice("王李张刘陈杨黄赵周吴") + "先生", "phone": f"138{number:08d}"},
            "product": chance.choice(LINES[:4]),
            "serial_no": f"SN{chance.randrange(10**10):010d}",
            "area": chance.choice(codes),
            "address": f"建设路{chance.randrange(1, 900)}号{chance.randrange(1, 30)}单元",
            "fault": chance.choice(FAULTS),
            "service_mode": "on_site",
        }


def issue_tokens() -> dict[str, str]:
    """Make an agent (key `cc`) and a coordinator for every station, and return a token of each."""
    unusable = UNUSABLE_PASSWORD_PREFIX + "bench"
    with connection.cursor() as cursor:
        cursor.execute("SELECT number FROM network_station ORDER BY number")
        numbers = [str(row[0]) for row in cursor.fetchall()]
    people = [Person(username="cc", name="座席", role="cc_agent", password=unusable)]
    people += [
        Person(username=f"c{number}", name="协调员", role="station_coordinator", station_no=number, password=unusable)
        for number in numbers
    ]
    Person.objects.bulk_create(people)
    return {person.station_no or "cc": tokens.issue(person, "bench") for person in people}
