"""Entering holidays and make-up workdays. Clocks that start afterwards count with them; running ones keep their end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction

from mendline.access.actors import Actor
from mendline.access.traces import note_change
from mendline.kernel.calendars import chinese_holidays
from mendline.kernel.errors import Invalid, NotVisible
from mendline.kernel.text import Text
from mendline.process import calendar_table
from mendline.process.models import CalendarDay

FIRST_YEAR, LAST_YEAR = 2020, 2099


@dataclass(frozen=True, slots=True)
class DayData:
    """A day that differs from its weekday: a holiday (`works` false) or a make-up workday (调休上班)."""

    day: date
    works: bool
    name: str
    provisional: bool = False  # not announced yet


def of_the_file(day: date) -> bool:
    """Tell whether the day is in the table that the product brings along: it comes back if it is removed."""
    table = chinese_holidays()
    return day in table.names or day in table.make_up


@transaction.atomic
def set_day(data: DayData, *, actor: Actor, now: datetime) -> None:
    """Enter a day or change what it is; the same again changes nothing.

    Raises:
        Invalid: no name, or a year that can only be a typing error.
    """
    wrong: dict[str, Text] = {}
    if not FIRST_YEAR <= data.day.year <= LAST_YEAR:
        wrong["day"] = Text(f"年份应在 {FIRST_YEAR} 至 {LAST_YEAR} 之间", f"a year from {FIRST_YEAR} to {LAST_YEAR}")
    if not 1 <= len(data.name) <= 40 or not data.name.isprintable():
        wrong["name"] = Text("请填写名称，例如 国庆节", "enter a name such as National Day, at most 40 characters")
    if wrong:
        raise Invalid(wrong)
    row = CalendarDay.objects.select_for_update().filter(calendar="cn", day=data.day).first()
    before = _shown(row) if row else None
    row = row or CalendarDay(calendar="cn", day=data.day)
    row.works, row.name, row.provisional = data.works, data.name, data.provisional
    if before == _shown(row):
        return
    row.save()
    note_change(f"calendar:{data.day}", "calendar.set", actor=actor, now=now, before=before, after=_shown(row))
    transaction.on_commit(calendar_table.forget)


@transaction.atomic
def remove_day(day: date, *, actor: Actor, now: datetime) -> None:
    """Let a day be again what its weekday says.

    Raises:
        NotVisible: there is no such day.
        Invalid: the product's own table has it; change it instead.
    """
    row = CalendarDay.objects.select_for_update().filter(calendar="cn", day=day).first()
    if row is None:
        raise NotVisible
    if of_the_file(day):
        said = Text(
            "系统自带的日期不能删除，请改为上班或放假", "a day of the built-in table cannot be removed: change it"
        )
        raise Invalid({"day": said})
    row.delete()
    note_change(f"calendar:{day}", "calendar.remove", actor=actor, now=now, before=_shown(row))
    transaction.on_commit(calendar_table.forget)


def _shown(row: CalendarDay) -> dict[str, Any]:
    return {"works": row.works, "name": row.name, "provisional": row.provisional}
