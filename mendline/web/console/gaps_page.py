"""Holes, overlaps and areas without the 800 number: what is wrong or special about the network, as lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Q
from django.http import HttpResponse

from mendline.dispatch.current import current_index
from mendline.dispatch.explanations import readable
from mendline.dispatch.gaps import Hole, Overlap, condensed, demand_of, holes, overlaps
from mendline.dispatch.index import StationRow
from mendline.dispatch.served_areas import served_areas, smallest_areas
from mendline.kernel.numbers import whole_number
from mendline.kernel.text import Text
from mendline.kernel.time import local_day
from mendline.network import areas
from mendline.network.models import STILL_MEANT, No800Area, Region
from mendline.web.console.in_turn import in_turn
from mendline.web.console.network_frame import (
    SEES_THE_NETWORK,
    Asked,
    area_text,
    asked_of,
    network_page,
    only_for,
    provinces,
    provinces_of,
)
from mendline.web.console.network_sheets import Cell, table_sheet
from mendline.web.console.visit import Visit, screen

PAGE = 100
NAMED = 6  # stations of an overlap that are named in the list
TITLES = {
    "holes": Text("无人服务的区域", "Areas that nobody serves"),
    "overlaps": Text("重叠覆盖", "Overlapping coverage"),
}
DEMAND = Text("近30天报修", "Reported in 30 days")
AREA_CODE, AREA = Text("区划代码", "Area code"), Text("行政区划", "Area")


@dataclass(frozen=True, slots=True)
class HoleRow:
    """A hole with what came closest, in words."""

    hole: Hole
    name: Text
    near: str
    why: Mapping[str, str]
    remedy: Mapping[str, str]
    rule: str

    @property
    def is_rest(self) -> bool:
        """Some of the area's counties are listed apart, because something was reported from them."""
        return self.hole.parts < len(smallest_areas(self.hole.area))


@dataclass(frozen=True, slots=True)
class OverlapRow:
    """An overlap with the names of those who compete."""

    overlap: Overlap
    name: Text
    stations: list[tuple[str, str]]

    @property
    def unnamed(self) -> int:
        return len(self.overlap.stations) - len(self.stations)


@dataclass(frozen=True, slots=True)
class Found:
    """Everything of one product line and day in the person's scope."""

    holes: list[Hole]
    overlaps: list[Overlap]
    unclaimed: list[Text]  # provinces for which no region is responsible
    stations: Mapping[str, StationRow]


@screen
def gaps(visit: Visit) -> HttpResponse:
    """Holes with demand first, or overlaps; a hundred at a time."""
    only_for(visit, SEES_THE_NETWORK)
    asked, show, found = asked_of(visit), _shown(visit), _found(visit)
    first = _first(visit)
    whole: list[Any] = list(condensed(found.holes) if show == "holes" else found.overlaps)
    part = whole[first : first + PAGE]
    context = {
        "asked": asked, "show": show, "titles": TITLES, "province": _province(visit), "provinces": provinces(visit),
        "counts": {"holes": len(found.holes), "overlaps": len(found.overlaps)}, "unclaimed": found.unclaimed,
        "demanded": sum(hole.demand > 0 for hole in found.holes), "lost": sum(hole.demand for hole in found.holes),
        "rows": [_hole_row(one, found) if show == "holes" else _overlap_row(one, found) for one in part],
        "first": first, "next": first + PAGE if first + PAGE < len(whole) else None, "scope": _scope(visit, found),
    }  # fmt: skip
    return network_page(visit, "gaps", "gaps.html", context)


@screen
@in_turn
def gaps_sheet(visit: Visit) -> HttpResponse:
    """The list that is shown, whole, as a workbook."""
    only_for(visit, SEES_THE_NETWORK)
    asked, show, found = asked_of(visit), _shown(visit), _found(visit)
    name = f"{show}-{asked.line}-{asked.day:%Y%m%d}"
    if show == "holes":
        headings = [AREA_CODE, AREA, DEMAND, Text("最接近的维修站", "Nearest station"), Text("为什么不行", "Why not"),
                    Text("怎样会改变", "What would change it"), Text("规则", "Rule")]  # fmt: skip
        rows = (_hole_cells(_hole_row(hole, found)) for hole in found.holes)
        return table_sheet(visit, name, TITLES[show], headings, rows)
    headings = [AREA_CODE, AREA, Text("其中区县", "Counties in it"), DEMAND, Text("维修站数", "Stations"),
                Text("维修站", "Who")]  # fmt: skip
    overlapping = (
        (one.area, area_text(one.area), one.parts, one.demand, len(one.stations), " ".join(one.stations))
        for one in found.overlaps
    )
    return table_sheet(visit, name, TITLES[show], headings, overlapping)


def _shown(visit: Visit) -> str:
    return visit.asked("show") if visit.asked("show") in TITLES else "holes"


def _first(visit: Visit) -> int:
    return whole_number(visit.asked("first", 6)) or 0


def _province(visit: Visit) -> str:
    asked = visit.asked("province", 2)
    return asked if asked in {place.code for place in provinces(visit)} else ""


def _found(visit: Visit) -> Found:
    asked: Asked = asked_of(visit)
    index = current_index(visit.now)
    claimed = {str(code) for region in Region.objects.all() for code in region.provinces}
    own, province = provinces_of(visit), _province(visit)
    kept = {province} if province else {place.code for place in areas.children() if own is None or place.code in own}
    demand = demand_of(asked.line, visit.now)
    served = {
        area: one for area, one in served_areas(index, asked.line, asked.day).items()
        # Where no region is responsible nobody is missing, unless somebody reported from there.
        if area[:2] in kept and (area[:2] in claimed or demand.get(area))
    }  # fmt: skip
    unclaimed = [area_text(code) for code in sorted(kept - claimed)] if own is None else []
    return Found(holes(served, demand), overlaps(served, demand), unclaimed, index.stations)


def _hole_row(hole: Hole, found: Found) -> HoleRow:
    nearest = [list(hole.nearest)] if hole.nearest else []
    [told] = readable({"stations": nearest}, {number: row.name for number, row in _named(hole, found).items()})
    near = f"{told['station']} {told['name']}".strip()
    return HoleRow(hole, area_text(hole.area), near, told["why"], told["remedy"], told["rule"])


def _named(hole: Hole, found: Found) -> dict[str, StationRow]:
    station = found.stations.get(hole.nearest.station) if hole.nearest else None
    return {station.number: station} if station else {}


def _hole_cells(row: HoleRow) -> list[Cell]:
    why, remedy = Text(row.why["zh"], row.why["en"]), Text(row.remedy["zh"], row.remedy["en"])
    return [row.hole.area, row.name, row.hole.demand, row.near, why, remedy, row.rule]


def _overlap_row(overlap: Overlap, found: Found) -> OverlapRow:
    named = [(number, found.stations[number].name) for number in overlap.stations[:NAMED] if number in found.stations]
    return OverlapRow(overlap, area_text(overlap.area), named)


def _scope(visit: Visit, found: Found) -> frozenset[str]:
    """Return the stations whose page this person may open."""
    everything, region = visit.actor.sees_everything, visit.actor.region
    return frozenset(number for number, row in found.stations.items() if everything or row.region == region)


# --- areas without the 800 number -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FilingRow:
    """One filing with what holds today and how many counties it concerns."""

    filing: No800Area
    name: Text
    stands: str
    parts: int


@screen
def no800(visit: Visit) -> HttpResponse:
    """Where the 800 number does not work: users there may report to the station itself (COM-04)."""
    only_for(visit, SEES_THE_NETWORK)
    rows = _filings(visit)
    context = {"rows": rows, "province": _province(visit), "provinces": provinces(visit), "holding": _holding(rows)}
    return network_page(visit, "no800", "no800.html", context)


@screen
@in_turn
def no800_sheet(visit: Visit) -> HttpResponse:
    only_for(visit, SEES_THE_NETWORK)
    headings = [AREA_CODE, AREA, Text("备案日期", "Filed on"), Text("生效日期", "Effective from"),
                Text("终止日期", "Effective until")]  # fmt: skip
    rows = (
        (row.filing.area, row.name, row.filing.filed_on, row.filing.effective_from, row.filing.effective_until)
        for row in _filings(visit)
    )
    return table_sheet(visit, "areas-without-800", Text("未开通800地区", "Areas without 800"), headings, rows)


def _filings(visit: Visit) -> list[FilingRow]:
    own, province, today = provinces_of(visit), _province(visit), local_day(visit.now)
    found = No800Area.objects.filter(STILL_MEANT, area__startswith=province).order_by("area", "-effective_from")
    if own is not None:
        inside = Q(area="")
        for code in own:
            inside |= Q(area__startswith=code)
        found = found.filter(inside)
    return [FilingRow(one, area_text(one.area), _stands(one, today), len(smallest_areas(one.area))) for one in found]


def _stands(filing: No800Area, today: date) -> str:
    if filing.effective_from > today:
        return "coming"
    return "ended" if filing.effective_until is not None and filing.effective_until <= today else "now"


def _holding(rows: list[FilingRow]) -> int:
    return sum(row.stands == "now" for row in rows)
