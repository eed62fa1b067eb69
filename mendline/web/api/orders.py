"""Repair orders over HTTP."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpResponse
from ninja import Query, Router

from mendline.dispatch.choosing import explained
from mendline.kernel.errors import Refused
from mendline.kernel.text import Text
from mendline.orders import queries
from mendline.orders.attachments import of_subject
from mendline.orders.queries import OrderFilters
from mendline.orders.reveal import reveal_phone
from mendline.orders.transitions import begin
from mendline.web.api import cursors, shown
from mendline.web.api.bodies import given_of, only, text_of
from mendline.web.api.calls import Call, Confidential, answer, reading, stepping, writing
from mendline.web.api.files import attachment_row
from mendline.web.api.schemas import (
    Category,
    CreateIn,
    History,
    Limit,
    Page,
    PhoneOut,
    ReasonIn,
    Receipt,
    StepIn,
    SubjectOut,
    Word,
    takes,
)
from mendline.web.api.subjects import carry_out, known_ref, subject_history, the_subject

PROCESS = "unified_repair"
# A station generates its own orders (COM-01); everybody else takes reports.
STEP_OF_ROLE = {"station_coordinator": "self_order"}
CREATING = ("report", "self_order", "reorder")

router = Router(tags=["orders"])


@router.post("/orders", response={201: Receipt}, operation_id="create_order", openapi_extra=takes(CreateIn))
@stepping
def create_order(call: Call) -> HttpResponse:
    """Take a report, or generate the station's own order (COM-01), and dispatch it.

    Without a station that can take it the order is created as `undispatched`.
    """
    only(call.body, "given", "transition")
    name = text_of(call.body, "transition") or STEP_OF_ROLE.get(call.actor.role, "report")
    if name not in CREATING:
        raise Refused("unknown_transition", Text(f"不能以“{name}”建单", f"no order is created by {name!r}"))
    once = call.once(shown.receipt, 201)
    order = begin(PROCESS, name, actor=call.actor, now=call.now, given=given_of(call.body), once=once)
    return answer(shown.receipt(order), 201, Location=f"/api/v1/orders/{order.ref}")


@router.get("/orders", response=Page, operation_id="list_orders")
@reading
def list_orders(
    call: Call,
    state: Annotated[list[Word], Query()] = [],  # noqa: B006 - never changed
    station: Word = "",
    overdue: bool = False,
    category: Category = "open",
    cursor: Word = "",
    limit: Limit = 50,
) -> HttpResponse:
    """List orders in scope: open ones by their next deadline, others newest first."""
    filters = OrderFilters(
        states=tuple(state), station_no=station, overdue_at=call.now if overdue else None, category=category
    )
    page = queries.page_of_orders(call.actor, filters=filters, after=cursors.read(cursor, category), limit=limit)
    return answer(
        {
            "items": [shown.order_row(row, call.now) for row in page.rows],
            "next": cursors.write(page.next_after, category),
        }
    )


@router.get("/orders/{ref}", response=SubjectOut, operation_id="get_order")
@reading
def get_order(call: Call, ref: str) -> HttpResponse:
    """Return an order with its clocks, the facts the caller may see, and in `may` the steps the caller has."""
    page = queries.subject_page(call.actor, known_ref(ref, "order"), call.now)
    choice = page.station_choice
    return answer(
        {
            **the_subject(page, call.actor.role),
            "records": [shown.subject_full(r.subject, r.process, call.actor.role) for r in page.records],
            "attachments": [attachment_row(row) for row in of_subject(ref)],
            "station_choice": explained(dict(choice), call.now) if choice else None,
        }
    )


@router.get("/orders/{ref}/history", response=History, operation_id="get_order_history")
@reading
def get_order_history(call: Call, ref: str, after: int = 0, limit: Limit = 100) -> HttpResponse:
    """Return who did what and when, oldest first; `after` is the `next` of the page before."""
    return subject_history(call, known_ref(ref, "order"), after, limit)


@router.post(
    "/orders/{ref}/transitions/{name}", response=Receipt, operation_id="carry_out", openapi_extra=takes(StepIn)
)
@stepping
def carry_out_on_order(call: Call, ref: str, name: str) -> HttpResponse:
    """Carry out a step. `revision` is what the caller last saw; when the order has moved on it is a 409."""
    return carry_out(call, known_ref(ref, "order"), name)


@router.post("/orders/{ref}/reveal", response=PhoneOut, operation_id="reveal_phone", openapi_extra=takes(ReasonIn))
@writing
def reveal(call: Call, ref: str) -> HttpResponse:
    """Return the user's whole telephone number. Who saw it and why is written into the history."""
    only(call.body, "reason")
    number = known_ref(ref, "order")
    phone = reveal_phone(number, text_of(call.body, "reason"), actor=call.actor, now=call.now)
    return Confidential(answer({"ref": number, "phone": phone}).content, content_type="application/json")
