"""Holidays entered by hand: they count for what starts afterwards, in every process, and leave a line."""

from __future__ import annotations

from datetime import date

import pytest

from mendline.access.actors import COMMAND_LINE
from mendline.journal.models import Entry
from mendline.kernel.errors import Invalid, NotVisible
from mendline.process import calendar_table, loading
from mendline.process.calendar_days import DayData, of_the_file, remove_day, set_day
from mendline.process.models import CalendarDay
from tests.make import MONDAY_NINE

OWN_DAY = date(2027, 12, 30)


@pytest.fixture
def calendar(db: None) -> None:
    loading.load_all()


def test_a_day_is_entered_changed_and_removed_with_its_history(calendar: None) -> None:
    set_day(DayData(OWN_DAY, False, "公司年会"), actor=COMMAND_LINE, now=MONDAY_NINE)
    set_day(DayData(OWN_DAY, True, "公司年会"), actor=COMMAND_LINE, now=MONDAY_NINE)
    set_day(DayData(OWN_DAY, True, "公司年会"), actor=COMMAND_LINE, now=MONDAY_NINE)
    remove_day(OWN_DAY, actor=COMMAND_LINE, now=MONDAY_NINE)

    entries = list(Entry.objects.filter(subject=f"calendar:{OWN_DAY}").order_by("id"))
    assert [entry.kind for entry in entries] == ["calendar.set", "calendar.set", "calendar.remove"]
    assert entries[1].data["before"] == {"works": False} and entries[1].data["after"] == {"works": True}
    assert not CalendarDay.objects.filter(day=OWN_DAY).exists()


def test_a_day_of_the_built_in_table_can_be_changed_and_not_removed(calendar: None) -> None:
    national = date(2026, 10, 1)
    assert of_the_file(national)
    with pytest.raises(Invalid):
        remove_day(national, actor=COMMAND_LINE, now=MONDAY_NINE)
    with pytest.raises(NotVisible):
        remove_day(OWN_DAY, actor=COMMAND_LINE, now=MONDAY_NINE)

    set_day(DayData(national, True, "国庆节加班"), actor=COMMAND_LINE, now=MONDAY_NINE)
    loading.load_all()

    assert CalendarDay.objects.get(day=national).works


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (DayData(date(1999, 1, 1), True, "调休"), "day"),
        (DayData(OWN_DAY, True, ""), "name"),
        (DayData(OWN_DAY, True, "长" * 41), "name"),
    ],
)
def test_a_wrong_field_is_named(calendar: None, data: DayData, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        set_day(data, actor=COMMAND_LINE, now=MONDAY_NINE)
    assert list(refused.value.fields) == [field]


def test_another_process_learns_of_a_change(calendar: None) -> None:
    calendar_table.follow(MONDAY_NINE)
    kept = calendar_table.calendar("working_days")
    calendar_table.follow(MONDAY_NINE)
    assert calendar_table.calendar("working_days") is kept

    CalendarDay.objects.create(day=OWN_DAY, works=False, name="公司年会")
    assert calendar_table.calendar("working_days") is kept
    calendar_table.follow(MONDAY_NINE)

    assert calendar_table.calendar("working_days") is not kept
    calendar_table.forget()
