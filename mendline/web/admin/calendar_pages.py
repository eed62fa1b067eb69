"""Holidays and make-up workdays, by year, with a warning before the announced ones run out."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.http import HttpResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from mendline.kernel.errors import NotVisible, Refused
from mendline.kernel.numbers import whole_number
from mendline.kernel.text import Text
from mendline.kernel.time import WEEKDAYS, local_day
from mendline.process.calendar_days import DayData, of_the_file, remove_day, set_day
from mendline.process.calendar_table import cover_warning
from mendline.process.models import CalendarDay
from mendline.web.admin.forms import OfficeForm, choice, day, line, options
from mendline.web.admin.office import STEWARDS, room, show
from mendline.web.admin.tables import isolated, link, post_button, table, tag
from mendline.web.admin.words import both
from mendline.web.console.visit import Visit, go
from mendline.web.templatetags.console import say

HEADING = Text("工作日历", "Calendar")
OFF, WORKS = Text("放假", "holiday"), Text("调休上班", "make-up workday")
INTRO = Text(
    "这里只列与平日不同的日子。修改对以后起算的时限生效，已经起算的时限不变；其他进程在半分钟内得知。",
    "Only days that differ from their weekday stand here. A change counts for clocks that start afterwards, running "
    "ones keep their end; other processes know of it within half a minute.",
)


class DayForm(OfficeForm):
    day = day(both("日期", "Day"))
    works = choice(both("这一天", "That day"))
    name = line(both("名称", "Name"), longest=40, help_text=both("例如 国庆节", "e.g. National Day"))
    provisional = forms.BooleanField(
        label=both("尚未公布，暂定", "not announced yet"), required=False, label_suffix="",
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["works"].choices = options({"off": OFF, "works": WORKS})  # type: ignore[attr-defined]


@room(STEWARDS)
def calendar(visit: Visit) -> HttpResponse:
    """The days of one year."""
    today = local_day(visit.now)
    asked = whole_number(visit.asked("year", 4)) or 0
    year = asked if 2000 <= asked <= 2100 else today.year
    rows = [_row(visit, one) for one in CalendarDay.objects.filter(calendar="cn", day__year=year).order_by("day")]
    headers = [
        Text("日期", "Day"), Text("星期", "Weekday"), Text("安排", "What"), Text("名称", "Name"),
        Text("公布", "Announced"),
        Text("操作", "Actions"),
    ]  # fmt: skip
    part = {
        "title": Text(f"{year} 年", str(year)), "table": table(headers, rows),
        "empty": Text(f"{year} 年还没有节假日", f"No holidays are entered for {year}"),
        "todo": Text("请按国务院公布的安排录入", "Enter them from the State Council's notice"),
    }  # fmt: skip
    years = [
        {"href": f"?year={other}", "icon": icon, "label": Text(f"{other} 年", str(other))}
        for other, icon in ((year - 1, "chevron-left"), (year + 1, "chevron-right"))
    ]
    add_button = {"href": reverse("admin:add_day"), "icon": "plus", "label": Text("录入日期", "Enter a day")}
    context = {
        "heading": HEADING, "intro": INTRO, "warning": cover_warning(today), "parts": [part],
        "buttons": [*years, add_button],
    }  # fmt: skip
    return show(visit, "list.html", context)


def _row(visit: Visit, row: CalendarDay) -> list[Any]:
    edit = link(reverse("admin:day", args=[row.day.isoformat()]), row.day.isoformat())
    what = tag(WORKS, "info") if row.works else tag(OFF, "success")
    sure = tag(Text("暂定", "provisional"), "warning") if row.provisional else say(Text("已公布", "announced"))
    return [edit, say(WEEKDAYS[row.day.weekday()]), what, isolated(row.name), sure, _removing(visit, row.day)]


def _removing(visit: Visit, row_day: date) -> SafeString:
    """A button, or a dash for days that the product brings along: those would come back."""
    if of_the_file(row_day):
        return SafeString("—")
    href, asks = (
        reverse("admin:remove_day", args=[row_day.isoformat()]),
        Text(f"确定删除 {row_day}？", f"Remove {row_day}?"),
    )
    return post_button(visit, href, Text("删除", "Remove"), asks=asks)


@room(STEWARDS)
def edit_day(visit: Visit, when: str = "") -> HttpResponse:
    """Enter a day, or change one."""
    known = CalendarDay.objects.filter(calendar="cn", day=_date(when)).first() if when else None
    if when and known is None:
        raise NotVisible
    initial = {
        "day": known.day, "works": "works" if known.works else "off", "name": known.name,
        "provisional": known.provisional,
    } if known else {}  # fmt: skip
    form = DayForm(visit.request.POST or None, initial=initial, label_suffix="")
    if visit.request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        data = DayData(
            known.day if known else given["day"], given["works"] == "works", given["name"].strip(), given["provisional"]
        )
        try:
            set_day(data, actor=visit.actor, now=visit.now)
        except Refused as refused:
            form.refuse(refused)
        else:
            return go(visit, f"{reverse('admin:calendar')}?year={data.day.year}", Text("已保存", "Saved"))
    if known:
        form.fields["day"].disabled = True
    heading = Text(str(known.day), str(known.day)) if known else Text("录入日期", "Enter a day")
    context = {
        "heading": heading, "form": form, "submit": Text("保存", "Save"), "intro": INTRO,
        "back": (reverse("admin:calendar"), HEADING),
    }  # fmt: skip
    return show(visit, "form.html", context, status=422 if form.errors else 200)


@require_POST
@room(STEWARDS)
def remove(visit: Visit, when: str) -> HttpResponse:
    """Let a day be what its weekday says."""
    gone = _date(when)
    remove_day(gone, actor=visit.actor, now=visit.now)
    return go(visit, f"{reverse('admin:calendar')}?year={gone.year}", Text("已删除", "Removed"))


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise NotVisible from None
