"""What surrounds every page: who sees which entries of the navigation, and how many notices wait."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache

from django.urls import reverse

from mendline.access.actors import OF_A_REGION, OF_A_STATION, Actor
from mendline.figures.asking import MAY_SEE
from mendline.kernel.text import Text
from mendline.orders import queries


@dataclass(frozen=True, slots=True)
class NavItem:
    """One entry of the navigation."""

    label: Text
    icon: str
    href: str
    active: bool


@dataclass(frozen=True, slots=True)
class _Place:
    label: Text
    icon: str
    route: str
    roles: frozenset[str] | None = None  # None: everybody


MAY_REPORT = frozenset({"cc_agent", "region_interface", "station_coordinator"})
JUDGES = OF_A_REGION | {"hq_interface", "channel_management", "service_support_dept", "admin"}
CALLS_BACK = frozenset({"cc_agent", "info_support_dept", "admin"})
STEWARDS = frozenset({"admin", "process_owner"})

PLACES = (
    _Place(Text("报修受理", "Take a report"), "headset", "console:intake", MAY_REPORT),
    _Place(Text("大区收件箱", "Region inbox"), "gavel", "console:inbox", JUDGES),
    _Place(Text("维修单", "Repair orders"), "list-details", "console:queue"),
    _Place(Text("回访", "Callbacks"), "phone-call", "console:callbacks", CALLS_BACK),
    _Place(Text("申请与单据", "Requests"), "clipboard-check", "console:requests", OF_A_STATION),
    _Place(Text("维修站成绩", "Stations"), "building-store", "console:stations", JUDGES | OF_A_STATION),
    _Place(Text("维修网络", "Network"), "map-pin", "console:network"),
    _Place(Text("统计", "Figures"), "chart-bar", "console:figures", MAY_SEE),
    _Place(Text("通知", "Notices"), "bell", "console:notices"),
    _Place(Text("待我阅读", "To read"), "file-text", "console:reading"),
    _Place(Text("流程与规则", "Procedure"), "route", "console:procedures"),
    _Place(Text("系统管理", "Administration"), "tool", "admin:index", STEWARDS),
)


def navigation_of(actor: Actor, path: str) -> list[NavItem]:
    """Return the entries for this role; the one whose pages the person is on is marked."""
    return [NavItem(place.label, place.icon, href, path.startswith(href)) for place, href in _places_of(actor.role)]


@cache
def _places_of(role: str) -> tuple[tuple[_Place, str], ...]:
    """Return what this role works with and where it is; both stay the same for as long as the process lives."""
    return tuple((place, reverse(place.route)) for place in PLACES if place.roles is None or role in place.roles)


def home_of(actor: Actor) -> str:
    """Return the address of the page this role begins its day with."""
    if actor.role == "cc_agent":
        return reverse("console:intake")
    if actor.role in OF_A_STATION:
        return reverse("console:queue")
    if actor.role in OF_A_REGION:
        return reverse("console:inbox")
    return reverse("console:search")


def unseen_notices(actor: Actor, seen_id: int | None = None, hidden: Collection[str] = ()) -> int:
    """Return how many notices this person has not opened, at most 99; `seen_id` is the newest opened, if known."""
    return queries.count_unseen_notices(actor, seen_id=seen_id, hidden=hidden)
