"""Taking a report while the caller is on the line: history, order form, station and duplicates."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import reverse

from mendline.dispatch.choosing import preview
from mendline.kernel.errors import Invalid, NotVisible, Refused
from mendline.kernel.ids import new_ref
from mendline.kernel.phones import NotAPhone, parse_phone
from mendline.kernel.text import Text
from mendline.network import areas
from mendline.network.directory import product_entry
from mendline.orders import queries
from mendline.process.loading import latest
from mendline.web.console.choices import options_for
from mendline.web.console.creating import Creation, ticket_for
from mendline.web.console.fields import Field, fields_of
from mendline.web.console.given import given_from
from mendline.web.console.rows import matches, order_rows
from mendline.web.console.shell import MAY_REPORT
from mendline.web.console.steps import begin_once, said_after
from mendline.web.console.visit import Visit, go, screen

PROCESS = "unified_repair"
# A station generates its own orders (COM-01); everybody else takes reports.
STEP_OF_ROLE = {"station_coordinator": "self_order"}
CALLER_ORDERS = 6


@screen
def intake(visit: Visit) -> HttpResponse:
    """The form (GET), or the order (POST)."""
    made = _creation(visit)
    if visit.request.method != "POST":
        return _draw(
            visit, made, fields_of(made.process, made.step, options=_options(visit), posted=_begun_with(visit))
        )
    try:
        order = begin_once(visit, made, given_from(visit.posted, made.process, made.step))
    except Refused as refusal:
        errors = refusal.fields if isinstance(refusal, Invalid) else None
        fields = fields_of(made.process, made.step, options=_options(visit), posted=visit.posted, errors=errors)
        return _draw(visit, made, fields, refusal)
    return go(visit, reverse("console:order", args=[order.ref]), said_after(made.process, made.step, order))


@screen
def caller(visit: Visit) -> HttpResponse:
    """Who is calling: what is known of the number, while it is typed. Posted, so that numbers stay out of logs."""
    _creation(visit)
    phone = _phone(visit)
    orders = queries.history_of_caller(visit.actor, phone, limit=CALLER_ORDERS) if phone else []
    context: dict[str, Any] = {"phone": phone, "orders": order_rows(orders, visit.now)}
    if orders:
        last = orders[0]
        context |= {
            "name": last.customer_name,
            "area": last.area,
            "address": last.address,
            "fill": {"customer.name": last.customer_name, "address": last.address},
        }
    return visit.render("console/intake/caller.html", context)


@screen
def proposal(visit: Visit) -> HttpResponse:
    """Which station would get it and why, and whether it is reported already."""
    _creation(visit)
    posted = visit.posted
    area, product = posted.get("area", ""), posted.get("product", "")
    stations: list[dict[str, Any]] | None = None
    entry = product_entry(product)
    if entry is not None and areas.exists(area) and visit.actor.role != "station_coordinator":
        stations = preview(area, entry.line, visit.now)
    phone, serial = _phone(visit), posted.get("serial_no", "").strip()[:40]
    found = queries.duplicates(visit.actor, phone=phone, serial_no=serial, now=visit.now) if phone or serial else []
    context = {"stations": stations, "duplicates": matches(found, visit.now, phone=phone)}
    return visit.render("console/intake/proposal.html", context)


def _creation(visit: Visit) -> Creation:
    if visit.actor.role not in MAY_REPORT:
        raise NotVisible
    process = latest(PROCESS)
    return Creation(process, process.transitions[STEP_OF_ROLE.get(visit.actor.role, "report")])


def _options(visit: Visit) -> Any:
    return options_for(visit.actor.station_no)


def _begun_with(visit: Visit) -> dict[str, str] | None:
    """What a link brought along, such as the number of a call that just came in."""
    phone = visit.asked("phone", 32)
    return {"customer.phone": phone} if phone else None


def _draw(visit: Visit, made: Creation, fields: list[Field], refusal: Refused | None = None) -> HttpResponse:
    problem = None
    if refusal is not None:
        problem = Text("请更正标出的项目", "Mend the marked fields") if isinstance(refusal, Invalid) else refusal.detail
    first, more = _arranged(fields)
    context = {
        "made": made,
        "first": first,
        "more": more,
        "more_open": any(field.value or field.error for field in more),
        "problem": problem,
        "rules": refusal.rules if refusal is not None and not isinstance(refusal, Invalid) else (),
        # A ticket that was used and refused is still good: nothing was created by it.
        "ticket": visit.posted.get("ticket")
        if visit.request.method == "POST"
        else ticket_for(new_ref(PROCESS, visit.now), visit.actor),
    }
    return visit.render("console/intake/page.html", context, status=422 if refusal else 200)


def _arranged(fields: list[Field]) -> tuple[list[Field], list[Field]]:
    """What must be asked first, in the file's order; what may be asked, folded away."""
    return [field for field in fields if field.required], [field for field in fields if not field.required]


def _phone(visit: Visit) -> str:
    try:
        return parse_phone(visit.posted.get("customer.phone", ""))
    except NotAPhone:
        return ""
