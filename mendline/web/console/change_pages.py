"""Coverage change requests: all of them, and one with what would be different and for how many orders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse

from mendline.access.actors import OF_A_STATION
from mendline.dispatch.choice import Verdict
from mendline.dispatch.current import current_index
from mendline.dispatch.effect_of_change import UNDECIDED, Effect, Planned, effect_of, standing_of
from mendline.dispatch.explanations import readable
from mendline.kernel.errors import NotVisible
from mendline.kernel.text import Text
from mendline.kernel.time import local_day
from mendline.network.day_seats import value_on
from mendline.network.history import capacity_periods
from mendline.orders import store
from mendline.orders.models import Record
from mendline.orders.store import Loaded
from mendline.process.loading import latest, process_for
from mendline.web.console.creating import creations_for
from mendline.web.console.network_frame import SEES_THE_NETWORK, area_text, network_page, only_for
from mendline.web.console.rows import RecordRow, record_rows
from mendline.web.console.seat_rows import line_names
from mendline.web.console.visit import Visit, screen

PROCESS, PREFIX = "coverage_change", "FG"
PAGE = 50
NAMED = 8  # stations on either side of before and after


@dataclass(frozen=True, slots=True)
class Flow:
    """So many orders from one station to another, with their names; without a number nobody takes them."""

    before: str
    before_name: str
    after: str
    after_name: str
    orders: int


@dataclass(frozen=True, slots=True)
class Rival:
    """One station that would be considered, as a line of before or after."""

    station: str
    name: str
    chosen: bool
    why: dict[str, str]
    is_subject: bool


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One request of the list: how it stands, what it asks for, and why."""

    row: RecordRow
    what: Text
    reason: str


@screen
def coverage_changes(visit: Visit) -> HttpResponse:
    """Requests in the person's scope, the newest first; a page is found by key."""
    only_for(visit, SEES_THE_NETWORK | OF_A_STATION)
    process = latest(PROCESS)
    state, after = visit.asked("state", 20), visit.asked("after", 32)
    rows = Record.objects.visible_to(visit.actor).filter(process=PROCESS, ref__gte=PREFIX, ref__lt=PREFIX + "~")
    if state in process.states:
        rows = rows.filter(state=state)
    station = visit.asked("station", 12)
    if station:
        rows = rows.filter(station_no=station)
    if after:
        rows = rows.filter(ref__lt=after)
    found = list(rows.order_by("-ref")[: PAGE + 1])  # numbers sort by creation
    context = {
        "rows": _change_rows(found[:PAGE], visit), "next": found[PAGE - 1].ref if len(found) > PAGE else "",
        "states": [(code, one.label) for code, one in process.states.items()], "state": state, "station": station,
        "creations": [made for made in creations_for(visit.actor, None) if made.process.code == PROCESS],
    }  # fmt: skip
    return network_page(visit, "coverage_changes", "changes.html", context)


def _change_rows(records: list[Record], visit: Visit) -> list[ChangeRow]:
    lines = line_names()
    rows = zip(record_rows(records, visit.now), records, strict=True)
    return [ChangeRow(row, _what(one, lines), str(one.facts.get("change_reason") or "")) for row, one in rows]


def _what(record: Record, lines: dict[str, Text]) -> Text:
    """Return what a request asks for in one sentence."""
    facts = record.facts
    kind = process_for(record.process, record.process_version).facts["change_kind"].of.get(
        str(facts.get("change_kind")), Text("", "")
    )  # fmt: skip
    code = str(facts.get("product_line") or "")
    line, day = lines.get(code, Text(code, code)), str(facts.get("effective_from") or "")
    if facts.get("change_kind") == "set_capacity":
        per_day = facts.get("per_day")
        what = Text(f"每日 {per_day} 单", f"{per_day} a day")
    else:
        what = area_text(str(facts.get("area") or ""))
    return Text(f"{kind.zh}：{line.zh}，{what.zh}，{day} 起", f"{kind.en}: {line.en}, {what.en}, from {day}")


@screen
def change_effect(visit: Visit, ref: str) -> HttpResponse:
    """What a request would change, before and after; for a page that shows the request, that part alone."""
    request = store.load(ref, actor=visit.actor)
    if request.process != PROCESS:
        raise NotVisible
    context = effect_context(visit, request)
    if visit.by_htmx:
        return visit.render("console/network/effect.html", context)
    return network_page(visit, "coverage_changes", "change.html", context)


def effect_context(visit: Visit, request: Loaded) -> dict[str, Any]:
    """Return everything that the effect of a request shows. Who belongs to a station learns nothing of others."""
    process = process_for(request.process, request.process_version)
    facts, today = request.facts, local_day(visit.now)
    planned = Planned.of(facts, today)
    context: dict[str, Any] = {
        "change": request, "state": process.states[request.state].label, "planned": planned,
        "kind": process.facts["change_kind"].of.get(planned.kind, Text(planned.kind, planned.kind)),
        "line_name": line_names().get(planned.line, Text(planned.line, planned.line)),
        "area_name": area_text(planned.area) if planned.area else None, "sees": visit.actor.role in SEES_THE_NETWORK,
        "undecided": request.state in UNDECIDED,
    }  # fmt: skip
    if planned.kind == "set_capacity":
        periods = capacity_periods([planned.station]).get((planned.station, planned.line), [])
        context["seats_before"] = value_on(periods, planned.day)
    index = current_index(visit.now)
    if (
        request.state not in UNDECIDED
        or visit.actor.role not in SEES_THE_NETWORK
        or planned.station not in index.stations
    ):
        return context
    names = {row.number: row.name for row in index.stations.values()}
    effect = effect_of(planned, visit.now)
    standing = standing_of(planned, visit.now)
    subject = index.stations[planned.station].head or planned.station
    return context | {
        "effect": effect, "headline": headline(effect), "flows": _flows(effect, names),
        "before": _rivals(standing.before, names, subject) if standing else [],
        "after": _rivals(standing.after, names, subject) if standing else [],
        "has_standing": standing is not None,
    }  # fmt: skip


def headline(effect: Effect) -> Text:
    """Return the one sentence that decides."""
    if not effect.orders:
        return Text(
            "近30天没有涉及的报修，看不出影响", "No report of the last 30 days is concerned, so nothing can be told"
        )
    return Text(
        f"近30天涉及的 {effect.orders} 单中，{effect.orders_moved} 单会派往别处",
        f"{effect.orders_moved} of {effect.orders} orders of the last 30 days would have gone elsewhere",
    )


def _flows(effect: Effect, names: dict[str, str]) -> list[Flow]:
    return [
        Flow(one.station_before, names.get(one.station_before, ""), one.station_after,
             names.get(one.station_after, ""), one.orders)
        for one in effect.moved
    ]  # fmt: skip


def _rivals(verdicts: tuple[Verdict, ...], names: dict[str, str], subject: str) -> list[Rival]:
    told = readable({"stations": [list(verdict) for verdict in verdicts[:NAMED]]}, names)
    return [Rival(one["station"], one["name"], one["chosen"], one["why"], one["station"] == subject) for one in told]
