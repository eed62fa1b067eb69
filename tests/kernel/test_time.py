"""Moments: read strictly, kept in UTC, shown on the clock of a place."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mendline.kernel.time import (
    SHANGHAI,
    Unreadable,
    aware,
    instant_at,
    local_day,
    local_reading,
    moment_text,
    parse_moment,
)

NEW_YORK = ZoneInfo("America/New_York")
APIA = ZoneInfo("Pacific/Apia")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-02T09:00", datetime(2026, 3, 2, 1, tzinfo=UTC)),
        ("2026-03-02 09:00:30", datetime(2026, 3, 2, 1, 0, 30, tzinfo=UTC)),
        ("2026-03-02T09:00+09:00", datetime(2026, 3, 2, tzinfo=UTC)),
        ("2026-03-02T09:00:00.25Z", datetime(2026, 3, 2, 9, 0, 0, 250_000, tzinfo=UTC)),
    ],
)
def test_a_moment_is_read_on_the_callers_clock_unless_it_has_an_offset(text: str, expected: datetime) -> None:
    moment = parse_moment(text, SHANGHAI)

    assert (moment, moment.tzinfo) == (expected, UTC)


def test_a_moment_without_zone_is_refused_where_none_is_agreed() -> None:
    with pytest.raises(Unreadable, match="has no time zone; add its offset"):
        parse_moment("2026-03-02T09:00")

    assert parse_moment("2026-03-02T09:00+08:00") == datetime(2026, 3, 2, 1, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "2026-03-02", "2026-W10-1T09:00", "20260302T0900", "9:00", "2026/03/02 09:00"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(Unreadable, match="is not a moment"):
        parse_moment(text, SHANGHAI)


@pytest.mark.parametrize(
    "text",
    ["2026-02-29T09:00", "2026-03-02T24:00", "0001-01-01T00:00", "9999-12-31T23:00-05:00", "2026-03-02T09:00+25:00"],
)
def test_a_day_hour_or_offset_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(Unreadable, match="does not exist"):
        parse_moment(text, SHANGHAI)


def test_a_wall_time_the_clock_skipped_is_the_moment_of_the_change() -> None:
    assert parse_moment("2026-03-08T02:30", NEW_YORK) == datetime(2026, 3, 8, 7, tzinfo=UTC)
    assert parse_moment("2011-12-30T12:00", APIA) == parse_moment("2011-12-31T00:00", APIA)


def test_a_wall_time_that_came_twice_is_the_first() -> None:
    assert parse_moment("2026-11-01T01:30", NEW_YORK) == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)


def test_a_repeated_hour_reads_as_its_end() -> None:
    assert local_reading(datetime(2026, 11, 1, 5, 59, tzinfo=UTC), NEW_YORK) == datetime(2026, 11, 1, 1, 59)  # noqa: DTZ001
    assert local_reading(datetime(2026, 11, 1, 6, 1, tzinfo=UTC), NEW_YORK) == datetime(2026, 11, 1, 2, 0)  # noqa: DTZ001
    assert local_reading(datetime(2026, 4, 4, 15, 10, tzinfo=UTC), LORD_HOWE) == datetime(2026, 4, 5, 2, 0)  # noqa: DTZ001


@settings(deadline=None)
@given(
    st.datetimes(datetime(1980, 1, 1), datetime(2035, 1, 1)),  # noqa: DTZ001
    st.datetimes(datetime(1980, 1, 1), datetime(2035, 1, 1)),  # noqa: DTZ001
    st.sampled_from([SHANGHAI, NEW_YORK, APIA, LORD_HOWE]),
)
def test_reading_a_clock_and_finding_its_moment_are_inverse(wall: datetime, other: datetime, zone: ZoneInfo) -> None:
    moment = other.replace(tzinfo=UTC)

    assert (instant_at(wall, zone) <= moment) == (wall <= local_reading(moment, zone))
    assert local_reading(instant_at(wall, zone), zone) >= wall


def test_a_moment_without_zone_is_a_fault_of_the_caller() -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        aware(datetime(2026, 3, 2, 9))  # noqa: DTZ001

    assert aware(datetime(2026, 3, 2, 9, tzinfo=timezone(timedelta(hours=8)))).tzinfo is UTC


def test_the_local_day_changes_at_local_midnight() -> None:
    assert local_day(datetime(2026, 3, 1, 15, 59, 59, tzinfo=UTC)) == date(2026, 3, 1)
    assert local_day(datetime(2026, 3, 1, 16, tzinfo=UTC)) == date(2026, 3, 2)


def test_people_read_month_day_weekday_and_minute() -> None:
    text = moment_text(datetime(2026, 3, 2, 5, tzinfo=UTC))

    assert (text.zh, text.en) == ("3月2日 周一 13:00", "Mon 2 Mar 13:00")


def test_people_see_the_year_when_it_is_not_this_one() -> None:
    now = datetime(2026, 12, 31, 15, 59, tzinfo=UTC)

    assert moment_text(now, now=now).zh == "12月31日 周四 23:59"
    assert moment_text(now + timedelta(minutes=1), now=now).zh == "2027年1月1日 周五 00:00"
    assert moment_text(now + timedelta(minutes=1), now=now).en == "Fri 1 Jan 2027 00:00"
