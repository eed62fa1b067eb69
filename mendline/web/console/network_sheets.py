"""Lists of the network as Excel files, with the headings of the page's language."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from datetime import date

import xlsxwriter
from django.http import HttpResponse

from mendline.kernel.text import Text
from mendline.web.console.visit import Visit

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Cell = str | int | date | Text | None


def excel(data: bytes, name: str) -> HttpResponse:
    """Answer with a workbook to be saved under `name`.xlsx."""
    response = HttpResponse(data, content_type=EXCEL)
    response["Content-Disposition"] = f'attachment; filename="{name}.xlsx"'
    return response


def table_sheet(
    visit: Visit, name: str, title: Text, headings: Sequence[Text], rows: Iterable[Sequence[Cell]]
) -> HttpResponse:
    """Answer with one table as a workbook. Texts stay texts: nothing becomes a formula, no number loses its zeros."""
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(buffer, options)
    bold, as_day = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd"})
    sheet = book.add_worksheet(visit.say(title)[:31])
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(headings) - 1, 18)
    for position, heading in enumerate(headings):
        sheet.write_string(0, position, visit.say(heading), bold)
    for number, cells in enumerate(rows, start=1):
        for position, cell in enumerate(cells):
            if isinstance(cell, date):
                sheet.write_datetime(number, position, cell, as_day)
            elif isinstance(cell, int):
                sheet.write_number(number, position, cell)
            elif cell is not None:
                sheet.write_string(number, position, visit.say(cell) if isinstance(cell, Text) else cell)
    book.close()
    return excel(buffer.getvalue(), name)
