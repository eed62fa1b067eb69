"""The national network: 7 regions, 300 stations and 60 points in all 34 provinces, 1,500 engineers.

Made from the area table and a few figures, so it is the same every time. It has what a real one
has: capitals with several stations that share the city and stand in for each other, cities without
one that the province's first station serves, and holes and overlaps for the coverage map to show.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from random import Random

from mendline.access.actors import OF_A_REGION
from mendline.kernel.text import Text
from mendline.network import areas
from mendline.sim.bench.small_country import REGIONS
from mendline.sim.demo_calls import GIVEN_NAMES, SURNAMES
from mendline.sim.national_products import LINES, products
from mendline.sim.world_contents import WorldContents, WorldPerson, WorldRegion, WorldStation
from mendline.sim.world_files import MAIL_DOMAIN

# Stations in each province, about as its people and machines are.
STATIONS: Mapping[str, int] = {
    "11": 13, "12": 8, "13": 12, "14": 8, "15": 7, "21": 11, "22": 7, "23": 8, "31": 13, "32": 19, "33": 17, "34": 10,
    "35": 9, "36": 8, "37": 17, "41": 14, "42": 11, "43": 10, "44": 24, "45": 8, "46": 3, "50": 9, "51": 13, "52": 6,
    "53": 7, "54": 2, "61": 9, "62": 5, "63": 2, "64": 2, "65": 5, "71": 1, "81": 1, "82": 1,
}  # fmt: skip
POINTS = 60
ENGINEERS_EACH = 5
AGENTS = 48
CAPITALS_SHARE = 0.3
# Lines that nobody serves there: what the coverage map shows as holes, and the region must find somebody for.
HOLES = {("54", "server"), ("54", "printer"), ("63", "server"), ("65", "tablet"), ("15", "tablet"), ("71", "server")}
WITHOUT_800 = ("542", "632", "6530", "6532", "513", "533")  # mountain prefectures, as filed (COM-04)
PER_DAY = {"desktop": 3, "notebook": 3, "printer": 2, "display": 2, "tablet": 2, "server": 1}
SINCE = date(2020, 1, 1)
# Where the province's first station is not in the first county of the table.
FIRST_STATION = {
    "11": ("110108", "北京上地维修站", "上地信息路28号"),
    "31": ("310115", "上海张江维修站", "张江路665号"),
}
FIRST_AREAS = frozenset(area for area, _, _ in FIRST_STATION.values())
# People whose names are in the tutorial: one of each role, meeting in the same orders.
KNOWN = (
    ("zhangmin", "张敏", "cc_agent", ""), ("gaofeng", "高峰", "region_interface", "north"),
    ("hanxiao", "韩笑", "region_channel_specialist", "north"), ("liufang", "刘芳", "station_coordinator", "000001"),
    ("wang", "王强", "station_engineer", "000001"), ("renping", "任平", "hq_interface", ""),
    ("yaolan", "姚兰", "service_support_dept", ""), ("wanjun", "万军", "service_support_dept", ""),
    ("suwen", "苏文", "info_support_dept", ""), ("baiyun", "白云", "info_support_dept", ""),
    ("menglin", "孟林", "channel_management", ""), ("qiaoan", "乔安", "process_owner", ""),
    ("admin", "系统管理员", "admin", ""),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Site:
    """Where a head station stands: its city code (4 digits; 2 where the table has no cities) and county."""

    province: str
    city: str
    area: str
    place: int  # of the province's stations; 0 is its first


def national() -> WorldContents:
    """Return the national world."""
    regions = {code: WorldRegion(code, name, provinces) for code, (name, provinces) in REGIONS.items()}
    region_of = {province: code for code, region in regions.items() for province in region.provinces}
    stations = dict(_stations(region_of))
    return WorldContents(
        name="national", label=Text("演示网络（全国）", "National demonstration network"), since=SINCE, regions=regions,
        lines={line.code: line for line in LINES}, products=products(), stations=stations,
        no_800_areas=tuple(sorted(code for code in areas.table().places if _is_without_800(code))),
        people={person.username: person for person in _people(stations, list(regions))},
    )  # fmt: skip


def _is_without_800(code: str) -> bool:
    return len(code) == 4 and code.startswith(WITHOUT_800)


def sites() -> list[Site]:
    """Return where the head stations stand: the capital first, then city by city, then second ones."""
    found: list[Site] = []
    for province, number in STATIONS.items():
        cities = [place.code for place in areas.children(province) if areas.children(place.code)]
        if not cities:
            found.append(Site(province, province, province, 0))
            continue
        capital = cities[0]
        in_capital = number if len(cities) < 3 else max(1, round(number * CAPITALS_SHARE))
        rest = (
            [cities[1 + place % (len(cities) - 1)] for place in range(number - in_capital)] if len(cities) > 1 else []
        )
        used: dict[str, int] = {}
        for place, city in enumerate([capital] * in_capital + rest):
            counties = [county.code for county in areas.children(city) if county.code not in FIRST_AREAS]
            turn = used[city] = used.get(city, -1) + 1
            found.append(Site(province, city, counties[turn % len(counties)], place))
    return found


def _stations(region_of: Mapping[str, str]) -> Iterator[tuple[str, WorldStation]]:
    placed = sites()
    taken = {site.city for site in placed}
    heads: list[WorldStation] = []
    for number, site in enumerate(placed, start=1):
        first = FIRST_STATION.get(site.province) if site.place == 0 else None
        area = _home(site)
        station = WorldStation(
            number=f"{number:06d}",
            name=first[1] if first else f"{_town(site)}维修站",
            region=region_of[site.province],
            area=area,
            address=first[2] if first else f"{ROADS[number % len(ROADS)]}{7 * number % 280 + 1}号",
            phone=f"400-820-{number:04d}",
            is_central=site.place == 0 and STATIONS[site.province] > 12,
            part_delivery_days=2 if site.province in ("11", "31", "44", "32", "33") else 5 if site.province in
            ("54", "63", "65") else 3,
            coverage=tuple(_coverage(site, placed, taken)),
            capacity=_capacity(site),
        )  # fmt: skip
        heads.append(station)
        yield station.number, station
    used = {head.area for head in heads}
    for number, head in enumerate(heads[:: len(heads) // POINTS][:POINTS], start=1):
        county = _another_county(head.area, used)
        used.add(county)
        town = _town(Site(county[:2], county[:4], county, 1))
        yield (
            f"9{number:05d}",
            WorldStation(
                number=f"9{number:05d}", name=f"{town}维修点", region=head.region,
                head=head.number, area=county, address=f"{ROADS[number % len(ROADS)]}{3 * number + 2}号",
                coverage=((county, "desktop"), (county, "notebook")),
            ),
        )  # fmt: skip


def _coverage(site: Site, placed: list[Site], taken: set[str]) -> Iterator[tuple[str, str]]:
    """Yield what a station serves: its county and city, and for the province's first also what has no station."""
    lines = [line.code for line in LINES if (site.province, line.code) not in HOLES]
    of_city = [other for other in placed if other.city == site.city]
    if site.city == site.province:
        yield from ((site.province, line) for line in lines)
        return
    small = ("desktop", "notebook", "printer")
    if len(of_city) > 1:
        # The city's counties are shared out; its first two serve all of it as well, for when one is full.
        turn = of_city.index(site)
        shared = [county.code for county in areas.children(site.city) if county.code not in FIRST_AREAS]
        mine = shared[turn :: len(of_city)] + [area for area in FIRST_AREAS if area == _home(site)]
        yield from ((county, line) for county in mine for line in lines if line in small)
        if turn < 2:
            yield from ((site.city, line) for line in lines)
    else:
        yield from ((site.city, line) for line in lines if line != "server")
    if site.place == 0:
        # Cities without a station, and the rare lines everywhere.
        without = [city.code for city in areas.children(site.province) if city.code not in taken]
        yield from ((city, line) for city in without[: -1 if len(without) > 4 else None] for line in lines
                    if line in small)  # fmt: skip
        yield from ((site.province, line) for line in lines if line not in small)


def _home(site: Site) -> str:
    """Return where the station stands."""
    first = FIRST_STATION.get(site.province) if site.place == 0 else None
    return first[0] if first else site.area


def _capacity(site: Site) -> dict[str, int]:
    factor = 3 if site.place == 0 else 2 if site.province in ("11", "31", "44", "32", "33", "37") else 1
    lines = [line.code for line in LINES if (site.province, line.code) not in HOLES]
    return {line: PER_DAY[line] * factor + (1 if line == "notebook" else 0) for line in lines}


def _another_county(area: str, used: set[str]) -> str:
    """Return a county near the head station where nobody stands: of its city, else of its province."""
    near = [county for city in (area[:4], area[:2]) for county in sorted(areas.table().places)
            if len(county) == 6 and county.startswith(city) and county not in used]  # fmt: skip
    return near[0] if near else area


def _town(site: Site) -> str:
    """Return the town as people call it: 广州越秀, 唐山, 香港."""
    table = areas.table().places
    city = table[site.province if len(areas.children(site.province)) < 3 else site.city]
    name = _short(city.name)
    several = site.area != site.city and (len(areas.children(site.province)) < 3 or site.place > 0)
    return name + _short(table[site.area].name) if several and len(site.area) == 6 else name


def _short(name: str) -> str:
    for kind in ("特别行政区", "维吾尔自治区", "壮族自治区", "回族自治区", "自治区", "自治州", "自治县", "省", "地区",
                 "盟", "市", "新区", "区", "县", "旗"):  # fmt: skip
        if name.endswith(kind) and len(name) - len(kind) >= 2:
            return name.removesuffix(kind)
    return name


ROADS = (
    "人民路", "建设路", "解放大道", "中山路", "和平街", "文化路", "新华大街", "科技路", "长江路", "学院路", "迎宾大道",
    "工业路", "光明街", "友谊路", "滨河路",
)  # fmt: skip


def _people(stations: Mapping[str, WorldStation], regions: list[str]) -> Iterator[WorldPerson]:
    rng = Random(7)  # names only; the network itself has no chance in it
    known = {role: place for _, _, role, place in KNOWN}
    for username, name, role, place in KNOWN:
        yield _person(username, name, role, place)
    for number in range(1, AGENTS):
        yield _person(f"cc{number:03d}", _name(rng), "cc_agent", "")
    for region in regions:
        least = 1 if region == known["region_interface"] else 0
        for number in range(least, 4):
            yield _person(f"{region}{number + 1}", _name(rng), "region_interface", region)
        if region != known["region_channel_specialist"]:
            yield _person(f"{region}-channel", _name(rng), "region_channel_specialist", region)
    for station in stations.values():
        if station.head:
            continue
        if station.number != known["station_coordinator"]:
            yield _person(f"c{station.number}", _name(rng), "station_coordinator", station.number)
        for number in range(1 if station.number == known["station_engineer"] else 0, ENGINEERS_EACH):
            yield _person(f"e{station.number}{'abcde'[number]}", _name(rng), "station_engineer", station.number)


def _person(username: str, name: str, role: str, place: str) -> WorldPerson:
    region, station = (place, "") if role in OF_A_REGION else ("", place)
    return WorldPerson(username, name, role, region, station, f"{username}@{MAIL_DOMAIN}")


def _name(rng: Random) -> str:
    return rng.choice(SURNAMES) + rng.choice(GIVEN_NAMES)
