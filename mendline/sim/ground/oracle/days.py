"""Working days and hours, as the notice for 2026 and the rules read; only for the months that a world plays in."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from mendline.sim.ground.oracle.plain import CHINA

FIRST, LAST = date(2026, 3, 1), date(2026, 9, 19)
OFF = frozenset(
    [date(2026, 4, day) for day in (4, 5, 6)]
    + [date(2026, 5, day) for day in (1, 2, 3, 4, 5)]
    + [date(2026, 6, day) for day in (19, 20, 21)]
)
MAKE_UP = frozenset((date(2026, 5, 9),))
OPENS, CLOSES = time(9), time(18)
A_DAY = timedelta(days=1)


class BeyondTheTable(Exception):
    """A day of which the oracle knows nothing: the world runs longer than its table of holidays."""


def works(day: date) -> bool:
    if not FIRST <= day <= LAST:
        raise BeyondTheTable(f"{day} lies outside {FIRST} to {LAST}")
    return day in MAKE_UP or (day.weekday() < 5 and day not in OFF)


def nth_working_day(after: date, count: int) -> date:
    """Return the `count`-th working day after a day."""
    day = after
    while count:
        day += A_DAY
        count -= works(day)
    return day


def plus_working_days(start: datetime, count: int) -> datetime:
    """Return the same clock time on the n-th working day after `start`.

    The day of the start is not counted; a start on a day off counts from midnight of the next working day.
    """
    local = start.astimezone(CHINA)
    if not works(local.date()):
        local = datetime.combine(nth_working_day(local.date(), 1), time(), CHINA)
    return datetime.combine(nth_working_day(local.date(), count), local.time(), CHINA).astimezone(UTC)


def plus_working_hours(start: datetime, budget: timedelta) -> datetime:
    """Return when `budget` has been used up, counting 09:00 to 18:00 of working days only."""
    at = start.astimezone(CHINA)
    while True:
        opens, closes = (datetime.combine(at.date(), hour, CHINA) for hour in (OPENS, CLOSES))
        at = max(at, opens)
        if works(at.date()) and at < closes:
            if at + budget <= closes:
                return (at + budget).astimezone(UTC)
            budget -= closes - at
        at = datetime.combine(at.date() + A_DAY, time(), CHINA)


def next_midnight(moment: datetime) -> datetime:
    """Return when the day after that of `moment` begins."""
    return datetime.combine(moment.astimezone(CHINA).date() + A_DAY, time(), CHINA).astimezone(UTC)
