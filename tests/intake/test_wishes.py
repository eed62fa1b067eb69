"""Phrases of time, resolved forward; and those that are no wish."""

from __future__ import annotations

from datetime import datetime

import pytest

from mendline.intake.line import Line
from mendline.intake.wishes import Window, find_window
from mendline.kernel.time import SHANGHAI


def window(text: str, now: str) -> Window | None:
    found = find_window(Line(text), datetime.fromisoformat(now).replace(tzinfo=SHANGHAI))
    return found[0] if found else None


def said(text: str, now: str) -> str:
    found = window(text, now)
    return found.text(datetime.fromisoformat(now).replace(tzinfo=SHANGHAI)).zh if found else ""


@pytest.mark.parametrize(
    ("text", "now", "expected"),
    [
        ("周三上午", "2026-03-04T08:00", "3月4日 周三 08:00–12:00"),
        ("周三上午", "2026-03-04T13:00", ""),  # over: to be asked, not rolled on by a week
        ("下周三上午", "2026-03-04T13:00", "3月11日 周三 08:00–12:00"),
        ("周一", "2026-03-04T13:00", "3月9日 周一 08:00–20:00"),
        ("这周日", "2026-03-08T09:00", "3月8日 周日 09:00–20:00"),
        ("周六周日都在家", "2026-03-08T09:00", "3月14日 周六 08:00 至 3月15日 周日 20:00"),
        ("下周日", "2026-03-08T09:00", "3月15日 周日 08:00–20:00"),
        ("9点来", "2026-03-04T10:00", "3月4日 周三 21:00–22:00"),
        ("9点来", "2026-03-04T07:00", "3月4日 周三 09:00–10:00"),
        ("今天下午来", "2026-03-04T15:20", "3月4日 周三 15:20–18:00"),
        ("今天上午来", "2026-03-04T15:20", ""),
        ("明天上午", "2026-12-31T15:20", "2027年1月1日 周五 08:00–12:00"),
        ("1月5号下午", "2026-12-31T15:20", "2027年1月5日 周二 13:00–18:00"),
        ("月底前", "2026-12-31T15:20", "12月31日 周四 15:20–20:00"),
        ("7月初", "2026-03-04T10:00", "7月1日 周三 08:00 至 7月3日 周五 20:00"),
        ("3月初", "2026-03-04T10:00", "2027年3月1日 周一 08:00 至 2027年3月3日 周三 20:00"),
        ("12月底前", "2026-03-04T10:00", "3月4日 周三 10:00 至 12月31日 周四 20:00"),
        ("下个月5号", "2026-12-31T15:20", "2027年1月5日 周二 08:00–20:00"),
        ("2月29日上午", "2028-01-02T10:00", "2月29日 周二 08:00–12:00"),
        ("2月29日上午", "2026-01-02T10:00", ""),
        ("31号上午", "2026-04-02T10:00", ""),  # April has none
        ("今晚8点以后", "2026-03-04T10:00", "3月4日 周三 20:00–22:00"),
        ("工作日上午", "2026-02-14T07:00", "2月14日 周六 08:00–12:00"),  # made up for the Spring Festival
        ("春节后", "2026-02-10T10:00", "2月24日 周二 08:00–20:00"),
    ],
)
def test_a_phrase_means_the_next_time_it_can(text: str, now: str, expected: str) -> None:
    assert said(text, now) == expected


@pytest.mark.parametrize(
    "text",
    [
        "昨天开始黑屏", "3月1日买的", "使用10分钟后死机", "半小时后自动关机", "每天晚上自动重启", "上地信息路2号",
        "周二换过硬盘", "今天早上开机黑屏", "用了三年", "10点多的时候突然断电", "打印到第3页",
        "2026年1月5日购买", "明天不在家", "除了周五", "上周六修过",
    ],
)  # fmt: skip
def test_a_time_that_is_no_wish_is_left_alone(text: str) -> None:
    assert window(text, "2026-03-04T10:00") is None


def test_a_window_is_shown_in_both_languages() -> None:
    now = datetime(2026, 3, 4, 10, tzinfo=SHANGHAI)
    found = window("周六周日都在家", "2026-03-04T10:00")

    assert found is not None
    assert found.text(now).zh == "3月7日 周六 08:00 至 3月8日 周日 20:00"
    assert found.text(now).en == "Sat 7 Mar 08:00 to Sun 8 Mar 20:00"
