"""What stands in the address of the figures' pages: days, filters, by what they are told apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlencode

from django.urls import reverse

from mendline.access.actors import OF_A_STATION, Actor
from mendline.care.scorecards import stations_of
from mendline.figures.asking import DIMENSIONS, MAY_SEE, NONE, Basis, Question, dimensions_of, read_filters
from mendline.figures.names import name_asked_for
from mendline.figures.paths import Arrow, paths_along
from mendline.figures.periods import PRESETS, Period, preset_period, read_period
from mendline.kernel.errors import Invalid, NotVisible
from mendline.kernel.text import Text
from mendline.kernel.time import day_text, local_day
from mendline.network.models import Product, Region, Station
from mendline.web.console.visit import Visit

LONGEST = {"route": 400, "reason": 40, "arrow": 140}
MOST_OFFERED = 400  # stations in one field of choice; beyond that a region is chosen first


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page of figures was asked for. `fault` is what was not understood; the usual days stand in for it."""

    question: Question
    by: str
    arrow: str = ""
    fault: Text | None = None

    @property
    def period(self) -> Period:
        return self.question.period

    def address(self, route: str, /, **changed: str) -> str:
        """Return a page's address with these days and filters; an empty change drops one."""
        pairs = {**self._days(), **self.question.only, "arrow": self.arrow, "by": self.by, **changed}
        query = urlencode({name: value for name, value in pairs.items() if value})
        return f"{reverse(route)}?{query}" if query else reverse(route)

    def orders(
        self,
        which: str,
        *,
        basis: Basis = "reported",
        period: Period | None = None,
        only: Mapping[str, str] | None = None,
    ) -> str:
        """Return the address of the list of the orders that a number counts."""
        days = period or self.period
        pairs: dict[str, str] = {
            "which": which if which != "reported" else "",
            "basis": basis if basis != "reported" else "",
            "from": days.first.isoformat(), "to": days.last.isoformat(),
            **self.question.only, "arrow": self.arrow, **(only or {}),
        }  # fmt: skip
        query = urlencode({name: value for name, value in pairs.items() if value})
        return f"{reverse('console:figure_orders')}?{query}"

    def _days(self) -> dict[str, str]:
        if self.period.preset:
            return {"period": self.period.preset}
        return {"from": self.period.first.isoformat(), "to": self.period.last.isoformat()}


@dataclass(frozen=True, slots=True)
class Chosen:
    """One filter that is set and has no field of its own: what it says, and the address without it."""

    label: Text
    value: Text
    without: str


@dataclass(frozen=True, slots=True)
class Option:
    """One entry of a field of choice."""

    value: str
    label: Text
    active: bool


def read_asked(visit: Visit, *, dimensions: tuple[str, ...] = ()) -> Asked:
    """Read the address for this person; `dimensions` are those of the page, by default those of the person.

    Raises:
        NotVisible: figures are not for this role, or the station or region named is not theirs.
    """
    if visit.actor.role not in MAY_SEE:
        raise NotVisible
    given = {name: visit.asked(name, LONGEST.get(name, 40)) for name in (*DIMENSIONS, "arrow", "by")}
    return asked_of(visit.actor, visit.now, given, (visit.asked("period"), visit.asked("from"), visit.asked("to")),
                    dimensions or dimensions_of(visit.actor))  # fmt: skip


def asked_of(
    actor: Actor, now: datetime, given: Mapping[str, str], days: tuple[str, str, str], dimensions: tuple[str, ...]
) -> Asked:
    """Make a question of what was given; what cannot be understood becomes a `fault` in words."""
    today = local_day(now)
    faults: list[Text] = []
    period = preset_period("30d", today)
    try:
        period = read_period(*days, today=today)
    except Invalid as problem:
        faults += problem.fields.values()
    only: dict[str, str] = {}
    try:
        only = read_filters(given)
    except Invalid as problem:
        faults += problem.fields.values()
    _refuse_strangers(actor, only)
    arrow = given.get("arrow", "")
    paths = paths_along(read_arrow(arrow)) if arrow else None
    by = given.get("by", "")
    fault = Text("；".join(one.zh for one in faults), "; ".join(one.en for one in faults)) if faults else None
    return Asked(Question(actor, period, only, paths), by if by in dimensions else dimensions[0], arrow, fault)


def read_arrow(text: str) -> Arrow:
    """Return the arrow that an address names as `from:step:to`; raises NotVisible where it is none."""
    parts = text.split(":")
    if len(parts) != 3:
        raise NotVisible
    return Arrow(*parts)


def _refuse_strangers(actor: Actor, only: Mapping[str, str]) -> None:
    """A station or region that is not theirs looks like one that does not exist."""
    station, region = only.get("station", ""), only.get("region", "")
    if station not in ("", NONE) and not stations_of(actor).filter(number=station).exists():
        raise NotVisible
    if region not in ("", NONE) and not (
        Region.objects.filter(code=region).exists() and (actor.sees_everything or region == actor.region)
    ):
        raise NotVisible


def presets_of(asked: Asked, route: str) -> list[tuple[Text, str, bool]]:
    """Return the presets with their addresses, the chosen one marked."""
    days_open = {"from": "", "to": ""}
    return [
        (label, asked.address(route, **days_open, period=name), name == asked.period.preset)
        for name, (label, _) in PRESETS.items()
    ]


def regions_offered(asked: Asked) -> list[Option]:
    """Return the regions to choose from; none for whoever sees one only."""
    if not asked.question.actor.sees_everything:
        return []
    chosen = asked.question.only.get("region", "")
    return [
        Option(code, Text(name, name), code == chosen)
        for code, name in Region.objects.order_by("code").values_list("code", "name")
    ]


def stations_offered(asked: Asked) -> list[Option]:
    """Return the stations to choose from; none for a station, or where there are too many without a region."""
    actor, only = asked.question.actor, asked.question.only
    if actor.role in OF_A_STATION:
        return []
    rows = stations_of(actor).filter(head=None)
    if region := only.get("region"):
        rows = rows.filter(region_id=region)
    found: list[Station] = list(rows.order_by("number")[: MOST_OFFERED + 1])
    if len(found) > MOST_OFFERED:
        found = [station for station in found if station.number == only.get("station")]
    return [Option(s.number, Text(str(s), str(s)), s.number == only.get("station")) for s in found]


def products_offered(asked: Asked) -> list[Option]:
    chosen = asked.question.only.get("product", "")
    rows = Product.objects.order_by("line_id", "code").values_list("code", "name_zh", "name_en")
    return [Option(code, Text(zh, en), code == chosen) for code, zh, en in rows]


def chosen_filters(asked: Asked, route: str) -> list[Chosen]:
    """Return the filters that no field of the form shows: they came with a click on a number."""
    found: list[Chosen] = []
    for code in asked.question.only:
        if code not in ("region", "station", "product"):
            name = name_asked_for(asked.question, code)
            found.append(Chosen(DIMENSIONS[code].label, name, asked.address(route, **{code: ""})))
    if asked.arrow:
        shown = Text(*[" → ".join(asked.arrow.split(":"))] * 2)
        found.append(Chosen(Text("步骤", "Step"), shown, asked.address(route, arrow="")))
    return found


def days_said(period: Period) -> Text:
    """Return the days as people say them.

    >>> from datetime import date
    >>> days_said(Period(date(2026, 3, 1), date(2026, 3, 2))).zh
    '2026年3月1日 周日 至 2026年3月2日 周一'
    """
    first, last = (day_text(day, today=day.replace(year=2000, day=1)) for day in (period.first, period.last))
    if period.days == 1:
        return first
    return Text(f"{first.zh} 至 {last.zh}", f"{first.en} to {last.en}")


def but(asked: Asked, **only: str) -> Asked:
    """Return the same question with other filters."""
    kept = {**asked.question.only, **only}
    question = asked.question.but(only={code: value for code, value in kept.items() if value})
    return replace(asked, question=question)
