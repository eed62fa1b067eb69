"""Why this station, why not that one, and what would change it, in both languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mendline.dispatch.choice import Choice, Verdict, Wanted
from mendline.kernel.text import Text

LEVEL_NAMES = {6: Text("区县", "county"), 4: Text("地市", "city"), 2: Text("省", "province"), 0: Text("—", "—")}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a verdict means: the rule behind it, why, and what would have to change."""

    rule: str
    why: Text
    remedy: Text


OUTCOMES: Mapping[str, Outcome] = {
    "chosen": Outcome(
        "STN-13",
        Text(
            "已选派：覆盖到{level}级，当日产能 {per_day}，派单前剩余 {left}，得分 {score}",
            "chosen: covers at {level} level, {left} of {per_day} seats were left that day, score {score}",
        ),
        Text("", ""),
    ),
    "eligible": Outcome(
        "STN-13",
        Text(
            "符合条件，得分 {score} 较低，剩余 {left}/{per_day}",
            "eligible, with a lower score of {score}; {left} of {per_day} left",
        ),
        Text(
            "剩余产能、距离、及时联系率、在途单量改善后得分提高",
            "more capacity left, nearness, timely contacts or fewer open orders raise it",
        ),
    ),
    "less_specific": Outcome(
        "COM-05",
        Text("只覆盖到{level}级，有站覆盖得更具体", "covers at {level} level only; another covers more precisely"),
        Text("为该站登记更具体的区域覆盖", "file a more precise coverage for it"),
    ),
    "full": Outcome(
        "COM-10",
        Text("当日产能 {per_day} 已满", "all {per_day} seats of the day are taken"),
        Text("次日重新派单，或由大区提高该站产能", "dispatch on another day, or have the region raise its capacity"),
    ),
    "no_capacity": Outcome(
        "COM-10",
        Text("当日没有登记该产品线的产能", "no capacity is filed for this product line on that day"),
        Text("为该站登记产能", "file a capacity for it"),
    ),
    "not_cc_web": Outcome(
        "STN-01",
        Text("不在 CC-WEB 上工作", "does not work in CC-WEB"),
        Text("开通 CC-WEB 后方可接单", "it can take orders once it works in CC-WEB"),
    ),
    "point": Outcome(
        "STN-18",
        Text("是维修点，只派给总站 {via}", "is a point; orders go to its head station {via}"),
        Text("请指定总站 {via}", "name the head station {via}"),
    ),
    "inactive": Outcome(
        "COM-05",
        Text("当日未在营", "is not active on that day"),
        Text("更正该站的启用日期", "correct the dates from and until which it is active"),
    ),
    "excluded": Outcome(
        "CAN-02",
        Text("维修单刚从该站撤下", "the order was just taken from it"),
        Text("改派到其他维修站", "reassign to another station"),
    ),
    "not_yet": Outcome(
        "COM-05",
        Text("该区域的覆盖尚未生效", "its coverage of the area has not begun"),
        Text("等待覆盖生效", "wait until it takes effect"),
    ),
    "ended": Outcome(
        "COM-07",
        Text("该区域的覆盖已经终止", "its coverage of the area has ended"),
        Text("提交渠道覆盖区域变更申请", "submit a coverage change request"),
    ),
    "other_line": Outcome(
        "COM-05",
        Text("覆盖该区域，但不服务这条产品线", "serves the area, but not for this product line"),
        Text("为该产品线申请覆盖", "request coverage for this line"),
    ),
    "other_area": Outcome(
        "COM-05",
        Text("不覆盖该区域", "does not cover the area"),
        Text("改派覆盖该区域的维修站，或申请变更覆盖", "name a station that covers it, or request a coverage change"),
    ),
    "unknown": Outcome(
        "CAN-29",
        Text("没有这个维修站编号", "there is no station of that number"),
        Text("核对六位编号，前面的零不能省略", "check the six-digit number; leading zeros count"),
    ),
}  # fmt: skip
NOBODY = Outcome(
    "COM-05",
    Text("没有维修站覆盖该区域", "no station covers this area"),
    Text("由大区指定维修站，或登记覆盖", "the region names a station or files coverage"),
)


def as_stored(choice: Choice, wanted: Wanted) -> dict[str, Any]:
    """Return the compact form kept on the order: codes and numbers, no sentences."""
    return {
        "area": wanted.area,
        "line": wanted.line,
        "day": wanted.day.isoformat(),
        "wish": wanted.wish,
        "stations": [list(verdict) for verdict in choice.verdicts],
    }


def readable(stored: Mapping[str, Any], names: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """Return one entry for each station considered, the chosen first: for screens and the API.

    Keys: station, name, chosen, outcome, rule, score, why {zh, en}, remedy {zh, en}. Nobody
    considered at all gives one entry without a station.
    """
    verdicts = [Verdict(*entry) for entry in stored.get("stations", ())]
    if not verdicts:
        return [_entry(Verdict("", "nobody"), NOBODY, "")]
    return [_entry(verdict, OUTCOMES[verdict.outcome], (names or {}).get(verdict.station, "")) for verdict in verdicts]


def why_none(verdicts: Sequence[Verdict]) -> tuple[str, Text]:
    """Return the rule and the sentence for an order that no station can take, from the closest verdict."""
    if not verdicts:
        return NOBODY.rule, _joined(NOBODY.why, NOBODY.remedy)
    closest = verdicts[0]
    outcome = OUTCOMES[closest.outcome]
    why, remedy = _filled(outcome.why, closest), _filled(outcome.remedy, closest)
    named = Text(f"维修站 {closest.station} {why.zh}", f"station {closest.station} {why.en}")
    return outcome.rule, _joined(named, remedy)


def _entry(verdict: Verdict, outcome: Outcome, name: str) -> dict[str, Any]:
    return {
        "station": verdict.station,
        "name": name,
        "chosen": verdict.outcome == "chosen",
        "outcome": verdict.outcome,
        "rule": outcome.rule,
        "score": verdict.score,
        "why": _filled(outcome.why, verdict).as_dict(),
        "remedy": _filled(outcome.remedy, verdict).as_dict(),
    }


def _filled(text: Text, verdict: Verdict) -> Text:
    level = LEVEL_NAMES[verdict.level]
    numbers = {"left": verdict.left, "per_day": verdict.per_day, "score": verdict.score, "via": verdict.via}
    return Text(
        text.zh.format(level=level.zh, **numbers),
        text.en.format(level=level.en, **numbers),
    )


def _joined(why: Text, remedy: Text) -> Text:
    return Text(f"{why.zh}；{remedy.zh}", f"{why.en}; {remedy.en}")
