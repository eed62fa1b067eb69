"""What people and machines give with a step, checked against the fact's type. Pure.

Facts are plain JSON data: moments are ISO text with offset in UTC, days are `YYYY-MM-DD`, money is
integer fen. So what was checked once can be stored, compared and sent as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from mendline.kernel.durations import parse_duration
from mendline.kernel.errors import Invalid
from mendline.kernel.phones import NotAPhone, parse_phone
from mendline.kernel.text import Text
from mendline.kernel.unseen import unseen_in
from mendline.process.definition import Fact, Process, Transition

_AREA = re.compile(r"^[1-9][0-9](?:[0-9]{2}){0,2}$")
_CODE = re.compile(r"^[\w.\-/ ]+$")


class _Wrong(Exception):
    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.text = Text(zh, en)


def accept_given(process: Process, step: Transition, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the given facts in their stored form.

    Raises:
        Invalid: names every field that is unknown here, missing, or not understood, all at once.
    """
    taken: dict[str, Any] = {}
    wrong: dict[str, Text] = {}
    for name, value in given.items():
        if name not in step.takes:
            wrong[name] = Text(f"“{step.label.zh}”不需要这一项", f"is not asked for by {step.label.en}")
        elif not _is_blank(value):
            try:
                taken[name] = parse_value(process.facts[name], value)
            except _Wrong as problem:
                wrong[name] = problem.text
    for name in step.requires:
        if name not in taken and name not in wrong:
            label = process.facts[name].label
            wrong[name] = Text(f"请填写“{label.zh}”", f"{label.en} is required")
    if wrong:
        raise Invalid(wrong, step.rules[0] if step.rules else "", rules=step.rules)
    return taken


def parse_value(fact: Fact, value: object) -> Any:
    """Return `value` in the stored form of the fact's type, or raise `_Wrong` with what to mend."""
    return _PARSERS[fact.type](fact, value)


def moment_of(facts: Mapping[str, Any], name: str) -> datetime | None:
    """Return a moment fact as an aware datetime."""
    kept = facts.get(name)
    if isinstance(kept, datetime):
        return kept
    return datetime.fromisoformat(kept) if isinstance(kept, str) and kept else None


def stored_moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _text(fact: Fact, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise _Wrong("应为文字", "must be text")
    text = str(value).replace("\r\n", "\n").strip()
    unseen = unseen_in(text)
    if unseen:
        marks = ", ".join(unseen[:3])
        raise _Wrong(f"含有看不见的字符（{marks}），请去掉", f"contains signs that nobody sees ({marks}); remove them")
    if len(text) > fact.longest:
        raise _Wrong(
            f"最多 {fact.longest} 个字，现在有 {len(text)} 个",
            f"at most {fact.longest} characters; this has {len(text)}",
        )
    return text


def _one_line(fact: Fact, value: object) -> str:
    text = _text(fact, value)
    if "\n" in text or "\t" in text:
        raise _Wrong("只能填一行", "must be one line")
    return text


def _code(fact: Fact, value: object) -> str:
    text = _one_line(fact, value)
    if not _CODE.match(text):
        raise _Wrong("含有不允许的符号", "contains a sign that is not possible here")
    return text


def _choice(fact: Fact, value: object) -> str:
    if not isinstance(value, str) or value not in fact.of:
        zh = "、".join(f"{label.zh}（{code}）" for code, label in fact.of.items())
        raise _Wrong(f"请从中选择：{zh}", f"choose one of: {', '.join(fact.of)}")
    return value


def _yes_no(fact: Fact, value: object) -> bool:
    if isinstance(value, bool):
        return value
    known = {"yes": True, "no": False, "true": True, "false": False, "on": True, "是": True, "否": False}
    if isinstance(value, str) and value.lower() in known:
        return known[value.lower()]
    raise _Wrong("请回答是或否", "answer yes or no")


def _number(fact: Fact, value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise _Wrong("应为数字", "must be a number")
    try:
        number = float(value)
    except ValueError:
        raise _Wrong("应为数字", "must be a number") from None
    if number != number or abs(number) > 1e15:
        raise _Wrong("数字太大", "the number is too large")
    return int(number) if number.is_integer() else number


def _money(fact: Fact, value: object) -> int:
    number = _number(fact, value)
    if not isinstance(number, int) or number < 0:
        raise _Wrong("金额以分为单位，须为不小于零的整数", "an amount is a whole number of fen, zero or more")
    return number


def _moment(fact: Fact, value: object) -> str:
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise _Wrong(
                "不是有效的日期时间，例如 2026-03-02T15:00+08:00", "is not a date and time, e.g. 2026-03-02T15:00+08:00"
            ) from None
    else:
        raise _Wrong("应为日期时间", "must be a date and time")
    if moment.tzinfo is None:
        raise _Wrong("缺少时区，例如 2026-03-02T15:00+08:00", "lacks its time zone, e.g. 2026-03-02T15:00+08:00")
    if not 2000 <= moment.year <= 2100:
        raise _Wrong("年份应在 2000 到 2100 之间", "the year must lie between 2000 and 2100")
    return stored_moment(moment)


def _day(fact: Fact, value: object) -> str:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    try:
        day = date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        day = None
    if day is None or not 1990 <= day.year <= 2100:
        raise _Wrong("不是有效日期，例如 2026-03-02", "is not a day, e.g. 2026-03-02")
    return day.isoformat()


def _duration(fact: Fact, value: object) -> str:
    try:
        parse_duration(str(value))
    except ValueError as problem:
        raise _Wrong("时长要带单位，例如 4h、30m、5wd", str(problem)) from None
    return str(value)


def _phone(fact: Fact, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise _Wrong("应为电话号码", "must be a telephone number")
    try:
        return parse_phone(str(value))
    except NotAPhone as problem:
        raise _Wrong(problem.text.zh, problem.text.en) from None


def _area(fact: Fact, value: object) -> str:
    if not isinstance(value, (str, int)) or isinstance(value, bool) or not _AREA.match(str(value)):
        raise _Wrong("应为 2、4 或 6 位行政区划代码", "must be an area code of 2, 4 or 6 digits")
    return str(value)


def _record(fact: Fact, value: object) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise _Wrong("应由若干项组成", f"must have the parts {', '.join(fact.fields)}")
    parts: dict[str, Any] = {}
    problems: list[Text] = []
    for name in value:
        if name not in fact.fields:
            problems.append(Text(f"没有“{name}”这一项", f"has no part {name!r}"))
    for name, part in fact.fields.items():
        if _is_blank(value.get(name)):
            problems.append(Text(f"请填写“{part.label.zh}”", f"{part.label.en} is required"))
            continue
        try:
            parts[name] = parse_value(part, value[name])
        except _Wrong as problem:
            problems.append(Text(f"{part.label.zh}{problem.text.zh}", f"{part.label.en} {problem.text.en}"))
    if problems:
        raise _Wrong("，".join(item.zh for item in problems), ", ".join(item.en for item in problems))
    return parts


_PARSERS: dict[str, Callable[[Fact, object], Any]] = {
    "text": _text, "choice": _choice, "yes_no": _yes_no, "number": _number, "money": _money, "moment": _moment,
    "day": _day, "duration": _duration, "phone": _phone, "area": _area, "address": _one_line, "product": _code,
    "product_line": _code,
    "serial": _code, "person": _code, "photo": _code, "file": _code, "signature": _one_line, "record": _record,
}  # fmt: skip
