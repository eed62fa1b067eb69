"""Stations of the network: all that a person may know of, and one with everything that is filed for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from django.http import HttpResponse

from mendline.access.actors import OF_A_STATION
from mendline.kernel.text import Text
from mendline.kernel.time import local_day
from mendline.network.columns import KIND_BY_CODE
from mendline.network.day_seats import calendar_days, seats_of
from mendline.network.exports import capacity_rows, coverage_rows
from mendline.network.models import ProductLine, Region, Station
from mendline.network.sheets import workbook
from mendline.network.stations import (
    KINDS,
    StationFilters,
    engineers_of,
    narrowed,
    page_of_stations,
    rows_of,
    visible_station,
    visible_stations,
)
from mendline.network.timeline import HeldRow, Timeline, timeline_of
from mendline.web.console.in_turn import in_turn
from mendline.web.console.network_frame import SEES_THE_NETWORK, area_text, network_page, only_for, provinces
from mendline.web.console.network_sheets import excel, table_sheet
from mendline.web.console.seat_rows import line_names, seat_rows
from mendline.web.console.visit import Visit, screen

STATUSES = ("active", "ended", "coming")
HISTORY_SHOWN = 60
MOST_ENGINEERS = 60


@dataclass(frozen=True, slots=True)
class LineCoverage:
    """What a station serves of one product line today, by province."""

    line: Text
    provinces: list[tuple[Text, list[Text]]]
    areas: int


@screen
def stations(visit: Visit) -> HttpResponse:
    """All stations in the person's scope, page by page; who belongs to a station sees that one."""
    if visit.actor.role in OF_A_STATION:
        return one_station(visit, visit.actor.station_no)
    only_for(visit, SEES_THE_NETWORK)
    filters, today = filters_of(visit), local_day(visit.now)
    page = page_of_stations(visit.actor, filters, today=today, after=visit.asked("after", 12))
    context = {
        "page": page, "filters": filters, "lines": list(ProductLine.objects.order_by("code")), "today": today,
        "regions": list(Region.objects.order_by("code")) if visit.actor.sees_everything else [],
        "provinces": provinces(visit), "is_narrowed": filters != StationFilters(), "line_names": line_names(),
        "after": visit.asked("after", 12),
    }  # fmt: skip
    return network_page(visit, "network", "stations.html", context)


@screen
@in_turn
def stations_sheet(visit: Visit) -> HttpResponse:
    """The same list, whole, as a workbook."""
    only_for(visit, SEES_THE_NETWORK)
    today = local_day(visit.now)
    found = list(narrowed(visible_stations(visit.actor), filters_of(visit), today).order_by("number"))
    headings = [
        Text("维修站编号", "Station number"), Text("名称", "Name"), Text("大区", "Region"), Text("总站", "Head"),
        Text("所在区划", "Located in"), Text("地址", "Address"), Text("电话", "Telephone"), Text("维修点", "Points"),
        Text("工程师", "Engineers"), Text("覆盖条目", "Coverage rows"), Text("每日产能", "Orders per day"),
        Text("启用日期", "Active from"), Text("停用日期", "Active until"),
    ]  # fmt: skip
    rows = (
        (
            row.station.number, row.station.name, row.station.region.name, row.station.head_id or "",
            area_text(row.station.area), row.station.address, row.station.phone, row.points, row.engineers, row.areas,
            row.seats_in_all, row.station.active_from, row.station.active_until,
        )
        for row in rows_of(found, today)
    )  # fmt: skip
    return table_sheet(visit, f"stations-{today:%Y%m%d}", Text("维修站", "Stations"), headings, rows)


@screen
def station(visit: Visit, number: str) -> HttpResponse:
    """One station: points, engineers, coverage, seats of the days to come, and what changes from when."""
    return one_station(visit, number)


def one_station(visit: Visit, number: str) -> HttpResponse:
    found = visible_station(visit.actor, number)
    today = local_day(visit.now)
    timeline, names = timeline_of(number), line_names()
    days = calendar_days(today)
    people = list(engineers_of([number])[: MOST_ENGINEERS + 1])
    context: dict[str, Any] = {
        "station": found,
        "status": status_of(found, today),
        "points": rows_of(list(found.points.select_related("region").order_by("number")), today),
        "engineers": people[:MOST_ENGINEERS],
        "more_engineers": len(people) > MOST_ENGINEERS,
        "coverage": coverage_of(timeline, today, names),
        "turns": timeline.turns(today),
        "history": timeline.rows[:HISTORY_SHOWN],
        "cut": timeline.cut or len(timeline.rows) > HISTORY_SHOWN,
        "line_names": names,
        "days": days,
        "seats": seat_rows(visit, seats_of([number], days), {number: found}, names),
        "today": today,
    }
    return network_page(visit, "network", "station.html", context)


@screen
@in_turn
def station_sheet(visit: Visit, number: str) -> HttpResponse:
    """A station's coverage and capacity with their whole history, in the form that can be imported again."""
    visible_station(visit.actor, number)
    tables = [
        (KIND_BY_CODE["coverage"], coverage_rows(station=number)),
        (KIND_BY_CODE["capacity"], capacity_rows(station=number)),
    ]
    return excel(workbook(tables), f"station-{number}")


def filters_of(visit: Visit) -> StationFilters:
    """Read the filters of the address; a value that is none narrows nothing."""
    kind, status = visit.asked("kind", 10), visit.asked("status", 10)
    return StationFilters(
        visit.asked("q", 60), visit.asked("region", 20) if visit.actor.sees_everything else "",
        visit.asked("province", 2), visit.asked("line", 40), kind if kind in KINDS else "",
        status if status in STATUSES else "",
    )  # fmt: skip


def status_of(station: Station, today: date) -> str:
    """Return active, ended or coming."""
    if station.active_from > today:
        return "coming"
    return "ended" if station.active_until is not None and station.active_until <= today else "active"


def coverage_of(timeline: Timeline, today: date, names: dict[str, Text]) -> list[LineCoverage]:
    """Return what holds today, by line and province."""
    rows = sorted((row for row in timeline.standing("now", today) if row.area), key=lambda row: (row.line, row.area))
    found = []
    for line, served in groupby(rows, key=lambda row: row.line):
        of_line = list(served)
        found.append(LineCoverage(names.get(line, Text(line, line)), list(_by_province(of_line)), len(of_line)))
    return found


def _by_province(rows: Iterable[HeldRow]) -> Iterator[tuple[Text, list[Text]]]:
    for code, inside in groupby(rows, key=lambda row: row.area[:2]):
        province = area_text(code)
        yield province, [_within(province, row.area) for row in inside]


def _within(province: Text, code: str) -> Text:
    """Return an area's name without the province that stands before it already."""
    name = area_text(code)
    if len(code) == 2:
        return Text("全省（市、区）", "all of it")
    return Text(name.zh.removeprefix(province.zh) or "全市", name.en.removeprefix(province.en).strip() or "all of it")
