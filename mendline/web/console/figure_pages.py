"""Figures: shares, cancellations, hand-overs, ways through the procedure, load; each number opens its orders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.urls import reverse

from mendline.figures.asking import BASES, DIMENSIONS, Basis, dimensions_of, read_count
from mendline.figures.cancellations import cancellations
from mendline.figures.handovers import routes
from mendline.figures.listing import count_of, page_of
from mendline.figures.load import loads
from mendline.figures.measures import COUNTS, MEASURES, percent_of
from mendline.figures.paths import mined
from mendline.figures.reckoning import AsOf, Overview, as_of, overview
from mendline.figures.sheets import workbook
from mendline.figures.tables import Table
from mendline.kernel.errors import Invalid, NotVisible
from mendline.kernel.text import Text
from mendline.kernel.time import moment_text
from mendline.web.console import figure_tables as made
from mendline.web.console.figure_address import (
    Asked,
    chosen_filters,
    days_said,
    presets_of,
    products_offered,
    read_asked,
    regions_offered,
    stations_offered,
)
from mendline.web.console.figure_charts import (
    Chart,
    load_chart,
    reasons_chart,
    routes_chart,
    shares_chart,
    volume_chart,
    ways_chart,
)
from mendline.web.console.in_turn import in_turn
from mendline.web.console.rows import order_rows
from mendline.web.console.visit import Visit, screen

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
OLD_AFTER = timedelta(minutes=5)
TABS = (
    ("console:figures", Text("概览", "Overview")),
    ("console:figures_cancellations", Text("撤单", "Cancellations")),
    ("console:figures_handovers", Text("改派往返", "Hand-overs")),
    ("console:figures_paths", Text("流程路径", "Paths")),
    ("console:figures_load", Text("数量与在途", "Volume and load")),
    ("console:figures_daily", Text("日报", "Daily report")),
)


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure large, with what it was reckoned from, and the period before."""

    label: Text
    value: str
    href: str
    part: int | None = None
    whole: int | None = None
    part_href: str = ""
    whole_href: str = ""
    change: Text | None = None
    is_better: bool | None = None  # than before; None: neither, or nobody can say
    is_weak: bool = False
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Sight:
    """What a page shows: figures large, charts, tables."""

    title: Text
    tiles: Sequence[Tile]
    charts: Sequence[Chart]
    tables: Sequence[Table]
    says: Text | None = None


def overview_sight(asked: Asked) -> Sight:
    found = overview(asked.question, asked.by)
    tables = [made.group_table(asked, found), made.series_table(asked, found)]
    charts = [shares_chart(found), volume_chart(found)]
    return Sight(Text("统计", "Figures"), overview_tiles(asked, found), charts, tables)


def overview_tiles(asked: Asked, found: Overview) -> list[Tile]:
    reported, before = found.now["reported"], found.before["reported"]
    tiles = [count_tile(asked, "reported", reported, before)]
    for measure in MEASURES.values():
        now, then = percent_of(found.now, measure), percent_of(found.before, measure)
        better = None if now is None or then is None or now == then else (now > then) == (measure.better == "more")
        tiles.append(
            Tile(measure.label, "—" if now is None else f"{now}%", asked.orders(measure.list),
                 found.now[measure.part], found.now[measure.whole], asked.orders(measure.part),
                 asked.orders(measure.whole), made.change(now, then, points=True), better, measure.is_weak(now),
                 measure.rule)
        )  # fmt: skip
    return tiles


def count_tile(asked: Asked, which: str, now: int, before: int | None, *, label: Text | None = None) -> Tile:
    said = made.change(now, before, points=False) if before is not None else None
    return Tile(label or COUNTS[which].label, f"{now:,}", asked.orders(which) if now else "", change=said)


def cancellations_sight(asked: Asked) -> Sight:
    found = cancellations(asked.question, asked.by)
    percent = 100 * found.now // found.reported if found.reported else None
    before = 100 * found.before // found.reported_before if found.reported_before else None
    tiles = [
        count_tile(asked, "cancelled", found.now, found.before),
        Tile(Text("占报修", "Of reported"), "—" if percent is None else f"{percent}%", asked.orders("cancelled"),
             found.now, found.reported, asked.orders("cancelled"), "", made.change(percent, before, points=True),
             None if percent is None or before in (None, percent) else percent < (before or 0),
             MEASURES["cancelled"].is_weak(percent), "CAN-27"),
    ]  # fmt: skip
    tables = [made.cancelled_by_table(asked, found), made.reason_table(asked, found)]
    return Sight(Text("撤单统计", "Cancellations"), tiles, [reasons_chart(found)], tables)


def handovers_sight(asked: Asked) -> Sight:
    found, ways = overview(asked.question, asked.by), routes(asked.question)
    tiles = [count_tile(asked, name, found.now[name], found.before[name]) for name in ("handed_over", "came_back")]
    tables = [made.route_table(asked, ways), made.handover_group_table(asked, found)]
    says = Text(
        "撤单改派会另立新单；这里把前后相接的单连成一条路线，看它在维修站之间怎样转。",
        "A cancelled and reassigned order gets a new one; here orders that follow each other are one route.",
    )
    return Sight(Text("改派往返", "Hand-overs"), tiles, [routes_chart(ways)], tables, says)


def paths_sight(asked: Asked) -> Sight:
    found = mined(asked.question)
    usual = 100 * found.as_usual // found.orders if found.orders else None
    usual_href = asked.orders("ended", only={"path": str(found.variants[0].id)}) if found.variants else ""
    tiles = [
        count_tile(asked, "ended", found.orders, None),
        Tile(Text("走最常见路径", "Took the usual path"), "—" if usual is None else f"{usual}%", usual_href,
             found.as_usual, found.orders, usual_href, asked.orders("ended")),
        Tile(Text("实际路径", "Paths taken"), f"{len(found.variants):,}", ""),
        Tile(Text("含流程外步骤", "Undeclared steps"), f"{found.undeclared:,}", "", is_weak=bool(found.undeclared)),
    ]  # fmt: skip
    says = Text(
        "每条路径与最常见的一条比较：＋是多出的步骤，划去的是没有走的步骤。只算已结束的维修单。",
        "Every path beside the most frequent one: + is a step more, struck out is a step left out. Ended orders only.",
    )
    tables = [made.way_table(asked, found), made.arrow_table(asked, found), made.never_table(found)]
    return Sight(Text("流程路径", "Paths"), tiles, [ways_chart(found)], tables, says)


def load_sight(asked: Asked) -> Sight:
    found = loads(asked.question, asked.by)
    total = found.total
    tiles = [
        Tile(Text("期初在途", "Open before"), f"{total.opening:,}", made.open_before(asked, asked.period)),
        count_tile(asked, "reported", total.reported, None),
        Tile(COUNTS["ended"].label, f"{total.ended:,}", asked.orders("reported", basis="ended")),
        Tile(Text("期末在途", "Open after"), f"{total.open:,}", asked.orders("reported", basis="open")),
    ]  # fmt: skip
    tables = [made.load_group_table(asked, found), made.load_table(asked, found)]
    return Sight(Text("数量与在途", "Volume and load"), tiles, [load_chart(found)], tables)


SIGHTS: dict[str, tuple[str, Callable[[Asked], Sight]]] = {
    "overview": ("console:figures", overview_sight),
    "cancellations": ("console:figures_cancellations", cancellations_sight),
    "handovers": ("console:figures_handovers", handovers_sight),
    "paths": ("console:figures_paths", paths_sight),
    "load": ("console:figures_load", load_sight),
}


@screen
def sight(visit: Visit, name: str = "overview") -> HttpResponse:
    """One page of figures."""
    route, see = SIGHTS[name]
    asked = read_asked(visit, dimensions=dimensions_on(visit, name))
    shown = see(asked)
    data = [(chart, chart.as_data(visit.language)) for chart in shown.charts if not chart.is_empty]
    excel = f"{reverse('console:figures_sheet', args=[name])}?{visit.request.GET.urlencode()}"
    context = {
        **frame(visit, asked, route), "sight": shown, "charts": data, "excel": excel,
        "switches": [] if name == "paths" else switches_of(asked, route, dimensions_on(visit, name)),
    }  # fmt: skip
    return visit.render("console/figures/page.html", context, status=422 if asked.fault else 200)


def dimensions_on(visit: Visit, name: str) -> tuple[str, ...]:
    """Return by what a page tells figures apart: who cancelled is not who was sent."""
    found = dimensions_of(visit.actor)
    if name == "cancellations":
        return tuple("canceller" if code == "person" else code for code in found)
    return found


def switches_of(asked: Asked, route: str, codes: Sequence[str]) -> list[tuple[Text, str, bool]]:
    return [(DIMENSIONS[code].label, asked.address(route, by=code), code == asked.by) for code in codes]


def frame(visit: Visit, asked: Asked, route: str) -> dict[str, Any]:
    """Return what surrounds every page of figures: tabs, filters, as of when."""
    fresh = as_of()
    regions, stations, products = regions_offered(asked), stations_offered(asked), products_offered(asked)
    return {
        "tabs": [(label, asked.address(tab, by=""), tab == route) for tab, label in TABS],
        "asked": asked, "days": days_said(asked.period), "before": days_said(asked.period.before),
        "presets": presets_of(asked, route), "regions": regions, "stations": stations, "products": products,
        "choices": (regions, stations, products), "chosen": chosen_filters(asked, route), "here": reverse(route),
        "as_of": fresh, "is_old": is_old(fresh, visit),
    }  # fmt: skip


def is_old(fresh: AsOf, visit: Visit) -> bool:
    return fresh.at is None or visit.now - fresh.at > OLD_AFTER


@screen
@in_turn
def sheet(visit: Visit, name: str) -> HttpResponse:
    """What a page shows, as a spreadsheet, with all rows."""
    if name not in SIGHTS:
        raise NotVisible
    asked = read_asked(visit, dimensions=dimensions_on(visit, name))
    shown = SIGHTS[name][1](asked)
    content = workbook(shown.tables, about(asked, shown, visit), language=visit.language)
    response = HttpResponse(content, content_type=XLSX)
    days = f"{asked.period.first:%Y%m%d}-{asked.period.last:%Y%m%d}"
    response["Content-Disposition"] = f'attachment; filename="figures-{name}-{days}.xlsx"'
    return response


def about(asked: Asked, shown: Sight, visit: Visit) -> list[tuple[Text, Text]]:
    """Return what a spreadsheet's figures are of."""
    fresh = as_of()
    never = Text("尚未统计", "not counted yet")
    lines = [
        (Text("内容", "Content"), shown.title),
        (Text("时间段", "Period"), days_said(asked.period)),
        (Text("比较的上期", "Compared with"), days_said(asked.period.before)),
        (Text("统计截至", "As of"), moment_text(fresh.at) if fresh.at else never),
    ]
    lines += [(DIMENSIONS[code].label, Text(value, value)) for code, value in asked.question.only.items()]
    lines += [(tile.label, Text(*[f"{tile.value} ({tile.part}/{tile.whole})" if tile.whole else tile.value] * 2))
              for tile in shown.tiles]  # fmt: skip
    return lines


@screen
def orders(visit: Visit) -> HttpResponse:
    """The orders behind a number, page by page."""
    asked = read_asked(visit)
    which, fault = "reported", asked.fault
    try:
        which = read_count(visit.asked("which"))
        basis = read_basis(visit.asked("basis"))
        page = page_of(asked.question, which, basis, after=visit.asked("after"))
    except Invalid as problem:
        fault, basis = next(iter(problem.fields.values())), "reported"
        page = page_of(asked.question, which, basis)
    context = {
        **frame(visit, asked, "console:figure_orders"), "rows": order_rows(page.orders, visit.now),
        "next_after": page.after, "count": count_of(asked.question, which, basis), "heading": COUNTS[which].label,
        "basis": BASIS_SAID[basis], "fault": fault, "which": which, "basis_code": basis,
    }  # fmt: skip
    return visit.render("console/figures/orders.html", context, status=422 if fault else 200)


BASIS_SAID: dict[Basis, Text] = {
    "reported": Text("报修于 {days}", "Reported {days}"),
    "ended": Text("结束于 {days}", "Ended {days}"),
    "open": Text("到 {days} 结束时仍在途", "Still open at the end of {days}"),
}


def read_basis(name: str) -> Basis:
    """Return a basis; raises Invalid for one that there is not."""
    for basis in BASES:
        if name in ("", basis):
            return basis
    raise Invalid({"basis": Text("可用：reported、ended、open", "use reported, ended or open")})
