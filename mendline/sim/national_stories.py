"""What becomes of the national demo's orders: who is slow, who fails, what arrives late, what goes round in circles.

`Conduct` says how each station and region behaves and since when; the courses ask it. So every
figure has a cause that can be found again: a station in Zhengzhou that lost its people, a region
that is slow with its verdicts, a battery supplier that is two weeks behind.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import TypeAlias

from mendline.kernel.errors import Refused
from mendline.sim import demo_stories
from mendline.sim.demo_calls import Call
from mendline.sim.demo_stage import Stage, Story
from mendline.sim.demo_stories import DAY, NOT_REACHED, closed, promised, visited
from mendline.sim.national_products import SCARCE_PART

SLOW_REGION = "northwest"
FAILING_FROM = 13  # days ago
SUPPLIER_LATE = (21, 8)  # days ago, from and until

PRAISE = ("工程师很耐心", "很快就修好了", "服务态度好", "上门准时", "讲解清楚，还教了保养", "第二次用你们服务，满意")
COMPLAINTS = (
    "上门前没有来电话", "约好上午，下午才到", "换了配件还是有异响", "打了三次电话才有人接", "收费没有事先说清楚",
    "工程师没有工牌", "等配件等了一个多星期", "修完没有清理现场",
)  # fmt: skip
COMPLAINTS_OF_THE_FAILING = ("约了三次都没来", "一直说人手不够", "工程师说做不了就走了", "没人回电话，要投诉到总部")
URGES = ("用户希望尽早上门", "用户第二次来电催促", "用户称影响营业", "用户要求明确上门时间")
USERS_GROUNDS = (
    ("user_solved", "用户来电：重启后好了", 30), ("already_normal", "用户称故障消失", 16),
    ("user_postponed", "用户出差，回来再报修", 20), ("special_request", "用户要求指定工程师，无法满足", 8),
    ("user_refuses", "用户嫌贵，不修了", 12), ("incomplete_info", "报修人不是机主，信息待核实", 6),
)  # fmt: skip
STATIONS_GROUNDS = (
    ("wrong_area", "用户实际地址不在本站区域", 26), ("user_solved", "联系时用户称已自行解决", 18),
    ("already_normal", "电话联系时机器已正常", 12), ("capacity_error", "本站今日工程师已派满", 16),
    ("user_postponed", "用户要求改到下月再报修", 12), ("incomplete_info", "地址不详，电话核实不到", 8),
    ("special_request", "用户要求当天取机并提供备机", 8),
)  # fmt: skip
VERDICTS = {
    "agreed": ("情况属实，同意撤单", "已与用户核实，同意"),
    "refused": ("产能仍有余量，请继续维修", "理由不足，请再联系用户", "用户表示仍需维修"),
}
REMOTE = (("软件问题,电话解决", 70), ("其他问题,电话解决", 30))


@dataclass
class Conduct:
    """How everybody behaves. Percentages of orders; `now` dates the stories, `failing` is the station that fails."""

    now: datetime
    failing: str
    stations: Mapping[str, Sequence[str]]  # head stations by province

    def fails(self, stage: Stage, station_no: str) -> bool:
        return station_no == self.failing and stage.at > self.now - timedelta(days=FAILING_FROM)

    def late_contact(self, stage: Stage, station_no: str) -> float:
        return 58 if self.fails(stage, station_no) else 3 + _character(station_no) % 11

    def late_visit(self, stage: Stage, station_no: str) -> float:
        return 52 if self.fails(stage, station_no) else 4 + _character(station_no) // 7 % 9

    def dissatisfied(self, stage: Stage, station_no: str) -> float:
        return 48 if self.fails(stage, station_no) else 4 + _character(station_no) // 5 % 8

    def verdict(self, stage: Stage, region: str) -> datetime:
        if region == SLOW_REGION:
            return stage.by_day(280, 1500)
        return stage.by_day(12, 150)

    def part_late(self, stage: Stage, part: str) -> float:
        gone = (self.now - stage.at).days
        return 85 if part == SCARCE_PART and SUPPLIER_LATE[0] >= gone >= SUPPLIER_LATE[1] else 12


def _character(station_no: str) -> int:
    """Return a number that is a station's own for ever: some are punctual, some are not."""
    return Random(station_no).randrange(1000)


Course: TypeAlias = Callable[[Stage, Call, Conduct], Story]


def _drawn(stage: Stage, grounds: tuple[tuple[str, str, int], ...]) -> tuple[str, str]:
    ground, detail, _ = stage.rng.choices(grounds, [weight for _, _, weight in grounds])[0]
    return ground, detail


# --- parts of courses ----------------------------------------------------------------------------------------------


def taken(stage: Stage, call: Call) -> Generator[datetime, None, str]:
    """An agent takes the report; returns its number once a station has it, or nothing when none ever does."""
    ref = stage.report(call)
    yield from placed(stage, ref)
    return ref if stage.look(ref).station_no else ""


def placed(stage: Stage, ref: str) -> Story:
    """Where no station was found the region finds one on a later day, or the agent tells the user that there is none.

    Afterwards the order stands at a station, or it is cancelled: whoever goes on looks first.
    """
    for _ in range(3):
        if stage.look(ref).station_no:
            return
        yield stage.by_day(15, 200)
        try:
            stage.do(ref, "dispatch", "region_interface")
        except Refused:  # nobody there today either
            yield stage.by_day(0.5 * DAY, 0.9 * DAY)
    if not stage.look(ref).station_no:
        stage.do(
            ref, "cancel", "cc_agent", cancel_reason="special_request", requested_by="user", request_line="line_800",
            cancel_detail="当地暂无维修站服务此产品，用户同意自行寄修",
        )  # fmt: skip


def told(stage: Stage, ref: str, conduct: Conduct) -> Story:
    """The station downloads the order and reaches the user, in time or not (STN-19)."""
    order = stage.look(ref)
    late = stage.chance(conduct.late_contact(stage, order.station_no))
    yield stage.after(2, 40)
    if order.state == "dispatched":
        stage.do(ref, "download")
    for _ in range(stage.rng.choice((0, 0, 0, 1, 1, 2))):
        yield stage.after(5, 50)
        stage.do(ref, "log_contact", contact_outcome=stage.rng.choice(NOT_REACHED))
    yield stage.after(245, 560) if late else stage.after(6, 80)
    stage.do(ref, "log_contact", contact_outcome="reached", contact_note="已与用户确认故障与地址")
    yield stage.after(1, 6)


def called_back(stage: Stage, ref: str, conduct: Conduct) -> Story:
    """The user is called once, twice, or in vain; says thanks or complains (STN-48)."""
    order = stage.look(ref)
    callback = stage.record_of(ref, "callback")
    who = stage.somebody(stage.rng.choice(("info_support_dept", "info_support_dept", "cc_agent")))
    yield stage.by_day(0.5 * DAY, 1.7 * DAY)
    in_vain = 3 if stage.chance(4) else 1 if stage.chance(20) else 0
    for _ in range(in_vain):
        stage.do(
            callback, "log_attempt", who, attempt_note=stage.rng.choice(("无人接听", "占线", "用户开会，稍后再打"))
        )
        yield stage.by_day(90, 500)
    if in_vain == 3:
        stage.do(callback, "give_up", who)
        return
    unhappy = stage.chance(conduct.dissatisfied(stage, order.station_no))
    failing = conduct.fails(stage, order.station_no)
    words = PRAISE if not unhappy else COMPLAINTS_OF_THE_FAILING if failing else COMPLAINTS
    outcome = "dissatisfied" if unhappy else "satisfied"
    stage.do(callback, "complete", who, callback_outcome=outcome, solved=True, remark=stage.rng.choice(words))


def repaired_on(stage: Stage, ref: str, call: Call, conduct: Conduct) -> Story:
    """From the first contact to the callback, in one visit."""
    yield from told(stage, ref, conduct)
    yield from promised(stage, ref, stage.visit_time())
    yield from served(stage, ref, call, conduct)


def served(stage: Stage, ref: str, call: Call, conduct: Conduct) -> Story:
    """From the promise to the callback."""
    yield from visited(stage, ref, late_percent=conduct.late_visit(stage, stage.look(ref).station_no))
    yield from closed(stage, ref, call)
    yield from called_back(stage, ref, conduct)


def asked(stage: Stage, ref: str, ground: str, detail: str) -> str:
    coordinator = stage.of_order(ref, "station_coordinator")
    return stage.open_record(
        "cancellation_request", "submit", coordinator, order_ref=ref, cancel_reason=ground, cancel_detail=detail
    )


def _verdict(stage: Stage, which: str) -> str:
    return stage.rng.choice(VERDICTS[which])


# --- courses -------------------------------------------------------------------------------------------------------


def repaired(stage: Stage, call: Call, conduct: Conduct) -> Story:
    """The usual course: one visit and done. Now and then the user urges."""
    if not (ref := (yield from taken(stage, call))):
        return
    yield from told(stage, ref, conduct)
    yield from promised(stage, ref, stage.visit_time())
    if stage.chance(22 if conduct.fails(stage, stage.look(ref).station_no) else 5):
        yield stage.by_day(60, 300)
        stage.do(ref, "urge", "cc_agent", urge_note=stage.rng.choice(URGES))
    yield from served(stage, ref, call, conduct)


def repaired_with_part(stage: Stage, call: Call, conduct: Conduct) -> Story:
    """The part is known to be needed before anybody comes. Some parts are refused, some borrowed, some late."""
    if not (ref := (yield from taken(stage, call))):
        return
    yield from told(stage, ref, conduct)
    yield from demo_stories.part_came(stage, ref, call, late_percent=conduct.part_late(stage, call.fault.part))
    yield from served(stage, ref, call, conduct)


def part_refused(stage: Stage, call: Call, conduct: Conduct) -> Story:
    """The part is out of production; the station borrows one elsewhere and repairs all the same (STN-38)."""
    if not (ref := (yield from taken(stage, call))):
        return
    yield from told(stage, ref, conduct)
    due = stage.after(2 * DAY, 3 * DAY)
    stage.do(
        ref, "order_part", part_code=call.fault.part, told_user_why=True, borrowing="not_available",
        part_due_at=due.isoformat(), promised_at=stage.visit_time(due).isoformat(), promise_kind="within_promise",
    )  # fmt: skip
    part_order = stage.record_of(ref, "part_order")
    yield stage.by_day(120, 700)
    refusal = stage.rng.choice(("该备件已停产，无替代件", "供应商缺货，交期不定", "编码与机型不符"))
    stage.do(part_order, "reject", "service_support_dept", refusal=refusal)
    yield stage.by_day(60, 300)
    stage.do(ref, "log_contact", contact_outcome="reached", contact_note="说明备件情况，另约时间")
    yield stage.after(2)
    stage.do(ref, "borrow_part", part_code=call.fault.part, lender="中心站周转库")
    yield from promised(
        stage, ref, stage.visit_time(stage.after(DAY)), promise_kind="user_reason", promise_reason="另行调件，用户同意"
    )
    yield from served(stage, ref, call, conduct)


def two_visits(stage: Stage, call: Call, conduct: Conduct) -> Story:
    """The first visit only finds out; the user agrees on a second one (STN-45)."""
    if not (ref := (yield from taken(stage, call))):
        return
    yield from told(stage, ref, conduct)
    yield from promised(stage, ref, stage.visit_time())
    yield from visited(stage, ref, late_percent=conduct.late_visit(stage, stage.look(ref).station_no))
    stage.do(
        ref, "leave_unresolved", "station_engineer", findings=call.fault.found,
        promised_at=stage.visit_time().isoformat(), promise_kind="user_reason", promise_reason="用户约定再次上门",
    )  # fmt: skip
    yield from served(stage, ref, call, conduct)


def solved_remotely(stage: Stage, call: Call, conduct: Conduct) -> Story:
    """Solved on the telephone (STN-29 to STN-31)."""
    if not (ref := (yield from taken(stage, call))):
        return
    yield from told(stage, ref, conduct)
    reason = stage.rng.choices([reason for reason, _ in REMOTE], [weight for _, weight in REMOTE])[0]
    stage.do(ref, "resolve_remotely", promise_reason=reason, findings="电话指导用户操作后正常")
    yield stage.after(1)
    yield from called_back(stage, ref, conduct)


def cancelled_by_user(stage: Stage, call: Call, conduct: Conduct) -> Story:
    """The user calls again before anybody came; the agent cancels at once (CAN-31)."""
    if not (ref := (yield from taken(stage, call))):
        return
    if stage.chance(60):
        yield from told(stage, ref, conduct)
        yield from promised(stage, ref, stage.visit_time())
    yield stage.by_day(40, 500)
    ground, detail = _drawn(stage, USERS_GROUNDS)
    stage.do(
        ref, "cancel", "cc_agent", cancel_reason=ground, requested_by="user", request_line="line_800",
        cancel_detail=detail,
    )  # fmt: skip


def asks_to_cancel(stage: Stage, call: Call, conduct: Conduct) -> Story:
    """The station asks, the region judges: cancels, reassigns, refuses, or the station thinks better of it (CAN-22)."""
    if not (ref := (yield from taken(stage, call))):
        return
    order = stage.look(ref)
    yield stage.after(3, 40)
    stage.do(ref, "download")
    yield stage.after(10, 170)
    ground, detail = _drawn(stage, STATIONS_GROUNDS)
    request = asked(stage, ref, ground, detail)
    if stage.chance(5):
        yield stage.after(5, 60)
        stage.do(request, "withdraw")
        yield from repaired_on(stage, ref, call, conduct)
        return
    yield conduct.verdict(stage, order.region)
    if ground in ("wrong_area", "capacity_error") and stage.chance(75):
        yield from handed_on(stage, request, ref, call, conduct, ground=ground)
    elif stage.chance(30):
        judge = "region_channel_specialist" if ground == "wrong_area" else "region_interface"
        stage.do(request, "refuse", judge, verdict_note=_verdict(stage, "refused"))
        yield from repaired_on(stage, ref, call, conduct)
    elif stage.chance(25):
        stage.do(request, "approve", "region_interface", verdict_note=_verdict(stage, "agreed"))
        yield stage.by_day(20, 300)
        stage.do(request, "cancel_order", "region_interface")
    else:
        stage.do(request, "cancel_order", "region_interface", verdict_note=_verdict(stage, "agreed"))


def handed_on(
    stage: Stage, request: str, ref: str, call: Call, conduct: Conduct, *, ground: str, turn: int = 1
) -> Story:
    """The region gives the order to another station. Some come back, and go round in circles (CAN-02, CAN-24)."""
    first = stage.look(ref).station_no
    stage.do(request, "reassign_order", "region_interface", verdict_note="情况属实，改派")
    new = str(stage.look(ref).facts["replaced_by"])
    yield from placed(stage, new)
    order = stage.look(new)
    if not order.station_no:
        return
    if turn < 4 and stage.chance(22 if turn == 1 else 45):
        yield stage.after(4, 60)
        stage.do(new, "download")
        yield stage.after(15, 200)
        again = asked(stage, new, "wrong_area" if ground == "capacity_error" else "capacity_error", "用户称原站更近")
        yield conduct.verdict(stage, order.region)
        yield from _sent_back(stage, again, new, first, call, conduct, turn=turn + 1)
        return
    yield from repaired_on(stage, new, call, conduct)


def _sent_back(stage: Stage, request: str, ref: str, first: str, call: Call, conduct: Conduct, *, turn: int) -> Story:
    """Back to where it came from, if there is room; otherwise on to a third."""
    try:
        stage.do(request, "reassign_order", "region_interface", verdict_note="请原站继续", station_wish=first)
    except Refused:
        yield from handed_on(stage, request, ref, call, conduct, ground="capacity_error", turn=turn)
        return
    back = str(stage.look(ref).facts["replaced_by"])
    yield stage.after(1)
    yield from repaired_on(stage, back, call, conduct)


def refused_at_the_door(stage: Stage, call: Call, conduct: Conduct) -> Story:
    """The user does not want what the engineer proposes; form, the region's answer, cancelled or not (STN-43)."""
    if not (ref := (yield from taken(stage, call))):
        return
    yield from told(stage, ref, conduct)
    yield from promised(stage, ref, stage.visit_time())
    yield from visited(stage, ref)
    order = stage.look(ref)
    form = stage.open_record(
        "special_situation", "submit", stage.of_order(ref, "station_coordinator"), order_ref=ref,
        situation_kind="user_refuses_plan",
        situation=stage.rng.choice(("用户认为费用过高，要求不再维修", "用户不同意更换主板，要求保留原状")),
    )  # fmt: skip
    yield conduct.verdict(stage, order.region)
    if stage.chance(80):
        stage.do(form, "agree_and_cancel", "region_interface", verdict_note="已与用户核实，同意撤单")
        return
    stage.do(form, "refuse", "region_interface", verdict_note="请说明保修政策后继续维修")
    yield stage.after(30, 120)
    yield from closed(stage, ref, call)
    yield from called_back(stage, ref, conduct)


def unreachable(stage: Stage, call: Call, conduct: Conduct) -> Story:
    """Nobody answers for five working days (STN-22 to STN-27)."""
    if ref := (yield from taken(stage, call)):
        yield from demo_stories.never_reached(stage, call, ref)


def reached_later(stage: Stage, call: Call, conduct: Conduct) -> Story:
    """Marked as not reached, then reached after all (STN-22)."""
    if ref := (yield from taken(stage, call)):
        yield from demo_stories.reached_on_the_second_day(stage, call, ref)


def wrong_number(stage: Stage, call: Call, conduct: Conduct) -> Story:
    """The number is not the user's; the report of it is a request to cancel (STN-20)."""
    if not (ref := (yield from taken(stage, call))):
        return
    order = stage.look(ref)
    yield stage.after(3, 40)
    stage.do(ref, "download")
    yield stage.after(8, 90)
    stage.do(ref, "report_wrong_number", contact_note="接听人称打错，非本人报修")
    request = stage.record_of(ref, "cancellation_request")
    yield conduct.verdict(stage, order.region)
    stage.do(request, "cancel_order", "region_interface", verdict_note="核对录音，号码有误")


def own_order(stage: Stage, call: Call, conduct: Conduct) -> Story:
    """The user comes to the station, which makes the order itself; some are filled in wrongly (COM-01, CAN-09)."""
    station_no = stage.rng.choice(conduct.stations[call.area[:2]])
    coordinator = stage.somebody("station_coordinator", station_no=station_no)
    ref = stage.open_record("unified_repair", "self_order", coordinator, **call.as_given())
    yield stage.after(3, 25)
    if stage.chance(18):
        stage.do(
            ref, "cancel", cancel_reason="filled_in_wrongly", requested_by="station", cancel_detail="型号录错，重新建单"
        )
        return
    stage.do(ref, "download")
    yield stage.after(5, 30)
    yield from promised(stage, ref, stage.after(60, 200))
    yield from served(stage, ref, call, conduct)


def reopened(stage: Stage, call: Call, conduct: Conduct) -> Story:
    """The callback finds the trouble unsolved; the same order goes on (STN-45)."""
    if ref := (yield from taken(stage, call)):
        yield from demo_stories.reopened(stage, call, ref)


# What becomes of an order, and how often in a hundred.
COURSES: tuple[tuple[Course, float], ...] = (
    (repaired, 44), (repaired_with_part, 15), (two_visits, 5), (solved_remotely, 10), (cancelled_by_user, 6),
    (asks_to_cancel, 7), (refused_at_the_door, 1.5), (unreachable, 1.6), (reached_later, 3), (wrong_number, 1.2),
    (own_order, 3), (reopened, 1.6), (part_refused, 1.1),
)  # fmt: skip
NEED_A_PART = frozenset((repaired_with_part, part_refused))
