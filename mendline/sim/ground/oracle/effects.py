"""What a step that was done leaves behind: state, promises, parts, records, seats, clocks."""

from __future__ import annotations

from datetime import datetime, timedelta

from mendline.sim.ground.oracle import clocks
from mendline.sim.ground.oracle.model import Order, Promise, Record
from mendline.sim.ground.oracle.objections import moment
from mendline.sim.ground.oracle.plain import Call, Network, day_of
from mendline.sim.ground.oracle.stations import Seats
from mendline.sim.ground.oracle.steps import OF_ORDERS, OF_RECORDS

SHORT = {"cancellation_request": "request", "special_situation": "form", "part_order": "part", "callback": "callback"}


def do_step(order: Order, call: Call, network: Network, seats: Seats) -> None:
    """Carry out a step of an order on the model. The station of a dispatch is set by whoever reads the answer."""
    before, now, given = order.state, call.at, call.given
    order.state = OF_ORDERS[call.name].to or order.state
    match call.name:
        case "dispatch":
            order.t1 = now
        case "log_contact":
            order.state = "contacting" if before in ("dispatched", "downloaded") else before
            order.attempts[day_of(now)] = order.attempts.get(day_of(now), 0) + 1
            if given["contact_outcome"] == "reached" and order.reached_at is None:
                order.reached_at = now
        case "mark_unreachable":
            order.promises.append(Promise(None, now))
            order.special_at = now
        case "report_wrong_number":
            add_record(order, "cancellation_request", "submitted", now).reason = "wrong_phone"
        case "promise":
            _promise(order, moment(given, "promised_at"), now)
        case "resolve_remotely":
            if not order.promises:
                order.promises.append(Promise(None, now))
            close(order, now)
        case "order_part":
            _order_part(order, call, before, network)
        case "borrow_part":
            order.borrowed.add(str(given["part_code"]))
            if before == "awaiting_part":
                _go_on(order)
        case "start_service":
            order.started_at, order.passes = now, order.passes + 1
            order.visit_due = order.visit_due if order.mode == "send_in" else None
        case "leave_unresolved":
            order.promised_at = None
            _promise(order, moment(given, "promised_at"), now)
        case "resolve":
            order.returned = order.returned or bool(given.get("part_returned"))
            close(order, now)
        case "reopen":
            reopen(order, now)
        case "cancel" | "cancel_and_reassign":
            end(order, str(given["cancel_reason"]), call.name == "cancel_and_reassign", now, seats)
    clocks.move(order, call.name, before, now)


def add_record(order: Order, process: str, state: str, now: datetime) -> Record:
    number = sum(record.process == process for record in order.records) + 1
    record = Record(f"{order.label}.{SHORT[process]}{number}", process, order.label, state, opened_at=now)
    order.records.append(record)
    if process != "part_order":
        clocks.open_record(record, now)
    return record


def _promise(order: Order, promised: datetime | None, now: datetime) -> None:
    if promised is not None:
        order.promises.append(Promise(promised, now))
        order.promised_at = order.visit_due = promised


def _order_part(order: Order, call: Call, before: str, network: Network) -> None:
    """A part found missing on site ends that pass, and with it the promise it kept (STN-45)."""
    promised = moment(call.given, "promised_at")
    if before == "in_service":
        order.promised_at = None
    part = add_record(order, "part_order", "ordered", call.at)
    order.returned = False
    part.code = str(call.given["part_code"])
    usual = call.at + timedelta(days=network.stations[order.station].part_days)
    part.due = moment(call.given, "part_due_at") or usual
    clocks.open_record(part, call.at)
    _promise(order, promised, call.at)


def _go_on(order: Order) -> None:
    """What waited for a part goes on to its promised visit; without one the user is contacted first (STN-33)."""
    if not order.awaited():
        order.state = "promised" if order.promised_at is not None else "contacting"


def close(order: Order, now: datetime) -> None:
    order.ended_at = now
    _end_records(order, now)
    add_record(order, "callback", "due", now)


def reopen(order: Order, now: datetime, settled_by: str = "") -> None:
    order.reopened += 1
    order.promised_at = order.visit_due = order.ended_at = None
    _end_records(order, now, settled_by)


def end(order: Order, reason: str, is_replaced: bool, now: datetime, seats: Seats, settled_by: str = "") -> None:
    """Void an order: its seat is free, what was open beside it lapses (CAN-01, COM-10)."""
    order.cancel_reason, order.ended_at = reason, now
    order.state = "cancelled_and_reassigned" if is_replaced else "cancelled"
    if order.seat is not None:
        seats.give_back(order.seat)
        order.seat = None
    _end_records(order, now, settled_by)


def _end_records(order: Order, now: datetime, settled_by: str = "") -> None:
    for record in order.open_records():
        if record.label == settled_by or (record.process == "part_order" and record.state == "arrived"):
            continue
        if record.process != "part_order":
            record.state = "lapsed"
        else:
            record.state = "arrived" if record.state == "shipped" else "recalled"
        clocks.end_record(record, now)


def do_record_step(order: Order, record: Record, call: Call, seats: Seats) -> None:
    """Carry out a step of a record, with what it means for its order."""
    now, before = call.at, order.state
    record.state = OF_RECORDS[record.process][call.name].to
    caused = ""
    match record.process, call.name:
        case "cancellation_request", "cancel_order" | "reassign_order":
            caused = "cancel" if call.name == "cancel_order" else "cancel_and_reassign"
            end(order, record.reason, caused == "cancel_and_reassign", now, seats, record.label)
        case "special_situation", "agree":
            order.agreed = order.agreed or record.reason == "user_refuses_plan"
        case "special_situation", "agree_and_cancel":
            caused, order.agreed = "cancel", True
            end(order, "user_refuses", False, now, seats, record.label)
        case "part_order", "ship":
            record.due = moment(call.given, "part_due_at") or record.due
            if record.due is not None:
                clocks.promise_delivery(record, record.due, now)
        case "part_order", "reject":
            record.dropped = True
            if before == "awaiting_part" and not order.awaited():
                order.state = "contacting"
        case "part_order", "receive":
            record.arrived = True
            if before == "awaiting_part":
                _go_on(order)
        case "callback", "log_attempt":
            record.attempts += 1
        case "callback", "complete" | "give_up":
            order.state = "called_back"
        case "callback", "reopen_order":
            caused, order.state = "reopen", "contacting"
            reopen(order, now, record.label)
        case _:
            pass
    if record.state not in ("submitted", "approved", "ordered", "shipped", "due"):
        clocks.end_record(record, now)
    clocks.move(order, caused or "of_a_record", before, now)
