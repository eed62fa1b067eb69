"""The file exchange with the legacy system: what goes out comes back; nothing changes but through the door."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from mendline.access.actors import Actor
from mendline.access.models import Person
from mendline.channels.legacy.exchange_rows import HEADINGS, REF, REMARK, STATION
from mendline.channels.legacy.exports import as_csv, as_workbook, export_orders
from mendline.channels.legacy.imports import Report, import_orders
from mendline.journal.models import Entry
from mendline.orders.models import RepairOrder
from mendline.orders.store import Loaded
from tests.make import MONDAY_NINE, a_network, a_report, an_actor, do

NORTH = Actor(7, "李接口", "region_interface", region="north", via="test")
LATER = MONDAY_NINE + timedelta(hours=5)


@pytest.fixture(autouse=True)
def _network(db: None) -> None:
    a_network()


def state_of(order: Loaded) -> str:
    return RepairOrder.objects.unscoped("test").get(ref=order.ref).state


def cancelled(**given: Any) -> Loaded:
    facts = {
        "cancel_reason": "capacity_error",
        "cancel_detail": "=已超出//服务产能",
        "requested_by": "station",
        **given,
    }
    return do(a_report(), "cancel", "region_interface", **facts)


def bring(*rows: dict[str, str], actor: Actor = NORTH, dry_run: bool = False) -> Report:
    """Bring rows as a CSV with the columns that the first row has."""
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return import_orders(file.getvalue().encode(), actor=actor, now=LATER, dry_run=dry_run)


def some_orders() -> list[Loaded]:
    missed = do(a_report(), "mark_unreachable", now=MONDAY_NINE + timedelta(hours=3.5))
    solved = do(do(a_report(), "download"), "resolve_remotely", promise_reason="软件问题,电话解决")
    promised = do(
        do(a_report(), "download"), "promise", promised_at=(MONDAY_NINE + timedelta(days=1, seconds=7)).isoformat(),
        promise_kind="user_reason", promise_reason="-用户上班",
    )  # fmt: skip
    return [missed, solved, promised, cancelled(), a_report(area="310104")]


@pytest.mark.parametrize("form", [as_csv, as_workbook])
def test_what_was_exported_comes_back_without_a_difference(form: Any) -> None:
    orders = some_orders()
    actor = an_actor("admin")
    history = Entry.objects.count()

    found = export_orders(actor)
    report = import_orders(form(found.rows), actor=actor, now=LATER, dry_run=False)

    assert [row[REF] for row in found.rows] == [order.ref for order in orders]
    assert (report.rows, report.same, report.differences, report.faults) == (5, 5, [], [])
    assert (report.cancelled, found.lossy, Entry.objects.count()) == ([], (), history)


def test_can_26_28_29_an_exported_remark_has_five_parts_and_its_zeros() -> None:
    cancelled()

    [row] = export_orders(an_actor("admin")).rows

    assert row[REMARK] == "华北区//000001//产能错//=已超出／／服务产能//region_interface"
    assert (row[STATION], row["状态"], row["撤单原因"]) == ("000001", "已撤单", "产能错")
    assert list(row) == list(HEADINGS)


def test_a_csv_holds_no_formula() -> None:
    some_orders()

    text = as_csv(export_orders(an_actor("admin")).rows).decode("utf-8-sig")

    assert "'-用户上班" in text and ",-用户上班" not in text


def test_a_region_exports_its_own_orders_only() -> None:
    order, _ = a_report(), a_report(area="310104")

    assert [row[REF] for row in export_orders(NORTH).rows] == [order.ref]


def test_can_28_a_remark_on_an_open_order_cancels_it_through_the_door() -> None:
    order = a_report()

    report = bring({REF: order.ref, REMARK: "华北区//000001//产能错//来电说明"})

    assert (report.cancelled, report.faults, report.same) == ([order.ref], [], 1)
    kept = RepairOrder.objects.unscoped("test").get(ref=order.ref)
    assert kept.state == "cancelled"
    assert (kept.facts["cancel_code"], kept.facts["cancel_detail"], kept.facts["canceller"]) == (
        "capacity_error", "来电说明", "李接口",
    )  # fmt: skip
    again = bring({REF: order.ref, REMARK: "华北区//000001//产能错//来电说明"})
    assert (again.cancelled, again.same) == ([], 1)


def test_a_dry_run_says_what_would_happen_and_changes_nothing() -> None:
    order = a_report()

    report = bring({REF: order.ref, REMARK: "华北区//000001//产能错//来电说明//李"}, dry_run=True)

    assert report.cancelled == [order.ref]
    assert state_of(order) == "dispatched"
    assert not Entry.objects.filter(subject=order.ref, kind="order.cancel").exists()


def test_can_08_a_refusal_of_the_procedure_is_reported_with_its_rule() -> None:
    order = a_report()

    report = bring({REF: order.ref, REMARK: "华北区//000001//产能错//x//王"}, actor=an_actor("station_coordinator"))

    [fault] = report.faults
    assert "CAN-08" in fault.text.zh and report.cancelled == []
    assert state_of(order) == "dispatched"


def test_stn_32_an_order_solved_by_telephone_is_not_cancelled_by_a_file() -> None:
    order = do(do(a_report(), "download"), "resolve_remotely", promise_reason="软件问题,电话解决")

    report = bring({REF: order.ref, REMARK: "华北区//000001//产能错//x//王"})

    assert "STN-32" in report.faults[0].text.zh and state_of(order) == "resolved"


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("T31", "2010-01-01"), ("T1", "2026-03-02T09:01"), ("状态", "已解决"), ("承诺服务时间类型", "备件原因"),
        ("承诺服务原因描述", "别的"), ("T4", "2026-03-02T10:00"), (STATION, "000002"), ("T32", "2026-03-09T10:00"),
    ],
)  # fmt: skip
def test_a_difference_is_reported_and_changes_nothing(column: str, cell: str) -> None:
    order = do(do(a_report(), "download"), "promise", promised_at=(MONDAY_NINE + timedelta(days=1)).isoformat())

    report = bring({REF: order.ref, column: cell})

    [difference] = report.differences
    assert (difference.ref, difference.column, difference.theirs) == (order.ref, column, cell)
    assert (report.faults, state_of(order)) == ([], "promised")


def test_times_shown_to_the_minute_are_no_difference() -> None:
    order = a_report(now=MONDAY_NINE + timedelta(seconds=42))

    assert bring({REF: order.ref, "T1": "2026/03/02 09:00"}).same == 1
    assert bring({REF: order.ref, "T1": "2026-03-02 09:00:00"}).same == 0


def test_a_remark_of_another_station_cancels_nothing() -> None:
    order = a_report()

    report = bring({REF: order.ref, REMARK: "华北区//000002//产能错//x//李"})

    assert (report.differences[0].theirs, report.cancelled) == ("华北区//000002", [])
    assert state_of(order) == "dispatched"


@pytest.mark.parametrize("ref", ["WX-none", ""])
def test_an_order_out_of_scope_is_as_if_it_did_not_exist(ref: str) -> None:
    elsewhere = a_report(area="310104")

    absent = bring({REF: ref, "T1": "x"})
    foreign = bring({REF: elsewhere.ref, "T1": "x"})

    assert [fault.text for fault in absent.faults] == [fault.text for fault in foreign.faults]


def test_can_29_a_station_number_that_lost_its_zeros_is_named() -> None:
    import xlsxwriter

    order = a_report()
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer)
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, [REF, STATION])
    sheet.write_row(1, 0, [order.ref, 1])
    book.close()

    report = import_orders(buffer.getvalue(), actor=NORTH, now=LATER, dry_run=True)

    assert report.faults[0].column == STATION and "零" in report.faults[0].text.zh


def test_a_file_without_the_number_of_the_order_is_refused() -> None:
    assert "维修单号" in bring({"T1": "2026-03-02"}).faults[0].text.zh


@pytest.mark.parametrize("name", ["out.csv", "out.xlsx"])
def test_the_command_writes_a_file_and_reads_it(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    some_orders()
    Person.objects.create_user("li", name="李", role="hq_interface")
    file = tmp_path / name

    call_command("legacy", "export", str(file), "--from", "2026-03-02", "--to", "2026-03-02")
    capsys.readouterr()
    call_command("legacy", "import", str(file), "--as", "li", "--dry-run", "--json")

    answer = json.loads(capsys.readouterr().out)
    assert (answer["rows"], answer["same"], answer["faults"]) == (5, 5, [])
    with pytest.raises(CommandError, match="no active user"):
        call_command("legacy", "import", str(file), "--as", "nobody")
    with pytest.raises(CommandError, match="xlsx"):
        call_command("legacy", "export", str(tmp_path / "out.txt"))
    call_command("legacy", "export", str(file), "--from", "2026-03-03")
    assert "0 张 orders" in capsys.readouterr().out
