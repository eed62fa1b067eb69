"""A file of the legacy system beside our own orders: differences are reported, cancellations there carried out here.

The times are compared and never written: they are what the procedure itself recorded. A remark on
an order that still stands carries out `cancel` as the person who brings the file, with every guard
of the procedure; a refusal is reported with its rule. Each row is a step of its own, and a file may
be brought again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from mendline.access.actors import Actor
from mendline.channels.legacy.exchange_rows import (
    HEADINGS,
    REF,
    REMARK,
    STATION,
    BadCell,
    cell_text,
    reasons_of,
    remark_of,
)
from mendline.channels.legacy.remark import Remark, read_remark
from mendline.channels.legacy.t_columns import COLUMNS, read_columns, times_of, write_columns
from mendline.kernel.errors import Conflict, NotVisible, Refused
from mendline.kernel.text import Text
from mendline.kernel.time import Unreadable
from mendline.network.models import Region
from mendline.network.sheets import Fault, parsed_sheets
from mendline.orders.cancellation import code_of
from mendline.orders.models import RepairOrder
from mendline.orders.transitions import perform
from mendline.process.definition import Process
from mendline.process.loading import process_for

NO_HEADING = Text(f"第一行应为表头，至少有“{REF}”", f"the first row must hold the headings, at least {REF}")
UNKNOWN_HEADING = Text("没有这一列，请删除或改正表头", "there is no such column; remove or mend it")
NOT_FOUND = Text("没有这张维修单", "there is no such order")


@dataclass(frozen=True, slots=True)
class Difference:
    """A cell that says something else than we keep."""

    row: int
    ref: str
    column: str
    theirs: str
    ours: str


@dataclass(slots=True)
class Report:
    """What the file said. With `dry_run`, `cancelled` are the orders that would have been."""

    dry_run: bool
    rows: int = 0
    same: int = 0
    differences: list[Difference] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)  # rows not understood, orders not found, steps refused


@dataclass(frozen=True, slots=True)
class _Line:
    sheet: str
    number: int
    cells: Mapping[str, str]  # only the columns that the file has

    def fault(self, column: str, text: Text) -> Fault:
        return Fault(self.sheet, self.number, column, text)


def import_orders(data: bytes, *, actor: Actor, now: datetime, dry_run: bool) -> Report:
    """Compare a file with our orders and carry out the cancellations in it, as `actor`.

    Raises:
        mendline.network.sheets.Unreadable: the file as a whole cannot be taken.
    """
    report = Report(dry_run)
    names = dict(Region.objects.values_list("code", "name"))
    for line in _lines(data, report):
        report.rows += 1
        before = len(report.differences) + len(report.faults)
        try:
            order = RepairOrder.objects.get_for(actor, ref=line.cells[REF].strip())
        except NotVisible:
            report.faults.append(line.fault(REF, NOT_FOUND))
            continue
        order = _remark(line, order, names.get(order.region, order.region), report, actor=actor, now=now)
        _compare(line, order, report)
        report.same += before == len(report.differences) + len(report.faults)
    return report


def _lines(data: bytes, report: Report) -> Iterator[_Line]:
    for sheet in parsed_sheets(data):
        name, rows = str(sheet["name"]), sheet["rows"]
        if not rows:
            continue
        heading_row, first = rows[0]
        headings = [str(cell[1]).strip() if cell else "" for cell in first]
        if REF not in headings:
            report.faults.append(Fault(name, heading_row, "", NO_HEADING))
            continue
        unknown = [heading for heading in headings if heading and heading not in HEADINGS]
        report.faults += [Fault(name, heading_row, heading, UNKNOWN_HEADING) for heading in unknown]
        for number, cells in rows[1:]:
            line = _line(name, number, headings, cells, report)
            if line is not None:
                yield line


def _line(
    name: str, number: int, headings: Sequence[str], cells: Sequence[Sequence[Any] | None], report: Report
) -> _Line | None:
    found: dict[str, str] = {}
    faulty = False
    for position, heading in enumerate(headings):
        if heading in HEADINGS:
            try:
                cell = cells[position] if position < len(cells) else None
                found[heading] = cell_text(heading, cell, from_csv=not name)
            except BadCell as problem:
                report.faults.append(Fault(name, number, heading, problem.text))
                faulty = True
    return None if faulty else _Line(name, number, found)


def _remark(
    line: _Line, order: RepairOrder, region_name: str, report: Report, *, actor: Actor, now: datetime
) -> RepairOrder:
    """Compare the remark of an order that was cancelled, cancel one that stands; return it as it is then."""
    text = line.cells.get(REMARK, "").strip()
    if not text:
        return order
    process = process_for(order.process, order.process_version)
    try:
        theirs = read_remark(text, acting=actor.name, reasons=reasons_of(process))
    except Unreadable as problem:
        report.faults.append(line.fault(REMARK, problem.detail))
        return order
    if (theirs.region, theirs.station_no) != (region_name, order.station_no):
        _differ(report, line, REMARK, f"{theirs.region}//{theirs.station_no}", f"{region_name}//{order.station_no}")
        return order  # it may be meant for another order
    if order.category == "void" and order.facts.get("cancel_code"):
        _compare_remarks(line, theirs, remark_of(order, region_name), process, report)
        return order
    return _cancel(line, order, theirs, report, actor=actor, now=now)


def _cancel(
    line: _Line, order: RepairOrder, remark: Remark, report: Report, *, actor: Actor, now: datetime
) -> RepairOrder:
    given = {"cancel_reason": remark.reason, "cancel_detail": remark.detail, "requested_by": "station"}
    try:
        with transaction.atomic():
            perform(order.ref, "cancel", actor=actor, now=now, given=given, expected_revision=order.revision)
            after = RepairOrder.objects.get_for(actor, ref=order.ref)
            transaction.set_rollback(report.dry_run)
    except Refused as refusal:
        report.faults.append(line.fault(REMARK, _with_rule(refusal)))
        return order
    except Conflict as conflict:
        report.faults.append(line.fault(REMARK, conflict.detail))
        return order
    report.cancelled.append(order.ref)
    return after


def _with_rule(refusal: Refused) -> Text:
    rule = f" [{refusal.rule}]" if refusal.rule else ""
    return Text(refusal.detail.zh + rule, refusal.detail.en + rule)


def _compare_remarks(line: _Line, theirs: Remark, ours: Remark, process: Process, report: Report) -> None:
    """A reason may be written as the ground or as its code: both mean the same cancellation."""
    if code_of(theirs.reason) != ours.reason:
        labels = {code: label for label, code in reasons_of(process).items()}
        _differ(report, line, REMARK, labels[theirs.reason], labels[ours.reason])
    for their_part, our_part in ((theirs.detail, ours.detail), (theirs.canceller, ours.canceller)):
        if their_part != our_part:
            _differ(report, line, REMARK, their_part, our_part)


def _compare(line: _Line, order: RepairOrder, report: Report) -> None:
    if STATION in line.cells and line.cells[STATION].strip() != order.station_no:
        _differ(report, line, STATION, line.cells[STATION], order.station_no)
    present = [column for column in COLUMNS if column in line.cells]
    if not present:
        return
    process = process_for(order.process, order.process_version)
    ours = write_columns(times_of(order.facts, order.state), process)
    # Columns that the file does not have are taken as ours, so that the rest can be read.
    try:
        theirs = write_columns(read_columns({**ours, **line.cells}, process), process)
    except Unreadable as problem:
        report.faults.append(line.fault("", problem.detail))
        return
    for column in present:
        given = line.cells[column].strip()
        if theirs[column] != ours[column] and not (_to_the_minute(given) and theirs[column][:16] == ours[column][:16]):
            _differ(report, line, column, given, ours[column])


def _to_the_minute(cell: str) -> bool:
    """Say whether a time was given as the legacy system shows it, without seconds."""
    return len(cell) <= len("2026-03-02 09:00") and ":" in cell


def _differ(report: Report, line: _Line, column: str, theirs: str, ours: str) -> None:
    report.differences.append(Difference(line.number, line.cells[REF].strip(), column, theirs, ours))
