"""What stands in the way of a step: rule by rule, all of it, so that a refusal may name any of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from mendline.sim.ground.oracle import cancelling, days
from mendline.sim.ground.oracle.model import MOST_PROMISES, Order, Record
from mendline.sim.ground.oracle.plain import Call, Network, day_of

EARLIEST_UNREACHABLE = timedelta(hours=3.5)  # STN-24
CONTACTS_A_DAY, QUOTA_DAYS = 6, 3  # STN-25
REMOTE = ("软件问题,电话解决", "其他问题,电话解决")  # STN-31
ATTEMPTS_TO_GIVE_UP = 3  # callbacks
PART_STEPS_REACH = frozenset(("promised", "awaiting_part", "multi_visit", "contacting"))


def moment(given: Mapping[str, Any], name: str) -> datetime | None:
    value = given.get(name)
    return datetime.fromisoformat(value) if isinstance(value, str) and value else None


def to_step(order: Order, call: Call, role: str, network: Network) -> set[str]:
    """Return the rules against a step of an order, from a state and by a role that have it."""
    given, now = call.given, call.at
    match call.name:
        case "mark_unreachable":
            return _unreachable_mark(order, now)
        case "report_wrong_number":
            found = {"CAN-22"} if order.open_records("cancellation_request") else set()
            return found | _request(order, "wrong_phone", now)
        case "promise":
            return _promises_left(order) | _time(order, given, now) | _change(order, given)
        case "resolve_remotely":
            return _remote(given)
        case "order_part":
            told = set() if given.get("told_user_why") else {"STN-35"}
            left = _promises_left(order) if "promised_at" in given else set()
            return told | left | _time(order, given, now, _part_due(order, given, now, network))
        case "assign_engineer":
            known = network.of_role("station_engineer", station=order.station)
            return set() if given["engineer"] in known else {"STN-12"}
        case "print_order":
            return _promise_stands(order) | _part_at_hand(order)
        case "start_service":
            printed = set() if order.state == "printed" or given.get("system_failure") else {"STN-41"}
            agrees = {"STN-43"} if given.get("user_agrees") is False else set()
            return printed | agrees | _promise_stands(order) | _part_at_hand(order)
        case "leave_unresolved":
            return _promises_left(order) | _time(order, given, now, None, ()) if "promised_at" in given else set()
        case "resolve":
            came = any(part.arrived for part in order.parts())
            return {"STN-47"} if came and not (order.returned or given.get("part_returned")) else set()
        case "cancel" | "cancel_and_reassign":
            line = str(given.get("request_line", ""))
            return cancel(order, role, str(given["requested_by"]), str(given["cancel_reason"]), now, line)
    return set()


def cancel(order: Order, role: str, asked_by: str, reason: str, now: datetime, line: str = "") -> set[str]:
    found = cancelling.objections(
        origin=order.origin, role=role, asked_by=asked_by, reason=reason, line=line, arrived=order.arrived,
        agreed=order.agreed,
    )  # fmt: skip
    return found | (unreachable_unproved(order, now) if reason == "unreachable" else set())


def unreachable_unproved(order: Order, now: datetime) -> set[str]:
    """Five working days since T1, the special T31, nobody reached, six contacts on three working days."""
    if order.t1 is None:
        return set()
    if now < days.plus_working_days(order.t1, 5):
        return {"STN-26", "CAN-13"}
    if order.special_at is None:
        return {"STN-22"}
    if order.reached_at is not None:
        return {"STN-26"}
    called = [order.attempts.get(days.nth_working_day(day_of(order.special_at), n + 1), 0) for n in range(QUOTA_DAYS)]
    return {"STN-25"} if min(called) < CONTACTS_A_DAY else set()


def to_begin(order: Order, call: Call) -> set[str]:
    """Return the rules against a record that the station begins beside its order."""
    if not order.is_open:
        return {"STN-32"}
    if call.name == "special_situation":
        return set()
    found = _request(order, str(call.given["cancel_reason"]), call.at)
    return found | ({"CAN-22"} if order.open_records("cancellation_request") else set())


def _request(order: Order, reason: str, now: datetime) -> set[str]:
    found = cancelling.may_ask(origin=order.origin, reason=reason, arrived=order.arrived, agreed=order.agreed)
    return found | (unreachable_unproved(order, now) if reason == "unreachable" else set())


def to_record_step(order: Order, record: Record, call: Call, role: str) -> set[str]:
    """Return the rules against a step of a record, from a state and by a role that have it."""
    match record.process, call.name:
        case "cancellation_request", "approve" | "refuse":
            return {"CAN-06"} if role == "region_channel_specialist" and record.reason != "wrong_area" else set()
        case "cancellation_request", "cancel_order" | "reassign_order":
            return cancel(order, role, "station", record.reason, call.at)
        case "special_situation", "agree_and_cancel":
            if record.reason != "user_refuses_plan":
                return {"STN-43"}
            return cancelling.objections(
                origin=order.origin, role=role, asked_by="station", reason="user_refuses", line="",
                arrived=order.arrived, agreed=True,
            )  # fmt: skip
        case "special_situation", "agree" if order.state not in _AGREED_FROM:
            return {"code:wrong_state"}
        case "part_order", "ship":
            due = moment(call.given, "part_due_at")
            return {"STN-39"} if due is not None and due < call.at else set()
        case "part_order", "receive" | "reject" if order.state not in PART_STEPS_REACH:
            return {"code:wrong_state"}
        case "callback", "complete" if not call.given.get("solved"):
            return {"STN-45"}
        case "callback", "give_up" if record.attempts < ATTEMPTS_TO_GIVE_UP:
            return {"STN-48"}
    return set()


_AGREED_FROM = frozenset(
    ("dispatched", "downloaded", "contacting", "promised", "awaiting_part", "printed", "in_service", "multi_visit")
)


def _unreachable_mark(order: Order, now: datetime) -> set[str]:
    found: set[str] = set()
    if order.t1 is not None and now < order.t1 + EARLIEST_UNREACHABLE:
        found |= {"STN-24", "STN-23"}
    if order.promises or order.reached_at is not None:
        found.add("STN-22")
    return found


def _promises_left(order: Order) -> set[str]:
    return {"STN-08"} if order.written >= MOST_PROMISES else set()


def _time(
    order: Order,
    given: Mapping[str, Any],
    now: datetime,
    ordered: datetime | None = None,
    waiting: tuple[datetime, ...] | None = None,
) -> set[str]:
    """A promise lies ahead, and not before the parts that are still to come (STN-07, STN-36)."""
    found: set[str] = set()
    stated = moment(given, "part_due_at")
    if stated is not None and stated < now:
        found.add("STN-36")
    promised = moment(given, "promised_at")
    if promised is None:
        return found
    if promised < now:
        found |= {"STN-07", "COM-09", "STN-22"}
    if waiting is None:
        waiting = tuple(part.due for part in order.awaited() if part.due is not None and not part.late)
    latest = max([*waiting, *([ordered] if ordered else [])], default=None)
    if latest is not None and promised < latest:
        found.add("STN-36")
    return found


def _part_due(order: Order, given: Mapping[str, Any], now: datetime, network: Network) -> datetime:
    return moment(given, "part_due_at") or now + timedelta(days=network.stations[order.station].part_days)


def _change(order: Order, given: Mapping[str, Any]) -> set[str]:
    """Replacing a promise takes its type and reason; a late part must be named (STN-39, STN-40, STN-49)."""
    found: set[str] = set()
    kind = given.get("promise_kind")
    if order.state in ("promised", "printed") or order.visit_stands_while_waiting():
        if kind is None or (kind != "part_reason" and not given.get("promise_reason")):
            found.add("STN-49")
    late = order.late_part()
    if late is None:
        if kind == "part_reason":
            found.add("STN-40")
    elif late in order.awaited() and kind not in ("part_reason", "user_reason"):
        found |= {"STN-40", "STN-39"}
    return found


def _remote(given: Mapping[str, Any]) -> set[str]:
    found = {"STN-30"} if given.get("promise_kind", "within_promise") != "within_promise" else set()
    return found | (set() if str(given["promise_reason"]).replace("，", ",") in REMOTE else {"STN-31"})


def _promise_stands(order: Order) -> set[str]:
    return set() if order.promised_at is not None or order.written >= MOST_PROMISES else {"STN-45", "STN-33"}


def _part_at_hand(order: Order) -> set[str]:
    return {"STN-50"} if order.awaited() else set()
