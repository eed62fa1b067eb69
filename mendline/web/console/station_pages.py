"""Stations' records: all of a region beside each other, and one with the orders behind every figure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpResponse

from mendline.access.actors import OF_A_STATION
from mendline.care.models import StationScorecard
from mendline.care.scorecards import CONDITIONS, MOST_LISTED, orders_behind, requests_of, stations_of
from mendline.kernel.errors import NotVisible
from mendline.kernel.numbers import whole_number
from mendline.kernel.text import Text
from mendline.network.models import Station
from mendline.web.console.rows import order_rows
from mendline.web.console.shell import JUDGES
from mendline.web.console.station_record import Figure, figures_of, reasons_of
from mendline.web.console.visit import Visit, screen

MOST = 100  # stations on one page
SORTS = ("contact", "promise", "repeat", "cancelled", "callback", "open", "late", "number")
LISTS = {
    "contacts_late": Text("超过联系时限的", "Contacted too late"),
    "promises_broken": Text("首次承诺未兑现的", "First promise broken"),
    "repeat_visits": Text("多次上门的", "Visited more than once"),
    "cancelled": Text("已撤单的", "Cancelled"),
    "callbacks_dissatisfied": Text("回访不满意的", "Dissatisfied at callback"),
    "reopened": Text("回访后重开的", "Re-opened after the callback"),
    "callbacks_missing": Text("没有回访的", "Without a callback"),
    "reported": Text("全部报修", "All reported"),
}


@dataclass(frozen=True, slots=True)
class Card:
    """One station with its figures."""

    station: Station
    card: StationScorecard
    figures: list[Figure]


@screen
def stations(visit: Visit) -> HttpResponse:
    """The records of all stations in the person's scope; the weakest at what was asked for come first."""
    if visit.actor.role in OF_A_STATION:
        return one_station(visit, visit.actor.station_no)
    if visit.actor.role not in JUDGES:
        raise NotVisible
    rows = {station.number: station for station in stations_of(visit.actor).filter(head=None)}
    region = visit.asked("region", 20)
    regions = {station.region_id: station.region.name for station in rows.values()}
    if region in regions:
        rows = {number: station for number, station in rows.items() if station.region_id == region}
    cards = [
        Card(rows[card.station_no], card, figures_of(card))
        for card in StationScorecard.objects.filter(station_no__in=list(rows))
    ]
    sort = visit.asked("sort") if visit.asked("sort") in SORTS else "contact"
    cards.sort(key=lambda card: (_ORDERS[sort](card), card.station.number))
    first = _first(visit)
    context = {
        "cards": cards[first : first + MOST], "more": max(0, len(cards) - first - MOST), "sort": sort,
        "first": first, "next": first + MOST, "reckoned_at": _newest(cards),
        "regions": sorted(regions.items(), key=lambda pair: pair[1]) if len(regions) > 1 else [], "region": region,
    }  # fmt: skip
    return visit.render("console/region/stations.html", context)


@screen
def station(visit: Visit, number: str) -> HttpResponse:
    """One station's record, and the orders behind the figure that was chosen; for whom the list of them is."""
    if visit.actor.role not in JUDGES | OF_A_STATION:
        raise NotVisible
    return one_station(visit, number)


def one_station(visit: Visit, number: str) -> HttpResponse:
    found = stations_of(visit.actor).filter(number=number).first()
    if found is None:
        raise NotVisible
    card = StationScorecard.objects.filter(pk=number).first()
    show = visit.asked("show") if visit.asked("show") in LISTS and visit.asked("show") in CONDITIONS else ""
    reason = visit.asked("reason", 40) if show == "cancelled" else ""
    orders = orders_behind(visit.actor, card, show, reason=reason) if card and show else []
    reasons = reasons_of(card) if card else []
    context = {
        "station": found, "card": card, "figures": figures_of(card) if card else [], "reasons": reasons,
        "show": show, "heading": LISTS.get(show), "rows": order_rows(orders, visit.now),
        "reason": next((row for row in reasons if row.code == reason), None),
        "cut": len(orders) == MOST_LISTED, "requests": requests_of(number, visit.now),
    }  # fmt: skip
    return visit.render("console/region/station.html", context)


def _first(visit: Visit) -> int:
    """Return how many cards were shown before: they are sorted anew each time, by what was reckoned last."""
    return whole_number(visit.asked("first", 6)) or 0


def _percent(card: Card, index: int, *, falling: bool = False) -> int:
    percent = card.figures[index].percent
    if percent is None:
        return 1000  # nothing to judge: last
    return -percent if falling else percent


_ORDERS: dict[str, Callable[[Card], int]] = {
    "contact": lambda card: _percent(card, 0),
    "promise": lambda card: _percent(card, 1),
    "repeat": lambda card: _percent(card, 2, falling=True),
    "cancelled": lambda card: _percent(card, 3, falling=True),
    "callback": lambda card: _percent(card, 4),
    "open": lambda card: -card.card.open_orders,
    "late": lambda card: -card.card.open_late,
    "number": lambda card: 0,
}


def _newest(cards: list[Card]) -> object:
    return max((card.card.reckoned_at for card in cards), default=None)
