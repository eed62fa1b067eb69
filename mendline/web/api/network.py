"""What a change of coverage or capacity would do to dispatching, before anybody approves it."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from ninja import Router, Schema

from mendline.dispatch.effect_of_change import UNDECIDED, Planned, effect_of, standing_of
from mendline.dispatch.explanations import readable
from mendline.kernel.errors import Forbidden, NotVisible, Refused
from mendline.kernel.text import Text
from mendline.kernel.time import local_day
from mendline.orders import store
from mendline.web.api.calls import Call, answer, reading
from mendline.web.api.desk import SEES_THE_NETWORK

router = Router(tags=["network"])


class MovedOut(Schema):
    """So many orders from one station to another; empty is "nobody takes it"."""

    before: str
    after: str
    orders: int


class ChangeEffect(Schema):
    """What a change request would have done with the orders of the last 30 days."""

    ref: str
    state: str
    effective_from: str
    orders: int
    orders_moved: int
    moved: list[MovedOut]
    knock_on: int
    since: str | None
    is_sample: bool
    before: list[dict[str, Any]]
    after: list[dict[str, Any]]


@router.get("/coverage-changes/{ref}/effect", response=ChangeEffect, operation_id="get_change_effect")
@reading
def change_effect(call: Call, ref: str) -> HttpResponse:
    """Choose again for the orders of the last 30 days, with the change and without; only while it is undecided.

    `moved` says from whom to whom; `knock_on` orders merely changed places between other stations. `is_sample`:
    there were so many orders that only the days since `since` were tried.
    """
    if call.actor.role not in SEES_THE_NETWORK:
        detail = Text("只有呼叫中心、大区和总部可以查看", "only the call centre, regions and headquarters may look")
        raise Forbidden("wrong_role", detail)
    request = store.load(ref, actor=call.actor)
    if request.process != "coverage_change":
        raise NotVisible
    if request.state not in UNDECIDED:
        detail = Text("这份申请已经审定，影响只在审批前计算", "it is decided; the effect is reckoned only before")
        raise Refused("decided", detail, "COM-06")
    planned = Planned.of(request.facts, local_day(call.now))
    effect, standing = effect_of(planned, call.now), standing_of(planned, call.now)
    return answer(
        {
            "ref": request.ref,
            "state": request.state,
            "effective_from": planned.day.isoformat(),
            "orders": effect.orders,
            "orders_moved": effect.orders_moved,
            "moved": [
                {"before": one.station_before, "after": one.station_after, "orders": one.orders} for one in effect.moved
            ],
            "knock_on": effect.knock_on,
            "since": effect.since.isoformat() if effect.since else None,
            "is_sample": effect.is_sample,
            "before": _told(standing.before) if standing else [],
            "after": _told(standing.after) if standing else [],
        }
    )


def _told(verdicts: tuple[Any, ...]) -> list[dict[str, Any]]:
    return readable({"stations": [list(verdict) for verdict in verdicts]})
