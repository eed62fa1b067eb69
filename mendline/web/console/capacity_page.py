"""The calendar of seats: every station's next fourteen days of a product line, and other seats for some of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db import transaction
from django.http import HttpResponse
from django.urls import reverse

from mendline.access.actors import OF_A_STATION
from mendline.dispatch.coverage_changes import MOST_PER_DAY
from mendline.dispatch.seat_changes import SeatsWanted, change_seats, may_ask, may_judge
from mendline.kernel.errors import Invalid, NotVisible, Refused
from mendline.kernel.text import Text
from mendline.kernel.time import local_day
from mendline.network.day_seats import DAYS_SHOWN, calendar_days, seats_of
from mendline.network.models import Capacity, Region, Station
from mendline.network.stations import visible_station, visible_stations
from mendline.web.console.network_frame import SEES_THE_NETWORK, Asked, asked_of, network_page, only_for
from mendline.web.console.once import already_done
from mendline.web.console.seat_rows import DAY_WORDS, LEVEL_WORDS, line_names, seat_rows
from mendline.web.console.visit import Visit, go, screen

PAGE = 30
LONGEST_REASON = 300
FIELDS = ("per_day", "first", "last", "reason")


@screen
def capacity(visit: Visit) -> HttpResponse:
    """Stations beside their days, thirty at a time; a station sees its own lines."""
    only_for(visit, SEES_THE_NETWORK | OF_A_STATION)
    asked = asked_of(visit)
    days = calendar_days(asked.day)
    is_station = visit.actor.role in OF_A_STATION
    found, after = (_own(visit), "") if is_station else _page(visit, asked)
    seats = seats_of([station.number for station in found], days)
    if not is_station:
        seats = {key: cells for key, cells in seats.items() if key[1] == asked.line}
    context: dict[str, Any] = {
        "asked": asked, "days": days, "day_words": DAY_WORDS, "level_words": LEVEL_WORDS, "is_station": is_station,
        "rows": seat_rows(visit, seats, {station.number: station for station in found}, line_names()),
        "next": after, "region": visit.asked("region", 20), "words": visit.asked("q", 60),
        "regions": list(Region.objects.order_by("code")) if visit.actor.sees_everything else [],
        "earlier": _shifted(asked, -DAYS_SHOWN), "later": _shifted(asked, DAYS_SHOWN), "may_ask": may_ask(visit.actor),
    }  # fmt: skip
    return network_page(visit, "capacity", "capacity.html", context)


def _own(visit: Visit) -> list[Station]:
    return list(visible_stations(visit.actor).filter(head=None))


def _page(visit: Visit, asked: Asked) -> tuple[list[Station], str]:
    """Return the head stations that ever had seats of the line, a page of them, and the number to go on after."""
    query = visible_stations(visit.actor).filter(head=None).order_by("number")
    query = query.filter(number__in=Capacity.objects.filter(product_line=asked.line).values("station_id"))
    if visit.asked("region", 20) and visit.actor.sees_everything:
        query = query.filter(region_id=visit.asked("region", 20))
    words = visit.asked("q", 60)
    if words:
        query = query.filter(number__startswith=words) | query.filter(name__icontains=words)
    if visit.asked("after", 12):
        query = query.filter(number__gt=visit.asked("after", 12))
    found = list(query[: PAGE + 1])
    return found[:PAGE], found[PAGE - 1].number if len(found) > PAGE else ""


def _shifted(asked: Asked, days: int) -> date | None:
    """Return the first day of the fortnight before or after; None where there is none to show."""
    day = asked.day + timedelta(days=days)
    if days < 0:
        return max(day, asked.today) if asked.day > asked.today else None
    return day if day <= asked.latest else None


@dataclass(frozen=True, slots=True)
class SeatsForm:
    """What was typed, and what is wrong with it by field; `problem` concerns the whole."""

    values: dict[str, str]
    errors: dict[str, Text] = field(default_factory=dict)
    problem: Text | None = None
    rules: tuple[str, ...] = ()


@screen
def change_seats_page(visit: Visit, number: str, line: str) -> HttpResponse:
    """Ask for another number of seats for a day, a span, or from a day on; judged at once by whoever may judge."""
    station = visible_station(visit.actor, number)
    if not may_ask(visit.actor) or line not in line_names():
        raise NotVisible
    if visit.request.method != "POST":
        first = visit.asked("first", 10)
        return _draw(visit, station, line, SeatsForm({"first": first, "last": first}))
    values = {name: visit.posted.get(name, "").strip() for name in FIELDS}
    try:
        wanted = _wanted(number, line, values)
        with transaction.atomic():
            done = [] if already_done(visit, f"seats.{number}.{line}") else change_seats(
                wanted, actor=visit.actor, now=visit.now
            )  # fmt: skip
    except Invalid as refusal:
        errors = {_OWN_NAMES.get(name, name): text for name, text in refusal.fields.items()}
        return _draw(visit, station, line, SeatsForm(values, errors))
    except Refused as refusal:
        return _draw(visit, station, line, SeatsForm(values, problem=refusal.detail, rules=refusal.rules))
    asked = {"line": line, "day": max(wanted.first, local_day(visit.now)).isoformat()}
    said = _said(visit, [request.ref for request in done])
    return go(visit, f"{reverse('console:capacity')}?{urlencode(asked)}", said)


_OWN_NAMES = {"effective_from": "first", "change_reason": "reason"}


def _wanted(number: str, line: str, values: dict[str, str]) -> SeatsWanted:
    """Read the form.

    Raises:
        Invalid: names every field that is missing or no number or day.
    """
    errors: dict[str, Text] = {}
    per_day = values["per_day"]
    if not (per_day.isascii() and per_day.isdecimal() and int(per_day[:9]) <= MOST_PER_DAY):
        errors["per_day"] = Text(f"请填 0 到 {MOST_PER_DAY} 的整数，0 表示不接单",
                                 f"give a whole number from 0 to {MOST_PER_DAY}; 0 means closed")  # fmt: skip
    first, last = _day(values["first"]), _day(values["last"])
    if first is None:
        errors["first"] = Text("请选择第一天", "choose the first day")
    if values["last"] and last is None:
        errors["last"] = Text("不是日期，请重新选择", "this is no day; choose one")
    if not values["reason"] or len(values["reason"]) > LONGEST_REASON:
        errors["reason"] = Text(f"请写明原因，最多 {LONGEST_REASON} 字",
                                f"say why, in at most {LONGEST_REASON} characters")  # fmt: skip
    if errors or first is None:
        raise Invalid(errors)
    return SeatsWanted(number, line, int(per_day), first, last, values["reason"])


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10]) if text else None
    except ValueError:
        return None


def _draw(visit: Visit, station: Station, line: str, form: SeatsForm) -> HttpResponse:
    today = local_day(visit.now)
    first = _day(form.values.get("first", "")) or today
    days = calendar_days(max(first, today), 7)
    seats = {key: cells for key, cells in seats_of([station.number], days).items() if key[1] == line}
    context = {
        "station": station, "line": line, "line_name": line_names()[line], "form": form, "today": today,
        "judges": may_judge(visit.actor), "longest": LONGEST_REASON, "most": MOST_PER_DAY, "days": days,
        "rows": seat_rows(visit, seats, {station.number: station}, line_names()),
        "day_words": DAY_WORDS, "level_words": LEVEL_WORDS,
    }  # fmt: skip
    status = 422 if form.errors or form.problem else 200
    return network_page(visit, "capacity", "change_seats.html", context, status)


def _said(visit: Visit, refs: list[str]) -> Text:
    named = "、".join(refs), ", ".join(refs)
    if may_judge(visit.actor):
        return Text(f"产能已调整：{named[0]}", f"Seats changed: {named[1]}")
    return Text(f"已提交大区审批：{named[0]}", f"Handed in for the region to judge: {named[1]}")
