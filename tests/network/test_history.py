"""What holds from which day: laying a value over a history never rewrites what held before (COM-07)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.db import DatabaseError, transaction
from hypothesis import given
from hypothesis import strategies as st

from mendline.network.history import Period, lay, serve_area, set_capacity, settle, stop_serving
from mendline.network.models import Capacity, Coverage, DayLoad, Region, Station

START = date(2026, 1, 1)
LAST = 40
days = st.integers(0, LAST - 1)
ends = st.one_of(st.none(), st.integers(1, LAST))


def on(day: int) -> date:
    return START + timedelta(days=day)


def timeline(periods: list[Period]) -> list[int | None]:
    """The value on each day; the test fails if two rows hold on one day."""
    found: list[int | None] = []
    for day in range(LAST):
        values = [p.value for p in periods if p.since <= on(day) and (p.until is None or on(day) < p.until)]
        assert len(values) <= 1
        found.append(values[0] if values else None)
    return found


def carried_out(periods: list[Period], since: date, until: date | None, value: int | None) -> list[Period]:
    edits = lay(periods, since, until, value)
    ended = [Period(p.since, edits.ended.get(p.row, p.until), p.value, p.row) for p in periods]
    return ended + [Period(p.since, p.until, p.value, 100 + len(periods) + n) for n, p in enumerate(edits.added)]


@given(st.lists(st.tuples(days, ends, st.sampled_from([None, 1, 2])), max_size=6))
def test_com_07_a_laid_value_holds_exactly_on_its_days(steps: list[tuple[int, int | None, int | None]]) -> None:
    periods: list[Period] = []
    expected: list[int | None] = [None] * LAST
    for since, until, value in steps:
        periods = carried_out(periods, on(since), on(until) if until is not None else None, value)
        for day in range(since, LAST if until is None else until):
            expected[day] = value
        assert timeline(periods) == expected


@given(st.lists(st.tuples(days, ends, st.sampled_from([1, 2])), max_size=4), days, ends, st.sampled_from([None, 1, 2]))
def test_saying_the_same_twice_changes_nothing(
    steps: list[tuple[int, int | None, int]], since: int, until: int | None, value: int | None
) -> None:
    periods: list[Period] = []
    end = on(until) if until is not None else None
    for first, last, kept in steps:
        periods = carried_out(periods, on(first), on(last) if last is not None else None, kept)
    periods = carried_out(periods, on(since), end, value)
    assert not lay(periods, on(since), end, value)


@given(st.dictionaries(days, st.tuples(ends, st.sampled_from([1, 2])), max_size=4))
def test_a_table_that_was_settled_settles_to_nothing(table: dict[int, tuple[int | None, int]]) -> None:
    starts = sorted(table)
    rows = []
    for place, since in enumerate(starts):
        until, value = table[since]
        last = starts[place + 1] if place + 1 < len(starts) else LAST
        inside = until is not None and since < until <= last
        rows.append((on(since), on(until) if inside and until is not None else None, value))
    kept = [Period(p.since, p.until, p.value, n) for n, p in enumerate(settle([], rows).added, start=1)]
    assert not settle(kept, rows)


def test_a_row_that_begins_like_a_kept_one_and_ends_earlier_ends_it() -> None:
    edits = settle([Period(START, None, 10, 7)], [(START, on(5), 10)])
    assert (edits.ended, edits.added) == ({7: on(5)}, [])


def test_an_open_row_leaves_what_is_already_planned_for_later() -> None:
    kept = [Period(START, on(20), 10, 1), Period(on(20), None, 30, 2)]
    edits = settle(kept, [(on(10), None, 20)])
    assert edits.ended == {1: on(10)}
    assert [(p.since, p.until, p.value) for p in edits.added] == [(on(10), on(20), 20)]


@pytest.fixture
def station(region: Region) -> Station:
    return Station.objects.create(number="000001", name="海淀站", region=region, area="110108", active_from=START)


def test_com_07_ended_coverage_stays_readable(station: Station) -> None:
    serve_area("000001", "110108", "desktop", since=START)
    stop_serving("000001", "110108", "desktop", since=on(10))
    serve_area("000001", "110108", "desktop", since=on(20), request="FG1")
    rows = Coverage.objects.order_by("effective_from").values_list("effective_from", "effective_until", "request")
    assert list(rows) == [(START, on(10), ""), (on(20), None, "FG1")]


def test_com_07_a_change_replaced_before_its_first_day_stays_readable_and_means_nothing(station: Station) -> None:
    set_capacity("000001", "desktop", 5, since=on(10), today=START)
    set_capacity("000001", "desktop", 7, since=on(10), today=START)
    rows = Capacity.objects.order_by("id").values_list("per_day", "effective_from", "effective_until")
    assert list(rows) == [(5, on(10), on(10)), (7, on(10), None)]


def test_com_07_the_database_refuses_to_rewrite_or_remove_history(station: Station) -> None:
    serve_area("000001", "110108", "desktop", since=START)
    set_capacity("000001", "desktop", 5, since=START, today=START)
    attempts: list[Callable[[], object]] = [
        lambda: Coverage.objects.update(area="11"),
        lambda: Coverage.objects.all().delete(),
        lambda: Capacity.objects.update(per_day=6),
        lambda: Capacity.objects.all().delete(),
    ]
    for attempt in attempts:
        with pytest.raises(DatabaseError, match="COM-07"), transaction.atomic():
            attempt()


def test_com_10_open_days_follow_a_changed_capacity_and_days_past_do_not(station: Station) -> None:
    set_capacity("000001", "desktop", 5, since=START, today=START)
    for day in (9, 10, 11):
        DayLoad.objects.create(station_no="000001", product_line="desktop", day=on(day), capacity=5, taken=4)
    set_capacity("000001", "desktop", 2, since=START, today=on(10))
    assert list(DayLoad.objects.order_by("day").values_list("capacity", "taken")) == [(5, 4), (2, 4), (2, 4)]
