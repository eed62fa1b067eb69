"""What a workplace asks beside the orders: who am I, what am I told, who would get it, is it there already."""

from __future__ import annotations

from django.http import HttpResponse
from ninja import Router

from mendline.access.actors import EVERYWHERE, OF_A_REGION
from mendline.dispatch.choosing import preview
from mendline.kernel.errors import Forbidden, Invalid
from mendline.kernel.phones import NotAPhone, parse_phone
from mendline.kernel.text import Text
from mendline.network import areas
from mendline.network.directory import current_directory
from mendline.orders import queries
from mendline.web.api import limits, shown
from mendline.web.api.bodies import json_object, only, raw_body, text_of
from mendline.web.api.calls import Call, answer, reading, writing
from mendline.web.api.schemas import Duplicates, DuplicatesIn, Limit, Me, Notices, Proposal, Word, takes

# Stations compete: how much a neighbour has left is not theirs to know.
SEES_THE_NETWORK = EVERYWHERE | OF_A_REGION

router = Router(tags=["desk"])


@router.get("/me", response=Me, operation_id="me")
@reading
def me(call: Call) -> HttpResponse:
    """Return as whom this key or session acts."""
    actor = call.actor
    return answer(
        {
            "name": actor.name,
            "role": actor.role,
            "region": actor.region,
            "station_no": actor.station_no,
            "unseen_notices": queries.count_unseen_notices(actor),
        }
    )


@router.get("/notices", response=Notices, operation_id="list_notices")
@reading
def list_notices(call: Call, before: int | None = None, limit: Limit = 50) -> HttpResponse:
    """List the notices to the caller's role and scope, newest first; `before` is the `next` of the page before."""
    if before is not None and not 0 <= before < 2**63:
        raise Invalid({"before": Text("请使用上一页 next 中的值", "use the value of `next` of the page before")})
    rows = queries.notices_for(call.actor, limit=limit + 1, before_id=before)
    kept = rows[:limit]
    return answer(
        {"items": [shown.notice_row(row) for row in kept], "next": kept[-1].pk if len(rows) > limit else None}
    )


@router.post("/notices/seen", response=Me, operation_id="mark_notices_seen")
@writing
def mark_notices_seen(call: Call) -> HttpResponse:
    """Remember that all notices so far were looked at."""
    only(call.body)
    queries.mark_notices_seen(call.actor)
    actor = call.actor
    return answer(
        {
            "name": actor.name,
            "role": actor.role,
            "region": actor.region,
            "station_no": actor.station_no,
            "unseen_notices": 0,
        }
    )


@router.get("/stations/proposed", response=Proposal, operation_id="propose_station")
@reading
def propose_station(call: Call, area: Word, product: Word, station: Word = "") -> HttpResponse:
    """Say which station would get an order of now and why, and why not the others. Nothing is taken."""
    if call.actor.role not in SEES_THE_NETWORK:
        detail = Text("只有呼叫中心、大区和总部可以查看", "only the call centre, regions and headquarters may look")
        raise Forbidden("wrong_role", detail)
    entry = current_directory().product(product)
    wrong: dict[str, Text] = {}
    if not areas.exists(area):
        wrong["area"] = Text("没有这个行政区划代码", "there is no such area code")
    if entry is None:
        wrong["product"] = Text("没有这种产品", "there is no such product")
    if wrong or entry is None:
        raise Invalid(wrong)
    return answer({"stations": preview(area, entry.line, call.now, wish=station)})


@router.post("/duplicates", response=Duplicates, operation_id="find_duplicates", openapi_extra=takes(DuplicatesIn))
@reading
def find_duplicates(call: Call) -> HttpResponse:
    """Find orders of the same telephone or serial number that are open or recent, before another is taken (HCP-06).

    Changes nothing and takes no `Idempotency-Key`. It is a POST because addresses are kept in histories and logs.
    """
    limits.take(limits.LOOK_UPS, call.person_id)
    body = json_object(call.request, raw_body(call.request))
    only(body, "phone", "serial_no")
    phone, serial_no = text_of(body, "phone"), text_of(body, "serial_no", longest=60)
    number = ""
    if phone:
        try:
            number = parse_phone(phone)
        except NotAPhone as problem:
            raise Invalid({"phone": problem.text}) from None
    if not number and not serial_no:
        raise Invalid({"phone": Text("请填写电话或序列号", "give a telephone number or a serial number")})
    rows = queries.duplicates(call.actor, phone=number, serial_no=serial_no, now=call.now)
    return answer({"items": [shown.order_row(row, call.now) for row in rows]})
