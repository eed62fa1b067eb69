"""P19: five hundred cells that want to be carried out, exported by us and opened by an office suite: texts, every one.

An office suite is no part of this project, so this is asked at night, on a machine that has one:
`apt-get install --no-install-recommends libreoffice-calc-nogui`. In the build the reading of its answer is tried.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import xml.etree.ElementTree as ET  # noqa: S405 - of files that we made ourselves
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mendline.channels.legacy.exchange_rows import HEADINGS, QUOTE
from mendline.channels.legacy.exports import as_csv, as_workbook
from tests.security.test_tables import strings

WHOLE = os.environ.get("MENDLINE_HOSTILE") == "whole"
SECONDS = 300
OFFICE = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"
TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0"
TEXT = "urn:oasis:names:tc:opendocument:xmlns:text:1.0"
# Comma, quote, UTF-8, from line 1; numbers are looked for, quoted ones too, and formulas are evaluated: the worst case.
AS_CSV = "Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1,true"


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell as an office suite took it."""

    kind: str  # string, float, date, …; empty for an empty cell
    text: str
    formula: str


def first_column(flat: bytes) -> list[Cell]:
    """Return the first cell of every row that has one, from a flat OpenDocument sheet."""
    found = []
    for row in ET.fromstring(flat).iter(f"{{{TABLE}}}table-row"):  # noqa: S314
        cell = row.find(f"{{{TABLE}}}table-cell")
        if cell is not None and (kind := cell.get(f"{{{OFFICE}}}value-type")):
            lines = ["".join(_said(line)) for line in cell.findall(f"{{{TEXT}}}p")]
            found.append(Cell(kind, "\n".join(lines), cell.get(f"{{{TABLE}}}formula", "")))
    return found


def _said(line: ET.Element) -> Iterator[str]:
    """Yield a paragraph's text; runs of blanks, tabs and breaks are elements of their own."""
    signs = {f"{{{TEXT}}}tab": "\t", f"{{{TEXT}}}line-break": "\n"}
    yield line.text or ""
    for part in line:
        if part.tag == f"{{{TEXT}}}s":
            yield " " * int(part.get(f"{{{TEXT}}}c", "1"))
        else:
            yield signs.get(part.tag) or "".join(_said(part))
        yield part.tail or ""


def test_a_formula_a_number_and_a_text_are_told_apart() -> None:
    rows = (
        '<t:table-row><t:table-cell o:value-type="string"><x:p>\'=1<x:s x:c="2"/>a<x:tab/>b</x:p><x:p>c</x:p>'
        '</t:table-cell></t:table-row><t:table-row><t:table-cell t:formula="of:=1+1" o:value-type="float"><x:p>2</x:p>'
        "</t:table-cell></t:table-row>"
    )
    flat = f'<t:table xmlns:t="{TABLE}" xmlns:o="{OFFICE}" xmlns:x="{TEXT}">{rows}</t:table>'

    assert first_column(flat.encode()) == [Cell("string", "'=1  a\tb\nc", ""), Cell("float", "2", "of:=1+1")]


def opened(folder: Path, name: str, exported: bytes) -> list[Cell]:
    """Have the office suite open a file and say what it took each cell of the first column for."""
    (folder / name).write_bytes(exported)
    filters = [f"--infilter={AS_CSV}"] if name.endswith(".csv") else []
    command = ["soffice", f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless", *filters]
    command += ["--convert-to", "fods", "--outdir", str(folder / "out"), str(folder / name)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False, cwd=folder)
    made = folder / "out" / f"{Path(name).stem}.fods"
    assert made.exists(), done.stderr
    return first_column(made.read_bytes())


def a_row(text: str) -> dict[str, str]:
    return {**dict.fromkeys(HEADINGS, ""), HEADINGS[0]: text}


def as_shown(text: str) -> str:
    """Return a text as the suite keeps it: one sort of line end, and no tab in a text of several lines."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return lines.replace("\t", "") if "\n" in lines else lines


if WHOLE:  # defined at night only: the build has no office suite, and a test that is always left out proves nothing
    suite = pytest.mark.skipif(
        shutil.which("soffice") is None,
        reason="no office suite here: apt-get install --no-install-recommends libreoffice-calc-nogui ends this",
    )

    @suite
    def test_an_office_suite_takes_every_cell_of_our_csv_for_a_text(
        tmp_path: Path, record_property: Callable[[str, object], None]
    ) -> None:
        found = list(strings())
        cells = opened(tmp_path, "export.csv", as_csv(a_row(text) for text in found))[1:]

        record_property("cells / 格", len(cells))
        assert len(cells) == len(found) >= 500
        assert [cell for cell in cells if cell.kind != "string" or cell.formula] == []
        wanted = [as_shown(QUOTE + text) for text in found]  # the sign in front stays and is seen
        assert [cell.text for cell in cells] == wanted

    @suite
    def test_an_office_suite_takes_every_cell_of_our_workbook_for_a_text(
        tmp_path: Path, record_property: Callable[[str, object], None]
    ) -> None:
        found = [text for text in strings() if text.strip()]
        cells = opened(tmp_path, "export.xlsx", as_workbook(a_row(text) for text in found))[1:]

        record_property("cells / 格", len(cells))
        assert len(cells) == len(found) >= 500
        assert [cell for cell in cells if cell.kind != "string" or cell.formula] == []
        assert [as_shown(cell.text) for cell in cells] == [as_shown(text) for text in found]

    @suite
    def test_control_without_its_guard_a_cell_is_carried_out(tmp_path: Path) -> None:
        lines = ["a", "=1+1", "+2", "-3", "1e5", "2026-01-01"]
        cells = opened(tmp_path, "bare.csv", "\n".join(lines).encode())

        assert [cell for cell in cells if cell.formula] != []
        assert {cell.kind for cell in cells} >= {"string", "float", "date"}
