"""Importing and exporting the network: all or nothing, every fault with its row, nothing lost on the way."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from django.core.management import CommandError, call_command

from mendline.access.actors import Actor
from mendline.journal.models import Entry
from mendline.network.exports import empty_template, export_network
from mendline.network.imports import Report, import_network
from mendline.network.models import Capacity, Coverage, No800Area, Region, Station
from mendline.network.sheets import Unreadable, read_tables

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
CLERK = Actor(None, "渠道管理", "channel_management", via="test")

STATIONS = ["维修站编号", "名称", "大区", "总站编号", "所在区划", "启用日期"]
COVERAGE = ["维修站编号", "覆盖区划", "产品线", "生效日期", "终止日期"]
CAPACITY = ["维修站编号", "产品线", "每日产能", "生效日期"]
NO800 = ["未开通区划", "备案日期", "生效日期"]
GOOD: dict[str, Sequence[Sequence[Any]]] = {
    "维修站": [
        STATIONS,
        ["000001", "海淀站", "华北区", None, "110108", "2026-01-01"],
        ["000002", "上地点", "华北区", "000001", "110108", "2026-01-01"],
    ],
    "覆盖": [
        COVERAGE,
        ["000001", "110108", "台式机", "2026-01-01", None],
        ["000002", "北京市朝阳区", "台式机", "2026-01-01", None],
    ],
    "产能": [CAPACITY, ["000001", "desktop", 10, "2026-01-01"]],
    "备案": [NO800, ["1101", "2025-12-01", "2026-01-01"]],
}


def a_workbook(sheets: dict[str, Sequence[Sequence[Any]]], *, merge: str = "") -> bytes:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for number, row in enumerate(rows):
            for position, value in enumerate(row):
                sheet.write(number, position, value)
        if merge:
            sheet.merge_range(merge, rows[1][0])
    book.close()
    return buffer.getvalue()


def run(data: bytes, *, dry_run: bool = False) -> Report:
    return import_network(data, actor=CLERK, now=NOW, dry_run=dry_run)


def counted() -> tuple[int, int, int, int]:
    return (Station.objects.count(), Coverage.objects.count(), Capacity.objects.count(), No800Area.objects.count())


def test_com_05_a_workbook_brings_in_stations_coverage_capacity_and_filings(region: Region) -> None:
    report = run(a_workbook(GOOD))
    assert [str(fault) for fault in report.faults] == []
    assert counted() == (2, 2, 1, 1)
    assert Station.objects.get(number="000002").head_id == "000001"
    assert set(Coverage.objects.values_list("area", flat=True)) == {"110108", "110105"}
    assert Entry.objects.get(kind="network.import").data["added"]["stations"] == 2


def test_the_same_file_again_changes_nothing(region: Region) -> None:
    run(a_workbook(GOOD))
    again = run(a_workbook(GOOD))
    assert again.changes_nothing
    assert (counted(), Entry.objects.count()) == ((2, 2, 1, 1), 1)


def test_a_dry_run_counts_and_writes_nothing(region: Region) -> None:
    report = run(a_workbook(GOOD), dry_run=True)
    assert (report.added["stations"], report.added["coverage"], report.is_written) == (2, 2, False)
    assert counted() == (0, 0, 0, 0)


def test_what_is_exported_can_be_imported_and_is_the_same(region: Region) -> None:
    run(a_workbook(GOOD))
    Station.objects.filter(number="000001").update(name="=1+1|cmd", address="@SUM(A1)")
    exported = export_network()
    assert run(exported).changes_nothing
    assert Station.objects.get(number="000001").name == "=1+1|cmd"
    with zipfile.ZipFile(io.BytesIO(exported)) as inside:
        assert not any(b"<f>" in inside.read(name) for name in inside.namelist())


def test_an_empty_template_is_recognised_and_holds_nothing(region: Region) -> None:
    tables, faults = read_tables(empty_template())
    assert ([table.kind.code for table in tables], faults) == (["stations", "coverage", "capacity", "no800"], [])


def test_every_faulty_row_is_named_and_nothing_is_written(region: Region) -> None:
    sheets: dict[str, Sequence[Sequence[Any]]] = {
        **GOOD,
        "维修站": [
            STATIONS,
            ["000001", "海淀站", "华北区", None, "110108", "2026-01-01"],
            ["000001", "重复", "华北区", None, "110108", "2026-01-01"],
            ["000003", "无大区", "火星区", None, "110108", "2026-01-01"],
            ["000004", "无区划", "华北区", None, "110199", "2026-02-30"],
            ["000005", None, "华北区", "000009", "110108", "2026-01-01"],
        ],
        "产能": [CAPACITY, ["000001", "手机", -1, "2026-01-01"], ["000099", "desktop", 3, "2026-01-01"]],
        "覆盖": [COVERAGE, ["000001", "110108", "台式机", "2026-03-01", "2026-03-01"]],
    }
    report = run(a_workbook(sheets))
    places = {(fault.sheet, fault.row, fault.column) for fault in report.faults}
    assert places == {
        ("维修站", 3, ""), ("维修站", 4, "大区"), ("维修站", 5, "所在区划"), ("维修站", 5, "启用日期"),
        ("维修站", 6, "名称"), ("维修站", 6, "总站编号"), ("产能", 2, "产品线"), ("产能", 2, "每日产能"),
        ("产能", 3, "维修站编号"), ("覆盖", 2, "终止日期"),
    }  # fmt: skip
    assert counted() == (0, 0, 0, 0)
    assert all(fault.text.zh and fault.text.en for fault in report.faults)


@pytest.mark.parametrize("number", [1, "1", 1.0])
def test_can_29_lost_leading_zeros_are_noticed_and_named(region: Region, number: object) -> None:
    report = run(a_workbook({"维修站": [STATIONS, [number, "海淀站", "华北区", None, "110108", "2026-01-01"]]}))
    assert [(fault.row, fault.column) for fault in report.faults] == [(2, "维修站编号")]
    assert "000001" in report.faults[0].text.zh and "000001" in report.faults[0].text.en


def test_merged_cells_are_refused_with_their_rows(region: Region) -> None:
    report = run(a_workbook({"维修站": GOOD["维修站"]}, merge="C2:C3"))
    assert any("第 2 到 3 行" in fault.text.zh for fault in report.faults)
    assert counted() == (0, 0, 0, 0)


def test_stn_18_a_point_has_neither_capacity_nor_points(region: Region) -> None:
    sheets: dict[str, Sequence[Sequence[Any]]] = {
        **GOOD,
        "维修站": [*GOOD["维修站"], ["000003", "点的点", "华北区", "000002", "110108", "2026-01-01"]],
        "产能": [CAPACITY, ["000002", "desktop", 3, "2026-01-01"]],
    }
    places = {(fault.sheet, fault.row) for fault in run(a_workbook(sheets)).faults}
    assert places == {("维修站", 4), ("产能", 2)}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_csv_is_read_in_the_encodings_that_excel_writes(region: Region, encoding: str) -> None:
    text = '维修站编号,名称,大区,所在区划,启用日期\r\n000001,"海淀\n站",华北区,110108,2026/1/1\r\n'
    report = run(text.encode(encoding))
    assert [str(fault) for fault in report.faults] == []
    assert Station.objects.get().active_from == date(2026, 1, 1)


def test_com_07_a_later_file_ends_the_old_capacity_and_begins_the_new(region: Region) -> None:
    run(a_workbook(GOOD))
    run(a_workbook({"产能": [CAPACITY, ["000001", "desktop", 25, "2026-04-01"]]}))
    rows = Capacity.objects.order_by("effective_from").values_list("per_day", "effective_from", "effective_until")
    assert list(rows) == [(10, date(2026, 1, 1), date(2026, 4, 1)), (25, date(2026, 4, 1), None)]


def test_twenty_thousand_rows_are_read_and_one_more_is_refused_with_the_number() -> None:
    row = "110108,2026-01-01,2026-01-01\n"
    heading = "area,filed_on,effective_from\n"
    tables, faults = read_tables((heading + row * 20_000).encode())
    assert (len(tables[0].rows), faults) == (20_000, [])
    with pytest.raises(Unreadable, match="20001"):
        read_tables((heading + row * 20_001).encode())


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("xl/workbook.xml", b"0" * 101_000_000)
    with pytest.raises(Unreadable, match="101 MB"):
        read_tables(buffer.getvalue())


def test_a_workbook_that_lies_about_its_size_harms_nobody() -> None:
    buffer = io.BytesIO(a_workbook({"维修站": [["x" * 30_000 for _ in range(50)] for _ in range(10)]}))
    data = bytearray(buffer.getvalue())
    end = data.rfind(b"PK\x01\x02")
    data[end + 24 : end + 28] = (5).to_bytes(4, "little")
    try:
        read_tables(bytes(data))
    except Unreadable as refused:
        assert refused.text.zh


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"PK\x03\x04 broken", "已损坏"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 old", "xlsx"),
        (b"\xff\xff\xff\x80 no text", "编码"),
        (b"a\x00b,c\n", "CSV"),
        (b"", "没有数据行"),
        (b"x" * 10_000_001, "10 MB"),
    ],
)
def test_a_file_that_is_no_table_says_what_to_do(data: bytes, words: str) -> None:
    with pytest.raises(Unreadable, match=words):
        read_tables(data)


def test_an_unknown_table_names_those_that_can_be_imported() -> None:
    tables, faults = read_tables("姓名,年龄\n王,3\n".encode())
    assert (tables, len(faults)) == ([], 1)
    assert "维修站编号" in faults[0].text.zh


def test_the_command_lists_every_fault_and_writes_nothing(region: Region, tmp_path: Path) -> None:
    file = tmp_path / "network.csv"
    file.write_text("维修站编号,名称,大区,所在区划,启用日期\n1,海淀站,火星区,110108,2026-01-01\n", encoding="utf-8")
    out = io.StringIO()
    with pytest.raises(CommandError, match="2 faults"):
        call_command("import_network", file, stdout=out)
    assert "第 2 行" in out.getvalue() and "000001" in out.getvalue()
    assert counted() == (0, 0, 0, 0)


def test_the_commands_export_what_they_can_import(region: Region, tmp_path: Path) -> None:
    source, exported, out = tmp_path / "in.xlsx", tmp_path / "out.xlsx", io.StringIO()
    source.write_bytes(a_workbook(GOOD))
    call_command("import_network", source, stdout=io.StringIO())
    call_command("export_network", exported, history=True, stdout=io.StringIO())
    call_command("import_network", exported, json=True, stdout=out)
    answer = json.loads(out.getvalue())
    assert (answer["faults"], sum(answer["added"].values()), sum(answer["changed"].values())) == ([], 0, 0)
