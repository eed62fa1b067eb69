"""Who may cancel what, when, for whom and why: the cancellation matrix of CAN, completed. Pure.

Every combination of origin, requester, role, reason and moment has exactly one verdict, and every
door (order page, region inbox, API, wrong-number report) asks here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Origin: TypeAlias = Literal["cc", "region", "station"]
Moment: TypeAlias = Literal["before_arrival", "after_arrival", "ended"]
Outcome: TypeAlias = Literal["do", "ask_region", "close_normally", "forbidden"]

ORIGINS: tuple[Origin, ...] = ("cc", "region", "station")
REQUESTERS = ("user", "station")
MOMENTS: tuple[Moment, ...] = ("before_arrival", "after_arrival", "ended")
LINE_800 = "line_800"

# Grounds that a station may bring to the region, and the reason code of the remark each one is
# counted under (contradiction 5 of the catalogue: one list, both columns stored). Reasons that are
# codes themselves map to themselves.
CODE_OF = {
    "wrong_area": "wrong_area",  # CAN-11
    "wrong_phone": "incomplete_info",  # CAN-12
    "unreachable": "incomplete_info",  # CAN-13
    "user_postponed": "special_request",  # CAN-14
    "user_solved": "already_normal",  # CAN-15
    "user_refuses": "special_request",  # CAN-16
    "capacity_error": "capacity_error",  # CAN-30
    "incomplete_info": "incomplete_info",  # CAN-27
    "already_normal": "already_normal",
    "special_request": "special_request",
    "filled_in_wrongly": "incomplete_info",  # CAN-09
}
STATION_GROUNDS = frozenset(CODE_OF) - {"filled_in_wrongly"}
OWN_ORDER_GROUNDS = frozenset(CODE_OF)
# What a user may want; the others are a station's troubles and do not come through the 800 line (CAN-07).
USER_REASONS = frozenset(
    {
        "user_postponed",
        "user_solved",
        "user_refuses",
        "already_normal",
        "special_request",
        "wrong_area",
        "incomplete_info",
    }
)
# Situations that must be closed normally by the station (CAN-36); no door cancels them.
CLOSE_NORMALLY = {
    "software": "CAN-18",
    "solved_by_telephone": "CAN-18",
    "replugged": "CAN-19",
    "complaint_repaired": "CAN-20",
    "no_fault": "CAN-21",
    "power_or_cabling": "CAN-21",
}
REASONS = (*CODE_OF, *CLOSE_NORMALLY)
# Grounds of which the region informs the headquarters interface person by e-mail (STN-21, STN-27).
HEADQUARTERS_GROUNDS = frozenset({"wrong_phone", "unreachable"})

# Who executes, by the order's origin and by who asks. At the user's request it is the CC agent.
EXECUTED_BY: Mapping[tuple[str, str], str] = {
    ("cc", "user"): "cc_agent",  # CAN-31
    ("region", "user"): "cc_agent",  # the matrix: any origin
    ("station", "user"): "cc_agent",
    ("cc", "station"): "region_interface",  # CAN-08
    ("region", "station"): "region_interface",  # CAN-08
    ("station", "station"): "station_coordinator",  # CAN-09
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a wish to cancel, the rule that says so, and what to do instead."""

    outcome: Outcome
    rule: str
    zh: str
    en: str

    @property
    def allowed(self) -> bool:
        return self.outcome == "do"


@dataclass(frozen=True, slots=True)
class Regime:
    """What a process version decides about cancelling, in its parameters.

    `form_for_refusal` is the V3.0 reading of a refusal after arrival (contradiction 43): not the CC
    agent but the region decides, on a special situation form (STN-43); under V2.0 the agent cancels
    at any moment. The lists of grounds (CAN-17) and of situations that must be closed normally
    (CAN-37) are open: a version adds coded ones, and takes none of the fixed ones away.
    """

    form_for_refusal: bool = True
    further_grounds: frozenset[str] = frozenset()
    also_closed_normally: frozenset[str] = frozenset()


STRICT = Regime()


def regime_of(parameters: Mapping[str, object]) -> Regime:
    """Read a process version's parameters."""
    return Regime(
        parameters.get("form_for_refusal") == "required",
        _codes(parameters.get("further_grounds")),
        _codes(parameters.get("also_closed_normally")),
    )


def _codes(listed: object) -> frozenset[str]:
    return frozenset(listed) if isinstance(listed, tuple) else frozenset()


def code_of(reason: str) -> str:
    """Return the code of the remark that counts a ground; a further configured one is a special request (CAN-27)."""
    return CODE_OF.get(reason, "special_request")


DO = Verdict("do", "CAN-01", "可以撤单", "may be cancelled")


def moment_of(state: str, category: str, facts: Mapping[str, Any]) -> Moment:
    """Return where the order stands for a cancellation; arrival is the start of the first service."""
    if category in ("done", "void") or state in ("resolved", "called_back", "cancelled", "cancelled_and_reassigned"):
        return "ended"
    return "after_arrival" if facts.get("service_started_at") or state == "in_service" else "before_arrival"


def judge(
    origin: str,
    requested_by: str,
    role: str,
    reason: str,
    moment: Moment,
    *,
    line: str = "",
    regime: Regime = STRICT,
) -> Verdict:
    """Return the one verdict on a cancellation by `role` under the regime of the order's version.

    `line` is how the request came (`line_800`, `cc_web`, `telephone`).
    """
    if reason in CLOSE_NORMALLY or reason in regime.also_closed_normally:
        return _close(CLOSE_NORMALLY.get(reason, "CAN-37"))
    if reason not in CODE_OF and reason not in regime.further_grounds:
        return Verdict("forbidden", "CAN-17", "撤单原因不在编码表内", "the reason is not one of the coded ones")
    if moment == "ended":
        return Verdict("forbidden", "STN-32", "维修单已结束，不能撤单", "the order has ended and cannot be cancelled")
    if (origin, requested_by) not in EXECUTED_BY:
        return Verdict("forbidden", "CAN-07", "只受理用户或维修站的撤单请求", "only a user or a station can ask")
    if requested_by == "station":
        return _asked_by_station(origin, role, reason, moment, line, regime)
    return _asked_by_user(origin, role, reason, moment, regime)


def _close(rule: str) -> Verdict:
    zh = "此情况必须由维修站正常关单，不能撤单"
    return Verdict("close_normally", rule, zh, "this must be closed normally by the station, not cancelled (CAN-36)")


def _asked_by_station(origin: str, role: str, reason: str, moment: Moment, line: str, regime: Regime) -> Verdict:
    if line == LINE_800:
        zh = "维修站不得通过800热线撤单或撤单改派，请在系统内向大区申请"
        return Verdict("forbidden", "CAN-10", zh, "a station may not cancel through the 800 line; ask the region here")
    if role == "cc_agent":
        zh = "CC座席只受理用户的撤单请求，维修站的请求由大区受理"
        return Verdict("forbidden", "CAN-07", zh, "a CC agent takes users' requests only; a station asks its region")
    grounds = OWN_ORDER_GROUNDS if origin == "station" else STATION_GROUNDS
    if reason not in grounds | regime.further_grounds:
        zh = "维修站不能以此原因申请撤单"
        return Verdict("forbidden", "CAN-17", zh, "this is no ground that a station may bring")
    executor = EXECUTED_BY[origin, "station"]
    if origin == "station" and moment == "after_arrival" and reason == "user_refuses" and regime.form_for_refusal:
        executor = "region_interface"  # STN-43: a refusal at the door needs the region's consent
    if role == executor:
        return DO
    if role == "station_coordinator":
        zh = "CC或大区派出的维修单由大区撤单，请提交撤单请求"
        en = "executed by region_interface: submit a cancellation request to the region"
        return Verdict("ask_region", "CAN-08", zh, en)
    if origin == "station" and executor == "station_coordinator":
        zh = "站内生成的维修单由维修站自行撤单"
        return Verdict("forbidden", "CAN-09", zh, "executed by station_coordinator: the station cancels its own order")
    return Verdict("forbidden", "CAN-08", "由大区接口人执行撤单", "executed by region_interface")


def _asked_by_user(origin: str, role: str, reason: str, moment: Moment, regime: Regime) -> Verdict:
    if reason not in USER_REASONS:
        zh = "这是维修站的撤单理由，不能作为用户的请求"
        return Verdict("forbidden", "CAN-07", zh, "this is a station's ground and not a user's request")
    at_the_door = moment == "after_arrival" and regime.form_for_refusal
    if role == "region_interface":
        if at_the_door:
            return DO
        zh = "到达前用户的撤单请求由CC座席直接执行"
        return Verdict("forbidden", "CAN-31", zh, "before arrival a user's request is executed by cc_agent")
    if role == "cc_agent":
        if not at_the_door:
            return DO
        zh = "上门后用户不同意维修的，须填特殊情况说明表并经大区同意后撤单"
        return Verdict(
            "ask_region", "STN-43", zh, "after arrival a refusal needs a special situation form and the region"
        )
    if role == "station_coordinator":
        if origin == "station" and not at_the_door:
            return Verdict("do", "CAN-09", "可以撤单", "may be cancelled")
        zh = "维修站不能自行撤单，请提交撤单请求或特殊情况说明表"
        return Verdict("ask_region", "STN-43" if at_the_door else "CAN-08", zh, "the region decides: submit a request")
    return Verdict("forbidden", "CAN-04", "用户的撤单请求由CC座席受理", "users' requests are taken by cc_agent")
