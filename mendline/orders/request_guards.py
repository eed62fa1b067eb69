"""Guards and effects of the records that lead to a cancellation: requests and special situation forms."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from typing import Any

from mendline.access.actors import THE_CLOCK
from mendline.orders import cancel_guards, cancellation
from mendline.orders.transitions import perform
from mendline.process.registry import Facts, Happening, No, Parameters, change, effect, guard
from mendline.process.values import stored_moment


@guard("order")
def order_is_still_open(facts: Facts, parameters: Parameters) -> No | None:
    if facts["order"]["category"] in ("done", "void"):
        return No("STN-32", "维修单已结束，不能申请撤单", "the order has ended; nothing is left to cancel")
    return None


@guard("order")
def ground_may_be_brought(facts: Facts, parameters: Parameters) -> No | None:
    """A request is for what the region may do: the same matrix as every other door (CAN-08 to CAN-21)."""
    order = facts["order"]
    verdict = cancellation.judge(
        order["origin"],
        "station",
        "station_coordinator",
        str(facts.get("cancel_reason", "")),
        cancellation.moment_of(order["state"], order["category"], order),
        regime=cancellation.regime_of(order["parameters"]),
    )
    if verdict.outcome == "ask_region":
        return None
    if verdict.outcome == "do":
        return No(
            "CAN-09",
            "站内生成的维修单由维修站自行撤单",
            "the station cancels an order of its own by itself",
            "cancel_reason",
        )
    more = ("CAN-36", "STN-32") if verdict.outcome == "close_normally" else ()
    return No(verdict.rule, verdict.zh, verdict.en, "cancel_reason", more)


@guard("order")
def order_was_unreachable(facts: Facts, parameters: Parameters) -> No | None:
    if facts.get("cancel_reason") != "unreachable":
        return None
    order = facts["order"]
    known = ChainMap({"now": facts["now"], "calendars": facts["calendars"]}, order)
    return cancel_guards.unreachable_shortfall(known, order["parameters"])


@guard("order")
def refusal_has_agreed_form(facts: Facts, parameters: Parameters) -> No | None:
    if facts.get("cancel_reason") != "user_refuses":
        return None
    order = facts["order"]
    known = ChainMap({"cancel_reason": "user_refuses"}, order)
    return cancel_guards.refusal_has_its_form(known, order["parameters"])


@guard("open_requests")
def no_other_request_pending(facts: Facts, parameters: Parameters) -> No | None:
    if facts["open_requests"]:
        return No("CAN-22", "此单已有撤单请求等待大区判断", "another request for this order is with the region already")
    return None


@guard()
def specialist_judges_wrong_area(facts: Facts, parameters: Parameters) -> No | None:
    """The region channel specialist is the contact for misdispatched orders only (CAN-06)."""
    if facts["actor_role"] == "region_channel_specialist" and facts.get("cancel_reason") != "wrong_area":
        zh = "渠道专员只处理派错区域的撤单请求，其他由大区接口人判断"
        return No("CAN-06", zh, "the channel specialist judges misdispatched orders only", forbidden=True)
    return None


@change()
def record_request(facts: Facts, parameters: Parameters) -> Mapping[str, Any]:
    """When it was asked, by whom (CAN-39)."""
    return {"requested_at": stored_moment(facts["now"]), "requested_by_person": facts.get("actor_name", "")}


@change()
def record_verdict(facts: Facts, parameters: Parameters) -> Mapping[str, Any]:
    """When the region judged, and who (CAN-23, CAN-39)."""
    return {"judged_at": stored_moment(facts["now"]), "judged_by": facts.get("actor_name", "")}


@change()
def record_execution(facts: Facts, parameters: Parameters) -> Mapping[str, Any]:
    """When it was executed, and that the station was told in the same moment (CAN-38, CAN-39)."""
    now = stored_moment(facts["now"])
    return {
        "judged_at": facts.get("judged_at") or now, "judged_by": facts.get("judged_by") or facts.get("actor_name", ""),
        "executed_at": now, "executed_by": facts.get("actor_name", ""), "station_told_at": now,
    }  # fmt: skip


@change()
def record_station_told(facts: Facts, parameters: Parameters) -> Mapping[str, Any]:
    return {"station_told_at": stored_moment(facts["now"])}


@effect
def cancel_the_order(happening: Happening) -> None:
    """Void the order that the region agreed to cancel (CAN-24)."""
    _execute(happening, "cancel", ("cancel_reason", "cancel_detail"))


@effect
def reassign_the_order(happening: Happening) -> None:
    """Void the order and create its replacement (CAN-24, CAN-02)."""
    fields = ("cancel_reason", "cancel_detail", "station_wish", "corrected_area", "corrected_address")
    _execute(happening, "cancel_and_reassign", fields)


def _execute(happening: Happening, name: str, fields: tuple[str, ...]) -> None:
    request = happening.subject.facts
    perform(
        happening.subject.order_ref,
        name,
        actor=happening.actor,
        now=happening.now,
        given={"requested_by": "station", **{field: request[field] for field in fields if request.get(field)}},
        links={
            "cancel_requested_at": request.get("requested_at"),
            "cancel_judged_at": request.get("judged_at"),
            "settled_by": happening.subject.ref,
        },
    )


@effect
def note_agreement_on_order(happening: Happening) -> None:
    """The order remembers that its region agreed to the special situation (STN-43, COM-08)."""
    links = {"situation_kind": happening.subject.facts["situation_kind"]}
    perform(happening.subject.order_ref, "note_special_agreement", actor=THE_CLOCK, now=happening.now, links=links)


@effect
def cancel_refused_order(happening: Happening) -> None:
    """After agreeing to the form the region cancels under the cancellation procedure (STN-43)."""
    perform(
        happening.subject.order_ref,
        "cancel",
        actor=happening.actor,
        now=happening.now,
        given={
            "requested_by": "station",
            "cancel_reason": "user_refuses",
            "cancel_detail": happening.subject.facts["situation"],
        },
        links={"cancel_requested_at": happening.subject.facts.get("requested_at"), "settled_by": happening.subject.ref},
    )


@guard()
def situation_is_a_refusal(facts: Facts, parameters: Parameters) -> No | None:
    if facts.get("situation_kind") != "user_refuses_plan":
        return No(
            "STN-43",
            "只有用户不同意服务方案时才能同意并撤单",
            "only a refusal of the service plan leads to a cancellation",
        )
    return None
