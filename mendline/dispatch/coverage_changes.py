"""The coverage change request (渠道覆盖区域变更申请表): what must hold of one, what its approval writes (COM-06)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

from mendline.access.actors import OF_A_REGION, OF_A_STATION
from mendline.kernel.time import SHANGHAI, local_day
from mendline.network import areas
from mendline.network.history import serve_area, set_capacity, stop_serving
from mendline.process.registry import Facts, Happening, No, Parameters, change, effect, guard
from mendline.process.values import stored_moment

MOST_PER_DAY = 100_000


@guard("station_entry")
def station_may_ask(facts: Facts, parameters: Parameters) -> No | None:
    """A station asks for itself and its points, a region for its stations; others are as if absent."""
    entry = facts["station_entry"]
    role = facts["actor_role"]
    own, region = facts.get("actor_station_no"), facts.get("actor_region")
    in_scope = entry is not None and (
        (role not in OF_A_STATION or own in (entry["station_no"], entry["head"]))
        and (role not in OF_A_REGION or region == entry["region"])
    )
    if in_scope:
        return None
    zh, en = "没有这个维修站，请核对编号（前面的零不能省略）", "no such station; check its number, leading zeros count"
    return No("COM-06", zh, en, "station_no")


@guard("station_entry", "line_known")
def coverage_change_is_complete(facts: Facts, parameters: Parameters) -> No | None:
    """What is asked for needs its area or its number (COM-05); a point has no capacity of its own (STN-18)."""
    if not facts["line_known"]:
        zh = f"没有产品线“{facts.get('product_line')}”，请从产品线表中选择"
        return No("COM-05", zh, "no such product line; choose one of the list", "product_line")
    if facts.get("change_kind") != "set_capacity":
        area = str(facts.get("area") or "")
        if not areas.exists(area):
            return No("COM-05", "请填写要变更的行政区划", "name the area that is to change", "area")
        return None
    per_day = facts.get("per_day")
    if not isinstance(per_day, int) or not 0 <= per_day <= MOST_PER_DAY:
        zh, en = (
            f"请填写每日产能，0 到 {MOST_PER_DAY} 的整数",
            f"give orders per day, a whole number from 0 to {MOST_PER_DAY}",
        )
        return No("COM-05", zh, en, "per_day")
    entry = facts["station_entry"]
    if entry is not None and entry["head"]:
        zh, en = (
            f"维修点没有单独的产能，请为总站 {entry['head']} 申请",
            f"a point has no capacity; ask for its head {entry['head']}",
        )
        return No("STN-18", zh, en, "station_no")
    return None


@guard()
def effective_from_not_past(facts: Facts, parameters: Parameters) -> No | None:
    """A change cannot begin before today: what was dispatched was dispatched by the data of its day (COM-07)."""
    today = local_day(facts["now"])
    if _begins(facts) < today:
        zh = f"生效日期不能早于今天（{today.isoformat()}）"
        return No("COM-07", zh, f"it cannot take effect before today ({today.isoformat()})", "effective_from")
    return None


@guard()
def takes_effect_later(facts: Facts, parameters: Parameters) -> No | None:
    """Says no on and after the day itself: then approval and taking effect are one step."""
    if _begins(facts) > local_day(facts["now"]):
        return None
    return No("COM-06", "批准后立即生效", "takes effect with the approval", "effective_from")


@change("station_entry")
def record_change_station(facts: Facts, parameters: Parameters) -> Mapping[str, Any]:
    """The request belongs to the station it is about and to that station's region."""
    entry = facts["station_entry"]
    return {"station_no": entry["station_no"], "region": entry["region"], "submitted_by": facts.get("actor_name", "")}


@change()
def record_coverage_verdict(facts: Facts, parameters: Parameters) -> Mapping[str, Any]:
    """Who judged, and the instant from which the change holds: the beginning of its day in Shanghai."""
    begins = max(_begins(facts), local_day(facts["now"]))
    at = stored_moment(datetime.combine(begins, time(), SHANGHAI))
    return {"judged_by": facts.get("actor_name", ""), "effective_from": begins.isoformat(), "takes_effect_at": at}


@change()
def record_coverage_refusal(facts: Facts, parameters: Parameters) -> Mapping[str, Any]:
    return {"judged_by": facts.get("actor_name", "")}


@effect
def apply_coverage_change(happening: Happening) -> None:
    """Write what was approved: the old row ends and the new one begins on the day it takes effect (COM-07).

    Written at the approval, dated for its day, so that a clock that comes late delays no dispatch.
    An approval after the day asked for holds from today.
    """
    facts, ref = happening.subject.facts, happening.subject.ref
    since = max(_begins(facts), local_day(happening.now))
    station, line = str(facts["station_no"]), str(facts["product_line"])
    if facts["change_kind"] == "add_area":
        serve_area(station, str(facts["area"]), line, since=since, request=ref)
    elif facts["change_kind"] == "end_area":
        stop_serving(station, str(facts["area"]), line, since=since, request=ref)
    else:
        today = local_day(happening.now)
        set_capacity(station, line, int(facts["per_day"]), since=since, today=today, request=ref)


def _begins(facts: Facts) -> date:
    return date.fromisoformat(str(facts["effective_from"]))
