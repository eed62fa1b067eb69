"""Statements that must hold before an order moves. Pure; each names its rule and what to do instead."""

from __future__ import annotations

from datetime import date, timedelta

from mendline.kernel.durations import Duration
from mendline.kernel.time import local_day, moment_text
from mendline.process.registry import Facts, No, Parameters, guard
from mendline.process.values import moment_of

REMOTE_REASONS = ("软件问题,电话解决", "其他问题,电话解决")  # STN-31, word for word
FULL_WIDTH_COMMA = "，"


# --- taking the report -------------------------------------------------------------------------


@guard()
def caller_is_the_user(facts: Facts, parameters: Parameters) -> No | None:
    """A station does not report through the 800 line, neither to drop an order nor after the work (STN-42, CAN-10)."""
    if facts.get("caller") == "station":
        zh = "维修站不得拨打800报修或补建维修单，请在站内生成维修单"
        return No(
            "STN-42",
            zh,
            "a station may not report through the 800 line; it generates its own order",
            "caller",
            ("CAN-10",),
        )
    return None


@guard()
def not_served_before_the_order(facts: Facts, parameters: Parameters) -> No | None:
    if facts.get("served_already"):
        return No(
            "STN-42",
            "严禁先服务后建单",
            "serving first and creating the order afterwards is forbidden",
            "served_already",
        )
    return None


@guard("area_known")
def area_is_known(facts: Facts, parameters: Parameters) -> No | None:
    if not facts["area_known"]:
        return No(
            "COM-05",
            f"没有行政区划代码 {facts.get('area')}，请按地名选择",
            "no such area code; choose it by name",
            "area",
        )
    return None


@guard("product_entry")
def product_is_known(facts: Facts, parameters: Parameters) -> No | None:
    if facts["product_entry"] is None:
        return No(
            "UDS-07",
            f"没有产品“{facts.get('product')}”，请从产品表中选择",
            "no such product; choose one of the list",
            "product",
        )
    return None


@guard("product_entry")
def channel_uses_this_procedure(facts: Facts, parameters: Parameters) -> No | None:
    """Only the departments and channels named by the procedure use it (CAN-34, STN-01)."""
    entry = facts["product_entry"]
    channels = parameters.get("channels", ())
    if entry is not None and isinstance(channels, tuple) and entry["channel"] not in channels:
        zh = f"产品线“{entry['line']}”的渠道不适用统一报修流程"
        return No(
            "CAN-34", zh, f"product line {entry['line']} does not use unified repair reporting", "product", ("STN-01",)
        )
    return None


@guard("area_has_800")
def direct_report_only_without_800(facts: Facts, parameters: Parameters) -> No | None:
    if facts.get("direct_report") and facts["area_has_800"]:
        zh = "该地区已开通800，用户应拨打800报修；只有已备案的未开通800地区可直接向站报修"
        return No(
            "COM-04",
            zh,
            "this area has the 800 line; only in filed areas without it do users report to the station",
            "direct_report",
        )
    return None


@guard()
def replaces_a_voided_order(facts: Facts, parameters: Parameters) -> No | None:
    if not facts.get("replaces"):
        return No("CAN-02", "改派立单由“撤单改派”产生", "a re-order is made by cancel_and_reassign only")
    return None


@guard()
def has_a_station(facts: Facts, parameters: Parameters) -> No | None:
    return None if _station(facts) else No("STN-17", "尚未派站", "no station yet")


@guard()
def has_no_station(facts: Facts, parameters: Parameters) -> No | None:
    return No("STN-17", "已派站", "has a station") if _station(facts) else None


def _station(facts: Facts) -> str:
    choice = facts.get("chosen_station")
    if isinstance(choice, dict) and "station_no" in choice:
        return str(choice["station_no"])
    return str(facts.get("station_no") or "")


# --- contact -----------------------------------------------------------------------------------


@guard()
def attempted_long_enough(facts: Facts, parameters: Parameters) -> No | None:
    """The special T31 is accepted only from `min_attempt_period` after T1 on (STN-23, STN-24)."""
    t1 = moment_of(facts, "t1")
    period = parameters.get("min_attempt_period")
    if t1 is None or not isinstance(period, Duration):
        return None
    earliest = t1 + timedelta(seconds=period.seconds)
    if facts["now"] < earliest:
        when = moment_text(earliest)
        zh = f"收到维修单满 {period.text().zh}（{when.zh}）后才能标记联系不上，请继续联系用户"
        en = f"possible {period.text().en} after receipt ({when.en}); keep calling until then"
        return No("STN-24", zh, en, rules=("STN-23",))
    return None


@guard()
def t31_is_free(facts: Facts, parameters: Parameters) -> No | None:
    if facts.get("t3_promises"):
        return No(
            "STN-22", "已写过T31，不能再写特殊T31", "T31 is written already; the special T31 is no longer possible"
        )
    return None


@guard()
def user_was_not_reached(facts: Facts, parameters: Parameters) -> No | None:
    """The special T31 is for a user who was not reached; one who was gets a promise or a solution (STN-22)."""
    if facts.get("first_reached_at"):
        return No(
            "STN-22",
            "已联系上用户，不能标记联系不上；请约定承诺服务时间或电话解决",
            "the user was reached: agree a time or solve it by telephone",
        )
    return None


@guard("open_requests")
def no_cancellation_pending(facts: Facts, parameters: Parameters) -> No | None:
    if facts["open_requests"]:
        return No("CAN-22", "已有撤单请求等待大区判断", "a cancellation request is with the region already")
    return None


# --- promises ----------------------------------------------------------------------------------


@guard()
def promises_left(facts: Facts, parameters: Parameters) -> No | None:
    most = parameters["t3_max_writes"]
    if int(facts.get("promises_written") or 0) >= int(str(most)):
        zh = f"承诺服务时间最多写 {most} 次（T31、T32、T33），不能再改；请与大区联系"
        return No("STN-08", zh, f"T3 is written {most} times already (T31, T32, T33); a fourth is refused")
    return None


@guard()
def promises_left_if_promising(facts: Facts, parameters: Parameters) -> No | None:
    return promises_left(facts, parameters) if _given_now(facts, "promised_at") else None


@guard()
def promised_time_lies_ahead(facts: Facts, parameters: Parameters) -> No | None:
    """A promise is made for the future; the legacy date 2010-01-01 is not typed in but means `mark_unreachable`."""
    promised = moment_of(facts, "promised_at") if _given_now(facts, "promised_at") else None
    if promised is None or promised >= facts["now"]:
        return None
    if local_day(promised) == date(2010, 1, 1):
        return No(
            "STN-22",
            "特殊时间2010-01-01请用“标记联系不上”或“电话解决”",
            "for 2010-01-01 use mark_unreachable or resolve_remotely",
            "promised_at",
        )
    return No(
        "STN-07", "承诺服务时间不能早于现在", "a promised time cannot lie in the past", "promised_at", ("COM-09",)
    )


@guard()
def time_change_is_complete(facts: Facts, parameters: Parameters) -> No | None:
    """Replacing a standing promise holds the time, its type and its reason together (STN-49)."""
    if facts["state"] not in ("promised", "printed") and not _promised_while_waiting(facts):
        return None
    given = facts["given_names"]
    if "promise_kind" not in given:
        return No(
            "STN-49",
            "更改承诺时间须同时填写类型和原因",
            "a change of the promise needs its type and reason as well",
            "promise_kind",
        )
    if facts.get("promise_kind") != "part_reason" and "promise_reason" not in given:
        return No("STN-49", "更改承诺时间须填写原因描述", "a change of the promise needs its reason", "promise_reason")
    return None


def _promised_while_waiting(facts: Facts) -> bool:
    """Tell whether an order that awaits a part has a visit promised which did not take place yet."""
    promises = facts.get("t3_promises") or []
    if facts["state"] != "awaiting_part" or not promises or not promises[-1]["at"]:
        return False
    started, written = moment_of(facts, "service_started_at"), moment_of(promises[-1], "written_at")
    return started is None or (written is not None and started <= written)


@guard()
def promise_stands(facts: Facts, parameters: Parameters) -> No | None:
    return None if facts.get("promised_at") else No("STN-07", "尚未约定承诺时间", "no time is promised yet")


@guard()
def a_promise_stands(facts: Facts, parameters: Parameters) -> No | None:
    """Nobody is sent without an agreed time (STN-45); once all three are written, work goes on without another."""
    if facts.get("promised_at") or int(facts.get("promises_written") or 0) >= int(str(parameters["t3_max_writes"])):
        return None
    return No("STN-45", "请先约定新的承诺服务时间", "agree and write a new promised time first", rules=("STN-33",))


# --- solving by telephone ----------------------------------------------------------------------


@guard()
def remote_promise_kind_fits(facts: Facts, parameters: Parameters) -> No | None:
    if "promise_kind" in facts["given_names"] and facts.get("promise_kind") != "within_promise":
        return No(
            "STN-30",
            "电话解决的类型须为“承诺时间内”",
            "for a telephone solution the type is within_promise",
            "promise_kind",
        )
    return None


@guard()
def remote_reason_is_one_of_two(facts: Facts, parameters: Parameters) -> No | None:
    reason = str(facts.get("promise_reason", "")).replace(FULL_WIDTH_COMMA, ",")
    if reason not in REMOTE_REASONS:
        zh = f"原因描述须为“{REMOTE_REASONS[0]}”或“{REMOTE_REASONS[1]}”"
        return No("STN-31", zh, f"the reason must be {REMOTE_REASONS[0]!r} or {REMOTE_REASONS[1]!r}", "promise_reason")
    return None


# --- printing and service -----------------------------------------------------------------------


@guard("engineer_entry")
def engineer_is_of_the_station(facts: Facts, parameters: Parameters) -> No | None:
    if _given_now(facts, "engineer") and facts["engineer_entry"] is None:
        return No("STN-12", "本站没有这位工程师", "no such engineer at this station", "engineer")
    return None


@guard()
def printed_unless_the_system_failed(facts: Facts, parameters: Parameters) -> No | None:
    if facts["state"] == "printed" or facts.get("system_failure"):
        return None
    zh = "工程师出发前须打印维修单；系统故障时请说明故障"
    return No(
        "STN-41",
        zh,
        "print the order first; only a system failure, stated here, excuses it",
        "system_failure",
        ("STN-42",),
    )


@guard()
def user_agrees_with_the_plan(facts: Facts, parameters: Parameters) -> No | None:
    if "user_agrees" in facts["given_names"] and not facts.get("user_agrees"):
        zh = "用户不同意服务方案，请填写特殊情况说明表报大区"
        return No(
            "STN-43",
            zh,
            "the user refuses the plan: file a special situation form with the region",
            "user_agrees",
            ("STN-44",),
        )
    return None


@guard()
def user_has_signed(facts: Facts, parameters: Parameters) -> No | None:
    if not facts.get("user_signature"):
        return No("STN-05", "用户签字后才能关单", "the order closes only with the user's signature", "user_signature")
    return None


@guard()
def done_by_the_engineer(facts: Facts, parameters: Parameters) -> No | None:
    if facts["actor_role"] == "station_engineer":
        return None
    return No("STN-47", "协调员自己完成", "the coordinator did it himself")


@guard()
def times_are_in_order(facts: Facts, parameters: Parameters) -> No | None:
    """T1 ≤ T2 ≤ T4, and T4 not in the future (COM-09)."""
    completed = moment_of(facts, "completed_at") or facts["now"]
    earlier = [moment for moment in (moment_of(facts, "t1"), moment_of(facts, "t2")) if moment is not None]
    if earlier and completed < max(earlier):
        return No(
            "COM-09",
            "完成时间不能早于联系用户时间（T1 ≤ T2 ≤ T4）",
            "completion cannot precede the contact (T1 ≤ T2 ≤ T4)",
            "completed_at",
        )
    if completed > facts["now"]:
        return No("COM-09", "完成时间不能晚于现在", "completion cannot lie in the future", "completed_at")
    return None


def _given_now(facts: Facts, name: str) -> bool:
    return name in facts["given_names"]
