"""The figures over HTTP: the numbers of the console's pages, in the caller's scope, each with the orders behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from django.http import HttpResponse
from ninja import Query, Router, Schema
from pydantic import Field

from mendline.figures.asking import (
    DIMENSIONS,
    GROUPED_BY,
    MAY_SEE,
    Basis,
    Question,
    dimensions_of,
    read_count,
    read_filters,
)
from mendline.figures.cancellations import Row, cancellations
from mendline.figures.handovers import MOST_ROUTES, routes
from mendline.figures.listing import count_of, page_of
from mendline.figures.load import Load, loads
from mendline.figures.measures import MEASURES, Tally, percent_of
from mendline.figures.names import names_of
from mendline.figures.paths import mined
from mendline.figures.periods import Period, read_period
from mendline.figures.reckoning import as_of, overview
from mendline.kernel.errors import Forbidden, Invalid
from mendline.kernel.text import Text
from mendline.kernel.time import local_day
from mendline.web.api import shown
from mendline.web.api.calls import Call, answer, reading
from mendline.web.api.schemas import Limit, Texts, Word
from mendline.web.api.schemas import Row as OrderRow

MOST_WAYS = 100

router = Router(tags=["figures"])

Way = Annotated[str, Field(max_length=400, pattern=r"^[^\x00-\x1f\x7f]*$")]


class Asking(Schema):
    """Which days, and of what. Days are Shanghai-local; `from` and `to` go before `period`."""

    period: Word = ""
    first: Annotated[Word, Field(alias="from")] = ""
    last: Annotated[Word, Field(alias="to")] = ""
    region: Word = ""
    station: Word = ""
    product: Word = ""
    person: Word = ""
    canceller: Word = ""
    reason: Word = ""
    path: Word = ""
    route: Way = ""


class Days(Schema):
    first: str
    last: str


class FiguresOut(Schema):
    """Figures of the days asked for. `as_of` is when everything in the history had last been counted."""

    as_of: str | None
    is_complete: bool
    period: Days
    period_before: Days


class Share(Schema):
    percent: int | None
    part: int
    whole: int


class Side(Schema):
    counts: dict[str, int]
    shares: dict[str, Share]


class GroupOut(Schema):
    key: str
    name: Texts
    now: Side
    before: Side


class StepOut(Side):
    first: str
    last: str


class Summary(FiguresOut):
    by: str
    now: Side
    before: Side
    groups: list[GroupOut]
    series: list[StepOut]


class CancelledRow(Schema):
    key: str
    name: Texts
    now: int
    before: int
    reported: int | None
    percent: int | None


class CancellationsOut(FiguresOut):
    by: str
    cancelled: int
    cancelled_before: int
    reported: int
    reasons: list[CancelledRow]
    groups: list[CancelledRow]


class RouteOut(Schema):
    route: str
    stations: list[str]
    handovers: int
    came_back: bool
    orders: int
    open: int


class HandoversOut(FiguresOut):
    handed_over: int
    came_back: int
    routes: list[RouteOut]


class WayOut(Schema):
    path: int
    version: int
    steps: list[str]
    orders: int
    percent: int
    average_minutes: int
    contacts_late: int
    cancelled: int
    is_usual: bool
    undeclared: list[str]


class ArrowOut(Schema):
    source: str
    step: str
    target: str
    orders: int
    times: int
    is_declared: bool


class PathsOut(FiguresOut):
    ended: int
    as_usual: int
    undeclared: int
    different: int
    paths: list[WayOut]
    steps: list[ArrowOut]


class LoadOut(Schema):
    opening: int
    reported: int
    ended: int
    open: int


class LoadStep(LoadOut):
    first: str
    last: str


class LoadGroupOut(LoadOut):
    key: str
    name: Texts


class LoadsOut(FiguresOut):
    by: str
    total: LoadOut
    groups: list[LoadGroupOut]
    series: list[LoadStep]


class Behind(FiguresOut):
    """The orders behind a number; `count` is that number, `next` the `after` of the next page."""

    count: int
    items: list[OrderRow]
    next: str | None


By = Literal["", "region", "station", "product", "person"]
CancelledBy = Literal["", "region", "station", "product", "canceller"]


@router.get("/figures", response=Summary, operation_id="figures")
@reading
def figures(call: Call, asking: Query[Asking], by: By = "") -> HttpResponse:
    """Return shares and counts of a period beside the period before: in all, by group, step by step."""
    question = _question(call, asking)
    chosen = _by(question, by)
    found = overview(question, chosen)
    names = names_of(chosen, [group.key for group in found.groups])
    return answer(
        {
            **_frame(question), "by": chosen, "now": _side(found.now), "before": _side(found.before),
            "groups": [
                {"key": group.key, "name": names[group.key].as_dict(), "now": _side(group.now),
                 "before": _side(group.before)}
                for group in found.groups
            ],
            "series": [{**_days(step), **_side(tally)} for step, tally in found.series],
        }
    )  # fmt: skip


@router.get("/figures/cancellations", response=CancellationsOut, operation_id="figures_cancellations")
@reading
def figures_cancellations(call: Call, asking: Query[Asking], by: CancelledBy = "") -> HttpResponse:
    """Return the cancelled orders of a period by reason, and by region, station, product or who cancelled."""
    question = _question(call, asking)
    chosen = "canceller" if by == "canceller" else _by(question, by)
    found = cancellations(question, chosen)
    return answer(
        {
            **_frame(question), "by": chosen, "cancelled": found.now, "cancelled_before": found.before,
            "reported": found.reported, "reasons": _cancelled("reason", found.reasons),
            "groups": _cancelled(chosen, found.groups),
        }
    )  # fmt: skip


@router.get("/figures/handovers", response=HandoversOut, operation_id="figures_handovers")
@reading
def figures_handovers(call: Call, asking: Query[Asking]) -> HttpResponse:
    """Return between which stations orders went, loops first; at most 50 routes."""
    question = _question(call, asking)
    total = overview(question, dimensions_of(call.actor)[0]).now
    return answer(
        {
            **_frame(question), "handed_over": total["handed_over"], "came_back": total["came_back"],
            "routes": [
                {"route": row.key, "stations": list(row.stations), "handovers": row.handovers,
                 "came_back": row.came_back, "orders": row.orders, "open": row.open}
                for row in routes(question)[:MOST_ROUTES]
            ],
        }
    )  # fmt: skip


@router.get("/figures/paths", response=PathsOut, operation_id="figures_paths")
@reading
def figures_paths(call: Call, asking: Query[Asking]) -> HttpResponse:
    """Return which ways the ended orders of a period took through the procedure, the most frequent first."""
    question = _question(call, asking)
    found = mined(question)
    return answer(
        {
            **_frame(question), "ended": found.orders, "as_usual": found.as_usual, "undeclared": found.undeclared,
            "different": len(found.variants),
            "paths": [
                {"path": way.id, "version": way.version, "steps": list(way.steps), "orders": way.orders,
                 "percent": way.percent, "average_minutes": way.average_minutes, "contacts_late": way.contacts_late,
                 "cancelled": way.cancelled, "is_usual": way.is_usual,
                 "undeclared": [f"{one.source}:{one.step}:{one.target}" for one in way.undeclared]}
                for way in found.variants[:MOST_WAYS]
            ],
            "steps": [
                {"source": one.arrow.source, "step": one.arrow.step, "target": one.arrow.target, "orders": one.orders,
                 "times": one.passes, "is_declared": one.is_declared}
                for one in found.arrows
            ],
        }
    )  # fmt: skip


@router.get("/figures/load", response=LoadsOut, operation_id="figures_load")
@reading
def figures_load(call: Call, asking: Query[Asking], by: By = "") -> HttpResponse:
    """Return how much came, ended and was open: in all, by group, step by step."""
    question = _question(call, asking)
    chosen = _by(question, by)
    found = loads(question, chosen)
    names = names_of(chosen, [group.key for group in found.groups])
    return answer(
        {
            **_frame(question), "by": chosen, "total": _load(found.total),
            "groups": [
                {"key": group.key, "name": names[group.key].as_dict(), **_load(group.load)} for group in found.groups
            ],
            "series": [{**_days(step), **_load(load)} for step, load in found.series],
        }
    )  # fmt: skip


@router.get("/figures/orders", response=Behind, operation_id="figures_orders")
@reading
def figures_orders(
    call: Call, asking: Query[Asking], which: Word = "", basis: Basis = "reported", after: Word = "", limit: Limit = 50
) -> HttpResponse:
    """List the orders behind a number. `which` is a name under `counts`; `basis` says how the days are meant."""
    question = _question(call, asking)
    name = read_count(which)
    page = page_of(question, name, basis, after=after, limit=limit)
    return answer(
        {
            **_frame(question), "count": count_of(question, name, basis),
            "items": [shown.order_row(row, call.now) for row in page.orders], "next": page.after or None,
        }
    )  # fmt: skip


def _question(call: Call, asking: Asking) -> Question:
    """Return what is asked. What is not the caller's is counted as nothing, like what does not exist.

    Raises:
        Forbidden: figures are not for this role.
        Invalid: a day, a period or a number that is none.
    """
    if call.actor.role not in MAY_SEE:
        detail = Text("统计供协调员、大区和总部查看", "figures are for coordinators, regions and headquarters")
        raise Forbidden("wrong_role", detail)
    period = read_period(asking.period, asking.first, asking.last, today=local_day(call.now))
    given = {code: str(getattr(asking, code)) for code in DIMENSIONS}
    return Question(call.actor, period, read_filters(given))


def _by(question: Question, by: str) -> str:
    if by and by not in GROUPED_BY:
        raise Invalid({"by": Text("不是可用的分组", "not a way to group")})
    return by or dimensions_of(question.actor)[0]


def _frame(question: Question) -> dict[str, Any]:
    fresh = as_of()
    return {
        "as_of": fresh.at.isoformat() if fresh.at else None, "is_complete": not fresh.is_filling,
        "period": _days(question.period), "period_before": _days(question.period.before),
    }  # fmt: skip


def _days(period: Period) -> dict[str, str]:
    return {"first": period.first.isoformat(), "last": period.last.isoformat()}


def _side(tally: Tally) -> Mapping[str, Any]:
    shares = {
        code: {"percent": percent_of(tally, one), "part": tally[one.part], "whole": tally[one.whole]}
        for code, one in MEASURES.items()
    }
    return {"counts": dict(tally), "shares": shares}


def _cancelled(by: str, rows: list[Row]) -> list[dict[str, Any]]:
    names = names_of(by, [row.key for row in rows])
    return [
        {"key": row.key, "name": names[row.key].as_dict(), "now": row.now, "before": row.before,
         "reported": row.reported, "percent": row.percent}
        for row in rows
    ]  # fmt: skip


def _load(load: Load) -> dict[str, int]:
    return {"opening": load.opening, "reported": load.reported, "ended": load.ended, "open": load.open}
