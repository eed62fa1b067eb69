"""Days as people name them on the telephone, resolved forward from today."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from mendline.intake.numbers import NUMBER, number_of
from mendline.kernel.calendars import chinese_holidays

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Days:
    """From the first day to the last. `bare` is a number alone (5号), which a house may carry as well."""

    first: date
    last: date
    bare: bool = False
    vague: bool = False  # today, these days: may tell of the fault as well as of the wish
    by: bool = False  # "within": it begins now
    long: bool = False  # a stretch such as the end of a month, even where only its last day is left

    def until(self, other: Days) -> Days:
        """Return the days from these to the others, as in 周一到周五."""
        last = other.last if other.last >= self.first else other.last + 7 * ONE_DAY
        return Days(self.first, last, self.bare and other.bare, self.vague and other.vague)


_RELATIVE = {
    "今天": 0, "今日": 0, "今儿": 0, "当天": 0, "今": 0, "明天": 1, "明日": 1, "明儿": 1, "第二天": 1, "明": 1,
    "后天": 2, "后日": 2, "后儿": 2, "大后天": 3, "大后日": 3, "大大后天": 4,
}  # fmt: skip
_PAIRS = {"今明两天": (0, 1), "今明": (0, 1), "明后两天": (1, 2), "明后天": (1, 2), "明后": (1, 2)}
_NEAR = ("这两天", "这几天", "这两三天", "近两天", "近几天", "最近几天", "近期")
_WEEKDAY = {sign: index for index, sign in enumerate("一二三四五六日")} | {"天": 6, "七": 6} | {
    str(index + 1): index for index in range(7)
}  # fmt: skip
_HOLIDAYS = {
    "国庆": "国庆节", "十一": "国庆节", "春节": "春节", "过年": "春节", "年": "春节", "元旦": "元旦", "五一": "劳动节",
    "劳动": "劳动节", "清明": "清明节", "端午": "端午节", "中秋": "中秋节",
}  # fmt: skip
_MONTH_DAY = rf"(?P<month>{NUMBER})月(?:份)?(?P<day>{NUMBER})(?:日|号)?"
_BORDER = r"(?:^|(?<=[\s,，。;；、:：!！?？()（）\x00]))"


def _relative(match: re.Match[str], today: date) -> Days:
    day = today + _RELATIVE[match[0]] * ONE_DAY
    return Days(day, day, vague=day == today)


def _pair(match: re.Match[str], today: date) -> Days:
    first, last = _PAIRS[match[0]]
    return Days(today + first * ONE_DAY, today + last * ONE_DAY)


def _near(match: re.Match[str], today: date) -> Days:
    return Days(today, today + 2 * ONE_DAY, vague=True)


def _weekday(match: re.Match[str], today: date) -> Days | None:
    monday = today - today.weekday() * ONE_DAY
    which, named = match["which"] or "", match["weekday"]
    if which.startswith("上"):
        return None
    days = (5, 6) if named == "末" or len(named) > 1 else (_WEEKDAY[named[0]],) * 2
    first, last = monday + days[0] * ONE_DAY, monday + days[-1] * ONE_DAY
    if which.startswith("下"):
        weeks = which.count("下") * 7 * ONE_DAY
        return Days(first + weeks, last + weeks)
    if last < today or (len(named) > 1 and first < today):  # 周六日, said on a Sunday, is the next weekend
        return Days(first + 7 * ONE_DAY, last + 7 * ONE_DAY)
    return Days(max(first, today), last)


def _weekend(match: re.Match[str], today: date) -> Days:
    monday = today - today.weekday() * ONE_DAY
    return Days(max(today, monday + 5 * ONE_DAY), monday + 6 * ONE_DAY)


def _week(match: re.Match[str], today: date) -> Days:
    monday = today - today.weekday() * ONE_DAY + match["which"].count("下") * 7 * ONE_DAY
    return Days(max(today, monday), monday + 6 * ONE_DAY, vague=match["which"] in ("本", "这") and not match["within"])


def _in_month(match: re.Match[str], today: date) -> Days | None:
    """3月5号, 2026年3月5日: without a year the next one, with a year that one even if it is past."""
    year = int(match["year"]) if match["year"] else today.year
    try:
        first = date(year, number_of(match["month"]), number_of(match["day"]))
        if not match["year"] and first < today:
            first = date(year + 1, first.month, first.day)
        last = first
        if match["last"]:
            month = number_of(match["last_month"]) if match["last_month"] else first.month
            last = date(first.year, month, number_of(match["last"]))
    except ValueError:
        return None
    return Days(first, last) if first <= last else None


def _slashed(match: re.Match[str], today: date) -> Days | None:
    try:
        day = date(int(match["year"] or today.year), int(match["month"]), int(match["day"]))
        return Days(day, day) if match["year"] or day >= today else Days(*(2 * (day.replace(year=day.year + 1),)))
    except ValueError:
        return None


def _of_month(match: re.Match[str], today: date) -> Days | None:
    """5号, 下个月5号: the next day of that number."""
    which = match["which"] or ""
    day = number_of(match["day"])
    months = which.count("下")
    if not which and day < today.day:
        months = 1
    try:
        first = _months_on(today, months).replace(day=day)
        last = first.replace(day=number_of(match["last"])) if match["last"] else first
    except ValueError:
        return None
    return Days(first, last, bare=not which) if today <= first <= last else None


def _month_end(match: re.Match[str], today: date) -> Days:
    """月底 is the last three days of the month, 月初 the first three of the next."""
    which = match["which"] or ""
    if match["end"] == "初":
        first = _months_on(today, max(1, which.count("下")))
        return Days(first, first + 2 * ONE_DAY)
    last = _months_on(today, which.count("下") + 1) - ONE_DAY
    return Days(max(today, last - 2 * ONE_DAY), last, long=True)


def _named_month_end(match: re.Match[str], today: date) -> Days | None:
    """7月初, 12月底: of the next month of that number."""
    month = number_of(match["month"])
    if not 1 <= month <= 12:
        return None
    ahead = (month - today.month) % 12
    if match["end"] == "初":
        first = _months_on(today, ahead)
        first = first if first + 2 * ONE_DAY >= today else _months_on(today, ahead + 12)
        return Days(max(today, first), first + 2 * ONE_DAY)
    last = _months_on(today, ahead + 1) - ONE_DAY
    return Days(max(today, last - 2 * ONE_DAY), last, long=True)


def _after_days(match: re.Match[str], today: date) -> Days:
    length = 7 if match["unit"] in ("周", "星期", "礼拜") else 1
    day = today + number_of(match["count"]) * length * ONE_DAY
    if match["within"]:
        return Days(today, day, by=True)
    return Days(day, day)


def _after_holiday(match: re.Match[str], today: date) -> Days | None:
    name = _HOLIDAYS.get(match["holiday"] or "", "")
    names = chinese_holidays().names
    ahead = sorted(day for day, text in names.items() if day >= today and name in text.zh)
    if not ahead:
        return None
    day = ahead[0]
    while day in names:
        day += ONE_DAY
    return Days(day, day)


def _working_day(match: re.Match[str], today: date) -> Days:
    days = chinese_holidays().working_days()
    day = today + ONE_DAY if match["next"] else today
    while not days.is_working(day):
        day += ONE_DAY
    return Days(day, day)


def _months_on(day: date, months: int) -> date:
    """Return the first day of the month that many months later."""
    index = day.year * 12 + day.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


_WEEK = r"(?:周|星期|礼拜)"
_WHICH = r"(?P<which>下下个?|下个?|上上个?|上个?|这个?|本)?"
_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], date], Days | None]], ...] = (
    (re.compile("|".join(_PAIRS)), _pair),
    (re.compile("|".join(_NEAR)), _near),
    (re.compile(
        rf"{_WHICH}{_WEEK}(?P<weekday>六(?:、|和|跟|或)?(?:周|星期)?[日天]|[一二三四五六日天末]|"
        rf"[1-7](?![\d点:]))"
    ), _weekday),
    (re.compile(r"双休日?|休息日"), _weekend),
    (re.compile(r"(?P<which>下下|下|本|这)(?:个)?(?:周|星期|礼拜)(?P<within>之?内|以内|里)?"), _week),
    (
        re.compile(
            rf"(?:(?P<year>20\d\d)年)?{_MONTH_DAY}"
            rf"(?:\s*(?:[-到至~])\s*(?:(?P<last_month>{NUMBER})月)?(?P<last>{NUMBER})(?:日|号))?"
        ),
        _in_month,
    ),
    (re.compile(r"(?:(?P<year>20\d\d)[-/.])(?P<month>\d{1,2})[-/.](?P<day>\d{1,2})(?!\d)"), _slashed),
    (re.compile(r"(?P<year>)(?<![\d/])(?P<month>\d{1,2})/(?P<day>\d{1,2})(?:日|号)?(?![\d/])"), _slashed),
    (
        re.compile(
            rf"(?P<which>本月|这个月|下个?月)?(?P<day>{NUMBER})(?:(?:日|"
            rf"号)?\s*[-到至~]\s*(?P<last>{NUMBER}))?(?:日|号)(?![楼院门线机库店厂房桥柜台])"
        ),
        _of_month,
    ),
    (re.compile(rf"(?P<month>{NUMBER})月(?P<end>[底末初])"), _named_month_end),
    (re.compile(r"(?:(?P<which>本|这个|下个?)|(?<![上个]))月(?P<end>[底末初])"), _month_end),
    (
        re.compile(
            rf"(?:过)?(?P<count>{NUMBER})(?:个)?(?P<unit>天|日|周|星期|礼拜)(?:(?P<within>之?内|以内)|(?:之|以)?后)"
        ),
        _after_days,
    ),
    (re.compile(
        r"(?P<holiday>国庆|十一|春节|过年|元旦|五一|劳动|清明|端午|中秋|年|节|假期|放假)(?:节|长假|假期|"
        r"放假)?(?:过|之|以)?后(?!天)"
    ), _after_holiday),
    (re.compile(r"(?P<next>下一?个)?工作日"), _working_day),
    (re.compile(
        "大大后天|大后天|大后日|今天|今日|今儿|当天|明天|明日|明儿|第二天|后天|后日|后儿|[今明](?=晚|早|晨|"
        "夜|中午|下午|上午)"
    ), _relative),
)  # fmt: skip
_TO = re.compile(r"\s*(?:到|至|-|~|—)\s*(?!货)")
_OR = re.compile(r"\s*(?:或者?|、|和|跟|及|,)\s*")


def days_at(text: str, start: int, today: date) -> tuple[Days, int] | None:
    """Return the days named at that place and where their wording ends; several joined are one span of days.

    None where no day is named, or one that does not exist (2月30日).
    """
    found = _single(text, start, today)
    if found is None:
        return None
    days, end = found
    if to := _TO.match(text, end):
        if further := _single(text, to.end(), days.first):
            return days.until(further[0]), further[1]
    if joined := _OR.match(text, end):
        for base in (today, days.last + ONE_DAY):
            further = _single(text, joined.end(), base)
            if further and further[0].first == days.last + ONE_DAY and not (further[0].bare or further[0].by):
                return Days(days.first, further[0].last), further[1]
    return days, end


def _single(text: str, start: int, today: date) -> tuple[Days, int] | None:
    for pattern, resolve in _FORMS:
        if match := pattern.match(text, start):
            days = resolve(match, today)
            return (days, match.end()) if days else None
    return None
