"""The daily report: one day beside the day before and the month so far; a page to print, and a PDF."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from django.http import HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse

from mendline.figures.asking import dimensions_of
from mendline.figures.cancellations import cancellations
from mendline.figures.listing import page_of
from mendline.figures.load import loads
from mendline.figures.measures import COUNTS, MEASURES, percent_of
from mendline.figures.names import names_of
from mendline.figures.periods import DAY, EARLIEST, LATEST, Period
from mendline.figures.reckoning import as_of, overview
from mendline.figures.tables import Cell, Column, Table
from mendline.kernel.text import Text
from mendline.kernel.time import day_text, local_day
from mendline.web.console import figure_tables as made
from mendline.web.console.figure_address import Asked, read_asked, regions_offered, stations_offered
from mendline.web.console.figure_pages import frame
from mendline.web.console.rows import OrderRow, order_rows
from mendline.web.console.visit import Visit, screen
from mendline.web.print.paper import pdf_of

STYLES = Path(__file__).parent.parent / "static" / "dist" / "report.css"
MOST_LISTED = 20
LISTED = ("contacts_late", "promises_broken")
COUNTED = ("reported", "cancelled", "handed_over", "reopened")


@dataclass(frozen=True, slots=True)
class Trouble:
    """The orders that the day's report names, the newest first; `more` are left to the list."""

    heading: Text
    href: str
    rows: Sequence[OrderRow]
    more: bool


@dataclass(frozen=True, slots=True)
class Report:
    """All of one day."""

    day: date
    asked: Asked
    place: Text
    tables: Sequence[Table]
    troubles: Sequence[Trouble]


@screen
def daily(visit: Visit) -> HttpResponse:
    """The report as a page; printed, it is a page of paper."""
    report, fault = _report(visit)
    context = {
        **frame(visit, report.asked, "console:figures_daily"), "report": report, "sight": {"title": TITLE},
        "days": day_text(report.day, today=report.day.replace(year=2000, day=1)),
        "eve": report.day - DAY, "morrow": report.day + DAY, "fault": fault,
        "pdf": f"{reverse('console:figures_daily_pdf')}?{visit.request.GET.urlencode()}",
    }  # fmt: skip
    return visit.render("console/figures/daily.html", context, status=422 if fault else 200)


@screen
def daily_pdf(visit: Visit) -> HttpResponse:
    """The same as a PDF, in the language of the page."""
    report, _ = _report(visit)
    days = day_text(report.day, today=report.day.replace(year=2000, day=1))
    context = {"report": report, "days": days, "as_of": as_of(), "title": TITLE}
    page = render_to_string("print/daily_figures.html", context, visit.request)
    response = HttpResponse(pdf_of(page, STYLES), content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="daily-{report.day:%Y%m%d}.pdf"'
    return response


TITLE = Text("统修日报", "Daily report")


def _report(visit: Visit) -> tuple[Report, Text | None]:
    """Reckon the day that the address names, by default yesterday."""
    asked = read_asked(visit)
    day, fault = _day(visit, local_day(visit.now) - DAY)
    by = next(code for code in dimensions_of(visit.actor) if code not in asked.question.only)
    asked = replace(asked, question=asked.question.but(period=Period(day, day)), by=by)
    month = replace(asked, question=asked.question.but(period=Period(day.replace(day=1), day)))
    tables = [_shares(asked, month), _load(asked, month), made.group_table(asked, overview(asked.question, by)),
              made.reason_table(asked, cancellations(asked.question, by))]  # fmt: skip
    troubles = [_trouble(asked, which, visit) for which in LISTED]
    return Report(day, asked, _place(asked), tables, troubles), fault


def _day(visit: Visit, usual: date) -> tuple[date, Text | None]:
    text = visit.asked("day", 10)
    try:
        day = date.fromisoformat(text) if text else usual
        if not EARLIEST < day <= LATEST:
            raise ValueError(text)
        return day, None
    except ValueError:
        return usual, Text("日期应写成 2026-03-02，下面是昨天", "write the day like 2026-03-02; below is yesterday")


def _shares(asked: Asked, month: Asked) -> Table:
    """Every figure: the day, the day before, the month so far."""
    found, so_far = overview(asked.question, asked.by), overview(month.question, month.by)
    eve = asked.period.before
    rows = [
        [Cell(COUNTS[name].label), made.count_cell(asked, name, found.now[name]),
         made.count_cell(asked, name, found.before[name], period=eve),
         made.count_cell(month, name, so_far.now[name])]
        for name in COUNTED
    ]  # fmt: skip
    for measure in MEASURES.values():
        change = made.change(percent_of(found.now, measure), percent_of(found.before, measure), points=True)
        rows.append(
            [Cell(measure.label, note=None), replace(made.share_cell(asked, found.now, measure), note=change),
             made.share_cell(asked, found.before, measure, period=eve), made.share_cell(month, so_far.now, measure)]
        )  # fmt: skip
    return Table("shares", Text("当日指标", "The day's figures"), _columns(), rows)


def _load(asked: Asked, month: Asked) -> Table:
    eve = replace(asked, question=asked.question.but(period=asked.period.before))
    sides = [(one, loads(one.question, one.by).total) for one in (asked, eve, month)]
    rows = [
        [Cell(Text("期初在途", "Open before")), *(
            Cell(number=load.opening, href=made.open_before(one, one.period)) for one, load in sides)],
        [Cell(COUNTS["ended"].label), *(made.basis_cell(one, "ended", load.ended) for one, load in sides)],
        [Cell(Text("期末在途", "Open after")), *(made.basis_cell(one, "open", load.open) for one, load in sides)],
    ]  # fmt: skip
    return Table("load", Text("在途", "Open orders"), _columns(), rows)


def _columns() -> list[Column]:
    return [
        Column(Text("指标", "Figure"), "text"), Column(Text("当日", "The day")), Column(Text("前一日", "Day before")),
        Column(Text("本月累计", "Month so far")),
    ]  # fmt: skip


def _trouble(asked: Asked, which: str, visit: Visit) -> Trouble:
    page = page_of(asked.question, which, limit=MOST_LISTED)
    return Trouble(COUNTS[which].label, asked.orders(which), order_rows(page.orders, visit.now), bool(page.after))


def _place(asked: Asked) -> Text:
    """Return whose day it is: a station's, a region's, or that of all."""
    for options in (stations_offered(asked), regions_offered(asked)):
        for one in options:
            if one.active:
                return one.label
    actor = asked.question.actor
    if actor.sees_everything:
        return Text("全国", "All regions")
    name = actor.station_no or actor.region
    return names_of("station" if actor.station_no else "region", [name])[name]
