"""Other seats for a day or a span, by change requests through the one door (COM-05, COM-06)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from mendline.access.actors import Actor
from mendline.dispatch.seat_changes import SeatsWanted, change_seats, may_ask, may_judge, steps_of
from mendline.kernel.errors import Invalid, Refused
from mendline.network.day_seats import calendar_days, seats_of, value_on
from mendline.network.history import Period, capacity_periods
from mendline.network.models import DayLoad, Station
from mendline.process import loading

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
JAN, MON, TUE, FRI, SAT = date(2026, 1, 1), date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 6), date(2026, 3, 7)
NORTH = Actor(3, "华北接口人", "region_interface", region="north", via="test")
COORDINATOR = Actor(1, "协调员", "station_coordinator", station_no="000001", via="test")
AStation = Callable[..., Station]


def wanted(per_day: int = 4, first: date = TUE, last: date | None = FRI) -> SeatsWanted:
    return SeatsWanted("000001", "desktop", per_day, first, last, "工程师培训")


def values(*days: date) -> list[int | None]:
    periods = capacity_periods(["000001"])["000001", "desktop"]
    return [value_on(periods, day) for day in days]


@pytest.fixture
def station(db: None, a_station: AStation) -> Station:
    loading.load_all()
    return a_station("000001")


def test_com_05_a_span_is_a_change_and_a_way_back(station: Station) -> None:
    done = change_seats(wanted(), actor=NORTH, now=NOW)
    assert values(MON, TUE, FRI, SAT) == [10, 4, 4, 10]
    assert [request.state for request in done] == ["approved", "approved"]
    assert "恢复原产能" in done[1].facts["change_reason"]


def test_com_05_without_a_last_day_it_holds_from_then_on(station: Station) -> None:
    [request] = change_seats(wanted(last=None), actor=NORTH, now=NOW)
    assert values(MON, TUE, date(2030, 1, 1)) == [10, 4, 4]
    assert request.state == "approved"


def test_com_06_a_station_hands_in_and_nothing_changes_yet(station: Station) -> None:
    done = change_seats(wanted(), actor=COORDINATOR, now=NOW)
    assert [request.state for request in done] == ["submitted", "submitted"]
    assert values(TUE) == [10]


def test_com_07_a_day_that_has_passed_changes_nothing_at_all(station: Station) -> None:
    with pytest.raises(Refused, match="COM-07"):
        change_seats(wanted(first=JAN, last=TUE), actor=NORTH, now=NOW)
    assert values(MON, TUE) == [10, 10]


@pytest.mark.parametrize(
    ("asked", "field"),
    [(wanted(first=FRI, last=TUE), "last"), (wanted(last=date(2028, 1, 1)), "last"), (wanted(per_day=10), "per_day")],
)
def test_a_span_that_cannot_be_names_its_field(station: Station, asked: SeatsWanted, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        change_seats(asked, actor=NORTH, now=NOW)
    assert set(refused.value.fields) == {field}


@pytest.mark.parametrize(
    ("held", "last", "steps"),
    [
        ([Period(JAN, None, 10)], FRI, [(TUE, 4), (SAT, 10)]),
        ([Period(JAN, None, 10)], None, [(TUE, 4)]),
        ([Period(JAN, SAT, 10), Period(SAT, None, 12)], FRI, [(TUE, 4)]),  # another number begins the day after
        ([Period(JAN, FRI, 10), Period(FRI, None, 12)], FRI, [(TUE, 4), (FRI, 4), (SAT, 12)]),
        ([Period(JAN, TUE, 10), Period(TUE, None, 4)], FRI, []),
        ([], FRI, [(TUE, 4), (SAT, 0)]),
    ],
)
def test_com_05_what_was_filed_for_later_is_kept(
    held: list[Period], last: date | None, steps: list[tuple[date, int]]
) -> None:
    assert steps_of(held, wanted(last=last)) == steps


@pytest.mark.parametrize(
    ("role", "asks", "judges"),
    [("region_interface", True, True), ("station_coordinator", True, False), ("station_engineer", False, False),
     ("channel_management", False, False), ("cc_agent", False, False)],
)  # fmt: skip
def test_com_06_who_may_ask_and_who_judges_with_it(role: str, asks: bool, judges: bool) -> None:
    loading.processes()
    actor = Actor(1, "李明", role)
    assert (may_ask(actor), may_judge(actor)) == (asks, judges)


def test_com_10_the_days_say_what_is_left_and_which_are_no_workdays(station: Station) -> None:
    DayLoad.objects.create(station_no="000001", product_line="desktop", day=TUE, capacity=10, taken=9)
    DayLoad.objects.create(station_no="000001", product_line="desktop", day=FRI, capacity=3, taken=3)
    DayLoad.objects.filter(day=FRI).update(capacity=2)  # lowered afterwards
    days = calendar_days(date(2026, 2, 27), 9)
    [cells] = seats_of(["000001"], days).values()
    by_day = {cell.day.day: cell for cell in cells}
    assert (by_day[TUE].level, by_day[TUE].left) == ("filling", 1)
    assert (by_day[FRI].level, by_day[FRI].is_oversold) == ("full", True)
    assert (by_day[MON].level, by_day[MON].taken) == ("free", 0)
    assert [day.kind for day in days[:3]] == ["workday", "make_up", "weekend"]  # after the Spring Festival of 2026


def test_a_holiday_has_its_name(db: None) -> None:
    [day] = calendar_days(date(2026, 10, 1), 1)
    assert day.kind == "holiday" and day.name.zh == "国庆节" and day.name.en == "National Day"
