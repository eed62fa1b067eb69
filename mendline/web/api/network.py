"""What a change of coverage or capacity would do to dispatching, before anybody approves it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpResponse
from ninja import Router, Schema

from mendline.dispatch.effect_of_change import UNDECIDED, Planned, effect_of, standing_of
from mendline.dispatch.explanations import readable
from mendline.kernel.errors import NotVisible, Refused
from mendline.kernel.text import Text
from mendline.kernel.time import local_day
from mendline.orders import store
from mendline.web.api.calls import Call, answer, reading
from mendline.web.api.desk import SEES_THE_NETWORK

# Stations compete: what a change does to the others is the region's to see.
OF_OTHERS = ("orders", "orders_moved", "moved", "knock_on", "since", "is_sample", "before", "after")

router = Router(tags=["network"])


class MovedOut(Schema):
    """So many orders from one station to another; empty is "nobody takes it"."""

    before: str
    after: str
    orders: int


class ChangeEffect(Schema):
    """What a change request would have done with the orders of the last 30 days; null to who belongs to a station."""

    ref: str
    state: str
    effective_from: str
    orders: int | None
    orders_moved: int | None
    moved: list[MovedOut] | None
    knock_on: int | None
    since: str | None
    is_sample: bool | None
    before: list[dict[str, Any]] | None
    after: list[dict[str, Any]] | None


@router.get("/coverage-changes/{ref}/effect", response=ChangeEffect, operation_id="get_change_effect")
@reading
def change_effect(call: Call, ref: str) -> HttpResponse:
    """Choose again for the orders of the last 30 days, with the change and without; only while it is undecided.

    `moved` says from whom to whom; `knock_on` orders merely changed places between other stations. `is_sample`:
    there were so many orders that only the days since `since` were tried. To who belongs to a station all of it is
    null, as on the page of the request: what it does to others is the region's to see when it judges.
    """
    request = store.load(ref, actor=call.actor)
    if request.process != "coverage_change":
        raise NotVisible
    if request.state not in UNDECIDED:
        detail = Text("这份申请已经审定，影响只在审批前计算", "it is decided; the effect is reckoned only before")
        raise Refused("decided", detail, "COM-06")
    planned = Planned.of(request.facts, local_day(call.now))
    own = {"ref": request.ref, "state": request.state, "effective_from": planned.day.isoformat()}
    sees = call.actor.role in SEES_THE_NETWORK
    return answer({**own, **(_effect(planned, call.now) if sees else dict.fromkeys(OF_OTHERS))})


def _effect(planned: Planned, now: datetime) -> dict[str, Any]:
    effect, standing = effect_of(planned, now), standing_of(planned, now)
    return {
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


def _told(verdicts: tuple[Any, ...]) -> list[dict[str, Any]]:
    return readable({"stations": [list(verdict) for verdict in verdicts]})
