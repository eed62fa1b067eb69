"""Calendars for clocks, from our own table of holidays and make-up workdays."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from functools import cache

from mendline.kernel.calendars import (
    Calendar,
    WorkingDays,
    always,
    chinese_holidays,
    coverage_warning,
    working_days,
    working_hours,
)
from mendline.kernel.text import Text
from mendline.process.models import CalendarDay


def calendars_for(station_no: str) -> Callable[[str], Calendar]:
    """Return how the clocks of a station find their calendar by its code.

    All stations follow the national calendar at present; a station's own hours would enter here.
    """
    return calendar


@cache
def calendar(code: str) -> Calendar:
    """Return a calendar by its code, with the days of the table; kept until `forget` is called.

    Raises KeyError for an unknown code.
    """
    days = _days()
    match code:
        case "always":
            return always(days=days)
        case "working_hours":
            return working_hours(days=days)
        case "working_days":
            return working_days(days=days)
    raise KeyError(code)


def _days() -> WorkingDays:
    rows = list(CalendarDay.objects.values_list("day", "works", "provisional"))
    if not rows:
        return chinese_holidays().working_days()
    off = frozenset(day for day, works, _ in rows if not works)
    make_up = frozenset(day for day, works, _ in rows if works)
    announced = [day.year for day, _, provisional in rows if not provisional]
    covered_until = date(max(announced), 12, 31) if announced else date.min
    return WorkingDays(off, make_up, chinese_holidays().working_days().weekend, covered_until)


def forget() -> None:
    """Read the table anew at the next use, after it was changed."""
    calendar.cache_clear()


def follow(now: datetime) -> bool:
    """Read the table anew if another process changed it; done every few seconds wherever clocks are reckoned.

    Returns False: there is never more to do at once.
    """
    rows = tuple(CalendarDay.objects.order_by("pk").values_list("pk", "day", "works", "provisional"))
    if _followed.get("rows") not in (None, rows):
        forget()
    _followed["rows"] = rows
    return False


_followed: dict[str, tuple[object, ...]] = {}


def cover_warning(today: date) -> Text | None:
    """Return what to tell the process owner when fewer than 60 days ahead are covered by announced holidays."""
    return coverage_warning(today, _days())
