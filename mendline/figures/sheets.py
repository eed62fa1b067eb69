"""Tables of figures as a spreadsheet: a sheet per table, numbers as numbers, every text as text."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from typing import Any

import xlsxwriter

from mendline.figures.tables import Cell, Column, Table
from mendline.kernel.text import Text

_NOT_IN_A_NAME = re.compile(r"[\[\]:*?/\\']")
_LONGEST_NAME = 31
SIGNS = {"more": "+", "less": "−", "same": "", "again": "↺ "}
PERCENT, PART, WHOLE = Text("{name} %", "{name} %"), Text("{name} 单数", "{name}, orders"), Text("共", "of")


def workbook(tables: Iterable[Table], about: Sequence[tuple[Text, Text]], *, language: str) -> bytes:
    """Return an .xlsx. `about` comes first: what the figures are of, as pairs of name and value."""
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(buffer, options)
    bold, as_text = book.add_format({"bold": True}), book.add_format({"num_format": "@"})
    sheet = book.add_worksheet(Text("说明", "About").in_language(language))
    sheet.set_column(0, 0, 18)
    sheet.set_column(1, 1, 60)
    for number, (name, value) in enumerate(about):
        sheet.write_string(number, 0, name.in_language(language), bold)
        sheet.write_string(number, 1, value.in_language(language), as_text)
    for table in tables:
        _write(book.add_worksheet(_sheet_name(table.title.in_language(language))), table, language, bold, as_text)
    book.close()
    return buffer.getvalue()


def _write(sheet: Any, table: Table, language: str, bold: Any, as_text: Any) -> None:
    sheet.freeze_panes(1, 0)
    headings = [heading for column in table.columns for heading in _headings(column)]
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, max(1, len(headings) - 1), 16)
    for position, heading in enumerate(headings):
        sheet.write_string(0, position, heading.in_language(language), bold)
    for number, row in enumerate(table.rows, start=1):
        values = [
            value for column, cell in zip(table.columns, row, strict=True) for value in _values(column, cell, language)
        ]
        for position, value in enumerate(values):
            if isinstance(value, int):
                sheet.write_number(number, position, value)
            elif value:
                sheet.write_string(number, position, value, as_text)


def _headings(column: Column) -> list[Text]:
    if column.kind != "share":
        return [column.label]
    return [PERCENT.filled(name=column.label), PART.filled(name=column.label), WHOLE]


def _values(column: Column, cell: Cell, language: str) -> list[int | str | None]:
    if column.kind == "share":
        return [cell.number, cell.part, cell.whole]
    if column.kind == "way":
        return [" → ".join(SIGNS[bit.kind] + bit.label.in_language(language) for bit in cell.way)]
    if cell.text is not None:
        return [cell.text.in_language(language)]
    return [cell.number]


def _sheet_name(title: str) -> str:
    return _NOT_IN_A_NAME.sub(" ", title)[:_LONGEST_NAME]
