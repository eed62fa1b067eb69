"""P19: the files that are sent to be imported, each with what must come out of it.

The world they are sent to has station 000001 with another name, so that even a file of one row changes something.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from typing import Any

import xlsxwriter

from mendline.network.limits import MOST_FILES_INSIDE, MOST_RATIO
from tests.network.test_sheets import a_workbook
from tests.security.test_tables import HEAVY, _lying, _sheet, corpus, repacked

NEW_YEAR = date(2026, 1, 1)
HEADINGS = ["维修站编号", "名称", "大区", "所在区划", "启用日期", "电话", "地址", "总站编号", "停用日期"]
GOOD: list[Any] = ["000001", "海淀站", "华北区", "110108", "2026-01-01"]
OTHER: list[Any] = ["000002", "朝阳站", "华北区", "110105", "2026-01-01"]


@dataclass(frozen=True, slots=True)
class Taken:
    """Every row is in the tables afterwards: by number of the station, what it must say."""

    stations: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Faulty:
    """Nothing is written, and these places are named: row as the spreadsheet counts, column (empty: the whole row)."""

    places: frozenset[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Refused:
    """The file as a whole is not taken, for one of these reasons."""

    codes: frozenset[str]


Outcome = Taken | Faulty | Refused
HAIDIAN = Taken({"000001": {"name": "海淀站", "area": "110108", "active_from": NEW_YEAR}})
BOTH = Taken({**HAIDIAN.stations, "000002": {"name": "朝阳站", "area": "110105", "active_from": NEW_YEAR}})
NO_BOOK = Refused(frozenset({"not_a_workbook"}))


@dataclass(frozen=True, slots=True)
class Sent:
    """One file, and what may come of it: more than one only where a byte was turned and may be of no account."""

    data: bytes
    outcomes: tuple[Outcome, ...]
    is_heavy: bool = False  # only a child with its limits may read it


def faulty(*places: tuple[int, str]) -> Faulty:
    return Faulty(frozenset(places))


def refused(*codes: str) -> Refused:
    return Refused(frozenset(codes))


def a_book(*rows: Sequence[Any], system_1904: bool = False, merge: str = "") -> bytes:
    """A sheet of stations. Days and moments are written as such; a pair is a number and the way it is shown."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "date_1904": system_1904, "strings_to_formulas": False})
    sheet = book.add_worksheet("维修站")
    for number, row in enumerate([HEADINGS, *rows]):
        for position, value in enumerate(row):
            if isinstance(value, tuple):
                sheet.write_number(number, position, value[0], book.add_format({"num_format": value[1]}))
            elif isinstance(value, date):
                sheet.write_datetime(number, position, value, book.add_format({"num_format": "yyyy-mm-dd"}))
            elif value is not None:
                sheet.write(number, position, value)
    if merge:
        sheet.merge_range(merge, "合并")
    book.close()
    return buffer.getvalue()


def with_cell(position: int, value: Any) -> list[Any]:
    """The good row with another cell."""
    row = [*GOOD, *[None] * (len(HEADINGS) - len(GOOD))]
    row[position] = value
    return row


def a_csv(*rows: Sequence[Any], end: str = "\r\n") -> str:
    return "".join(
        ",".join("" if cell is None else str(cell) for cell in row) + end for row in (HEADINGS[: len(GOOD)], *rows)
    )


def in_xml(rows: str, *, after: str = "", parts: Mapping[str, bytes] | None = None) -> bytes:
    """A book of stations whose rows below the headings are these; cells of text stand in the row itself."""
    heading = "".join(_text(f"{chr(65 + n)}1", name) for n, name in enumerate(HEADINGS))
    changes = {"xl/worksheets/sheet1.xml": _sheet(f'<row r="1">{heading}</row>{rows}', after)}
    return repacked({**changes, **(parts or {})})


def _text(place: str, text: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


ROW_2 = "".join(_text(f"{chr(65 + n)}2", text) for n, text in enumerate(GOOD))


@cache
def sent() -> Mapping[str, Sent]:
    """Return all files by what is wrong, or odd, with them."""
    found = {name: Sent(data, (outcome,)) for name, data, outcome in _odd_ones()}
    found |= {name: Sent(data, _outcomes_of(name), name in HEAVY) for name, data in corpus().items()}
    return found


def _odd_ones() -> Iterator[tuple[str, bytes, Outcome]]:
    yield from _days()
    yield from _numbers()
    yield from _books()
    yield from _texts()


def _days() -> Iterator[tuple[str, bytes, Outcome]]:
    day, bad = "启用日期", faulty((2, "启用日期"))
    for system in (1900, 1904):
        old = system == 1904
        yield f"days of the {system} system", a_book(with_cell(4, NEW_YEAR), system_1904=old), HAIDIAN
        at_night = datetime(2026, 1, 1, 23, 59, 59)  # noqa: DTZ001 - a spreadsheet knows no zones
        yield f"a day with an hour, {system}", a_book(with_cell(4, at_night), system_1904=old), HAIDIAN
        yield f"a serial without a format, {system}", a_book(with_cell(4, 46023), system_1904=old), bad
        for name, serial in (("before all days", -5), ("of the first day", 1), ("after all days", 2_958_475)):
            data = a_book(with_cell(4, (serial, "yyyy-mm-dd")), system_1904=old)
            yield f"a serial {name}, {system}", data, bad
    a_serial = (46023, "yyyy-mm-dd")
    later = Taken({"000001": {"active_from": date(2030, 1, 2)}})
    yield "a serial of the 1900 system", a_book(with_cell(4, a_serial)), HAIDIAN
    yield "the same serial in the 1904 system", a_book(with_cell(4, a_serial), system_1904=True), later
    yield "the 29th of February 1900", a_book(with_cell(4, (60, "yyyy-mm-dd"))), bad
    for written in ("2026/1/1", "2026.1.1", "2026年1月1日", "2026-01-01 "):
        yield f"a day written {written!r}", a_csv([*GOOD[:4], written]).encode(), HAIDIAN
    for written in ("01/02/2026", "2026-02-30", "46023", "20260101", "２０２６-01-01", "26-1-1", "2026-01-01T00:00"):
        yield f"no day: {written}", a_csv(OTHER, [*GOOD[:4], written]).encode(), faulty((3, day))


def _numbers() -> Iterator[tuple[str, bytes, Outcome]]:
    phone, address, name = 5, 6, 1
    told = faulty((3, "电话"))
    whole = Taken({"000001": {"phone": "13812345678"}})
    yield "a telephone as a number", a_book(with_cell(phone, 13_812_345_678)), whole
    shown_short = a_book(with_cell(phone, (13_812_345_678, "0.00E+00")))
    yield "a telephone shown as 1.38E+10", shown_short, whole
    yield "a telephone rounded to 1.38E+10", a_book(OTHER, with_cell(phone, 1.38e10)), told
    yield "a telephone without its first zero", a_book(OTHER, with_cell(phone, 1_062_345_678)), told
    for written in ("1.38E+10", "1.38e10", "1.3812345678E+10", "13812345678.0", "１３８１２３４５６７８"):
        text = ",".join(HEADINGS[:6]) + f"\n{','.join(OTHER)},\n{','.join(GOOD)},{written}\n"
        yield f"a telephone written {written}", text.encode(), told
    for number in (1, 1.0, 12345, "1", "00001", "1.0"):
        told = faulty((3, "维修站编号"))
        yield f"station {number!r} without its zeros", a_book(OTHER, with_cell(0, number)), told
        told = faulty((3, "总站编号"))
        yield f"head {number!r} without its zeros", a_book(OTHER, with_cell(7, number)), told
    yield "station 1 in a csv", a_csv(OTHER, ["1", *GOOD[1:]]).encode(), faulty((3, "维修站编号"))
    yield "station 1E+05 in a csv", a_csv(OTHER, ["1E+05", *GOOD[1:]]).encode(), faulty((3, "维修站编号"))
    for column, title in ((address, "地址"), (name, "名称")):
        data = a_book(OTHER, with_cell(column, 138_000_000_000_123_456))
        yield f"a number of 18 digits as {title}", data, faulty((3, title))
    endless = in_xml(f'<row r="2">{ROW_2}<c r="G2"><v>1e999</v></c></row>')
    yield "a number without end", endless, faulty((2, "地址"))
    yield "an area as a number", a_book(with_cell(3, 110108)), HAIDIAN


def _books() -> Iterator[tuple[str, bytes, Outcome]]:
    plain = a_book(GOOD, OTHER)
    yield "two rows", plain, BOTH
    yield "merged in the rows", a_book(GOOD, OTHER, merge="H2:H3"), faulty((2, ""), (2, "总站编号"))
    yield "merged in one row", a_book(GOOD, OTHER, merge="F3:G3"), faulty((3, ""), (3, "电话"))
    content = b'<Override PartName="/xl/vbaProject.bin" ContentType="application/vnd.ms-office.vbaProject"/></Types>'
    types = _part(plain, "[Content_Types].xml").replace(b"</Types>", content)
    macro = {"[Content_Types].xml": types, "xl/vbaProject.bin": b"\xd0\xcf\x11\xe0" * 500}
    yield "a macro, said to be one", _changed(plain, macro), BOTH
    rel = (b'<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
           b'<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
           b'externalLinkPath" Target="file:///etc/passwd" TargetMode="External"/></Relationships>')  # fmt: skip
    linked = f'<row r="2">{ROW_2}<c r="G2" t="str"><f>[1]Sheet1!A1</f><v>学院路1号</v></c></row>'
    parts = {"xl/externalLinks/externalLink1.xml": b"<externalLink/>",
             "xl/externalLinks/_rels/externalLink1.xml.rels": rel}  # fmt: skip
    yield "a cell of another book", in_xml(linked, parts=parts), Taken({"000001": {"address": "学院路1号"}})
    worked_out = f'<row r="2">{ROW_2}<c r="G2" t="str"><f>"a"&amp;"b"</f><v>ab</v></c></row>'
    yield "a formula with its value", in_xml(worked_out), Taken({"000001": {"address": "ab"}})
    fetched = f'<row r="2">{ROW_2}<c r="G2" t="str"><f>WEBSERVICE("http://127.0.0.1:9/")</f><v>x</v></c></row>'
    yield "a formula that fetches", in_xml(fetched), Taken({"000001": {"address": "x"}})
    for error in ("#REF!", "#N/A", "#DIV/0!"):
        cell = f'<row r="2">{ROW_2}<c r="I2" t="e"><v>{error}</v></c></row>'
        yield f"an end that is {error}", in_xml(cell), refused("error_value")
    cells = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(1, 1001))
    one_text = _sst("x" * 32_000)
    shared = repacked({"xl/worksheets/sheet1.xml": _sheet(cells), "xl/sharedStrings.xml": one_text})
    yield "one long text that a thousand cells point to", shared, refused("too_large")
    twice = faulty((4, ""))
    yield "a row twice", a_book(GOOD, OTHER, GOOD), twice
    yield "a number twice, saying two things", a_book(GOOD, OTHER, ["000001", "别的站", *GOOD[2:]]), twice
    far = f'<row r="2">{ROW_2}</row>'
    yield (
        "a cell in the last column",
        in_xml(far + '<row r="3"><c r="XFD3"><v>1</v></c></row>'),
        refused("too_many_columns"),
    )
    beyond = '<row r="3"><c r="BDWGO3"><v>1</v></c></row>'
    yield "a cell in the millionth column", in_xml(far + beyond), refused("too_many_columns", "not_a_workbook")
    yield (
        "a cell in row 20,002",
        in_xml(far + '<row r="20002"><c r="A20002"><v>1</v></c></row>'),
        refused("too_many_rows"),
    )
    wide = in_xml(far, after='<cols><col min="1" max="1000000" width="9"/></cols>')
    yield "a million columns with a width", wide, HAIDIAN
    yield "empty rows between", a_book(GOOD, [], [], [], OTHER), BOTH
    yield "a faulty row after empty ones", a_book(GOOD, [], [], ["000002", None, *OTHER[2:]]), faulty((5, "名称"))
    spaced = a_workbook({"空": [], "维修站": [HEADINGS, GOOD], "还有": [HEADINGS, OTHER]})
    yield "two sheets of one sort", spaced, BOTH
    across = a_workbook({"维修站": [HEADINGS, GOOD], "还有": [HEADINGS, OTHER, GOOD]})
    yield "a row on two sheets", across, faulty((3, ""))
    yield "an empty book", a_workbook({"空": []}), refused("no_rows")
    yield "a heading and no rows", a_book(), Taken()
    yield from _sizes(plain)


def _sizes(plain: bytes) -> Iterator[tuple[str, bytes, Outcome]]:
    for part in ("xl/sharedStrings.xml", "xl/worksheets/sheet1.xml"):
        for size in (0, 1, 100):
            yield f"{part} says that it has {size} bytes", _lying_about(plain, part, size), NO_BOOK
    most = _changed(plain, {f"xl/x{n}": b"" for n in range(MOST_FILES_INSIDE)})
    yield "too many parts", most, refused("many_parts")
    yield "packed too well", _changed(plain, {"xl/x.xml": bytes(MOST_RATIO * 30_000)}), refused("ratio")
    yield "a length that is negative", _lying(plain, 2**32 - 5), refused("bomb")
    old = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le") + bytes(600)
    yield "a password", old, refused("password")


def _texts() -> Iterator[tuple[str, bytes, Outcome]]:
    text = a_csv(GOOD, OTHER)
    for encoding in ("utf-8", "utf-8-sig", "gb18030", "utf-16"):
        yield f"csv in {encoding}", text.encode(encoding), BOTH
    yield "csv in utf-16, high byte first", b"\xfe\xff" + text.encode("utf-16-be"), BOTH
    yield "csv in utf-16 without a mark", text.encode("utf-16-le"), refused("not_a_table")
    yield "csv in utf-32", text.encode("utf-32"), refused("not_a_table")
    rare = a_csv(["000001", "㐀𠮷站", *GOOD[2:]]).encode("gb18030")
    yield "signs of four bytes in gb18030", rare, Taken({"000001": {"name": "㐀𠮷站"}})
    yield "csv in big5", "維修站編號,名稱\r\n000001,x\r\n".encode("big5"), faulty((1, ""))
    yield "half a sign at the end", text.encode("gb18030")[:-2] + b"\x81", refused("encoding")
    lines = {"a line break in a cell": '"海\n淀站"', "two line breaks": '"海\r\n\n淀站"', "a quote": '"海""淀站"'}
    for name, cell in lines.items():
        data = a_csv(["000001", cell, *GOOD[2:]], OTHER).encode()
        inside = cell[1:-1].replace('""', '"')
        yield f"{name}, quoted", data, Taken({"000001": {"name": inside}, "000002": {"name": "朝阳站"}})
    below = a_csv(["000001", '"海\n淀"', *GOOD[2:]], ["000002", None, *OTHER[2:]])
    yield "a fault below a line break", below.encode(), faulty((3, "名称"))
    yield "a quote that stays open", a_csv(GOOD, ["000002", '"朝阳', *OTHER[2:]]).encode(), refused("not_a_table")
    for name, end in (("unix", "\n"), ("old mac", "\r")):
        yield f"csv with line ends of {name}", a_csv(GOOD, OTHER, end=end).encode(), BOTH
    for name, sign in (("semicolons", ";"), ("tabs", "\t")):
        yield f"csv with {name}", text.replace(",", sign).encode(), BOTH
    twice = faulty((4, ""))
    yield "a row twice in a csv", a_csv(GOOD, OTHER, GOOD).encode(), twice
    yield (
        "a million columns in a csv",
        text.replace("\r", "," * 1_000_000 + "\r", 1).encode(),
        refused("too_many_columns"),
    )
    yield "a million columns further down", (text + "," * 1_000_000).encode(), refused("too_many_columns")
    signs = ["000001", "海\u202e淀", *GOOD[2:]]
    yield "a sign that turns the line round", a_csv(signs, OTHER).encode(), faulty((2, "名称"))
    formula = ["000001", "=1+1|cmd", *GOOD[2:]]
    yield "a formula as a name", a_csv(formula).encode(), Taken({"000001": {"name": "=1+1|cmd"}})
    yield (
        "one faulty row of three",
        a_csv(OTHER, ["000003", "x", "火星区", *GOOD[3:]], GOOD).encode(),
        faulty((3, "大区")),
    )
    yield "a cell too long", a_csv(["000001", "站" * 61, *GOOD[2:]], OTHER).encode(), faulty((2, "名称"))
    yield "fewer cells than headings", a_csv(OTHER, GOOD[:4]).encode(), faulty((3, "启用日期"))
    entity = a_csv(["000001", "&lt;!ENTITY x&gt;&x;", *GOOD[2:]]).encode()
    yield "an entity in a csv", entity, Taken({"000001": {"name": "&lt;!ENTITY x&gt;&x;"}})


def _sst(text: str) -> bytes:
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    return f'<?xml version="1.0"?><sst {space}><si><t>{text}</t></si></sst>'.encode()


def _lying_about(book: bytes, part: str, size: int) -> bytes:
    """Write another size for a part into the directory at the end of the archive."""
    place = book.rfind(part.encode()) - 46 + 24
    return book[:place] + size.to_bytes(4, "little") + book[place + 4 :]


def _part(book: bytes, name: str) -> bytes:
    return zipfile.ZipFile(io.BytesIO(book)).read(name)


def _changed(book: bytes, changes: Mapping[str, bytes]) -> bytes:
    source, buffer = zipfile.ZipFile(io.BytesIO(book)), io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, changes.get(name, source.read(name)))
        for name in set(changes) - set(source.namelist()):
            target.writestr(name, changes[name])
    return buffer.getvalue()


# What must come of the files that `test_tables` sends to the reader; of the others of its corpus see below.
BY_NAME: Mapping[str, Outcome] = {
    "entities": refused("too_large", "not_a_workbook", "no_rows"),
    "laughs": refused("too_large", "not_a_workbook", "no_rows"),
    "a sheet with a document type": refused("no_rows", "not_a_workbook"),
    "a thousand and one parts": refused("many_parts"),
    "an unpacked bomb": refused("bomb"),
    "a cell far away": refused("too_large", "too_many_rows"),
    "merged without end": refused("no_rows"),
    "not a number": faulty((1, "")),
    "a serial of no day": faulty((1, "")),
    "old excel": refused("old_excel"),
    "zip of nothing": refused("not_a_table"),
    "one column too many": refused("too_many_columns"),
    "one row too many": refused("too_many_rows"),
    "a field of twenty thousand": refused("not_a_table"),
    "a quote that never ends": refused("not_a_table"),
    "NUL": refused("not_a_table"),
    "utf-32": refused("not_a_table"),
    "utf-16 cut": refused("encoding"),
    "latin": refused("encoding"),
    "only commas": refused("no_rows"),
    "a mark and nothing": refused("no_rows"),
    "quotes in the middle": faulty((1, "")),
    "escape": faulty((1, "")),
    "html": faulty((1, "")),
    "separators": faulty((1, "")),
    "phone as a power": faulty((1, "")),
    "the same row twice": faulty((3, "")),
    "a line break in a cell": Taken({"000001": {"name": "海\n淀"}}),
    "utf-16": HAIDIAN,
    "gb18030": HAIDIAN,
    "tabs": HAIDIAN,
    "a row of no number": NO_BOOK,
    "a string that is not there": NO_BOOK,
}
HEADING_ALONE = ("a macro", "a link to another book", "a name that climbs", "an absolute name", "a name of NUL",
                 "two of one name", "no parts")  # fmt: skip


def _outcomes_of(name: str) -> tuple[Outcome, ...]:
    if name in BY_NAME:
        return (BY_NAME[name],)
    if name in HEADING_ALONE:
        return (Taken(), NO_BOOK)
    if name.startswith("cut at"):
        return (NO_BOOK,)
    if name.startswith("csv cut"):
        return (refused("encoding", "no_rows"), faulty((1, "")))
    if name.startswith("byte 0 "):
        return (refused("encoding"),)
    if name.startswith(("byte", "length")):  # refused, or as if nothing had happened
        return (NO_BOOK, refused("bomb", "ratio"), HAIDIAN)
    raise KeyError(name)
