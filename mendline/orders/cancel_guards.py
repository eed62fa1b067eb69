"""What must hold before an order is cancelled, beside the matrix itself. Pure; each names its rule."""

from __future__ import annotations

from datetime import date

from mendline.kernel.calendars import add, nth_working_day_after
from mendline.kernel.durations import Duration
from mendline.kernel.time import local_day, moment_text
from mendline.orders import cancellation
from mendline.process.registry import Facts, No, Parameters, guard
from mendline.process.values import moment_of


def verdict_on(facts: Facts, parameters: Parameters, role: str) -> cancellation.Verdict:
    """Return the matrix's verdict for this order as it stands.

    A region that agreed to the form on a refusal executes it, though no service had begun (STN-43).
    """
    reason = str(facts.get("cancel_reason", ""))
    moment = cancellation.moment_of(str(facts["state"]), "", facts)
    if moment == "before_arrival" and reason == "user_refuses" and facts.get("refusal_agreed"):
        moment = "after_arrival"
    return cancellation.judge(
        str(facts.get("origin", "")),
        str(facts.get("requested_by", "")),
        role,
        reason,
        moment,
        line=str(facts.get("request_line", "")),
        regime=cancellation.regime_of(parameters),
    )


@guard()
def cancellation_is_allowed(facts: Facts, parameters: Parameters) -> No | None:
    verdict = verdict_on(facts, parameters, str(facts["actor_role"]))
    if verdict.allowed:
        return None
    more = ("CAN-36",) if verdict.outcome == "close_normally" else ()
    return No(verdict.rule, verdict.zh, verdict.en, "cancel_reason", (*more, *_telephone_rule(facts)))


def _telephone_rule(facts: Facts) -> tuple[str, ...]:
    return ("STN-32",) if facts.get("cancel_reason") == "solved_by_telephone" else ()


@guard()
def unreachable_is_proved(facts: Facts, parameters: Parameters) -> No | None:
    """Five days must have passed, and the daily contacts been made, before "not reached" is a ground."""
    if facts.get("cancel_reason") != "unreachable":
        return None
    return unreachable_shortfall(facts, parameters)


def unreachable_shortfall(facts: Facts, parameters: Parameters) -> No | None:
    """Return what is still missing before an unreachable user's order may be cancelled (STN-25, STN-26, CAN-13)."""
    t1, budget = moment_of(facts, "t1"), parameters["unreachable_cancel_after"]
    if t1 is None or not isinstance(budget, Duration):
        return None
    calendar = facts["calendars"]("working_days" if budget.working_days else "always")
    due = add(calendar, t1, budget)
    if facts["now"] < due:
        when = moment_text(due)
        zh = f"联系不上须满 {budget.text().zh}（{when.zh}）才能申请撤单"
        rule = "STN-26" if budget.working_days else "CAN-13"
        return No(rule, zh, f"possible once {budget.text().en} have passed ({when.en})", "cancel_reason", ("CAN-13",))
    quota = int(str(parameters.get("contact_quota", 0)))
    if quota and moment_of(facts, "special_t31_at") is None:
        return No(
            "STN-22", "请先标记联系不上（特殊T31）", "mark the user unreachable (special T31) first", "cancel_reason"
        )
    if quota and facts.get("first_reached_at"):
        zh = "标记联系不上后已联系上用户，请约定承诺服务时间"
        return No("STN-26", zh, "the user was reached meanwhile: agree a time instead", "cancel_reason")
    missed = missed_quota_days(facts, parameters)
    if missed:
        days = "、".join(f"{day:%m-%d}（{count}次）" for day, count in missed)
        zh = f"标记联系不上后的三个工作日每天至少联系 {quota} 次，不足：{days}"
        return No(
            "STN-25", zh, f"at least {quota} contacts on each of the three working days; short: {days}", "cancel_reason"
        )
    return None


def missed_quota_days(facts: Facts, parameters: Parameters) -> list[tuple[date, int]]:
    """Return the working days after the special T31 with too few contacts, each with its count (STN-25)."""
    marked, span = moment_of(facts, "special_t31_at"), parameters.get("contact_quota_days")
    quota = int(str(parameters.get("contact_quota", 0)))
    if marked is None or not quota or not isinstance(span, Duration):
        return []
    working = facts["calendars"]("working_days").days
    attempts = facts.get("attempts") or {}
    days = [nth_working_day_after(working, local_day(marked), n) for n in range(1, span.working_days + 1)]
    counted = [(day, int(attempts.get(day.isoformat(), 0))) for day in days]
    return [(day, count) for day, count in counted if count < quota]


@guard()
def contact_quota_is_missed(facts: Facts, parameters: Parameters) -> No | None:
    return None if missed_quota_days(facts, parameters) else No("STN-25", "联系次数已够", "the quota is met")


@guard()
def refusal_has_its_form(facts: Facts, parameters: Parameters) -> No | None:
    """A user's refusal after arrival is cancelled only after the region agreed to the form (STN-43)."""
    if parameters.get("form_for_refusal") != "required" or facts.get("cancel_reason") != "user_refuses":
        return None
    arrived = cancellation.moment_of(str(facts["state"]), "", facts) == "after_arrival"
    if arrived and not facts.get("refusal_agreed"):
        zh = "用户不同意服务方案，须先提交特殊情况说明表并经大区同意"
        return No(
            "STN-43",
            zh,
            "a refusal after arrival needs a special situation form that the region agreed to",
            "cancel_reason",
        )
    return None


@guard()
def ground_concerns_headquarters(facts: Facts, parameters: Parameters) -> No | None:
    if facts.get("cancel_reason") in cancellation.HEADQUARTERS_GROUNDS:
        return None
    return No("STN-21", "无须告知本部", "headquarters need not be told")
