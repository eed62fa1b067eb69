"""The history across everything: who did what to what, and who saw whose telephone number and why. Only ever read."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import xlsxwriter
from django.db import OperationalError, connection, transaction
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.urls import reverse
from django.utils.html import strip_tags

from mendline.access.traces import PROCESS
from mendline.journal.models import Entry
from mendline.kernel.numbers import whole_number
from mendline.kernel.text import Text
from mendline.kernel.time import SHANGHAI, local_day
from mendline.web.admin.entries import HEADERS, details, entry_rows, kind_name
from mendline.web.admin.forms import OfficeForm, choice, day, line, options
from mendline.web.admin.office import STEWARDS, room, show
from mendline.web.admin.tables import PAGE, Page
from mendline.web.admin.words import both
from mendline.web.console.visit import Visit
from mendline.web.console.words import role_name
from mendline.web.templatetags.console import say

HEADING = Text("审计记录", "Audit")
USUAL = timedelta(days=7)
LONGEST = timedelta(days=366)
MOST_IN_A_SHEET = 10_000
PATIENCE_MS = 5_000
REVEALS, ADMINISTRATION = "reveals", "administration"
KINDS = {
    REVEALS: Text("查看完整电话", "telephone numbers seen"),
    ADMINISTRATION: Text("系统管理", "administration"),
    "clock": Text("时限", "clocks"),
}
TOO_LONG = Text(
    "这段时间的记录太多，五秒内没有查完：请缩短时间或写明单号",
    "Too much for five seconds: shorten the time, or name a number",
)


class AuditFilter(OfficeForm):
    subject = line(both("单号", "Number"), required=False, longest=32)
    who = line(both("姓名", "Who"), required=False, longest=40)
    kind = choice(both("种类", "Kind"), required=False)
    since = day(both("从", "From"), required=False)
    until = day(both("到", "To"), required=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for. Days are whole days of Shanghai, `until` included."""

    subject: str
    who: str
    kind: str
    since: date
    until: date


@room(STEWARDS)
def audit(visit: Visit) -> HttpResponse:
    """The newest entries that fit; `?excel=1` gives them as a sheet."""
    asked = _asked(visit)
    try:
        with _patience():
            if visit.asked("excel"):
                return _sheet(visit, asked)
            page: Page | None = _page(entries(asked), visit)
    except OperationalError:
        page = None
    part = {
        "table": entry_rows(page.rows) if page else {},
        "empty": Text("这段时间没有符合条件的记录", "Nothing fits in this time") if page else TOO_LONG,
        "todo": Text("放宽时间或筛选条件", "Widen the time or the filter"),
    }  # fmt: skip
    query = visit.request.GET.copy()
    query["excel"] = "1"
    query.pop("after", None)
    button = {
        "href": f"{reverse('admin:audit')}?{query.urlencode()}",
        "icon": "upload",
        "label": Text("导出 Excel", "Excel"),
    }
    context = {
        "heading": HEADING, "filters": _form(asked), "parts": [part], "buttons": [button],
        "next_after": page.next_after if page else None,
        "intro": Text("历史只增不改：任何人都不能修改或删除。",
            "History is only ever added to: nobody can change or remove any of it."),
    }  # fmt: skip
    return show(visit, "list.html", context)


def entries(asked: Asked) -> QuerySet[Entry]:
    """Return the entries that fit. Each way to ask has an index of its own, so nothing is ever counted or sorted."""
    found = Entry.objects.all()
    if asked.subject:
        found = found.filter(subject=asked.subject)
    else:
        begin = datetime.combine(asked.since, time(), SHANGHAI)
        end = datetime.combine(asked.until + timedelta(days=1), time(), SHANGHAI)
        found = found.filter(at__gte=begin, at__lt=end)
    if asked.who:
        found = found.filter(actor_name__icontains=asked.who)
    if asked.kind == REVEALS:
        found = found.filter(kind="order.reveal_phone")
    elif asked.kind == ADMINISTRATION:
        found = found.filter(process=PROCESS)
    elif asked.kind == "clock":
        found = found.filter(kind__startswith="clock.")
    return found


def _page(found: QuerySet[Entry], visit: Visit) -> Page:
    """Return a page in the order of time, because time is what the index of a span begins with."""
    after = whole_number(visit.asked("after", 18))
    last = Entry.objects.filter(pk=after).first() if after is not None else None
    if last is not None:
        found = found.filter(Q(at__lt=last.at) | Q(pk__lt=last.pk), at__lte=last.at)
    rows = list(found.order_by("-at", "-pk")[: PAGE + 1])
    return Page(rows[:PAGE], rows[PAGE - 1].pk if len(rows) > PAGE else None)


def _asked(visit: Visit) -> Asked:
    today = local_day(visit.now)
    until = min(_day(visit.asked("until", 10)) or today, date(2099, 12, 31))
    since = _day(visit.asked("since", 10)) or until - USUAL
    since = min(max(since, until - LONGEST), until)
    kind = visit.asked("kind")
    subject = visit.asked("subject", 32)
    return Asked(subject, visit.asked("who", 40), kind if kind in KINDS else "", since, until)


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if found.year >= 2000 else None


def _form(asked: Asked) -> AuditFilter:
    given = {"subject": asked.subject, "who": asked.who, "kind": asked.kind, "since": asked.since, "until": asked.until}
    form = AuditFilter(given, auto_id="filter-%s", label_suffix="")
    form.fields["kind"].choices = options(KINDS, Text("全部", "all"))  # type: ignore[attr-defined]
    return form


@contextmanager
def _patience() -> Iterator[None]:
    """Give up a statement that takes longer than five seconds: the page stays an answer."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('statement_timeout')")
        before = cursor.fetchone()
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(PATIENCE_MS)])
        yield
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [before[0] if before else "0"])


def _sheet(visit: Visit, asked: Asked) -> HttpResponse:
    rows = list(entries(asked).order_by("-at", "-pk")[:MOST_IN_A_SHEET])
    response = HttpResponse(
        written(rows), content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    )
    response["Content-Disposition"] = f'attachment; filename="audit-{asked.since}-{asked.until}.xlsx"'
    return response


def written(rows: Iterable[Entry]) -> bytes:
    """Return a sheet; every cell is text, so nothing that people typed is carried out as a formula."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet(say(HEADING))
    for column, header in enumerate((*HEADERS[:2], Text("角色", "Role"), *HEADERS[2:])):
        sheet.write_string(0, column, say(header), book.add_format({"bold": True}))
    for number, entry in enumerate(rows, start=1):
        local = entry.at.astimezone(SHANGHAI)
        cells = (
            f"{local:%Y-%m-%d %H:%M:%S}", entry.actor_name, say(role_name(entry.actor_role)), say(kind_name(entry)),
            entry.subject, strip_tags(str(details(entry)).replace("</div>", "; ")),
        )  # fmt: skip
        for column, cell in enumerate(cells):
            sheet.write_string(number, column, cell)
    sheet.autofit()
    book.close()
    return target.getvalue()
