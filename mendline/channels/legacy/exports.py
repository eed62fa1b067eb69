"""Orders as a file for the legacy system: .xlsx, or .csv in UTF-8 with the mark that Excel looks for."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import xlsxwriter

from mendline.access.actors import Actor
from mendline.channels.legacy.exchange_rows import HEADINGS, guarded, row_of
from mendline.channels.legacy.t_columns import reads_back, times_of
from mendline.network.models import Region
from mendline.orders.models import RepairOrder
from mendline.process.loading import process_for

MOST_ROWS = 20_000  # what an import reads at once


@dataclass(frozen=True, slots=True)
class Exported:
    """The rows, and the orders of which these columns cannot hold everything."""

    rows: tuple[dict[str, str], ...]
    lossy: tuple[str, ...]
    is_cut: bool  # there were more than 20,000


def export_orders(
    actor: Actor, *, since: datetime | None = None, until: datetime | None = None, station_no: str = ""
) -> Exported:
    """Return the orders within the actor's scope that were taken from `since` to before `until`, oldest first."""
    query = RepairOrder.objects.visible_to(actor).order_by("id")
    if since is not None:
        query = query.filter(created_at__gte=since)
    if until is not None:
        query = query.filter(created_at__lt=until)
    if station_no:
        query = query.filter(station_no=station_no)
    names = dict(Region.objects.values_list("code", "name"))
    rows: list[dict[str, str]] = []
    lossy: list[str] = []
    found = list(query[: MOST_ROWS + 1])
    for order in found[:MOST_ROWS]:
        process = process_for(order.process, order.process_version)
        rows.append(row_of(order, process, names.get(order.region, order.region)))
        if not reads_back(times_of(order.facts, order.state), process):
            lossy.append(order.ref)
    return Exported(tuple(rows), tuple(lossy), len(found) > MOST_ROWS)


def as_csv(rows: Iterable[dict[str, str]]) -> bytes:
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(HEADINGS)
    writer.writerows([guarded(row[heading]) for heading in HEADINGS] for row in rows)
    return file.getvalue().encode("utf-8-sig")


def as_workbook(rows: Iterable[dict[str, str]]) -> bytes:
    """Return an .xlsx in which every cell is text, so that zeros, times and leading signs stay."""
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(buffer, options)
    bold, as_text = book.add_format({"bold": True}), book.add_format({"num_format": "@"})
    sheet = book.add_worksheet("旧系统交换")
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(HEADINGS) - 1, 22, as_text)
    sheet.write_row(0, 0, HEADINGS, bold)
    for number, row in enumerate(rows, start=1):
        for position, heading in enumerate(HEADINGS):
            if row[heading]:
                sheet.write_string(number, position, row[heading], as_text)
    book.close()
    return buffer.getvalue()
