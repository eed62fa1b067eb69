"""What the pages of the network share: their bar, whom they are for, the product line and day that are looked at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.http import HttpResponse
from django.urls import reverse

from mendline.access.actors import EVERYWHERE, OF_A_REGION, OF_A_STATION
from mendline.kernel.errors import NotVisible
from mendline.kernel.text import Text
from mendline.kernel.time import local_day
from mendline.network import areas
from mendline.network.models import ProductLine, Region
from mendline.web.console.visit import Visit

# Stations compete: who else serves an area, and with how many seats, is not theirs to know.
SEES_THE_NETWORK = EVERYWHERE | OF_A_REGION
IMPORTS = frozenset({"channel_management", "admin"})  # who keeps the tables of the network (UDS-08)
FARTHEST = timedelta(days=366)  # ahead of today


@dataclass(frozen=True, slots=True)
class Tab:
    """One page of the network."""

    label: Text
    href: str
    active: bool


PLACES = (
    ("network", Text("维修站", "Stations"), SEES_THE_NETWORK),
    ("network", Text("本站", "My station"), OF_A_STATION),
    ("coverage", Text("覆盖地图", "Coverage map"), SEES_THE_NETWORK),
    ("gaps", Text("空白与重叠", "Gaps and overlaps"), SEES_THE_NETWORK),
    ("no800", Text("未开通800地区", "Areas without 800"), SEES_THE_NETWORK),
    ("capacity", Text("产能日历", "Seats by day"), SEES_THE_NETWORK | OF_A_STATION),
    ("coverage_changes", Text("变更申请", "Change requests"), SEES_THE_NETWORK | OF_A_STATION),
    ("network_import", Text("导入导出", "Import and export"), IMPORTS),
)


def network_page(visit: Visit, page: str, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """Draw a page of the network under the bar that joins them."""
    tabs = [
        Tab(label, reverse(f"console:{route}"), route == page)
        for route, label, roles in PLACES
        if visit.actor.role in roles
    ]
    return visit.render(f"console/network/{template}", {"tabs": tabs, **context}, status=status)


def only_for(visit: Visit, roles: frozenset[str]) -> None:
    """Raise NotVisible for other roles: to them the page does not exist."""
    if visit.actor.role not in roles:
        raise NotVisible


@dataclass(frozen=True, slots=True)
class Asked:
    """The product line and the day that the page is about; the line is empty where there is none at all."""

    line: str
    day: date
    today: date
    lines: list[ProductLine]

    @property
    def line_name(self) -> Text:
        found = next((line for line in self.lines if line.code == self.line), None)
        return Text(found.name_zh, found.name_en) if found else Text(self.line, self.line)

    @property
    def latest(self) -> date:
        return self.today + FARTHEST


def asked_of(visit: Visit) -> Asked:
    """Read line and day of the address; what cannot be used falls back to the first line and to today."""
    lines = list(ProductLine.objects.order_by("code"))
    codes = [line.code for line in lines]
    line = visit.asked("line", 40)
    today = local_day(visit.now)
    return Asked(line if line in codes else (codes[0] if codes else ""), day_asked(visit, "day", today), today, lines)


def day_asked(visit: Visit, name: str, today: date) -> date:
    """Return a day of the address, not before today and at most a year ahead."""
    try:
        day = date.fromisoformat(visit.asked(name, 10))
    except ValueError:
        return today
    return min(max(day, today), today + FARTHEST)


def provinces_of(visit: Visit) -> frozenset[str] | None:
    """Return the provinces whose areas this person looks after; None: all of them."""
    if visit.actor.sees_everything:
        return None
    region = Region.objects.filter(code=visit.actor.region).first()
    return frozenset(str(code) for code in region.provinces) if region else frozenset()


def provinces(visit: Visit) -> list[areas.Place]:
    """Return the provinces that a filter offers to this person."""
    own = provinces_of(visit)
    return [place for place in areas.children() if own is None or place.code in own]


def area_text(code: str) -> Text:
    return Text(areas.name_of(code), areas.name_of(code, "en"))
