"""Seats of the days to come: how many a station has of a line, how many are taken, and which days are no workdays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from mendline.kernel.calendars import chinese_holidays
from mendline.kernel.text import Text
from mendline.kernel.time import WEEKDAYS
from mendline.network.history import Period, capacity_periods
from mendline.network.models import DayLoad
from mendline.process.calendar_table import calendar

DAYS_SHOWN = 14


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """A day of the calendar. `kind` is workday, weekend, holiday or make_up (a weekend day that is worked)."""

    day: date
    kind: str
    name: Text  # of a holiday; else empty

    @property
    def weekday(self) -> Text:
        return WEEKDAYS[self.day.weekday()]


@dataclass(frozen=True, slots=True)
class DaySeats:
    """Seats of one day. `capacity` is None where none is filed, 0 where the day is closed."""

    day: CalendarDay
    capacity: int | None
    taken: int

    @property
    def left(self) -> int:
        return max(0, (self.capacity or 0) - self.taken)

    @property
    def level(self) -> str:
        """How full it is: none, closed, free, filling (a fifth or less is left) or full."""
        if self.capacity is None:
            return "none"
        if not self.capacity:
            return "closed"
        if not self.left:
            return "full"
        return "filling" if self.left * 5 <= self.capacity else "free"

    @property
    def is_oversold(self) -> bool:
        """The capacity was lowered below what is taken; nothing more is sold (COM-10)."""
        return self.taken > (self.capacity or 0)


def calendar_days(first: date, count: int = DAYS_SHOWN) -> list[CalendarDay]:
    """Return the days from `first` on with what the table of holidays says about each."""
    working, names = calendar("working_days").days, chinese_holidays().names
    found = []
    for offset in range(count):
        day = first + timedelta(days=offset)
        if working.is_working(day):
            kind = "make_up" if day.weekday() in working.weekend else "workday"
        else:
            kind = "holiday" if day in working.holidays and day not in working.make_up else "weekend"
        found.append(CalendarDay(day, kind, names.get(day, Text("", "")) if kind == "holiday" else Text("", "")))
    return found


def seats_of(stations: Sequence[str], days: Sequence[CalendarDay]) -> dict[tuple[str, str], list[DaySeats]]:
    """Return the seats of these head stations by (station, line), one entry for every day; two statements."""
    filed = capacity_periods(stations)
    first, last = days[0].day, days[-1].day
    loads = DayLoad.objects.filter(station_no__in=stations, day__gte=first, day__lte=last)
    opened = {
        (number, line, day): (capacity, taken)
        for number, line, day, capacity, taken in loads.values_list(
            "station_no", "product_line", "day", "capacity", "taken"
        )
    }
    keys = sorted({*filed, *((number, line) for number, line, _ in opened)})
    return {key: [_seats(key, day, filed.get(key, []), opened) for day in days] for key in keys}


def _seats(
    key: tuple[str, str],
    day: CalendarDay,
    filed: Sequence[Period],
    opened: Mapping[tuple[str, str, date], tuple[int, int]],
) -> DaySeats:
    load = opened.get((*key, day.day))
    if load is not None:
        return DaySeats(day, *load)
    return DaySeats(day, value_on(filed, day.day), 0)


def value_on(periods: Sequence[Period], day: date) -> int | None:
    """Return the capacity filed for a day; None where nothing is."""
    holding = [period for period in periods if period.since <= day and (period.until is None or day < period.until)]
    return max(holding, key=lambda period: period.since).value if holding else None
