"""Reads one uploaded table in a process of its own, with little memory and little time.

Run as `python -m mendline.network.sheet_child`: the file comes in on standard input, JSON goes out.
A workbook that unpacks without end, or one made to keep the parser busy, ends this process and
nothing else. Knows no Django and no database.

Cells are `null`, `["t", text]`, `["n", number]`, `["d", "2026-03-02"]` or `["b", true]`: whether a
station number was typed as text or as a number decides whether its zeros are still there.
"""

from __future__ import annotations

import csv
import datetime as dt
import gc
import io
import json
import re
import resource
import sys
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from mendline.network.limits import (
    CPU_SECONDS,
    MEMORY_BYTES,
    MOST_ANSWER_BYTES,
    MOST_COLUMNS,
    MOST_FILES_INSIDE,
    MOST_RATIO,
    MOST_ROWS,
    MOST_UNPACKED_BYTES,
)

Cell: TypeAlias = "list[Any] | None"
ENCODINGS = ("utf-8-sig", "gb18030")
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")  # a workbook with a password lies in a file of the old kind
_ERROR_VALUE = re.compile(rb'<c\b[^>]*\bt="e"[^>]*>')


class Unfit(Exception):
    """The file cannot be read; the code says why, the numbers fill its sentence."""

    def __init__(self, code: str, **numbers: object) -> None:
        super().__init__(code)
        self.answer = {"unfit": code, "numbers": numbers}


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # it writes no file, a pipe is none
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    gc.disable()  # nothing is thrown away before the end, and looking for it took a fifth of the time
    sys.stdout.buffer.write(answer_to(sys.stdin.buffer.read()))


def answer_to(data: bytes) -> bytes:
    """Return the sheets of a file as JSON, or the code of the reason why there are none."""
    try:
        answer = json.dumps({"sheets": list(sheets_of(data))}, ensure_ascii=False).encode()
        if len(answer) > MOST_ANSWER_BYTES:
            raise Unfit("too_large")
    except Unfit as problem:
        answer = json.dumps(problem.answer).encode()
    except MemoryError:
        answer = json.dumps({"unfit": "too_large", "numbers": {}}).encode()
    return answer


def sheets_of(data: bytes) -> Iterator[dict[str, Any]]:
    """Yield every sheet of a workbook, or the one table of a CSV file.

    Raises:
        Unfit: no workbook and no text in a known encoding, or beyond a limit.
    """
    if data[:4] == b"PK\x03\x04":
        _refuse_bombs(data)
        yield from _workbook(data)
    elif data[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise Unfit("password" if _ENCRYPTED in data else "old_excel")
    else:
        yield {"name": "", "rows": _numbered(_csv(data)), "merged": []}


def _refuse_bombs(data: bytes) -> None:
    """Look at what a workbook says it unpacks to, and unpack it once to see that this is true.

    A part that is longer than it says is cut by Python where it should have ended, and its checksum tells.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        inside = archive.infolist()
        if len(inside) > MOST_FILES_INSIDE:
            raise Unfit("many_parts", parts=len(inside), limit=MOST_FILES_INSIDE)
        unpacked = sum(entry.file_size for entry in inside)
        if unpacked > MOST_UNPACKED_BYTES:
            raise Unfit("bomb", megabytes=unpacked // 1_000_000, limit=MOST_UNPACKED_BYTES // 1_000_000)
        if unpacked > MOST_RATIO * len(data):
            raise Unfit("ratio", times=unpacked // len(data), limit=MOST_RATIO)
        for entry in inside:
            _refuse_error_values(entry.filename, archive.read(entry))
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError):
        raise Unfit("not_a_workbook") from None


def _refuse_error_values(part: str, content: bytes) -> None:
    """Refuse #REF! and its like: the parser hands them on as empty cells, and an end date would be gone unnoticed."""
    if part.startswith("xl/worksheets/") and (found := _ERROR_VALUE.search(content)):
        place = re.search(rb'\br="([A-Z]{1,3}[0-9]{1,7})"', found[0])
        raise Unfit("error_value", cell=place[1].decode() if place else "?")


def _workbook(data: bytes) -> Iterator[dict[str, Any]]:
    import python_calamine as calamine

    try:
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
    except calamine.PasswordError:
        raise Unfit("password") from None
    except calamine.CalamineError:
        raise Unfit("not_a_workbook") from None
    for name in book.sheet_names:
        try:
            sheet = book.get_sheet_by_name(name)
        except calamine.CalamineError:
            raise Unfit("not_a_workbook") from None
        # Counted from 0; `total_height` and `total_width` are the same numbers, in spite of their names.
        height, width = (last + 1 for last in sheet.end or (-1, -1))
        if height - 1 > MOST_ROWS:
            raise Unfit("too_many_rows", rows=height - 1, limit=MOST_ROWS)
        if width > MOST_COLUMNS:
            raise Unfit("too_many_columns", columns=width, limit=MOST_COLUMNS)
        rows = ([_cell(value) for value in row] for row in sheet.to_python(skip_empty_area=False))
        merged = [[first[0] + 1, last[0] + 1] for first, last in sheet.merged_cell_ranges or []]
        yield {"name": name, "rows": _numbered(rows), "merged": merged}


def _csv(data: bytes) -> Iterator[list[Cell]]:
    text = _decoded(data)
    if "\x00" in text:
        raise Unfit("not_a_table")
    csv.field_size_limit(10_000)
    first_line = text.split("\n", 1)[0]
    separator = max(",;\t", key=first_line.count)
    try:
        for number, row in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)):
            if number > MOST_ROWS:
                raise Unfit("too_many_rows", rows=text.rstrip().count("\n"), limit=MOST_ROWS)
            if len(row) > MOST_COLUMNS:
                raise Unfit("too_many_columns", columns=len(row), limit=MOST_COLUMNS)
            yield [["t", value] if value.strip() else None for value in row]
    except csv.Error:
        raise Unfit("not_a_table") from None


def _decoded(data: bytes) -> str:
    """Return the text; Excel in China saves CSV as GB18030, and as UTF-16 when asked for "Unicode text"."""
    encodings = ("utf-16",) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ENCODINGS
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Unfit("encoding")


def _numbered(rows: Iterable[list[Cell]]) -> list[tuple[int, list[Cell]]]:
    """Return the rows that hold anything, each with its number as people count it (the first is 1)."""
    return [(number, row) for number, row in enumerate(rows, start=1) if any(cell is not None for cell in row)]


def _cell(value: object) -> Cell:
    if isinstance(value, bool):
        return ["b", value]
    if isinstance(value, (int, float)):
        return ["n", value]
    if isinstance(value, (dt.datetime, dt.date)):
        return ["d", value.isoformat()[:10]]
    text = str(value)
    return ["t", text] if text.strip() else None


if __name__ == "__main__":
    main()
