"""Everything that a verdict needs on one page: the request, the order and its history, the station's record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse

from mendline.care.models import StationScorecard
from mendline.care.scorecards import requests_of
from mendline.kernel.errors import NotVisible
from mendline.network.models import Station
from mendline.orders import queries
from mendline.orders.queries import SubjectPage
from mendline.web.console.fact_words import product_name
from mendline.web.console.order_page import Sheet, StepRow, sheet_of, sheets_of, why_station
from mendline.web.console.shell import JUDGES
from mendline.web.console.station_record import figures_of, reasons_of
from mendline.web.console.timeline import timeline_of
from mendline.web.console.visit import Visit, screen

NOTE = "verdict_note"
QUOTA = "contact_quota"


@dataclass(frozen=True, slots=True)
class Choice:
    """One verdict. What needs nothing but the note is given in one click, the others ask further."""

    row: StepRow
    at_once: bool
    needs_note: bool


@dataclass(frozen=True, slots=True)
class CalledDay:
    """How often the user was called on one day (STN-25)."""

    day: str
    calls: int


@screen
def verdict(visit: Visit, ref: str) -> HttpResponse:
    """The request with all that is needed to judge it; beside the inbox, its body alone."""
    if visit.actor.role not in JUDGES:
        raise NotVisible
    page = queries.subject_page(visit.actor, ref, visit.now)
    beside = visit.request.headers.get("X-Beside") == "1"
    template = "console/region/verdict_beside.html" if beside else "console/region/verdict_page.html"
    return visit.render(template, {**_request(visit, page), "beside": beside})


def _request(visit: Visit, page: SubjectPage) -> dict[str, Any]:
    sheet = sheet_of(visit, page)
    context: dict[str, Any] = {
        "sheet": sheet,
        "asked_by": page.timeline[0] if page.timeline else None,
        "choices": _choices(sheet),
        "refused": sheet.refused,
        "note": page.process.facts.get(NOTE),
        "events": timeline_of(ref := page.subject.ref, page.timeline, page.messages, {ref: page.process}),
    }
    if page.subject.order_ref:
        context |= _order(visit, page.subject.order_ref)
    number = page.subject.station_no
    card = StationScorecard.objects.filter(pk=number).first()
    return context | {
        "station": Station.objects.filter(number=number).first(),
        "card": card,
        "figures": figures_of(card) if card else [],
        "reasons": reasons_of(card)[:5] if card else [],
        "requests": requests_of(number, visit.now) if number else {},
    }


def _choices(sheet: Sheet) -> list[Choice]:
    rows = [row for row in (sheet.primary, *sheet.others) if row is not None]
    return [Choice(row, set(row.step.takes) <= {NOTE}, NOTE in row.step.requires) for row in rows]


def _order(visit: Visit, order_ref: str) -> dict[str, Any]:
    """The order that the request is about, with the history of both together."""
    page = queries.order_page(visit.actor, order_ref, visit.now)
    sheets = sheets_of(visit, page)
    facts = page.subject.facts
    attempts = facts.get("attempts") or {}
    quota = page.process.parameters.get(QUOTA)
    return {
        "order": sheets["sheet"],
        "order_facts": facts,
        "product": product_name(str(facts.get("product", ""))),
        "events": sheets["events"],
        "called": [CalledDay(day, int(count)) for day, count in sorted(attempts.items())],
        "quota": quota if isinstance(quota, int) else 0,
        "why": why_station(page, visit.now),
    }
