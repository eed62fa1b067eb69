"""Deadlines on calendars: working hours, make-up days, clock changes, and both sides of every limit."""

from __future__ import annotations

import time as host_time
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mendline.kernel.calendars import (
    Calendar,
    WorkingDays,
    add,
    always,
    chinese_holidays,
    coverage_warning,
    elapsed,
    is_open,
    next_opening,
    nth_working_day_after,
    read_holidays,
    standard,
    working_days,
    working_days_between,
    working_days_elapsed,
    working_hours,
)
from mendline.kernel.durations import Duration, parse_duration
from mendline.kernel.time import SHANGHAI, parse_moment

ZONES = (
    "Asia/Shanghai",
    "America/New_York",
    "Europe/London",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "Africa/Casablanca",
    "UTC",
)
MORNING_AND_AFTERNOON = ((time(9), time(12)), (time(13), time(18)))


def at(text: str, zone: ZoneInfo = SHANGHAI) -> datetime:
    return parse_moment(text, zone)


@cache
def calendar_in(zone: str, kind: str) -> Calendar:
    """Keep calendars between examples, because the first use of a year costs milliseconds."""
    make = {
        "always": lambda: always(ZoneInfo(zone)),
        "hours": lambda: working_hours(*MORNING_AND_AFTERNOON, zone=ZoneInfo(zone)),
        "night": lambda: working_hours((time(0), time(2, 30)), (time(22), time(0)), zone=ZoneInfo(zone)),
        "days": lambda: working_days(ZoneInfo(zone)),
    }
    return make[kind]()


calendars = st.builds(calendar_in, st.sampled_from(ZONES), st.sampled_from(["always", "hours", "night", "days"]))
# Ordinary years, and the weeks around the odd clock changes: Shanghai's summer time, Apia's missing day.
moments = st.one_of(
    st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1)),  # noqa: DTZ001
    st.datetimes(datetime(1986, 4, 1), datetime(1991, 10, 1)),  # noqa: DTZ001
    st.datetimes(datetime(2011, 12, 27), datetime(2012, 1, 3)),  # noqa: DTZ001
    st.datetimes(datetime(2026, 10, 31), datetime(2026, 11, 2)),  # noqa: DTZ001
).map(lambda naive: naive.replace(tzinfo=UTC))
budgets = st.timedeltas(timedelta(0), timedelta(days=40))

# The first use of a year on a busy machine takes as long as it takes.
unhurried = settings(deadline=None)


# The limit of the first contact


def test_stn_19_four_hours_round_the_clock_are_240_minutes() -> None:
    received = at("2026-03-02T21:30")

    due = add(standard("always"), received, parse_duration("4h"))

    assert due == at("2026-03-03T01:30")
    assert elapsed(standard("always"), received, received + timedelta(minutes=240)) == timedelta(hours=4)
    assert received + timedelta(minutes=240) <= due < received + timedelta(minutes=241)


def test_four_working_hours_stop_at_closing_time_and_go_on_in_the_morning() -> None:
    received = at("2026-03-02T16:00")

    due = add(standard("working_hours"), received, parse_duration("4h"))

    assert due == at("2026-03-03T11:00")
    assert elapsed(standard("working_hours"), received, at("2026-03-03T11:01")) == timedelta(minutes=241)


def test_a_budget_used_up_at_closing_time_is_due_then_and_not_next_morning() -> None:
    assert add(standard("working_hours"), at("2026-03-02T14:00"), parse_duration("4h")) == at("2026-03-02T18:00")
    assert add(standard("working_hours"), at("2026-03-02T14:00"), timedelta(minutes=241)) == at("2026-03-03T09:01")


def test_a_budget_used_up_at_the_last_closing_time_of_a_year_is_due_that_year() -> None:
    assert add(standard("working_hours"), at("2026-12-31T14:00"), parse_duration("4h")) == at("2026-12-31T18:00")
    assert add(standard("working_hours"), at("2026-12-31T14:00"), timedelta(minutes=241)) == at("2027-01-04T09:01")


def test_a_lunch_break_does_not_count() -> None:
    calendar = working_hours(*MORNING_AND_AFTERNOON)

    assert add(calendar, at("2026-03-02T11:30"), parse_duration("1h")) == at("2026-03-02T13:30")


def test_hours_of_a_night_shift_run_to_midnight() -> None:
    calendar = working_hours((time(18), time(0)))

    assert add(calendar, at("2026-03-02T23:00"), parse_duration("2h")) == at("2026-03-03T19:00")


def test_a_budget_of_nothing_is_due_at_once_even_on_a_day_off() -> None:
    assert add(standard("working_hours"), at("2026-10-01T10:00"), Duration()) == at("2026-10-01T10:00")


# Days off and made-up days


def test_a_make_up_saturday_counts() -> None:
    assert at("2026-10-10T09:00").astimezone(SHANGHAI).weekday() == 5
    assert add(standard("working_hours"), at("2026-10-09T17:00"), parse_duration("2h")) == at("2026-10-10T10:00")
    assert add(standard("always"), at("2026-10-09T17:00"), parse_duration("1wd")) == at("2026-10-10T17:00")


def test_an_ordinary_saturday_does_not_count() -> None:
    assert add(standard("working_hours"), at("2026-03-06T17:00"), parse_duration("2h")) == at("2026-03-09T10:00")


def test_national_day_week_does_not_count() -> None:
    assert add(standard("working_hours"), at("2026-09-30T17:00"), parse_duration("2h")) == at("2026-10-08T10:00")
    assert elapsed(standard("working_days"), at("2026-10-01T00:00"), at("2026-10-08T00:00")) == timedelta(0)
    assert not is_open(standard("working_days"), at("2026-10-07T23:59"))
    assert is_open(standard("working_days"), at("2026-10-08T00:00"))


def test_stn_26_five_working_days_are_due_at_the_same_time_of_the_fifth_day_after() -> None:
    due = add(standard("always"), at("2026-03-02T15:20"), parse_duration("5wd"))

    assert due == at("2026-03-09T15:20")
    assert working_days_elapsed(standard("always"), at("2026-03-02T15:20"), due) == 5
    assert working_days_elapsed(standard("always"), at("2026-03-02T15:20"), due - timedelta(seconds=1)) == 4


def test_stn_26_five_working_days_leave_out_the_spring_festival() -> None:
    # Friday 13, the made-up Saturday 14, then Tuesday 24 to Thursday 26.
    assert add(standard("always"), at("2026-02-12T10:00"), parse_duration("5wd")) == at("2026-02-26T10:00")


def test_stn_26_a_start_on_a_day_off_counts_from_the_next_working_day() -> None:
    sunday = at("2026-03-01T15:20")

    assert add(standard("always"), sunday, parse_duration("5wd")) == at("2026-03-09T00:00")
    assert working_days_elapsed(standard("always"), sunday, at("2026-03-03T00:00")) == 1
    assert working_days_elapsed(standard("always"), sunday, at("2026-03-02T23:59")) == 0


def test_a_station_open_all_week_has_no_weekend() -> None:
    days = chinese_holidays().working_days(weekend=frozenset())

    assert add(working_hours(days=days), at("2026-03-06T17:00"), parse_duration("2h")) == at("2026-03-07T10:00")


def test_the_next_opening_is_now_or_the_next_morning_or_after_the_holidays() -> None:
    calendar = standard("working_hours")

    assert next_opening(calendar, at("2026-03-02T17:59")) == at("2026-03-02T17:59")
    assert next_opening(calendar, at("2026-03-02T18:00")) == at("2026-03-03T09:00")
    assert next_opening(calendar, at("2026-09-30T18:00")) == at("2026-10-08T09:00")
    assert next_opening(calendar, at("2026-12-31T18:00")) == at("2027-01-04T09:00")
    assert next_opening(standard("always"), at("2026-10-01T03:00")) == at("2026-10-01T03:00")


def test_working_days_are_counted_across_the_turn_of_the_year() -> None:
    days = chinese_holidays().working_days()

    assert nth_working_day_after(days, date(2025, 12, 31), 1) == date(2026, 1, 4)
    assert working_days_between(days, date(2025, 12, 31), date(2026, 1, 4)) == 1
    assert working_days_between(days, date(2026, 1, 4), date(2025, 12, 31)) == 0


# What holds for every calendar, zone and moment


@unhurried
@given(calendars, moments, st.timedeltas(timedelta(0), timedelta(days=20)), budgets)
def test_who_starts_later_is_never_due_earlier(
    calendar: Calendar, start: datetime, later: timedelta, budget: timedelta
) -> None:
    assert add(calendar, start, budget) <= add(calendar, start + later, budget)


@unhurried
@given(calendars, moments, st.timedeltas(timedelta(0), timedelta(days=5)), st.integers(1, 30))
@example(calendar_in("America/New_York", "always"), at("2026-11-01T05:50+00:00"), timedelta(minutes=20), 1)
def test_who_starts_later_is_never_due_earlier_in_working_days(
    calendar: Calendar, start: datetime, later: timedelta, count: int
) -> None:
    budget = Duration(working_days=count)

    assert add(calendar, start, budget) <= add(calendar, start + later, budget)


@unhurried
@given(calendars, moments, budgets)
def test_the_time_elapsed_until_the_deadline_is_the_budget(
    calendar: Calendar, start: datetime, budget: timedelta
) -> None:
    due = add(calendar, start, budget)

    assert due.tzinfo is UTC
    assert elapsed(calendar, start, due) == budget
    assert elapsed(calendar, due, start) == -budget


@unhurried
@given(calendars, moments, st.timedeltas(timedelta(microseconds=1), timedelta(days=40)))
def test_one_moment_before_the_deadline_the_budget_is_not_used_up(
    calendar: Calendar, start: datetime, budget: timedelta
) -> None:
    just_before = add(calendar, start, budget) - timedelta(microseconds=1)

    assert elapsed(calendar, start, just_before) == budget - timedelta(microseconds=1)


@unhurried
@given(calendars, moments, st.integers(1, 60))
def test_the_working_days_elapsed_until_the_deadline_are_the_budget(
    calendar: Calendar, start: datetime, count: int
) -> None:
    due = add(calendar, start, Duration(working_days=count))

    assert working_days_elapsed(calendar, start, due) == count
    assert working_days_elapsed(calendar, start, due - timedelta(microseconds=1)) == count - 1


@unhurried
@given(calendars, moments, budgets, budgets)
def test_a_budget_may_be_spent_in_two_parts(
    calendar: Calendar, start: datetime, first: timedelta, second: timedelta
) -> None:
    assert elapsed(calendar, start, add(calendar, add(calendar, start, first), second)) == first + second


@unhurried
@given(calendars, moments)
def test_at_the_next_opening_time_counts_and_before_it_none_did(calendar: Calendar, moment: datetime) -> None:
    opening = next_opening(calendar, moment)

    assert opening >= moment
    assert is_open(calendar, opening)
    assert elapsed(calendar, moment, opening) == timedelta(0)


@unhurried
@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1)).map(lambda t: t.replace(second=0, microsecond=0)),  # noqa: DTZ001
    st.integers(1, 2_000),
)
def test_working_hours_agree_with_counting_minute_by_minute(wall: datetime, minutes: int) -> None:
    days = chinese_holidays().working_days()
    left, clock = minutes, wall
    while left:
        if days.is_working(clock.date()) and any(
            opens <= clock.time() < shuts for opens, shuts in MORNING_AND_AFTERNOON
        ):
            left -= 1
        clock += timedelta(minutes=1)

    due = add(calendar_in("Asia/Shanghai", "hours"), wall.replace(tzinfo=SHANGHAI), timedelta(minutes=minutes))

    assert due == clock.replace(tzinfo=SHANGHAI)


# Clock changes


def test_the_day_the_clock_goes_forward_has_23_hours() -> None:
    new_york = ZoneInfo("America/New_York")
    calendar = working_days(new_york, WorkingDays(weekend=frozenset()))

    assert elapsed(calendar, at("2026-03-08T00:00", new_york), at("2026-03-09T00:00", new_york)) == timedelta(hours=23)


def test_shanghai_summer_time_moves_closing_time() -> None:
    winter = add(standard("working_hours"), at("1986-05-02T09:00"), parse_duration("9h"))
    summer = add(standard("working_hours"), at("1986-05-05T09:00"), parse_duration("9h"))

    assert (winter.hour, summer.hour) == (10, 9)


def test_a_deadline_in_a_skipped_hour_is_the_moment_of_the_change() -> None:
    london = ZoneInfo("Europe/London")
    calendar = always(london, WorkingDays(weekend=frozenset()))

    assert add(calendar, at("2026-03-28T01:30", london), parse_duration("1wd")) == datetime(2026, 3, 29, 1, tzinfo=UTC)


@pytest.fixture(params=["UTC", "America/New_York", "Pacific/Kiritimati"])
def host_zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Run with the host's clock in another zone."""
    monkeypatch.setenv("TZ", request.param)
    host_time.tzset()
    yield request.param
    monkeypatch.undo()
    host_time.tzset()


def test_the_hosts_zone_plays_no_part(host_zone: str) -> None:
    calendar = working_hours()  # fresh, so that its years are worked out on this host's clock

    assert add(calendar, at("2026-03-02T16:00"), parse_duration("4h")) == datetime(2026, 3, 3, 3, tzinfo=UTC)
    assert add(calendar, at("2026-03-02T16:00"), parse_duration("5wd")) == datetime(2026, 3, 9, 8, tzinfo=UTC)
    assert elapsed(calendar, at("2026-03-02T16:00"), at("2026-03-03T10:00")) == timedelta(hours=3)


# What is refused


def test_a_moment_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        add(standard("always"), datetime(2026, 3, 2, 9), timedelta(hours=4))  # noqa: DTZ001


def test_a_negative_budget_is_refused() -> None:
    with pytest.raises(ValueError, match="never negative"):
        add(standard("working_hours"), at("2026-03-02T09:00"), timedelta(hours=-4))


@pytest.mark.parametrize(
    "hours",
    [
        ((time(9), time(9)),),
        ((time(18), time(9)),),
        ((time(13), time(18)), (time(9), time(12))),
        ((time(9), time(13)), (time(12), time(18))),
        ((time(18), time(0)), (time(19), time(20))),
    ],
)
def test_hours_that_are_empty_or_overlap_are_refused(hours: tuple[tuple[time, time], ...]) -> None:
    with pytest.raises(ValueError, match="empty or out of order"):
        working_hours(*hours)


def test_a_week_without_a_working_day_is_refused() -> None:
    with pytest.raises(ValueError, match="not all of them"):
        WorkingDays(weekend=frozenset(range(7)))


# The holiday table


def test_working_days_agree_day_by_day_with_an_independent_table() -> None:
    holidays = pytest.importorskip("holidays")
    independent = holidays.country_holidays("CN", years=range(2024, 2028))
    days = chinese_holidays().working_days()

    different = [
        day
        for day in (date(2024, 1, 1) + timedelta(days=n) for n in range(366 + 3 * 365))
        if days.is_working(day) != independent.is_working_day(day)
    ]

    assert different == []


def test_only_announced_years_count_as_covered() -> None:
    table = chinese_holidays()

    assert table.covered_until == date(max(table.announced), 12, 31)
    assert not table.announced & table.provisional


def test_a_day_off_has_its_name_in_both_languages() -> None:
    name = chinese_holidays().names[date(2026, 10, 1)]

    assert (name.zh, name.en) == ("国庆节", "National Day")


def test_fewer_than_60_days_of_cover_are_warned_of() -> None:
    days = WorkingDays(covered_until=date(2026, 12, 31))

    assert coverage_warning(date(2026, 11, 1), days) is None
    warning = coverage_warning(date(2026, 11, 2), days)
    assert warning is not None
    assert "还剩59天" in warning.zh and "59 days ahead" in warning.en and "2027" in warning.en
    past = coverage_warning(date(2027, 1, 1), days)
    assert past is not None and "已经过期" in past.zh


@pytest.mark.parametrize(
    ("off", "make_up", "status", "complaint"),
    [
        ("from: 2026-10-01, to: 2026-10-07", "2026-10-10", "announced", None),
        (
            "from: 2026-10-01, to: 2026-10-07",
            "2026-10-09",
            "announced",
            "2026-10-09 is made up for but is no weekend day",
        ),
        ("from: 2026-10-01, to: 2026-10-07", "2026-10-03", "announced", "2026-10-03 stands twice"),
        ("from: 2025-10-01, to: 2025-10-07", "2026-10-10", "announced", "2025-10-01 stands under 2026"),
        ("from: 2026-10-07, to: 2026-10-01", "2026-10-10", "announced", "is no period"),
        ("from: 2026-10-01", "2026-10-10", "announced", "'to' is missing"),
        ("from: 2026-10-01, to: 2026-10-07", "2026-10-10", "guessed", "'guessed' is missing or unknown"),
        ("from: 2026-10-01, to: 2026-10-07", "2026-10-10", "provisional", "no year is announced"),
    ],
)
def test_a_holiday_table_that_contradicts_itself_is_refused(
    tmp_path: Path, off: str, make_up: str, status: str, complaint: str | None
) -> None:
    path = tmp_path / "holidays.yaml"
    path.write_text(
        "names: {national_day: {zh: 国庆节, en: National Day}}\n"
        f"years:\n  2026: {{status: {status}, off: [{{name: national_day, {off}}}], make_up: [{make_up}]}}\n",
        encoding="utf-8",
    )

    if complaint is None:
        assert date(2026, 10, 10) in read_holidays(path).make_up
    else:
        with pytest.raises(ValueError, match=complaint):
            read_holidays(path)
