"""When time counts: round the clock, in opening hours, on working days.

Pure arithmetic. Moments are aware and come back in UTC, clock times belong to the calendar's zone,
and nothing reads the host's clock. Every function is monotone in its start: who starts later is
never due earlier, not even across a clock change.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from mendline.kernel import plain_yaml
from mendline.kernel.durations import Duration
from mendline.kernel.text import Text
from mendline.kernel.time import SHANGHAI, aware, instant_at, local_reading

MIDNIGHT = time()
ONE_DAY = timedelta(days=1)
ZERO = timedelta()
SATURDAY_SUNDAY = frozenset({5, 6})
# Below this many days of announced holidays deadlines in working days can silently be wrong.
COVER_WANTED_DAYS = 60


@dataclass(frozen=True, slots=True)
class WorkingDays:
    """Which dates work: not the weekend and not a holiday, unless made up for.

    `weekend` holds weekday numbers, Monday is 0; a station open all week has none. A date after
    `covered_until` is answered from what is known so far; make-up days may still be missing.
    """

    holidays: frozenset[date] = frozenset()
    make_up: frozenset[date] = frozenset()
    weekend: frozenset[int] = SATURDAY_SUNDAY
    covered_until: date = date.max
    _by_year: dict[int, list[date]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.weekend < set(range(7)):
            raise ValueError(f"weekend names weekdays 0 to 6, and not all of them: {sorted(self.weekend)}")

    def is_working(self, day: date) -> bool:
        if day in self.make_up:
            return True
        return day.weekday() not in self.weekend and day not in self.holidays

    def of_year(self, year: int) -> list[date]:
        """Return the working days of a year in order; worked out once."""
        days = self._by_year.get(year)
        if days is None:
            first = date(year, 1, 1)
            length = date(year, 12, 31).toordinal() - first.toordinal() + 1
            days = [day for n in range(length) if self.is_working(day := first + n * ONE_DAY)]
            self._by_year[year] = days
        return days


def nth_working_day_after(days: WorkingDays, day: date, n: int) -> date:
    """Return the n-th working day after `day`, which itself is never counted; n is at least 1."""
    if n < 1:
        raise ValueError(f"working days after {day} are counted from 1, not {n}")
    year = day.year
    index = bisect_right(days.of_year(year), day) + n - 1
    while index >= len(days.of_year(year)):
        index -= len(days.of_year(year))
        year += 1
    return days.of_year(year)[index]


def working_days_between(days: WorkingDays, after: date, until: date) -> int:
    """Return how many working days lie after `after`, up to and including `until`; 0 if `until` is not later."""
    if until <= after:
        return 0
    count = bisect_right(days.of_year(until.year), until) - bisect_right(days.of_year(after.year), after)
    return count + sum(len(days.of_year(year)) for year in range(after.year, until.year))


@dataclass(frozen=True, slots=True)
class _Openings:
    """The opening periods of one local year, in UTC, and how much open time lies before each."""

    starts: list[datetime]
    ends: list[datetime]
    before: list[timedelta]
    total: timedelta

    def until(self, moment: datetime) -> timedelta:
        """Return the open time of this year that has passed at `moment`."""
        index = bisect_right(self.starts, moment) - 1
        if index < 0:
            return ZERO
        return self.before[index] + min(moment, self.ends[index]) - self.starts[index]


@dataclass(frozen=True, slots=True)
class Calendar:
    """When time counts for a clock.

    `hours` are the local opening periods of a working day, in order and without overlap; 00:00 as
    an end means midnight. No hours at all: time counts round the clock, every day.
    """

    code: str
    zone: ZoneInfo = SHANGHAI
    hours: tuple[tuple[time, time], ...] = ()
    days: WorkingDays = field(default_factory=WorkingDays)
    _by_year: dict[int, _Openings] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        closed_since = MIDNIGHT
        for index, (opens, closes) in enumerate(self.hours):
            to_midnight = closes == MIDNIGHT and index == len(self.hours) - 1
            if opens < closed_since or not (opens < closes or to_midnight):
                raise ValueError(f"calendar {self.code}: {opens:%H:%M}-{closes:%H:%M} is empty or out of order")
            closed_since = closes

    @property
    def is_always_open(self) -> bool:
        return not self.hours

    def openings(self, year: int) -> _Openings:
        """Return the year's opening periods; worked out once, about two milliseconds."""
        openings = self._by_year.get(year)
        if openings is None:
            openings = self._by_year[year] = self._open(year)
        return openings

    def _open(self, year: int) -> _Openings:
        starts, ends, before, total = [], [], [], ZERO
        for day in self.days.of_year(year):
            for opens, closes in self.hours:
                last_day = day + ONE_DAY if closes == MIDNIGHT else day
                start = instant_at(datetime.combine(day, opens), self.zone)
                end = instant_at(datetime.combine(last_day, closes), self.zone)
                if start < end:  # A clock change can swallow a period.
                    starts.append(start)
                    ends.append(end)
                    before.append(total)
                    total += end - start
        return _Openings(starts, ends, before, total)


def add(calendar: Calendar, start: datetime, budget: Duration | timedelta) -> datetime:
    """Return the deadline in UTC: the first moment at which `budget` has been used up since `start`.

    Hours and minutes count only while the calendar is open, so `2d` in opening hours of nine hours
    takes more than five days. A budget of nothing is due at once, open or not.

    Working days (STN-26): the source does not say how they are counted. We do not count the day of
    the start event; due is the same local clock time on the n-th working day after it. A start on
    a day off counts from 00:00 of the next working day. Opening hours play no part.

    Raises:
        ValueError: `start` has no time zone, or the budget is negative.
    """
    start = aware(start)
    if isinstance(budget, Duration):
        if budget.working_days:
            return _add_working_days(calendar, start, budget.working_days)
        budget = timedelta(seconds=budget.seconds)
    if budget < ZERO:
        raise ValueError(f"a budget is never negative: {budget}")
    if not calendar.hours or not budget:
        return start + budget
    year = local_reading(start, calendar.zone).year
    openings = calendar.openings(year)
    needed = openings.until(start) + budget
    while needed > openings.total:
        needed -= openings.total
        year += 1
        openings = calendar.openings(year)
    index = bisect_left(openings.before, needed) - 1
    return openings.starts[index] + (needed - openings.before[index])


def elapsed(calendar: Calendar, start: datetime, end: datetime) -> timedelta:
    """Return the time counted from `start` to `end`; negative if `end` is the earlier one.

    `elapsed(c, s, add(c, s, budget))` is the budget again. For budgets in working days ask
    `working_days_elapsed`.
    """
    start, end = aware(start), aware(end)
    if not calendar.hours:
        return end - start
    if end < start:
        return -elapsed(calendar, end, start)
    first = local_reading(start, calendar.zone).year
    last = local_reading(end, calendar.zone).year
    between = sum((calendar.openings(year).total for year in range(first, last)), ZERO)
    return between + calendar.openings(last).until(end) - calendar.openings(first).until(start)


def working_days_elapsed(calendar: Calendar, start: datetime, end: datetime) -> int:
    """Return how many whole working days have passed, read as in `add`; 0 if `end` is the earlier one."""
    since = _working_reading(calendar, aware(start))
    until = local_reading(end, calendar.zone)
    count = working_days_between(calendar.days, since.date(), until.date())
    if count and calendar.days.is_working(until.date()) and until.time() < since.time():
        count -= 1
    return count


def is_open(calendar: Calendar, moment: datetime) -> bool:
    """Return whether time counts at `moment`; at closing time it no longer does."""
    return next_opening(calendar, moment) == moment


def next_opening(calendar: Calendar, moment: datetime) -> datetime:
    """Return the first moment (UTC), from `moment` on, at which time counts."""
    moment = aware(moment)
    if not calendar.hours:
        return moment
    year = local_reading(moment, calendar.zone).year
    openings = calendar.openings(year)
    index = bisect_right(openings.ends, moment)
    while index >= len(openings.ends):
        year, index = year + 1, 0
        openings = calendar.openings(year)
    return max(moment, openings.starts[index])


def _add_working_days(calendar: Calendar, start: datetime, count: int) -> datetime:
    reading = _working_reading(calendar, start)
    due_on = nth_working_day_after(calendar.days, reading.date(), count)
    return instant_at(datetime.combine(due_on, reading.time()), calendar.zone)


def _working_reading(calendar: Calendar, start: datetime) -> datetime:
    """Return the local clock at `start`, or 00:00 of the next working day if its day is off."""
    reading = local_reading(start, calendar.zone)
    if calendar.days.is_working(reading.date()):
        return reading
    return datetime.combine(nth_working_day_after(calendar.days, reading.date(), 1), MIDNIGHT)


@dataclass(frozen=True, slots=True)
class HolidayTable:
    """Public holidays as published, with the name of each day off."""

    names: Mapping[date, Text]
    make_up: frozenset[date]
    announced: frozenset[int]
    provisional: frozenset[int]

    @property
    def covered_until(self) -> date:
        """The last day of the unbroken run of announced years, counted from the first."""
        year = min(self.announced)
        while year + 1 in self.announced:
            year += 1
        return date(year, 12, 31)

    def working_days(self, weekend: frozenset[int] = SATURDAY_SUNDAY) -> WorkingDays:
        return WorkingDays(frozenset(self.names), self.make_up, weekend, self.covered_until)


@cache
def chinese_holidays() -> HolidayTable:
    """Return the holidays of mainland China that the project carries; read once.

    Raises:
        ValueError: the table contradicts itself; names the day.
    """
    return read_holidays(Path(__file__).with_name("holidays_cn.yaml"))


def read_holidays(path: Path) -> HolidayTable:
    """Read a holiday table and refuse one that contradicts itself; see `holidays_cn.yaml` for its form."""
    document = plain_yaml.read(path)
    if document.faults:
        line, fault = document.faults[0]
        raise ValueError(f"{path.name}:{line}: {fault}")
    try:
        return _holiday_table(_mapping(document.value))
    except KeyError as missing:
        raise ValueError(f"{path.name}: {missing} is missing or unknown") from None
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from None


def _holiday_table(whole: dict[str, plain_yaml.Plain]) -> HolidayTable:
    texts = {code: _mapping(text) for code, text in _mapping(whole["names"]).items()}
    names: dict[date, Text] = {}
    make_up: set[date] = set()
    years: dict[str, set[int]] = {"announced": set(), "provisional": set()}
    for year, value in _mapping(whole["years"]).items():
        entry = _mapping(value)
        years[str(entry["status"])].add(int(year))
        for period in map(_mapping, _items(entry["off"])):
            text = texts[str(period["name"])]
            first, last = _day(period["from"]), _day(period["to"])
            if last < first:
                raise ValueError(f"{first} to {last} is no period")
            for day in (first + n * ONE_DAY for n in range((last - first).days + 1)):
                _refuse_misplaced(day, int(year), names)
                names[day] = Text(str(text["zh"]), str(text["en"]))
        for day in map(_day, _items(entry["make_up"])):
            _refuse_misplaced(day, int(year), names)
            if day.weekday() not in SATURDAY_SUNDAY:
                raise ValueError(f"{day} is made up for but is no weekend day")
            make_up.add(day)
    if not years["announced"]:
        raise ValueError("no year is announced")
    return HolidayTable(names, frozenset(make_up), frozenset(years["announced"]), frozenset(years["provisional"]))


def coverage_warning(today: date, days: WorkingDays | None = None) -> Text | None:
    """Return what to tell the process owner when fewer than 60 days ahead are covered by announced years."""
    covered_until = (days or chinese_holidays().working_days()).covered_until
    left = (covered_until - today).days
    if left >= COVER_WANTED_DAYS:
        return None
    zh, en = f"节假日安排只到{covered_until}", f"The holiday table ends on {covered_until}"
    if left < 0:
        zh, en = f"{zh}，已经过期", f"{en}, which is past"
    else:
        zh, en = f"{zh}，还剩{left}天", f"{en}, {left} days ahead"
    return Text(
        f"{zh}：此后的调休上班日未知，按工作日计算的时限可能不准，请录入国务院公布的{covered_until.year + 1}年安排。",
        f"{en}: make-up days after that are unknown and deadlines in working days may be wrong; "
        f"enter the State Council's notice for {covered_until.year + 1}.",
    )


def always(zone: ZoneInfo = SHANGHAI, days: WorkingDays | None = None) -> Calendar:
    """Return the calendar on which every minute counts; `days` matter only for budgets in working days."""
    return Calendar("always", zone, (), days or chinese_holidays().working_days())


def working_days(zone: ZoneInfo = SHANGHAI, days: WorkingDays | None = None) -> Calendar:
    """Return the calendar on which all 24 hours of a working day count and no hour of a day off."""
    return Calendar("working_days", zone, ((MIDNIGHT, MIDNIGHT),), days or chinese_holidays().working_days())


def working_hours(*hours: tuple[time, time], zone: ZoneInfo = SHANGHAI, days: WorkingDays | None = None) -> Calendar:
    """Return a calendar of opening hours on working days, 09:00 to 18:00 unless given."""
    periods = hours or ((time(9), time(18)),)
    return Calendar("working_hours", zone, periods, days or chinese_holidays().working_days())


STANDARD: dict[str, Callable[[], Calendar]] = {
    "always": always,
    "working_hours": working_hours,
    "working_days": working_days,
}


@cache
def standard(code: str) -> Calendar:
    """Return the Shanghai calendar of that code, shared so that its years are worked out once per process.

    Raises:
        KeyError: the code is not one of `always`, `working_hours`, `working_days`.
    """
    return STANDARD[code]()


def _refuse_misplaced(day: date, year: int, names: Mapping[date, Text]) -> None:
    if day.year != year:
        raise ValueError(f"{day} stands under {year}")
    if day in names:
        raise ValueError(f"{day} stands twice")


def _day(value: plain_yaml.Plain) -> date:
    return date.fromisoformat(str(value))


def _mapping(value: plain_yaml.Plain) -> dict[str, plain_yaml.Plain]:
    if not isinstance(value, dict):
        raise ValueError(f"expected names with values, found {value!r}")
    return value


def _items(value: plain_yaml.Plain) -> list[plain_yaml.Plain]:
    if not isinstance(value, list):
        raise ValueError(f"expected a list, found {value!r}")
    return value
