"""The coverage map: how many stations serve which area, and which; without tiles, and as a table of the same."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.templatetags.static import static

from mendline.dispatch.choice import Wanted, choose
from mendline.dispatch.choosing import explained, look_for_station
from mendline.dispatch.current import current_index
from mendline.dispatch.explanations import as_stored
from mendline.dispatch.served_areas import AreaSum, ServedAreas, parts_of, served_areas, smallest_areas, sums_of
from mendline.kernel.errors import NotVisible
from mendline.kernel.text import Text
from mendline.network import areas
from mendline.web.console.network_frame import (
    SEES_THE_NETWORK,
    Asked,
    area_text,
    asked_of,
    network_page,
    only_for,
    provinces_of,
)
from mendline.web.console.visit import Visit, screen

# How many stations make which shade; the words stand in the legend beside the map.
SHADES = ((0, "none"), (1, "one"), (2, "two"), (4, "few"))
MANY = "many"
LEGEND = (
    ("area-none", Text("无人服务", "Nobody")),
    ("area-one", Text("1 个站", "1 station")),
    ("area-two", Text("2 个站", "2 stations")),
    ("area-few", Text("3–4 个站", "3 or 4 stations")),
    ("area-many", Text("5 个站以上", "5 stations or more")),
    ("area-partly", Text("部分区县无人服务", "Nobody in some counties")),
)


# What a short name leaves out: the kind of the area and the peoples it is named after.
_PEOPLES = (
    "维吾尔|哈萨克|柯尔克孜|蒙古|朝鲜|土家|布依|哈尼|傈僳|景颇|仡佬|撒拉|保安|东乡|拉祜|布朗|纳西|普米|独龙|毛南|"
    "仫佬|裕固|塔吉克|锡伯|达斡尔|各|傣|藏|彝|白|羌|苗|侗|壮|回|黎|瑶|土|满|畲|水|佤|怒"
)
_ENDING = re.compile(rf"(?<=..)(?:省|市|(?:(?:{_PEOPLES})族?)*自治[区州县旗]|特别行政区|地区|盟|区|县)$")


@dataclass(frozen=True, slots=True)
class AreaRow:
    """One area in the table and on the map."""

    code: str
    name: Text
    sum: AreaSum
    shade: str
    href: str
    is_here: bool


@dataclass(frozen=True, slots=True)
class ServingStation:
    """A station that serves some of a larger area."""

    number: str
    name: str
    parts: int


@screen
def coverage_map(visit: Visit) -> HttpResponse:
    """The map of the country, a province or a city; with an area without parts also who serves it and why."""
    only_for(visit, SEES_THE_NETWORK)
    asked, own = asked_of(visit), provinces_of(visit)
    area = visit.asked("area", 6)
    if area and (not areas.exists(area) or (own is not None and area[:2] not in own)):
        raise NotVisible
    index = current_index(visit.now)
    served = served_areas(index, asked.line, asked.day)
    listed = _listed(area)
    codes = [code for code in listed if own is None or code[:2] in own]
    shown = parts_of(area[:2]) if area and parts_of(area[:2]) else codes
    rows = _rows(asked, served, codes, area)
    context: dict[str, Any] = {
        "asked": asked, "area": area, "trail": _trail(asked, area), "rows": rows, "legend": LEGEND,
        "shapes": static(f"dist/geo/{area[:2] or 'china'}.json"),
        "shades": [_on_the_map(visit, row) for row in (rows if shown == codes else _rows(asked, served, shown, area))],
        "here": area, "name": area_text(area) if area else Text("全国", "China"),
        "unserved": sum(row.sum.unserved for row in rows), "parts": sum(row.sum.parts for row in rows),
    }  # fmt: skip
    if area:
        names = {row.number: row.name for row in index.stations.values()}
        context |= {"in_scope": _in_scope(visit, index.stations)}
        if smallest_areas(area) == (area,):
            context["why"] = _why(visit, asked, area)
        else:
            context["serving"] = _serving(served, area, names)
    return network_page(visit, "coverage", "map.html", context)


def _listed(area: str) -> tuple[str, ...]:
    """Return what the table lists: the parts of an area, or its neighbours where it has none."""
    if parts_of(area):
        return parts_of(area)
    for above in (area[:4], area[:2], ""):
        if area in parts_of(above):
            return parts_of(above)
    return ()


def _rows(asked: Asked, served: ServedAreas, codes: tuple[str, ...] | list[str], here: str) -> list[AreaRow]:
    return [
        AreaRow(one.area, _short_name(one.area), one, _shade(one), _address(asked, one.area), one.area == here)
        for one in sums_of(served, codes)
    ]


def _short_name(code: str) -> Text:
    name = areas.table().places[code].name
    return Text(name, areas.name_of(code, "en") if len(code) == 2 else name)


def _shortest_name(code: str) -> Text:
    """Return a name that fits into a shape of the map: 内蒙古, 西双版纳, 海淀."""
    name = areas.table().places[code].name
    short = _ENDING.sub("", name)
    return Text(short, areas.name_of(code, "en") if len(code) == 2 else short)


def _shade(one: AreaSum) -> str:
    name = next((name for most, name in SHADES if one.stations <= most), MANY)
    partly = " area-partly" if 0 < one.unserved < one.parts else ""
    return f"area-{name}{partly}"


def _on_the_map(visit: Visit, row: AreaRow) -> dict[str, str]:
    """Return what the script draws of one area."""
    said = Text(f"{row.sum.stations} 个站服务", f"served by {row.sum.stations}")
    if row.sum.unserved:
        said = Text(
            f"{said.zh}；{row.sum.parts} 个区县中 {row.sum.unserved} 个无人服务",
            f"{said.en}; nobody in {row.sum.unserved} of {row.sum.parts} counties",
        )
    return {
        "code": row.code, "name": visit.say(row.name),
        "short": visit.say(_shortest_name(row.code)), "label": str(row.sum.stations), "shade": row.shade,
        "detail": visit.say(said), "href": row.href,
    }  # fmt: skip


def _address(asked: Asked, area: str) -> str:
    return "?" + urlencode({"line": asked.line, "day": asked.day.isoformat(), **({"area": area} if area else {})})


def _trail(asked: Asked, area: str) -> list[tuple[Text, str]]:
    """Return the way from the country down to the area."""
    codes = [code for code in dict.fromkeys((area[:2], area[:4], area)) if code and _is_named(code)]
    return [
        (Text("全国", "China"), _address(asked, "")),
        *((_short_name(code), _address(asked, code)) for code in codes),
    ]


def _is_named(code: str) -> bool:
    """Tell whether people know this level: Beijing has a city level in the code table only."""
    return len(code) == 2 or areas.name_of(code) != areas.name_of(code[:-2])


def _why(visit: Visit, asked: Asked, area: str) -> list[dict[str, Any]]:
    """Return the stations considered for an order there, in sentences; today with today's seats."""
    wanted = Wanted(area, asked.line, asked.day)
    if asked.day == asked.today:
        return explained(look_for_station(wanted, visit.now).as_fact(), visit.now)
    return explained(as_stored(choose(current_index(visit.now), wanted, {}), wanted), visit.now)


def _serving(served: ServedAreas, area: str, names: dict[str, str]) -> list[ServingStation]:
    """Return who serves how many of the parts, whoever serves most first."""
    counts: dict[str, int] = {}
    for part in smallest_areas(area):
        for number in served[part].stations:
            counts[number] = counts.get(number, 0) + 1
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [ServingStation(number, names.get(number, ""), parts) for number, parts in ranked]


def _in_scope(visit: Visit, stations: Any) -> frozenset[str]:
    """Return the stations whose page this person may open."""
    if visit.actor.sees_everything:
        return frozenset(stations)
    return frozenset(number for number, row in stations.items() if row.region == visit.actor.region)
