"""What a step of an order writes into its facts. Pure; the rule stands beside each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any

from mendline.kernel.time import SHANGHAI, local_day
from mendline.orders.cancellation import code_of
from mendline.orders.guards import FULL_WIDTH_COMMA
from mendline.orders.part_guards import late_part, part_reason_text
from mendline.process.registry import Facts, Parameters, change
from mendline.process.values import stored_moment

ORIGIN_OF_ROLE = {"cc_agent": "cc", "region_interface": "region", "station_coordinator": "station"}  # STN-17, COM-01
SLOTS = ("T31", "T32", "T33")
TIMES_MEAN = {  # STN-06, STN-07
    "on_site": {"t2_means": "contact_with_user", "t3_means": "promised_service"},
    "send_in": {"t2_means": "pickup_notice", "t3_means": "agreed_pickup"},
}


@change("product_entry")
def record_origin(facts: Facts, parameters: Parameters) -> Mapping[str, Any]:
    """Who generated the order decides who may cancel it (COM-01, COM-02)."""
    line = facts["product_entry"]["line"]
    return {"origin": ORIGIN_OF_ROLE[facts["actor_role"]], "product_line": line, "reported_at": _now(facts)}


@change("likely_duplicate")
def note_likely_duplicate(facts: Facts, parameters: Parameters) -> Mapping[str, Any]:
    """Under this procedure a second report is a new order; the likely first one is named on it (contradiction 20)."""
    return {"likely_duplicate": facts["likely_duplicate"]} if facts["likely_duplicate"] else {}


@change("own_station")
def record_own_station(facts: Facts, parameters: Parameters) -> Mapping[str, Any]:
    station = facts["own_station"]
    return {"station_no": station["station_no"], "region": station["region"]}


@change()
def record_t1(facts: Facts, parameters: Parameters) -> Mapping[str, Any]:
    """T1 is the moment the order reaches a station (STN-10)."""
    return {"t1": _now(facts)} if facts.get("station_no") else {}


@change()
def record_attempt(facts: Facts, parameters: Parameters) -> Mapping[str, Any]:
    """Count the contact on its local day, for the quota of STN-25."""
    today = local_day(facts["now"]).isoformat()
    attempts = dict(facts.get("attempts") or {})
    attempts[today] = int(attempts.get(today, 0)) + 1
    found = {"attempts": attempts, "last_attempt_at": _now(facts)}
    if facts["contact_outcome"] == "reached" and not facts.get("first_reached_at"):
        found["first_reached_at"] = _now(facts)
    return found


@change()
def write_special_t31(facts: Facts, parameters: Parameters) -> Mapping[str, Any]:
    """The user was not reached: T31 takes the special value and makes T2 (STN-22, STN-09).

    We keep the outcome, not the date 2010-01-01; the legacy exchange writes that. It uses up T31,
    so T32 and T33 are left for real promises. The days on which the user must be called begin with
    the next one (STN-25).
    """
    written = _written(facts, {"slot": SLOTS[0], "at": None, "kind": "unreachable", "reason": ""})
    tomorrow = local_day(facts["now"]) + timedelta(days=1)
    quota_from = datetime.combine(tomorrow, time(), SHANGHAI)
    return {**written, "special_t31_at": _now(facts), "contact_quota_from": stored_moment(quota_from)}


@change()
def record_promise(facts: Facts, parameters: Parameters) -> Mapping[str, Any]:
    """Write the next of T31, T32, T33 if a time was given, with its type and reason (STN-08, STN-40, STN-49)."""
    if "promised_at" not in facts["given_names"]:
        return {}
    given = facts["given_names"]
    kind = facts["promise_kind"] if "promise_kind" in given else "within_promise"
    reason = facts["promise_reason"] if "promise_reason" in given else ""
    late = late_part(facts)
    if kind == "part_reason" and not reason and late is not None:
        reason = part_reason_text(late)
    slot = SLOTS[min(int(facts.get("promises_written") or 0), len(SLOTS) - 1)]
    written = _written(facts, {"slot": slot, "at": facts["promised_at"], "kind": kind, "reason": reason})
    return {**written, "promise_kind": kind, "promise_reason": reason, "t3_due_at": facts["promised_at"]}


@change()
def record_agreed_time(facts: Facts, parameters: Parameters) -> Mapping[str, Any]:
    """Under V2.0 a time is agreed without type, reason or limit; every one stays in the list."""
    promise = {
        "slot": "",
        "at": facts["promised_at"],
        "kind": "within_promise",
        "reason": "",
        "written_at": _now(facts),
    }
    return {"t3_promises": [*(facts.get("t3_promises") or []), promise], "t2": facts.get("t2") or _now(facts)}


def _written(facts: Facts, promise: dict[str, Any]) -> dict[str, Any]:
    promises = [*(facts.get("t3_promises") or []), {**promise, "written_at": _now(facts)}]
    found: dict[str, Any] = {"t3_promises": promises, "promises_written": len(promises)}
    if not facts.get("t2"):
        found["t2"] = _now(facts)  # STN-09: the first writing of T3 makes T2
    return {**found, **TIMES_MEAN.get(str(facts.get("service_mode")), {})}


@change()
def record_remote_solution(facts: Facts, parameters: Parameters) -> Mapping[str, Any]:
    """Solved by telephone: the special T31 where that is free, the type and the fixed reason (STN-29 to STN-31)."""
    reason = str(facts["promise_reason"]).replace(FULL_WIDTH_COMMA, ",")
    special = {"slot": SLOTS[0], "at": None, "kind": "resolved_remotely", "reason": reason}
    written = {} if facts.get("t3_promises") else _written(facts, special)
    return {
        **written, "promise_kind": "within_promise", "promise_reason": reason, "resolution": "resolved_remotely",
        "t4": _now(facts), **_closed_by(facts),
    }  # fmt: skip


@change("new_part_order_ref", "part_due_at_default")
def record_part_order(facts: Facts, parameters: Parameters) -> Mapping[str, Any]:
    """Add the ordered part with its number and promised delivery (STN-37, STN-36).

    What was said of an earlier part's return says nothing of this one (STN-47).
    """
    number = facts["part_order_no"] if "part_order_no" in facts["given_names"] else facts["new_part_order_ref"]
    due = facts["part_due_at"] if "part_due_at" in facts["given_names"] else facts["part_due_at_default"]
    part = {
        "no": number, "code": facts["part_code"], "due_at": due, "late": False, "arrived": False,
        "record": facts["new_part_order_ref"],
    }  # fmt: skip
    found = {"parts": [*(facts.get("parts") or []), part], "part_order_no": number, "part_due_at": due}
    if facts.get("part_returned"):
        found["part_returned"] = None
    return {**found, "t3_due_at": _still_promised(facts), **_pass_left_for_the_part(facts)}


def _still_promised(facts: Facts) -> Any:
    """Return the promised time that nobody has kept yet; orders promised before this was kept have only the promise."""
    return facts["t3_due_at"] if "t3_due_at" in facts else facts.get("promised_at")


def _pass_left_for_the_part(facts: Facts) -> dict[str, Any]:
    """A part found missing on site ends that pass unresolved, and with it the promise it kept (STN-45, STN-46)."""
    return {} if facts["state"] != "in_service" else _unresolved_pass(facts, str(facts.get("findings") or ""))


@change()
def record_borrowing(facts: Facts, parameters: Parameters) -> Mapping[str, Any]:
    """A borrowed part is at hand at once: an order waiting for the same part waits no longer (STN-38)."""
    loan = {"code": facts["part_code"], "lender": facts["lender"], "borrowed_at": _now(facts)}
    return {"borrowed_parts": [*(facts.get("borrowed_parts") or []), loan]}


@change()
def record_late_part(facts: Facts, parameters: Parameters) -> Mapping[str, Any]:
    return {"parts": _with_part(facts, late=True)}


@change()
def record_part_due(facts: Facts, parameters: Parameters) -> Mapping[str, Any]:
    """The supplier names another day; one that was missed before stays missed (STN-36, STN-39)."""
    return {"parts": _with_part(facts, due_at=facts["part_due_at"])}


@change()
def record_part_arrival(facts: Facts, parameters: Parameters) -> Mapping[str, Any]:
    return {"parts": _with_part(facts, arrived=True)}


@change()
def record_part_drop(facts: Facts, parameters: Parameters) -> Mapping[str, Any]:
    """A part that will not be shipped is awaited no longer; it never came and need not go back (STN-14)."""
    return {"parts": _with_part(facts, dropped=True)}


def _with_part(facts: Facts, **fields: Any) -> list[dict[str, Any]]:
    number = facts.get("part_order_no")
    return [{**part, **fields} if part["no"] == number else part for part in facts.get("parts") or []]


@change("engineer_entry")
def record_engineer(facts: Facts, parameters: Parameters) -> Mapping[str, Any]:
    entry = facts["engineer_entry"]
    if entry is None or "engineer" not in facts["given_names"]:
        return {}
    return {"assignee_id": entry["id"], "assignee_name": entry["name"]}


@change()
def record_print(facts: Facts, parameters: Parameters) -> Mapping[str, Any]:
    return {"printed_at": _now(facts), "prints": int(facts.get("prints") or 0) + 1}


@change()
def record_service_start(facts: Facts, parameters: Parameters) -> Mapping[str, Any]:
    """Note the start of this pass, and the engineer who began it where none was assigned (STN-12).

    It keeps the promise of a visit. For a machine sent in the agreed pickup is still to come (STN-07).
    """
    found: dict[str, Any] = {"service_started_at": _now(facts), "passes": int(facts.get("passes") or 0) + 1}
    if not facts.get("passes"):
        found["first_service_at"] = found["service_started_at"]  # the first promise is judged by it, re-opened or not
    found["t3_due_at"] = _still_promised(facts) if facts.get("service_mode") == "send_in" else None
    if not facts.get("assignee_id") and facts["actor_role"] == "station_engineer":
        found |= {"assignee_id": facts.get("actor_id"), "assignee_name": facts.get("actor_name", "")}
    return found


@change()
def record_unresolved_pass(facts: Facts, parameters: Parameters) -> Mapping[str, Any]:
    """Write the pass back as one unresolved one (STN-46)."""
    return _unresolved_pass(facts, facts["findings"])


def _unresolved_pass(facts: Facts, findings: str) -> dict[str, Any]:
    passed = {
        "pass": facts.get("passes", 1), "result": "first_pass_unresolved", "findings": findings,
        "started_at": facts.get("service_started_at"), "ended_at": _now(facts),
    }  # fmt: skip
    found: dict[str, Any] = {"service_passes": [*(facts.get("service_passes") or []), passed]}
    if "promised_at" not in facts["given_names"]:
        found["promised_at"] = None  # the promise was for this pass; the next one is still to be agreed (STN-45)
    return found


@change()
def record_completion(facts: Facts, parameters: Parameters) -> Mapping[str, Any]:
    """T4 is the completion; who closed and under which identity is kept (STN-04, contradiction 7)."""
    completed = facts["completed_at"] if "completed_at" in facts["given_names"] else _now(facts)
    return {"t4": completed, "resolution": "serviced", **_closed_by(facts)}


def _closed_by(facts: Facts) -> dict[str, Any]:
    return {
        "closed_at": _now(facts), "closed_by": facts.get("actor_name", ""), "closed_under": "station_engineer",
        "closed_role": facts["actor_role"],
    }  # fmt: skip


@change()
def record_reopening(facts: Facts, parameters: Parameters) -> Mapping[str, Any]:
    return {
        "reopened": int(facts.get("reopened") or 0) + 1, "closed_at": None, "t4": None, "resolution": None,
        "promised_at": None, "t3_due_at": None,
    }  # fmt: skip


@change()
def record_urge(facts: Facts, parameters: Parameters) -> Mapping[str, Any]:
    return {"urges": int(facts.get("urges") or 0) + 1, "last_urged_at": _now(facts)}


@change()
def record_cancellation(facts: Facts, parameters: Parameters) -> Mapping[str, Any]:
    """Keep reason, code, canceller, the four times and the version applied (CAN-27, CAN-33, CAN-39).

    A cancellation without a request before it (the user's, or the station's own) was asked for,
    judged and executed in the same moment; the station is told in the same transaction.
    """
    now = _now(facts)
    return {
        "cancel_code": code_of(facts["cancel_reason"]),
        "canceller": facts.get("actor_name", ""),
        "cancel_requested_at": facts.get("cancel_requested_at") or now,
        "cancel_judged_at": facts.get("cancel_judged_at") or now,
        "cancelled_at": now,
        "station_told_at": now if facts.get("station_no") else None,
        "cancel_version": facts.get("process_version"),
    }


@change("new_order_ref")
def record_replacement(facts: Facts, parameters: Parameters) -> Mapping[str, Any]:
    """Name the order that takes this one's place; it points back (CAN-03)."""
    return {"replaced_by": facts["new_order_ref"]}


@change()
def record_special_agreement(facts: Facts, parameters: Parameters) -> Mapping[str, Any]:
    """The region's consent; only a form on the refusal itself lets the order be cancelled for it (STN-43)."""
    found = {"special_situation_agreed": True, "special_situation_agreed_at": _now(facts)}
    return {**found, "refusal_agreed": True} if facts.get("situation_kind") == "user_refuses_plan" else found


def _now(facts: Facts) -> str:
    return stored_moment(facts["now"])
