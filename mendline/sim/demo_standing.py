"""Orders and requests that stand in every state when the demo opens, some near their limits, some beyond.

Told in minutes before now, so that they are there whatever hour it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from mendline.kernel.time import local_day
from mendline.orders.documents import COMPONENTS
from mendline.sim.demo_calls import UNSERVED, WITHOUT_800, Call, a_call
from mendline.sim.demo_stage import Stage, Story
from mendline.sim.demo_stories import DAY

Given: TypeAlias = dict[str, Any]
Opening: TypeAlias = tuple[datetime, Story]

HOME_OF_REGION = {"north": ("110105", "望京街"), "east": ("310104", "漕溪北路"), "south": ("440305", "科苑路")}
HAIDIAN = ("110108", "上地信息路")


@dataclass(frozen=True, slots=True)
class Step:
    """What happened to the order so many minutes before now. `ahead` is a promised time in minutes after now."""

    ago: float
    name: str
    by: str = "station_coordinator"
    given: Given = field(default_factory=dict)
    ahead: float | None = None


def reached(ago: float) -> Step:
    return Step(ago, "log_contact", given={"contact_outcome": "reached"})


def missed(ago: float) -> Step:
    return Step(ago, "log_contact", given={"contact_outcome": "no_answer"})


def download(ago: float) -> Step:
    return Step(ago, "download")


def promise(ago: float, ahead: float) -> Step:
    return Step(ago, "promise", ahead=ahead)


SERVICE = {"user_agrees": True}
DONE = {"work_done": "更换故障件后测试正常", "findings": "部件老化"}
UNRESOLVED = {
    "findings": "需更换部件，本次未带备件", "promise_kind": "user_reason", "promise_reason": "用户约定再次上门",
}  # fmt: skip
PART: Given = {"told_user_why": True, "borrowing": "not_available"}

# Minutes ago of the report, and what followed. The contact limit is 240 minutes; its warnings come at 180 and 216.
DISPATCHED: tuple[tuple[float, tuple[Step, ...]], ...] = tuple((ago, ()) for ago in (2, 9, 26, 64, 118, 191, 224, 265))
DOWNLOADED = tuple((ago, (download(ago - 8),)) for ago in (21, 55, 140, 202, 231, 310))
CONTACTING = (
    (75, (download(60), missed(22))),
    (206, (download(190), missed(150), missed(66))),
    (236, (download(215), missed(180), missed(120), missed(30))),
    (640, (download(610), missed(570), missed(500), Step(640 - 222, "mark_unreachable"))),
    (1.4 * DAY, (download(1.38 * DAY), missed(1.3 * DAY), Step(1.4 * DAY - 226, "mark_unreachable"), missed(300))),
)
PROMISED = (
    (95, (download(80), reached(50), promise(48, 1200))),
    (0.8 * DAY, (download(0.79 * DAY), reached(0.7 * DAY), promise(0.7 * DAY - 2, 45))),
    (0.9 * DAY, (download(0.89 * DAY), reached(0.85 * DAY), promise(0.85 * DAY - 3, 150))),
    (DAY, (download(0.98 * DAY), reached(0.94 * DAY), promise(0.94 * DAY - 2, -35))),
    (1.1 * DAY, (download(1.05 * DAY), reached(1.01 * DAY), promise(1.01 * DAY - 2, -190))),
    (0.5 * DAY, (download(0.49 * DAY), reached(0.4 * DAY), promise(0.4 * DAY - 2, 1.2 * DAY))),
)
PRINTED = tuple(
    (
        DAY + 60 * n,
        (download(DAY + 60 * n - 20), reached(DAY - 90), promise(DAY - 93, ahead), Step(70 - 12 * n, "print_order")),
    )
    for n, ahead in enumerate((25, 55, 80, 130, -20))
)
IN_SERVICE = tuple(
    (
        DAY + 45 * n,
        (
            download(DAY + 45 * n - 12), reached(DAY - 60), promise(DAY - 62, -15 - 4 * n), Step(110, "print_order"),
            Step(20 + 6 * n, "start_service", "station_engineer", SERVICE),
        ),
    )
    for n in range(5)
)  # fmt: skip
MULTI_VISIT = tuple(
    (
        1.6 * DAY + 30 * n,
        (
            download(1.6 * DAY), reached(1.5 * DAY), promise(1.49 * DAY, -400), Step(480, "print_order"),
            Step(395, "start_service", "station_engineer", SERVICE),
            Step(340 - 5 * n, "leave_unresolved", "station_engineer", UNRESOLVED, 900 + 90 * n),
        ),
    )
    for n in range(4)
)  # fmt: skip
RESOLVED = tuple(
    (
        DAY + 200 + 30 * n,
        (
            download(DAY + 190), reached(DAY + 120), promise(DAY + 110, -150), Step(240, "print_order"),
            Step(155, "start_service", "station_engineer", SERVICE),
            Step(90 - 14 * n, "resolve", "station_engineer", {**DONE, "user_signature": "用户"}),
        ),
    )
    for n in range(5)
)  # fmt: skip
IN_STATE = (*DISPATCHED, *DOWNLOADED, *CONTACTING, *PROMISED, *PRINTED, *IN_SERVICE, *MULTI_VISIT, *RESOLVED)


def openings(stage: Stage) -> Iterator[Opening]:
    """Yield every story that makes the demo's present, each with the moment it begins."""
    yield from of_orders(stage)
    yield stage.ago(5 * DAY), documents(stage)
    yield stage.ago(4 * DAY), coverage_changes(stage)


def of_orders(stage: Stage) -> Iterator[Opening]:
    """Yield the orders and what hangs on them."""
    for place, (ago, steps) in enumerate(IN_STATE):
        # Every fourth is at the first station, so that its people have a full day.
        call = a_call(stage.rng, place=HAIDIAN, line="desktop") if place % 4 == 0 else a_call(stage.rng)
        yield stage.ago(ago), standing(stage, call, steps)
    # The region has an hour to find a station; the warning comes at half of it.
    for ago, nowhere in zip((18, 37, 95, 44, 130, 8), (*UNSERVED, *UNSERVED), strict=True):
        yield stage.ago(ago), standing(stage, a_call(stage.rng, place=nowhere, line="desktop"), ())
    yield stage.ago(70), direct_report(stage, a_call(stage.rng, place=WITHOUT_800, line="desktop"))
    for region, home in HOME_OF_REGION.items():
        yield from _requests_of(stage, region, home)
    for n in range(5):
        yield stage.ago(600 + 300 * n), waiting_for_part(stage, a_call(stage.rng, with_part=True), place=n)
    yield stage.ago(3.2 * DAY), unanswered_callback(stage, a_call(stage.rng))


def _requests_of(stage: Stage, region: str, home: tuple[str, str]) -> Iterator[Opening]:
    grounds = (
        ("wrong_area", "用户实际在外区", 200),
        ("user_solved", "用户已自行解决", 95),
        ("capacity_error", "工程师全部外出", 30),
    )
    for ground, detail, ago in grounds:
        call = a_call(stage.rng, place=home, line="desktop")
        yield stage.ago(ago + 120), asking_to_cancel(stage, call, ground, detail, ago)
    call = a_call(stage.rng, place=home, line="desktop")
    yield stage.ago(DAY), at_the_door(stage, call, ago=40 if region == "north" else 150)
    if region == "south":
        call = a_call(stage.rng, place=home, line="notebook")
        yield stage.ago(180), wrong_number(stage, call)
    if region == "east":
        call = a_call(stage.rng, place=home, line="notebook")
        yield (
            stage.ago(420),
            asking_to_cancel(stage, call, "special_request", "用户出国三个月，要求回国后再报修", 300, agreed_ago=60),
        )


def standing(stage: Stage, call: Call, steps: Sequence[Step]) -> Story:
    """Take the report and let the steps happen at their times."""
    ref = stage.report(call)
    for step in steps:
        yield stage.ago(step.ago)
        given = dict(step.given)
        if step.ahead is not None:
            given["promised_at"] = stage.ago(-step.ahead).isoformat()
        stage.do(ref, step.name, step.by, **given)
        if step.name == "promise":
            stage.do(ref, "assign_engineer", engineer=stage.engineer_of(ref))


def direct_report(stage: Stage, call: Call) -> Story:
    """From an area filed as being without 800 the user reports to the station (COM-04)."""
    coordinator = stage.somebody("station_coordinator", station_no="000005")
    stage.open_record("unified_repair", "self_order", coordinator, **call.as_given(), direct_report=True)
    yield stage.at


def asking_to_cancel(
    stage: Stage, call: Call, ground: str, detail: str, ago: float, *, agreed_ago: float | None = None
) -> Story:
    """A cancellation request before the region's verdict (CAN-22), or agreed to and not yet executed (CAN-24)."""
    ref = stage.report(call)
    yield stage.ago(ago + 60)
    stage.do(ref, "download")
    yield stage.ago(ago)
    by = stage.of_order(ref, "station_coordinator")
    request = stage.open_record(
        "cancellation_request", "submit", by, order_ref=ref, cancel_reason=ground, cancel_detail=detail
    )
    if agreed_ago is not None:
        yield stage.ago(agreed_ago)
        stage.do(request, "approve", "region_interface", verdict_note="情况属实")


def wrong_number(stage: Stage, call: Call) -> Story:
    """The number is not the user's; the report of it is a request to cancel (STN-20)."""
    ref = stage.report(call)
    yield stage.ago(160)
    stage.do(ref, "download")
    yield stage.ago(85)
    stage.do(ref, "report_wrong_number", contact_note="接听人称打错，非本人报修")


def at_the_door(stage: Stage, call: Call, ago: float) -> Story:
    """The user refuses the plan; the form waits for the region (STN-43)."""
    ref = stage.report(call)
    yield stage.ago(DAY - 20)
    stage.do(ref, "download")
    yield stage.ago(DAY - 60)
    stage.do(ref, "promise", promised_at=stage.ago(ago + 40).isoformat())
    yield stage.ago(ago + 120)
    stage.do(ref, "print_order", engineer=stage.engineer_of(ref))
    yield stage.ago(ago + 35)
    stage.do(ref, "start_service", "station_engineer", user_agrees=True)
    yield stage.ago(ago)
    by = stage.of_order(ref, "station_coordinator")
    stage.open_record(
        "special_situation", "submit", by, order_ref=ref, situation_kind="user_refuses_plan",
        situation="检测后用户不同意更换主板，要求保留原状",
    )  # fmt: skip


def waiting_for_part(stage: Stage, call: Call, *, place: int) -> Story:
    """Parts on their way: two on time, one about to be late, two that are late already (STN-39)."""
    begun = stage.at
    ref = stage.report(call)
    yield begun + timedelta(minutes=15)
    stage.do(ref, "download")
    yield begun + timedelta(minutes=70)
    stage.do(ref, "log_contact", contact_outcome="reached")
    yield begun + timedelta(minutes=75)
    due, visit = ((1500, 2000), (900, 1600), (12, 700), (-90, 800), (-260, 60))[place]
    stage.do(
        ref, "order_part", part_code=call.fault.part, part_due_at=stage.ago(-due).isoformat(),
        promised_at=stage.ago(-visit).isoformat(), promise_kind="within_promise", **PART,
    )  # fmt: skip
    yield begun + timedelta(minutes=200)
    if place != 1:
        stage.do(stage.record_of(ref, "part_order"), "ship", "service_support_dept", waybill=f"SF10000{place}23456")


def unanswered_callback(stage: Stage, call: Call) -> Story:
    """Closed, called twice, nobody answered: the next attempt ends it (STN-48)."""
    ref = stage.report(call)
    yield stage.ago(3.1 * DAY)
    stage.do(ref, "download")
    yield stage.ago(3.05 * DAY)
    stage.do(ref, "resolve_remotely", "station_engineer", promise_reason="软件问题,电话解决")
    callback = stage.record_of(ref, "callback")
    for ago in (2 * DAY, DAY):
        yield stage.ago(ago)
        stage.do(callback, "log_attempt", "info_support_dept", attempt_note="无人接听")


@dataclass(frozen=True, slots=True)
class Wish:
    """A change of coverage or capacity that a station asked for so many minutes ago, and what the region said."""

    ago: float
    station_no: str
    given: Given
    name: str = "submit"
    verdict: str = ""
    note: str = ""


WISHES = (
    Wish(
        4 * DAY, "000006", {"change_kind": "add_area", "area": "3401", "product_line": "desktop"},
        verdict="refuse", note="合肥由本地维修站负责",
    ),
    Wish(
        3 * DAY, "000007", {"change_kind": "set_capacity", "per_day": 15, "product_line": "notebook"},
        verdict="approve", note="同意增加产能",
    ),
    Wish(2 * DAY, "000011", {"change_kind": "add_area", "area": "4406", "product_line": "desktop"}),
    Wish(DAY, "000001", {"change_kind": "set_capacity", "per_day": 14, "product_line": "desktop"}),
    Wish(0.6 * DAY, "000008", {"change_kind": "end_area", "area": "3205", "product_line": "printer"}),
    Wish(0.3 * DAY, "000012", {"change_kind": "add_area", "area": "3601", "product_line": "desktop"}, "save_draft"),
)  # fmt: skip


def coverage_changes(stage: Stage, wishes: Sequence[Wish] = WISHES) -> Story:
    """Changes of coverage and capacity: waiting in every region, approved for later, refused, a draft (COM-06)."""
    begins = (local_day(stage.now) + timedelta(days=4)).isoformat()
    for wish in wishes:
        yield stage.ago(wish.ago)
        by = stage.somebody("station_coordinator", station_no=wish.station_no)
        ref = stage.open_record(
            "coverage_change", wish.name, by, effective_from=begins, change_reason="工程师人数变化", **wish.given
        )
        if wish.verdict:
            yield stage.after(60, 240)
            stage.do(ref, wish.verdict, "region_interface", verdict_note=wish.note)


def documents(stage: Stage) -> Story:
    """A reviewed procedure document that waits for its approval, and a draft (UDS-02, UDS-03)."""
    for number, line in (("KF-2026-031", ""), ("KF-2026-034", "printer")):
        drafter = stage.somebody("channel_management")
        ref = stage.open_record(
            "procedure_document", "draft_document", drafter, document_number=number, category="通知",
            title="关于发布《统一报修流程及规范》的通知",
            drafted_on=local_day(stage.at).isoformat(), drafter=drafter.name,
            recipients="大区客服全体、中心站、维修站、渠道管理支持处", recipient_departments="各大区、各维修站",
            copies="客户服务支持部、客户信息支持部经理及以上", pages=26, publishes_process="unified_repair",
            publishes_version=3, components="、".join(COMPONENTS), change_list="撤单请求改由大区在系统内判断",
            **({"product_line": line} if line else {}),
        )  # fmt: skip
        yield stage.after(0.5 * DAY, DAY)
        if not line:
            stage.do(ref, "review", "service_support_dept", review_note="组成文件齐全")
        yield stage.after(DAY)
