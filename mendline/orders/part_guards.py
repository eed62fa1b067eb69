"""Statements about the parts a job needs: ordered, late, arrived, borrowed, returned. Pure."""

from __future__ import annotations

from typing import Any

from mendline.kernel.time import moment_text
from mendline.orders.guards import promise_stands
from mendline.process.registry import Facts, No, Parameters, guard
from mendline.process.values import moment_of


@guard()
def user_was_told_why(facts: Facts, parameters: Parameters) -> No | None:
    if not facts.get("told_user_why"):
        return No(
            "STN-35",
            "申领备件前须向用户说明暂不能上门的原因",
            "explain to the user first why nobody can come yet",
            "told_user_why",
        )
    return None


def awaited_parts(facts: Facts) -> list[dict[str, Any]]:
    """Return the parts the job still waits for: neither arrived, nor borrowed meanwhile (STN-38), nor refused."""
    borrowed = {loan["code"] for loan in facts.get("borrowed_parts") or ()}
    return [
        part
        for part in facts.get("parts") or ()
        if not part["arrived"] and not part.get("dropped") and part["code"] not in borrowed
    ]


def late_part(facts: Facts) -> dict[str, Any] | None:
    """Return the newest part that missed its delivery; it may have arrived since."""
    late = [part for part in facts.get("parts") or () if part["late"]]
    return late[-1] if late else None


def part_reason_text(part: dict[str, Any]) -> str:
    return f"由于{part['no']}订单{part['code']}编码的备件未按时配送"


@guard()
def late_part_is_named(facts: Facts, parameters: Parameters) -> No | None:
    """After a late part the change is of type `part_reason` and names part order and part code (STN-39, STN-40)."""
    late = late_part(facts)
    kind = facts.get("promise_kind") if "promise_kind" in facts["given_names"] else None
    if late is None:
        if kind == "part_reason":
            return No(
                "STN-40", "没有未按时配送的备件，不能选“备件原因”", "no part of this order is late", "promise_kind"
            )
        return None
    if late in awaited_parts(facts) and kind not in ("part_reason", "user_reason"):
        return No(
            "STN-40",
            "备件未按时配送，类型须为“备件原因”",
            "the part is late: the promise type is part_reason",
            "promise_kind",
            ("STN-39",),
        )
    if kind == "part_reason" and "promise_reason" in facts["given_names"]:
        expected = part_reason_text(late)
        if facts.get("promise_reason") != expected:
            return No("STN-40", f"原因描述须为“{expected}”", f"the reason must read {expected!r}", "promise_reason")
    return None


@guard("part_due_at_default")
def not_before_the_part(facts: Facts, parameters: Parameters) -> No | None:
    """Without stock the visit follows the delivery terms of the station's contract (STN-36)."""
    ordering = _given_now(facts, "part_code")
    stated = moment_of(facts, "part_due_at") if _given_now(facts, "part_due_at") else None
    if stated is not None and stated < facts["now"]:
        return No("STN-36", "备件承诺配送时间不能早于现在", "the part cannot be due in the past", "part_due_at")
    promised = moment_of(facts, "promised_at") if _given_now(facts, "promised_at") else None
    if promised is None:
        return None
    due = (stated or moment_of(facts, "part_due_at_default")) if ordering else None
    waiting = [moment_of(part, "due_at") for part in awaited_parts(facts) if not part["late"]]
    latest = max((moment for moment in [due, *waiting] if moment is not None), default=None)
    if latest is not None and promised < latest:
        when = moment_text(latest)
        zh = f"备件承诺 {when.zh} 到货，上门时间不能更早"
        return No("STN-36", zh, f"the part is due {when.en}; the visit cannot be earlier", "promised_at")
    return None


@guard()
def new_delivery_lies_ahead(facts: Facts, parameters: Parameters) -> No | None:
    """Whoever ships later than promised promises anew, and a promise is for the future (STN-39)."""
    due = moment_of(facts, "part_due_at") if _given_now(facts, "part_due_at") else None
    if due is not None and due < facts["now"]:
        zh = "新的承诺配送时间不能早于现在"
        return No("STN-39", zh, "a new delivery time cannot lie in the past", "part_due_at")
    return None


@guard()
def part_is_at_hand(facts: Facts, parameters: Parameters) -> No | None:
    waiting = awaited_parts(facts)
    if waiting:
        numbers = "、".join(part["no"] for part in waiting)
        return No(
            "STN-50",
            f"备件（{numbers}）到货后才能打印派工",
            f"print and send only once the part has arrived ({numbers})",
        )
    return None


@guard()
def no_other_part_is_awaited(facts: Facts, parameters: Parameters) -> No | None:
    """An order stays at awaiting_part until the last of its parts is there (STN-37, STN-50)."""
    number = facts.get("part_order_no") if "part_order_no" in facts["given_names"] else None
    others = [part for part in awaited_parts(facts) if part["no"] != number]
    if facts["state"] == "awaiting_part" and others:
        return No("STN-50", "还有备件未到", "another part has not arrived yet")
    return None


@guard()
def borrowed_part_was_the_last_awaited(facts: Facts, parameters: Parameters) -> No | None:
    """Borrowing ends the wait for the very part that was awaited (STN-38)."""
    others = [part for part in awaited_parts(facts) if part["code"] != facts.get("part_code")]
    if facts["state"] == "awaiting_part" and others:
        return No("STN-38", "还有备件未到", "another part has not arrived yet")
    return None


@guard()
def awaited_visit_is_promised(facts: Facts, parameters: Parameters) -> No | None:
    """What waited for a part goes on to its promised visit; without one the user is contacted first (STN-33)."""
    return promise_stands(facts, parameters) if facts["state"] == "awaiting_part" else None


@guard()
def part_has_been_returned(facts: Facts, parameters: Parameters) -> No | None:
    arrived = [part for part in facts.get("parts") or () if part["arrived"]]
    if arrived and not facts.get("part_returned"):
        return No(
            "STN-47", "修复后工程师须返还备件", "the engineer returns the part before the order closes", "part_returned"
        )
    return None


def _given_now(facts: Facts, name: str) -> bool:
    return name in facts["given_names"]
