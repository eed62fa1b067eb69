"""Which days are asked about: presets or from–to, in Shanghai-local days; and the period before."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from mendline.kernel.errors import Invalid
from mendline.kernel.text import Text

Bucket = Literal["day", "week", "month"]
DAY = timedelta(days=1)
MOST_DAYS = {"day": 45, "week": 190}  # a chart has room for so many columns
EARLIEST, LATEST = date(2000, 1, 1), date(2099, 12, 31)
USUAL = "30d"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `first` to `last`, both counted."""

    first: date
    last: date
    preset: str = ""

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def before(self) -> Period:
        """Return as many days just before.

        >>> Period(date(2026, 3, 1), date(2026, 3, 31)).before
        Period(first=datetime.date(2026, 1, 29), last=datetime.date(2026, 2, 28), preset='')
        """
        length = min(self.days, (self.first - date.min).days)
        return Period(self.first - length * DAY, self.first - DAY)

    @property
    def bucket(self) -> Bucket:
        """Return in which steps the period is drawn."""
        if self.days <= MOST_DAYS["day"]:
            return "day"
        return "week" if self.days <= MOST_DAYS["week"] else "month"

    def buckets(self) -> list[Period]:
        """Return the steps in order; the first and the last may be cut short.

        >>> [(b.first.day, b.last.day) for b in Period(date(2026, 3, 4), date(2026, 3, 5)).buckets()]
        [(4, 4), (5, 5)]
        """
        found: list[Period] = []
        day = self.first
        while day <= self.last:
            end = min(_end_of(day, self.bucket), self.last)
            found.append(Period(day, end))
            day = end + DAY
        return found


def _end_of(day: date, bucket: Bucket) -> date:
    if bucket == "day":
        return day
    if bucket == "week":
        return day + (6 - day.weekday()) * DAY
    return (day.replace(day=1) + 31 * DAY).replace(day=1) - DAY


def _since(start: Callable[[date], date]) -> Callable[[date], tuple[date, date]]:
    return lambda today: (start(today), today)


PRESETS: dict[str, tuple[Text, Callable[[date], tuple[date, date]]]] = {
    "today": (Text("今天", "Today"), lambda today: (today, today)),
    "yesterday": (Text("昨天", "Yesterday"), lambda today: (today - DAY, today - DAY)),
    "7d": (Text("近 7 天", "Last 7 days"), _since(lambda today: today - 6 * DAY)),
    "30d": (Text("近 30 天", "Last 30 days"), _since(lambda today: today - 29 * DAY)),
    "month": (Text("本月", "This month"), _since(lambda today: today.replace(day=1))),
    "last_month": (
        Text("上月", "Last month"),
        lambda today: ((today.replace(day=1) - DAY).replace(day=1), today.replace(day=1) - DAY),
    ),
    "quarter": (
        Text("本季度", "This quarter"),
        _since(lambda today: today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1)),
    ),
    "year": (Text("今年", "This year"), _since(lambda today: today.replace(month=1, day=1))),
}


def preset_period(name: str, today: date) -> Period:
    """Return the days of a preset; raises KeyError for one that there is not."""
    return Period(*PRESETS[name][1](today), preset=name)


def read_period(preset: str, first: str, last: str, *, today: date) -> Period:
    """Return the days asked for: from–to where one of them is given, else the preset, else the last thirty days.

    A missing end is today; a missing beginning is the end.

    Raises:
        Invalid: a day that is none, or the days the wrong way round; names the field.
    """
    if not first and not last:
        if preset and preset not in PRESETS:
            known = "、".join(PRESETS)
            raise Invalid({"period": Text(f"没有这个时间段，可用：{known}", f"there is no such period; use {known}")})
        return preset_period(preset or USUAL, today)
    wrong: dict[str, Text] = {}
    until = _day("to", last, wrong) if last else today
    since = _day("from", first, wrong) if first else until
    if not wrong and since > until:
        wrong["from"] = Text("开始日期晚于结束日期，请对调", "the first day lies after the last one; exchange them")
    if wrong:
        raise Invalid(wrong)
    return Period(since, until)


def _day(name: str, text: str, wrong: dict[str, Text]) -> date:
    try:
        day = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        day = None
    if day is not None and EARLIEST <= day <= LATEST:
        return day
    wrong[name] = Text(
        "不是可用的日期，请写成 2026-03-02（2000 至 2099 年）",
        "not a usable day: write it like 2026-03-02 (2000 to 2099)",
    )
    return EARLIEST
