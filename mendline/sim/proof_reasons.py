"""What may be left out of a process file without a scenario noticing: the rule is kept in another place as well."""

from __future__ import annotations

from collections.abc import Mapping

from mendline.kernel.text import Text
from mendline.process.switches import Switch

_REORDER = Text(
    "改派立单只由“撤单改派”发起，所带资料已在原单上检查过；别人发起即被 CAN-02 拒绝",
    "a re-order is begun by cancel_and_reassign only, with the data of an order that passed the same checks; "
    "replaces_a_voided_order refuses everybody else",
)
_BY_THE_CALLBACK = Text(
    "此步只由回访单自己执行，一定带有结果", "only the callback's own step carries it out, and always with an outcome"
)
_BY_THE_PART = Text(
    "此步只由备件订单自己执行，一定带有订单号和时间",
    "only the part order's own step carries it out, always with number and time",
)
_NO_STATION = Text(
    "没有维修站就没有收件人，消息本来就不写", "without a station there is no recipient: no message is written at all"
)
_WORKING_DAYS = Text(
    "时限以工作日计，任何日历都按工作日数", "the budget is in working days, and every calendar counts those alike"
)
_TWICE = Text("必填与守卫各拒绝一次，任一即可", "it is required and guarded as well; either refuses alone")

_CHECKED_WHEN_PROPOSED = Text(
    "提出时已检查过同样的参数；只有其间流程文件被改动才会不同，测试 test_overlays 证明",
    "the same limits were checked when they were proposed; only a file changed meanwhile makes a difference, which "
    "test_overlays proves",
)

_ORDER = "unified_repair"
# (process, place, what) → why. A version's number plays no part: both versions say the same.
REASONS: Mapping[tuple[str, str, str], Text] = {
    **{
        (_ORDER, "transitions.reorder", what): _REORDER
        for what in (
            "guard product_is_known", "guard channel_uses_this_procedure", "requires customer", "requires product",
            "requires area", "requires address", "requires fault", "requires service_mode", "role",
        )
    },
    (_ORDER, "transitions.record_callback", "requires callback_outcome"): _BY_THE_CALLBACK,
    (_ORDER, "transitions.note_part_due", "requires part_order_no"): _BY_THE_PART,
    (_ORDER, "transitions.note_part_due", "requires part_due_at"): _BY_THE_PART,
    (_ORDER, "notices.new_order", "when has_a_station"): _NO_STATION,
    (_ORDER, "notices.order_cancelled", "when has_a_station"): _NO_STATION,
    (_ORDER, "clocks.unreachable", "calendar working_days"): _WORKING_DAYS,
    (_ORDER, "clocks.contact_quota", "calendar working_days"): _WORKING_DAYS,
    ("callback", "clocks.callback", "calendar working_days"): _WORKING_DAYS,
    ("coverage_change", "clocks.judging", "calendar working_days"): _WORKING_DAYS,
    ("parameter_change", "transitions.propose", "requires changes_process"): _TWICE,
    ("parameter_change", "transitions.propose", "requires changes_version"): _TWICE,
    ("parameter_change", "transitions.propose", "requires new_limits"): _TWICE,
    ("parameter_change", "transitions.approve", "guard limits_are_sound"): _CHECKED_WHEN_PROPOSED,
    (_ORDER, "transitions.resolve", "guard user_has_signed"): _TWICE,
    (_ORDER, "transitions.resolve", "requires user_signature"): _TWICE,
    (_ORDER, "transitions.order_part", "requires told_user_why"): _TWICE,
    (_ORDER, "transitions.order_part", "role"): Text(
        "它所开的备件订单同样只由协调员执行", "the part order that it opens is the coordinator's as well"
    ),
    (_ORDER, "transitions.report_wrong_number", "guard no_cancellation_pending"): Text(
        "它所提交的撤单请求同样拒绝第二份", "the request that it submits refuses a second one as well"
    ),
    ("cancellation_request", "transitions.submit", "guard order_is_still_open"): Text(
        "撤单矩阵对已结束的维修单同样拒绝", "the matrix refuses every ground of an order that has ended"
    ),
    ("coverage_change", "transitions.approve", "guard coverage_change_is_complete"): Text(
        "提交时已检查，批准时再查一次以防其间网络已变",
        "checked when it was submitted; looked at again in case the network changed meanwhile",
    ),
    (_ORDER, "clocks.unreachable", "counts_from t1"): Text(
        "V2.0 的此钟正是在 T1 那一刻启动", "under V2.0 the clock starts at T1 itself"
    ),
}  # fmt: skip


def reason_for(switch: Switch) -> Text | None:
    """Return why nobody need notice this switch, or None."""
    return REASONS.get((switch.code, switch.place, switch.what))
