"""Taking a report while the caller is on the line: history, order form, station, duplicates and what to ask."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.http import HttpResponse
from django.urls import reverse

from mendline.dispatch.choosing import preview
from mendline.intake.hints import hints_for
from mendline.kernel.errors import Invalid, NotVisible, Refused
from mendline.kernel.ids import new_ref
from mendline.kernel.phones import NotAPhone, parse_phone
from mendline.kernel.text import Text
from mendline.network import areas
from mendline.network.directory import product_entry
from mendline.orders import queries
from mendline.orders.models import RepairOrder
from mendline.process.loading import latest
from mendline.web.console.choices import options_for
from mendline.web.console.creating import Creation, ref_of_ticket, ticket_for
from mendline.web.console.fact_words import product_name
from mendline.web.console.fields import Field, fields_of
from mendline.web.console.given import given_from
from mendline.web.console.intake_duplicates import Asked, duplicates_of
from mendline.web.console.intake_reading import Offer, read_line
from mendline.web.console.rows import order_rows
from mendline.web.console.shell import MAY_REPORT
from mendline.web.console.steps import begin_once, said_after
from mendline.web.console.visit import Visit, go, screen

PROCESS = "unified_repair"
# A station generates its own orders (COM-01); everybody else takes reports.
STEP_OF_ROLE = {"station_coordinator": "self_order"}
CALLER_ORDERS = 6
MACHINES = 3
# The order in which a caller tells it. What is named here is always in sight; the rest is folded away.
TOLD = ("customer", "area", "address", "product", "serial_no", "fault", "service_mode", "wished_at")
UNSEEN = Text(
    "有推测的内容还没有核对，请看过标着“推测”的项目", "Some values are guesses nobody has looked at: check those marked"
)


@screen
def intake(visit: Visit) -> HttpResponse:
    """The form (GET), or the order (POST)."""
    made = _creation(visit)
    if visit.request.method != "POST":
        return _draw(visit, made, _fields(visit, made, posted=_begun_with(visit)))
    try:
        if visit.posted.get("guessed", "").strip():
            raise Refused("guesses_unseen", UNSEEN)
        order = begin_once(visit, made, given_from(visit.posted, made.process, made.step))
    except Refused as refusal:
        errors = refusal.fields if isinstance(refusal, Invalid) else None
        return _draw(visit, made, _fields(visit, made, posted=visit.posted, errors=errors), refusal)
    return go(visit, reverse("console:order", args=[order.ref]), said_after(made.process, made.step, order))


@screen
def read(visit: Visit) -> HttpResponse:
    """What a pasted line says. Posted, so that numbers and names stay out of logs."""
    made = _creation(visit)
    return visit.render("console/intake/read.html", {"found": read_line(visit, made.step), "field_name": "area"})


@screen
def caller(visit: Visit) -> HttpResponse:
    """Who is calling: what is known of the number, while it is typed. Posted, so that numbers stay out of logs."""
    _creation(visit)
    phone = _phone(visit)
    orders = queries.history_of_caller(visit.actor, phone, limit=CALLER_ORDERS) if phone else []
    context: dict[str, Any] = {"phone": phone, "orders": order_rows(orders, visit.now)}
    if orders:
        context |= {"last": orders[0], "known": _known(orders[0], visit.language), "machines": _machines(orders)}
    return visit.render("console/intake/caller.html", context)


@screen
def proposal(visit: Visit) -> HttpResponse:
    """Which station would get it and why, whether it is reported already, and what to ask."""
    _creation(visit)
    posted = visit.posted
    area, product = posted.get("area", ""), posted.get("product", "")
    stations: list[dict[str, Any]] | None = None
    own = visit.actor.role == "station_coordinator"
    entry = product_entry(product) if product else None
    if entry is not None and areas.exists(area) and not own:
        stations = preview(area, entry.line, visit.now)
    asked = Asked(
        _phone(visit), posted.get("serial_no", "").strip()[:40], area, posted.get("address", "").strip()[:200]
    )
    context = {
        "stations": stations,
        "own": own,
        "duplicates": duplicates_of(visit, asked),
        "hints": hints_for(posted.get("fault", "")[:500]),
    }
    return visit.render("console/intake/proposal.html", context)


def _creation(visit: Visit) -> Creation:
    if visit.actor.role not in MAY_REPORT:
        raise NotVisible
    process = latest(PROCESS)
    return Creation(process, process.transitions[STEP_OF_ROLE.get(visit.actor.role, "report")])


def _fields(visit: Visit, made: Creation, **given: Any) -> list[Field]:
    return fields_of(made.process, made.step, options=options_for(visit.actor.station_no), **given)


def _known(last: RepairOrder, language: str) -> dict[str, dict[str, str]]:
    """What the caller's last order says of them: offered, and marked as not confirmed today."""
    return {
        "customer.name": {"value": last.customer_name},
        "area": {"value": last.area, "shown": areas.name_of(last.area, language)},
        "address": {"value": last.address},
    }


def _machines(orders: list[RepairOrder]) -> list[Offer]:
    """The machines this caller has reported before, each once, the latest first."""
    known = dict.fromkeys((order.product, order.serial_no) for order in orders)
    return [Offer(product_name(code), {"product": code, "serial_no": serial}) for code, serial in known][:MACHINES]


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
        "posted": visit.request.method == "POST",
        "guessed": visit.posted.get("guessed", "")[:400],
        "line": visit.posted.get("line", "")[:1000],
        "rules": refusal.rules if refusal is not None and not isinstance(refusal, Invalid) else (),
        "ticket": _ticket(visit),
    }
    return visit.render("console/intake/page.html", context, status=refusal.status if refusal else 200)


def _ticket(visit: Visit) -> str:
    """A ticket that was used and refused is still good: nothing was created by it. One that is too old is not."""
    posted = visit.posted.get("ticket", "")
    return posted if ref_of_ticket(posted, visit.actor) else ticket_for(new_ref(PROCESS, visit.now), visit.actor)


def _arranged(fields: list[Field]) -> tuple[list[Field], list[Field]]:
    """What a caller tells, in the order of telling; what may be asked besides, folded away."""
    by_name = {field.name: field for field in fields}
    first = [_as_told(by_name[name]) for name in TOLD if name in by_name]
    first += [field for field in fields if field.required and field.name not in TOLD]
    return first, [field for field in fields if not field.required and field.name not in TOLD]


def _as_told(field: Field) -> Field:
    """The telephone number comes first: it brings everything else of a known caller."""
    return replace(field, parts=tuple(sorted(field.parts, key=lambda part: not part.name.endswith("phone"))))


def _phone(visit: Visit) -> str:
    try:
        return parse_phone(visit.posted.get("customer.phone", ""))
    except NotAPhone:
        return ""
