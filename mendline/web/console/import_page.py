"""Importing the network: send a table, read what it would do and every faulty row, then have it done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.urls import reverse

from mendline.kernel.text import Text
from mendline.kernel.time import local_day
from mendline.network.columns import KINDS
from mendline.network.exports import empty_template, export_network
from mendline.network.imports import MOST_FAULTS_SHOWN, Report
from mendline.network.limits import MOST_FILE_BYTES, MOST_ROWS
from mendline.network.models import Upload
from mendline.network.sheets import Unreadable
from mendline.network.uploads import checked, imported, keep, past_imports, upload_of
from mendline.web.console.in_turn import in_turn
from mendline.web.console.network_frame import IMPORTS, network_page, only_for
from mendline.web.console.network_sheets import excel, table_sheet
from mendline.web.console.visit import Visit, go, screen

COUNTED = {kind.code: kind.label for kind in KINDS}
NO_FILE = Text("请选择一个 .xlsx 或 .csv 文件", "choose an .xlsx or .csv file")
DONE = Text("已导入", "Imported")


@dataclass(frozen=True, slots=True)
class Counted:
    """One table of the file: its rows, and what they would add and change."""

    label: Text
    rows: int
    added: int
    changed: int


@screen
def network_import(visit: Visit) -> HttpResponse:
    """Where a table is sent, and what was imported before."""
    only_for(visit, IMPORTS)
    if visit.request.method != "POST":
        return _draw(visit)
    sent = visit.request.FILES.get("table")
    if sent is None:
        return _draw(visit, NO_FILE)
    try:
        if (sent.size or 0) > MOST_FILE_BYTES:
            raise Unreadable("file_size", megabytes=(sent.size or 0) // 1_000_000, limit=MOST_FILE_BYTES // 1_000_000)
        upload = keep(sent.read(), name=sent.name or "table", actor=visit.actor, now=visit.now)
        checked(upload, actor=visit.actor, now=visit.now)  # a file that cannot be read at all is refused here
    except Unreadable as problem:
        return _draw(visit, problem.text)
    return go(visit, reverse("console:network_upload", args=[upload.pk]))


def _draw(visit: Visit, problem: Text | None = None) -> HttpResponse:
    context = {
        "problem": problem, "past": past_imports(), "kinds": KINDS, "counted": COUNTED,
        "most_rows": MOST_ROWS, "most_megabytes": MOST_FILE_BYTES // 1_000_000,
    }  # fmt: skip
    return network_page(visit, "network_import", "import.html", context, 422 if problem else 200)


@screen
def network_upload(visit: Visit, upload_id: int) -> HttpResponse:
    """What the table would do, or every fault by row; POST does it, all or nothing."""
    only_for(visit, IMPORTS)
    upload = upload_of(visit.actor, upload_id)
    try:
        if visit.request.method != "POST":
            return _report(visit, upload, checked(upload, actor=visit.actor, now=visit.now))
        report = imported(upload, actor=visit.actor, now=visit.now)
    except Unreadable as problem:
        return _draw(visit, problem.text)
    if report.faults:
        return _report(visit, upload, report, 422)
    return go(visit, reverse("console:network_import"), DONE)


def _report(visit: Visit, upload: Upload, report: Report, status: int = 200) -> HttpResponse:
    context: dict[str, Any] = {
        "upload": upload, "report": report, "faults": report.faults[:MOST_FAULTS_SHOWN],
        "more": max(0, len(report.faults) - MOST_FAULTS_SHOWN),
        "counted": [
            Counted(COUNTED[code], rows, report.added[code], report.changed[code]) for code, rows in report.rows.items()
        ],
    }  # fmt: skip
    return network_page(visit, "network_import", "upload.html", context, status)


@screen
@in_turn
def faults_sheet(visit: Visit, upload_id: int) -> HttpResponse:
    """All faults as a workbook, for whoever mends the table."""
    only_for(visit, IMPORTS)
    upload = upload_of(visit.actor, upload_id)
    try:
        report = checked(upload, actor=visit.actor, now=visit.now)
    except Unreadable as problem:
        return _draw(visit, problem.text)
    headings = [Text("工作表", "Sheet"), Text("行", "Row"), Text("列", "Column"), Text("问题", "What is wrong")]
    rows = ((fault.sheet, fault.row, fault.column, fault.text) for fault in report.faults)
    return table_sheet(visit, "faults", Text("导入问题", "Faults"), headings, rows)


@screen
@in_turn
def network_export(visit: Visit) -> HttpResponse:
    """The whole network from today on, to be edited and imported again; `?history` has what ended as well."""
    only_for(visit, IMPORTS)
    today = local_day(visit.now)
    return excel(export_network(day=None if visit.asked("history") else today), f"network-{today:%Y%m%d}")


@screen
def network_template(visit: Visit) -> HttpResponse:
    """The four sheets with their headings only."""
    only_for(visit, IMPORTS)
    return excel(empty_template(), "network-template")
