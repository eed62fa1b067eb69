"""Tables in and out: an uploaded file becomes rows or reasons, rows become a workbook."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import xlsxwriter

from mendline.kernel.scanning import REFUSALS
from mendline.kernel.text import Text
from mendline.network.columns import KINDS, BadCell, Cell, Column, Kind, Value
from mendline.network.limits import MOST_FILE_BYTES, WALL_SECONDS

UNFIT: Mapping[str, Text] = {
    "too_large": Text("文件展开后过大，无法读取；请拆分后分次导入", "unpacked, the file is too large; split it"),
    "bomb": Text(
        "文件展开后有 {megabytes} MB，超过 {limit} MB 的上限；请拆分后分次导入",
        "unpacked, the file has {megabytes} MB; the limit is {limit} MB: split it",
    ),
    "ratio": Text(
        "文件展开后是原来的 {times} 倍，超过 {limit} 倍的上限；请在 Excel 中另存后再导入",
        "unpacked, the file is {times} times as large; the limit is {limit}: save it anew in Excel",
    ),
    "many_parts": Text(
        "工作簿里有 {parts} 个部件，超过 {limit} 个的上限；请只留要导入的表，另存后再导入",
        "the workbook has {parts} parts; the limit is {limit}: keep only the tables to import and save it anew",
    ),
    "error_value": Text(
        "单元格 {cell} 是错误值（如 #REF!、#N/A），请改正后再导入",
        "cell {cell} holds an error such as #REF! or #N/A; mend it and import again",
    ),
    "old_excel": Text("旧版 .xls 文件不能读取，请另存为 .xlsx", "old .xls files cannot be read; save it as .xlsx"),
    "not_a_workbook": Text("文件已损坏或不是 Excel 工作簿", "the file is damaged or no Excel workbook"),
    "not_a_table": Text("不是 Excel 工作簿，也不是 CSV 表格", "neither an Excel workbook nor a CSV table"),
    "password": Text("工作簿有密码，请去掉密码后再导入", "the workbook has a password; remove it"),
    "encoding": Text("CSV 的编码既不是 UTF-8 也不是 GB18030", "the CSV is encoded neither in UTF-8 nor in GB18030"),
    "too_many_rows": Text(
        "共 {rows} 行，超过 {limit} 行的上限，请拆分后分次导入", "{rows} rows; the limit is {limit}: split it"
    ),
    "too_many_columns": Text("共 {columns} 列，超过 {limit} 列的上限", "{columns} columns; the limit is {limit}"),
    **REFUSALS,
    "file_size": Text(
        "文件有 {megabytes} MB，超过 {limit} MB 的上限", "the file has {megabytes} MB; the limit is {limit} MB"
    ),
    "heading": Text(
        "认不出这张表：第一行应为表头。可导入的表：{tables}",
        "this table is not recognised: the first row must hold the headings of one of: {tables}",
    ),
    "no_rows": Text("文件里没有数据行", "the file has no rows of data"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a file: where people find it, and what to do. Row 0 concerns the whole sheet."""

    sheet: str
    row: int
    column: str
    text: Text

    def __str__(self) -> str:
        place = f"{self.sheet} 第 {self.row} 行 row {self.row}" if self.row else self.sheet
        return f"{place} {self.column}: {self.text.zh} / {self.text.en}".strip()


class Unreadable(Exception):
    """The file as a whole cannot be taken."""

    def __init__(self, code: str, **numbers: object) -> None:
        self.code = code
        self.text = UNFIT[code].filled(**numbers)
        super().__init__(f"{self.text.zh} / {self.text.en}")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of one table, its cells read; `number` is the row as the spreadsheet shows it."""

    sheet: str
    number: int
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Table:
    kind: Kind
    rows: tuple[Row, ...]


def read_tables(data: bytes) -> tuple[list[Table], list[Fault]]:
    """Return the tables of an uploaded workbook or CSV, and every faulty cell of every row.

    Sheets are recognised by their headings, in Chinese, English or by code; empty sheets are passed over.

    Raises:
        Unreadable: the file as a whole cannot be taken; says why.
    """
    tables: list[Table] = []
    faults: list[Fault] = []
    for sheet in parsed_sheets(data):
        if not sheet["rows"]:
            continue
        name = str(sheet["name"])
        table, problems = _table(name, sheet["rows"])
        faults += problems
        for first, last in sheet["merged"]:
            which = Text(
                f"第 {first} 到 {last} 行有合并单元格，请取消合并并逐行填写",
                f"merged cells in rows {first} to {last}; unmerge and fill each row",
            )
            faults.append(Fault(name, first, "", which))
        if table is not None:
            tables.append(table)
    if not tables and not faults:
        raise Unreadable("no_rows")
    return tables, faults


def parsed_sheets(data: bytes) -> list[dict[str, Any]]:
    """Run the parser in a child process that may use little memory and time and knows no secret (see `sheet_child`)."""
    if len(data) > MOST_FILE_BYTES:
        raise Unreadable("file_size", megabytes=len(data) // 1_000_000, limit=MOST_FILE_BYTES // 1_000_000)
    command = [sys.executable, "-P", "-m", "mendline.network.sheet_child"]
    try:
        child = subprocess.run(command, input=data, capture_output=True, timeout=WALL_SECONDS, check=True, env={})
        answer = json.loads(child.stdout)
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError, ValueError):
        raise Unreadable("too_large") from None
    if "unfit" in answer:
        raise Unreadable(answer["unfit"], **answer["numbers"])
    sheets: list[dict[str, Any]] = answer["sheets"]
    return sheets


def _table(name: str, rows: Sequence[tuple[int, list[Cell]]]) -> tuple[Table | None, list[Fault]]:
    heading_row, heading = rows[0]
    names = [str(cell[1]).strip().lower() if cell else "" for cell in heading]
    kind = _kind_of(names)
    if kind is None:
        tables = "；".join(f"{kind.label.zh}（{'、'.join(c.label.zh for c in kind.columns)}）" for kind in KINDS)
        return None, [Fault(name, heading_row, "", UNFIT["heading"].filled(tables=tables))]
    headings = kind.headings()
    columns = [headings.get(name) for name in names]
    faults = _heading_faults(name, heading_row, names, columns)
    found: list[Row] = []
    for number, cells in rows[1:]:
        values: dict[str, Value] = {}
        for position, column in enumerate(columns):
            if column is not None:
                try:
                    values[column.code] = column.value(cells[position] if position < len(cells) else None)
                except BadCell as problem:
                    faults.append(Fault(name, number, column.label.zh, problem.text))
        found.append(Row(name, number, values))
    return Table(kind, tuple(found)), faults


def _kind_of(names: Sequence[str]) -> Kind | None:
    """Return the table whose required columns are all there; the one with most columns in common, if several."""
    fitting = []
    for kind in KINDS:
        present = {column.code for name, column in kind.headings().items() if name in names}
        if all(column.code in present for column in kind.columns if column.required):
            fitting.append((len(present), kind))
    return max(fitting, key=lambda entry: entry[0])[1] if fitting else None


def _heading_faults(sheet: str, row: int, names: Sequence[str], columns: Sequence[Column | None]) -> list[Fault]:
    faults = []
    for position, (name, column) in enumerate(zip(names, columns, strict=True)):
        if name and column is None:
            faults.append(
                Fault(
                    sheet, row, name, Text("没有这一列，请删除或改正表头", "there is no such column; remove or mend it")
                )
            )
        elif column is not None and column in columns[:position]:
            faults.append(Fault(sheet, row, name, Text("这一列出现了两次", "this column occurs twice")))
    return faults


def workbook(tables: Iterable[tuple[Kind, Iterable[Mapping[str, Value]]]]) -> bytes:
    """Return an .xlsx with a sheet per table. Every text is written as text: nothing becomes a formula or a number."""
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(buffer, options)
    bold = book.add_format({"bold": True})
    as_text = book.add_format({"num_format": "@"})
    as_day = book.add_format({"num_format": "yyyy-mm-dd"})
    for kind, rows in tables:
        sheet = book.add_worksheet(kind.label.zh)
        sheet.freeze_panes(1, 0)
        for position, column in enumerate(kind.columns):
            sheet.set_column(position, position, 16, as_text)
            sheet.write_string(0, position, column.label.zh, bold)
        for number, values in enumerate(rows, start=1):
            for position, column in enumerate(kind.columns):
                _write_cell(sheet, number, position, values.get(column.code), as_text, as_day)
    book.close()
    return buffer.getvalue()


def _write_cell(sheet: Any, row: int, position: int, value: Value, as_text: Any, as_day: Any) -> None:
    if value is None or value == "":
        return
    if isinstance(value, bool):
        sheet.write_string(row, position, "是" if value else "否", as_text)
    elif isinstance(value, date):
        sheet.write_datetime(row, position, value, as_day)
    elif isinstance(value, int):
        sheet.write_number(row, position, value)
    else:
        sheet.write_string(row, position, value, as_text)
