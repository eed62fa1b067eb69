"""What becomes of repair orders in the demo: courses drawn by chance, from the report to the callback.

Each story is a generator that yields the moments at which somebody goes on with the order. What
lies ahead of now does not happen, and so the orders stand wherever the real day finds them.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

from mendline.kernel.calendars import nth_working_day_after
from mendline.kernel.time import SHANGHAI, local_day
from mendline.process.calendar_table import calendar
from mendline.process.values import moment_of
from mendline.sim.demo_calls import Call
from mendline.sim.demo_stage import Stage, Story

NOT_REACHED = ("no_answer", "busy", "powered_off")
REMOTE_REASONS = ("软件问题,电话解决", "其他问题,电话解决")
DAY = 24 * 60  # minutes
CALLS_A_DAY = 6  # STN-25


# --- parts of stories: each goes on with an order that stands where the part before left it -----


def told(stage: Stage, ref: str, *, late: bool = False) -> Story:
    """The station downloads the order and reaches the user; `late`: after the contact limit (STN-19)."""
    yield stage.after(3, 35)
    stage.do(ref, "download")
    if stage.chance(35):
        yield stage.after(5, 40)
        stage.do(ref, "log_contact", contact_outcome=stage.rng.choice(NOT_REACHED))
    yield stage.after(245, 420) if late else stage.after(8, 130)
    stage.do(ref, "log_contact", contact_outcome="reached", contact_note="已与用户确认故障与地址")
    yield stage.after(1, 5)


def promised(stage: Stage, ref: str, at: datetime, **more: Any) -> Story:
    """A service time is agreed and somebody is sent for it."""
    stage.do(ref, "promise", promised_at=at.isoformat(), **more)
    yield stage.after(2, 20)
    stage.do(ref, "assign_engineer", engineer=stage.engineer_of(ref))


def part_came(stage: Stage, ref: str, call: Call, *, late_percent: float = 25) -> Story:
    """A part is ordered, shipped and received; one that comes late gets the user a new time (STN-39)."""
    due = stage.after(2 * DAY, 3 * DAY)
    stage.do(
        ref, "order_part", part_code=call.fault.part, told_user_why=True, borrowing="not_available",
        part_due_at=due.isoformat(), promised_at=stage.visit_time(due).isoformat(), promise_kind="within_promise",
    )  # fmt: skip
    part_order = stage.record_of(ref, "part_order")
    yield stage.by_day(90, 600)
    stage.do(part_order, "ship", "service_support_dept", waybill=f"SF{stage.rng.randrange(10**11, 10**12)}")
    if stage.chance(late_percent):
        yield due + timedelta(minutes=stage.rng.uniform(40, 90))
        stage.do(ref, "promise", promised_at=stage.visit_time(stage.after(DAY)).isoformat(), promise_kind="part_reason")
        yield stage.by_day(300, 900)
    else:
        yield due - timedelta(minutes=stage.rng.uniform(60, 900))
    stage.do(part_order, "receive")


def visited(stage: Stage, ref: str, *, late_percent: float = 10) -> Story:
    """The order is printed and the engineer comes; some come after the promised time."""
    promised_at = moment_of(stage.look(ref).facts, "promised_at") or stage.at
    yield max(promised_at - timedelta(minutes=stage.rng.uniform(45, 150)), stage.after(2))
    given = {} if stage.look(ref).facts.get("assignee_id") else {"engineer": stage.engineer_of(ref)}
    stage.do(ref, "print_order", **given)
    early, late = (5, 90) if stage.chance(late_percent) else (-20, -1)
    yield max(promised_at + timedelta(minutes=stage.rng.uniform(early, late)), stage.after(3))
    stage.do(ref, "start_service", "station_engineer", user_agrees=True)
    yield stage.after(25, 100)


def closed(stage: Stage, ref: str, call: Call) -> Story:
    """The user signs; the part that was taken out goes back."""
    parts = any(part["arrived"] for part in stage.look(ref).facts.get("parts") or ())
    stage.do(
        ref, "resolve", "station_engineer", user_signature=call.name, findings=call.fault.found,
        work_done=call.fault.done, **({"part_returned": True} if parts else {}),
    )  # fmt: skip
    if parts:
        part_order = stage.record_of(ref, "part_order")
        yield stage.by_day(DAY, 2 * DAY)
        stage.do(part_order, "take_back", "service_support_dept", return_condition="defective")


def called_back(stage: Stage, ref: str) -> Story:
    """The user is called: most are satisfied, some are not reached at first."""
    callback = stage.record_of(ref, "callback")
    who = stage.somebody(stage.rng.choice(("info_support_dept", "info_support_dept", "cc_agent")))
    yield stage.by_day(0.6 * DAY, 1.6 * DAY)
    if stage.chance(20):
        stage.do(callback, "log_attempt", who, attempt_note="无人接听")
        yield stage.by_day(90, 500)
    outcome = "dissatisfied" if stage.chance(12) else "satisfied"
    remark = "上门前没有来电话" if outcome == "dissatisfied" else "工程师很耐心"
    stage.do(callback, "complete", who, callback_outcome=outcome, solved=True, remark=remark)


# --- whole stories -----------------------------------------------------------------------------


def repaired(stage: Stage, call: Call, *, late: bool = False) -> Story:
    """The usual course: one visit and done."""
    ref = stage.report(call)
    yield from told(stage, ref, late=late)
    yield from promised(stage, ref, stage.visit_time())
    if stage.chance(8):
        yield stage.by_day(60, 300)
        stage.do(ref, "urge", "cc_agent", urge_note="用户希望尽早上门")
    yield from visited(stage, ref)
    yield from closed(stage, ref, call)
    yield from called_back(stage, ref)


def repaired_late(stage: Stage, call: Call) -> Story:
    yield from repaired(stage, call, late=True)


def repaired_with_part(stage: Stage, call: Call) -> Story:
    """The part is known to be needed before anybody comes."""
    ref = stage.report(call)
    yield from told(stage, ref)
    yield from part_came(stage, ref, call)
    yield from visited(stage, ref)
    yield from closed(stage, ref, call)
    yield from called_back(stage, ref)


def repaired_in_two_visits(stage: Stage, call: Call) -> Story:
    """The first visit only finds out; the user agrees on a second one (STN-45)."""
    ref = stage.report(call)
    yield from told(stage, ref)
    yield from promised(stage, ref, stage.visit_time())
    yield from visited(stage, ref)
    again = stage.visit_time().isoformat()
    stage.do(
        ref, "leave_unresolved", "station_engineer", findings=call.fault.found, promised_at=again,
        promise_kind="user_reason", promise_reason="用户约定再次上门",
    )  # fmt: skip
    yield from visited(stage, ref)
    yield from closed(stage, ref, call)
    yield from called_back(stage, ref)


def solved_by_telephone(stage: Stage, call: Call) -> Story:
    """No visit: the station's engineer solves it on the telephone (STN-28)."""
    ref = stage.report(call)
    yield from told(stage, ref)
    reason = stage.rng.choice(REMOTE_REASONS)
    stage.do(ref, "resolve_remotely", "station_engineer", promise_reason=reason, findings="电话指导后恢复正常")
    yield from called_back(stage, ref)


def reopened(stage: Stage, call: Call, ref: str = "") -> Story:
    """The callback finds the trouble unsolved; the same order goes on (STN-45)."""
    ref = ref or stage.report(call)
    yield from told(stage, ref)
    yield from promised(stage, ref, stage.visit_time())
    yield from visited(stage, ref)
    yield from closed(stage, ref, call)
    callback = stage.record_of(ref, "callback")
    yield stage.by_day(0.6 * DAY, DAY)
    stage.do(callback, "reopen_order", "info_support_dept", reopen_reason=f"修后又出现：{call.fault.said}")
    yield stage.after(20, 160)
    stage.do(ref, "log_contact", contact_outcome="reached")
    yield stage.after(2)
    yield from promised(stage, ref, stage.visit_time())
    yield from visited(stage, ref)
    yield from closed(stage, ref, call)
    yield from called_back(stage, ref)


def cancelled_by_user(stage: Stage, call: Call) -> Story:
    """The user calls again before anybody came; the agent cancels at once (CAN-31)."""
    ref = stage.report(call)
    yield from told(stage, ref)
    yield from promised(stage, ref, stage.visit_time())
    yield stage.by_day(60, 500)
    stage.do(
        ref, "cancel", "cc_agent", cancel_reason=stage.rng.choice(("user_solved", "user_postponed")),
        requested_by="user", request_line="line_800", cancel_detail="用户来电撤单",
    )  # fmt: skip


def sent_to_the_wrong_area(stage: Stage, call: Call) -> Story:
    """The user lives elsewhere: the region agrees and reassigns, another station goes on (CAN-11, CAN-24)."""
    ref = stage.report(call)
    yield from told(stage, ref)
    coordinator = stage.of_order(ref, "station_coordinator")
    request = stage.open_record(
        "cancellation_request", "submit", coordinator, order_ref=ref, cancel_reason="wrong_area",
        cancel_detail="用户实际地址不在本站区域",
    )  # fmt: skip
    yield stage.by_day(20, 200)
    area, address = ("110105", "望京街18号") if not call.area.startswith("11") else ("310104", "漕溪北路375号")
    stage.do(
        request, "reassign_order", "region_interface", verdict_note="情况属实，改派", corrected_area=area,
        corrected_address=address,
    )  # fmt: skip
    replacement = str(stage.look(ref).facts["replaced_by"])
    yield from told(stage, replacement)
    yield from promised(stage, replacement, stage.visit_time())
    yield from visited(stage, replacement)
    yield from closed(stage, replacement, call)
    yield from called_back(stage, replacement)


def refused_by_the_region(stage: Stage, call: Call) -> Story:
    """The region finds no ground; the station goes on with the repair (CAN-25)."""
    ref = stage.report(call)
    yield from told(stage, ref)
    coordinator = stage.of_order(ref, "station_coordinator")
    request = stage.open_record(
        "cancellation_request", "submit", coordinator, order_ref=ref, cancel_reason="capacity_error",
        cancel_detail="本站今日工程师不足",
    )  # fmt: skip
    yield stage.by_day(30, 180)
    stage.do(request, "refuse", "region_interface", verdict_note="当日产能仍有余量，请继续维修")
    yield stage.after(10, 40)
    yield from promised(stage, ref, stage.visit_time())
    yield from visited(stage, ref)
    yield from closed(stage, ref, call)
    yield from called_back(stage, ref)


def plan_refused_at_the_door(stage: Stage, call: Call) -> Story:
    """The user does not want what the engineer proposes; form, consent of the region, cancellation (STN-43)."""
    ref = stage.report(call)
    yield from told(stage, ref)
    yield from promised(stage, ref, stage.visit_time())
    yield from visited(stage, ref)
    coordinator = stage.of_order(ref, "station_coordinator")
    form = stage.open_record(
        "special_situation", "submit", coordinator, order_ref=ref, situation_kind="user_refuses_plan",
        situation="用户不同意维修方案，认为费用过高，要求不再维修",
    )  # fmt: skip
    yield stage.by_day(30, 200)
    stage.do(form, "agree_and_cancel", "region_interface", verdict_note="已与用户核实，同意撤单")


def never_reached(stage: Stage, call: Call, ref: str = "") -> Story:
    """Nobody answers for five working days; the region cancels, headquarters is told (STN-22 to STN-27)."""
    ref = ref or stage.report(call)
    received = stage.at
    yield stage.after(5, 30)
    stage.do(ref, "download")
    for _ in range(3):
        yield stage.after(25, 55)
        stage.do(ref, "log_contact", contact_outcome=stage.rng.choice(NOT_REACHED))
    yield received + timedelta(minutes=stage.rng.uniform(212, 236))
    marked, marked_on = stage.do(ref, "mark_unreachable", contact_note="多次联系不上"), local_day(stage.at)
    working = calendar("working_days").days
    for n in range(1, 4):
        day = nth_working_day_after(working, marked_on, n)
        for place in range(CALLS_A_DAY):
            yield datetime.combine(day, time(9 + place, stage.rng.randrange(60)), SHANGHAI).astimezone(UTC)
            stage.do(ref, "log_contact", contact_outcome=stage.rng.choice(NOT_REACHED))
    yield marked.clocks["unreachable"].due_at + timedelta(minutes=stage.rng.uniform(30, 200))
    coordinator = stage.of_order(ref, "station_coordinator")
    request = stage.open_record(
        "cancellation_request", "submit", coordinator, order_ref=ref, cancel_reason="unreachable",
        cancel_detail="三个工作日每天联系六次，均联系不上",
    )  # fmt: skip
    yield stage.by_day(30, 160)
    stage.do(request, "cancel_order", "region_interface", verdict_note="记录完整，同意撤单")


def reached_on_the_second_day(stage: Stage, call: Call, ref: str = "") -> Story:
    """Marked as not reached, then reached after all: T32 is still free for a promise (STN-22)."""
    ref = ref or stage.report(call)
    received = stage.at
    yield stage.after(5, 60)
    stage.do(ref, "download")
    yield stage.after(20, 100)
    stage.do(ref, "log_contact", contact_outcome="powered_off")
    yield received + timedelta(minutes=stage.rng.uniform(212, 236))
    stage.do(ref, "mark_unreachable")
    yield stage.after(0.7 * DAY, 1.2 * DAY)
    stage.do(ref, "log_contact", contact_outcome="reached")
    yield stage.after(2)
    yield from promised(stage, ref, stage.visit_time())
    yield from visited(stage, ref)
    yield from closed(stage, ref, call)
    yield from called_back(stage, ref)


def brought_to_the_station(stage: Stage, call: Call) -> Story:
    """The user comes to the station, which makes the order itself (COM-01)."""
    coordinator = stage.somebody("station_coordinator", station_no="000001")
    ref = stage.open_record("unified_repair", "self_order", coordinator, **call.as_given())
    yield stage.after(5, 30)
    stage.do(ref, "download")
    yield stage.after(5, 30)
    yield from promised(stage, ref, stage.after(60, 200))
    yield from visited(stage, ref)
    yield from closed(stage, ref, call)
    yield from called_back(stage, ref)
