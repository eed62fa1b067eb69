"""Durations in process files: what is read, what is refused, and what the refusal says."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mendline.kernel.durations import Duration, parse_duration
from mendline.kernel.time import Unreadable


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4h", Duration(seconds=14_400)),
        ("30m", Duration(seconds=1_800)),
        ("3.5h", Duration(seconds=12_600)),
        ("2d", Duration(seconds=172_800)),
        ("45s", Duration(seconds=45)),
        ("1h30m", Duration(seconds=5_400)),
        ("1h 30m", Duration(seconds=5_400)),
        ("0m", Duration()),
        ("5wd", Duration(working_days=5)),
        (" 5wd ", Duration(working_days=5)),
        ("3660d", Duration(seconds=3_660 * 86_400)),
    ],
)
def test_a_duration_is_read(text: str, expected: Duration) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("240", "240 has no unit|'240' has no unit; write 240m"),
        ("3.5", "has no unit"),
        ("4:00", "is not a duration"),
        ("", "is not a duration"),
        ("h", "is not a duration"),
        ("４h", "is not a duration"),
        ("4 小时", "is not a duration"),
        ("1e3s", "is not a duration"),
        ("5w", "is not a duration"),
        ("-4h", "is negative"),
        ("-5wd", "is negative"),
        ("2d5wd", "mixes working days"),
        ("5wd4h", "mixes working days"),
        ("4h4h", "names a unit twice"),
        ("0.5wd", "no whole number"),
        ("0.1s", "no whole number"),
        ("3661d", "longer than ten years"),
        ("3661wd", "longer than ten years"),
    ],
)
def test_what_is_not_a_duration_is_refused_with_the_reason(text: str, complaint: str) -> None:
    with pytest.raises(Unreadable, match=complaint) as refusal:
        parse_duration(text)

    assert refusal.value.detail.zh != refusal.value.detail.en


@settings(deadline=None)
@given(st.integers(0, 3_660 * 86_400))
def test_a_written_duration_reads_back(seconds: int) -> None:
    assert parse_duration(str(Duration(seconds=seconds))) == Duration(seconds=seconds)


@settings(deadline=None)
@given(st.integers(1, 3_660))
def test_written_working_days_read_back(days: int) -> None:
    assert parse_duration(str(Duration(working_days=days))) == Duration(working_days=days)


@settings(deadline=None)
@given(st.text(alphabet="0123456789.-wdhms: ", max_size=12))
def test_any_text_is_read_or_refused_and_never_breaks(text: str) -> None:
    try:
        parse_duration(text)
    except Unreadable as error:
        assert text.strip() in error.detail.en


def test_a_duration_is_never_negative_or_of_both_kinds() -> None:
    with pytest.raises(ValueError, match="never negative"):
        Duration(seconds=-1)
    with pytest.raises(ValueError, match="seconds or working days"):
        Duration(seconds=1, working_days=1)


def test_working_days_have_no_fixed_length() -> None:
    assert parse_duration("4h").as_timedelta() == timedelta(hours=4)
    with pytest.raises(ValueError, match="no fixed length"):
        parse_duration("5wd").as_timedelta()


def test_a_duration_is_shown_in_both_languages() -> None:
    assert parse_duration("4h").text().zh == "4小时"
    assert parse_duration("90m").text().en == "1 h 30 min"
    assert parse_duration("1wd").text().en == "1 working day"
    assert parse_duration("0m").text().zh == "0分钟"
