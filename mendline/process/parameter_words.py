"""What parameters are called and which rules stand behind them; a file keeps them as `name: value` alone.

The rules are those of the comments in the files, which a test holds against this table.
"""

from __future__ import annotations

from dataclasses import dataclass

from mendline.kernel.durations import Duration
from mendline.kernel.text import Text
from mendline.process.definition import Parameter, Process


@dataclass(frozen=True, slots=True)
class Words:
    """The name of one parameter, and its rules."""

    label: Text
    rules: tuple[str, ...] = ()


WORDS = {
    "contact_limit": Words(Text("联系时限", "Limit for the first contact"), ("STN-19",)),
    "min_attempt_period": Words(
        Text("联系不上前至少尝试多久", "How long to try before “not reached”"), ("STN-23", "STN-24")
    ),
    "contact_quota": Words(Text("每天联系次数", "Calls a day"), ("STN-25",)),
    "contact_quota_days": Words(Text("每天联系的天数", "Days of calling"), ("STN-25",)),
    "unreachable_cancel_after": Words(
        Text("联系不上多久可撤单", "Time without contact until an order may be cancelled"), ("STN-26",)
    ),
    "t3_max_writes": Words(Text("承诺次数上限", "Most promises"), ("STN-08",)),
    "special_t31": Words(Text("联系不上时的T31代用值", "Special value of T31 when nobody was reached"), ("STN-22",)),
    "undispatched_limit": Words(Text("待派单时限", "Limit for finding a station")),
    "form_for_refusal": Words(
        Text("用户不同意时的特殊情况说明表", "Special-situation form when the user refuses"), ("STN-43",)
    ),
    "further_grounds": Words(Text("增加的撤单原因", "Further grounds for cancelling"), ("CAN-17",)),
    "also_closed_normally": Words(Text("增加的正常完工情形", "Further situations closed normally"), ("CAN-37",)),
    "channels": Words(Text("使用本流程的报修渠道", "Channels that use this procedure"), ("CAN-34", "STN-01")),
    "callback_limit": Words(Text("回访时限", "Limit for the callback")),
    "callback_attempts": Words(Text("回访联系次数", "Attempts of a callback")),
    "verdict_limit": Words(Text("判断时限", "Limit for the verdict"), ("CAN-39",)),
    "effect_budget": Words(Text("生效日到后多久生效", "Delay after the day of effect")),
    "judging_limit": Words(Text("审批时限", "Limit for judging")),
    "beginning_budget": Words(Text("生效时间后的宽限", "Delay after the moment of effect"), ("UDS-03",)),
    "delivery_budget": Words(Text("承诺配送时间后的宽限", "Grace after the promised delivery")),
}
VALUES = {
    "required": Text("必须填写", "required"),
    "none": Text("不需要", "not asked for"),
    "desktop_repair": Text("台式机报修", "desktop repair"),
    "customer_service_support": Text("客户服务支持", "customer service support"),
    "customer_information_support": Text("客户信息支持", "customer information support"),
}
NOTHING = Text("无", "none")


def label_of(name: str) -> Text:
    """Return what people call a parameter; one that nobody named yet shows its own name."""
    return WORDS[name].label if name in WORDS else Text(name, name.replace("_", " "))


def rules_of(process: Process, name: str) -> tuple[str, ...]:
    """Return the rules behind a parameter: its own, then those of the clocks that it limits."""
    found = list(WORDS[name].rules) if name in WORDS else []
    found += [rule for clock in process.clocks.values() if clock.budget == name for rule in clock.rules]
    return tuple(dict.fromkeys(found))


def value_words(process: Process, value: Parameter) -> Text:
    """Return a value in words: a duration with its unit, codes by their names."""
    if isinstance(value, Duration):
        return value.text()
    if isinstance(value, tuple):
        words = [_code_words(process, code) for code in value] or [NOTHING]
        return Text("、".join(word.zh for word in words), ", ".join(word.en for word in words))
    return _code_words(process, value) if isinstance(value, str) else Text(str(value), str(value))


def _code_words(process: Process, code: str) -> Text:
    """A code is a known value, or a choice that some fact of the process offers."""
    if code in VALUES:
        return VALUES[code]
    return next((fact.of[code] for fact in process.facts.values() if code in fact.of), Text(code, code))
