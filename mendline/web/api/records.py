"""Records beside orders over HTTP: cancellation requests, part orders, coverage changes, callbacks, documents …"""

from __future__ import annotations

from django.http import HttpResponse
from ninja import Router

from mendline.kernel.errors import Forbidden, Invalid, NotVisible, Refused
from mendline.kernel.text import Text
from mendline.orders import queries
from mendline.orders.attachments import of_subject
from mendline.orders.models import Record
from mendline.orders.transitions import begin
from mendline.process.definition import Process
from mendline.process.loading import latest
from mendline.web.api import cursors, shown
from mendline.web.api.bodies import given_of, only, text_of
from mendline.web.api.calls import Call, answer, reading, stepping
from mendline.web.api.files import attachment_row
from mendline.web.api.schemas import (
    Category,
    CreateRecordIn,
    History,
    Limit,
    Page,
    Receipt,
    StepIn,
    SubjectOut,
    Word,
    takes,
)
from mendline.web.api.subjects import carry_out, known_ref, subject_history, the_subject

ORDER_KIND = "repair"
STAND_ALONE = frozenset({"coverage_change", "document"})  # kinds of records that belong to no order
OPENED_BY_STEPS = frozenset({"part", "callback"})  # steps of the order open these; nobody begins them by hand
OPEN = ("open", "waiting")

router = Router(tags=["records"])


@router.post(
    "/records/{name}", response={201: Receipt}, operation_id="create_record", openapi_extra=takes(CreateRecordIn)
)
@stepping
def create_record(call: Call, name: str) -> HttpResponse:
    """Begin a record of the process `name`, beside the order `order_ref` where that process has one."""
    only(call.body, "given", "transition", "order_ref")
    process = _process(name)
    begins = text_of(call.body, "transition") or _likeliest(process, call.actor.role)
    step = process.transitions.get(begins)
    if step is None or not step.creates:
        raise Refused("unknown_transition", Text(f"不能以“{begins}”新建", f"nothing is created by {begins!r}"))
    order_ref = _order_of(call, process)
    given, once = given_of(call.body), call.once(shown.receipt, 201)
    record = begin(name, begins, actor=call.actor, now=call.now, given=given, order_ref=order_ref, once=once)
    return answer(shown.receipt(record), 201, Location=f"/api/v1/records/{record.ref}")


def _process(code: str) -> Process:
    """Return the process of records that a caller may begin; orders and what their steps open are no such."""
    try:
        found = latest(code)
    except Refused:
        raise NotVisible from None
    if found.kind == ORDER_KIND:
        raise Refused("use_orders", Text("请用 POST /orders 建单", "orders are created by POST /orders"))
    if found.kind in OPENED_BY_STEPS:
        detail = Text("由维修单的步骤自动生成，不能单独新建", "a step of the order opens it; nobody creates it")
        raise Refused("opened_by_a_step", detail)
    return found


def _likeliest(process: Process, role: str) -> str:
    """Return the creating step of this role, the likeliest if there are several."""
    mine = sorted((step for step in process.creating if role in step.by), key=lambda step: step.rank)
    if not mine:
        first = process.creating[0]
        who = ", ".join(first.by)
        detail = Text(f"“{first.label.zh}”不由您的角色执行", f"{first.label.en} is carried out by {who}, not by {role}")
        raise Forbidden("wrong_role", detail, first.role_rule, rules=first.rules)
    return mine[0].name


def _order_of(call: Call, process: Process) -> str:
    ref = text_of(call.body, "order_ref")
    if process.kind in STAND_ALONE:
        if ref:
            raise Invalid({"order_ref": Text("这种单据不属于维修单", "this kind of record belongs to no order")})
        return ""
    if not ref:
        raise Invalid({"order_ref": Text("请填写维修单号", "name the order it is about")})
    return known_ref(ref, "order")


@router.get("/records", response=Page, operation_id="list_records")
@reading
def list_records(
    call: Call,
    process: Word = "",
    state: Word = "",
    order_ref: Word = "",
    category: Category = "open",
    cursor: Word = "",
    limit: Limit = 50,
) -> HttpResponse:
    """List records in scope, newest first."""
    query = Record.objects.visible_to(call.actor)
    if process:
        query = query.filter(process=process)
    if state:
        query = query.filter(state=state)
    if order_ref:
        query = query.filter(order_ref=order_ref)
    if category == "open":
        query = query.filter(category__in=OPEN)
    elif category == "ended":
        query = query.exclude(category__in=OPEN)
    after = cursors.read(cursor, "id")
    if after:
        query = query.filter(id__lt=after[1])
    rows = list(query.order_by("-id")[: limit + 1])
    kept = rows[:limit]
    return answer(
        {
            "items": [shown.record_row(row, row.order_ref, call.now) for row in kept],
            "next": cursors.write(("", kept[-1].pk), "id") if len(rows) > limit else None,
        }
    )


@router.get("/records/{name}", response=SubjectOut, operation_id="get_record")
@reading
def get_record(call: Call, name: str) -> HttpResponse:
    """Return the record of the number `name` as it stands, with the steps that the caller has."""
    ref = known_ref(name, "record")
    page = queries.subject_page(call.actor, ref, call.now, with_records=False)
    files = [attachment_row(row) for row in of_subject(ref)]
    return answer({**the_subject(page, call.actor.role), "attachments": files})


@router.get("/records/{ref}/history", response=History, operation_id="get_record_history")
@reading
def get_record_history(call: Call, ref: str, after: int = 0, limit: Limit = 100) -> HttpResponse:
    """Return who did what and when, oldest first; `after` is the `next` of the page before."""
    return subject_history(call, known_ref(ref, "record"), after, limit)


@router.post(
    "/records/{ref}/transitions/{name}",
    response=Receipt,
    operation_id="carry_out_on_record",
    openapi_extra=takes(StepIn),
)
@stepping
def carry_out_on_record(call: Call, ref: str, name: str) -> HttpResponse:
    """Carry out a step. `revision` is what the caller last saw; when the record has moved on it is a 409."""
    return carry_out(call, known_ref(ref, "record"), name)
