"""P19: two hundred files through the import itself: all rows or none, faults by row, a second time changes nothing.

In the build the reader runs in this process and a part of the files, another one after every commit, is sent; what only
a child with limits may read, and one file of each sort through the console, take the real way. With
MENDLINE_HOSTILE=whole every file does.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from datetime import datetime
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zlib import crc32

import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, transaction

from mendline.access.actors import Actor
from mendline.channels.legacy.imports import import_orders
from mendline.network import history, imports, sheet_child, sheets
from mendline.network.imports import Report, import_network
from mendline.network.models import Station, Upload
from mendline.network.sheets import Unreadable
from tests.console.conftest import SignIn
from tests.console.conftest import network as network
from tests.console.conftest import signed_in as signed_in
from tests.make import MONDAY_NINE, a_report
from tests.network.test_sheets import CAPACITY, COVERAGE, NO800, STATIONS, a_workbook
from tests.security.tables_to_import import GOOD, Faulty, Outcome, Refused, Sent, Taken, a_csv, refused, sent
from tests.sim.faults.turns import a_turn

WHOLE = os.environ.get("MENDLINE_HOSTILE") == "whole"
ONE_IN = 4
CLERK = Actor(None, "渠道管理", "channel_management", via="test")
GOOD_TABLE = a_csv(GOOD).encode()
HOLDINGS = [model for model in apps.get_app_config("network").get_models() if model is not Upload]


@cache
def asked() -> dict[str, Sent]:
    """Return the files of this time. Those that need a child of their own are few and always there."""
    turn = a_turn()
    return {
        name: one
        for name, one in sent().items()
        if WHOLE or one.is_heavy or crc32(name.encode()) % ONE_IN == turn % ONE_IN
    }


def in_this_process(
    command: Sequence[str],
    *,
    input: bytes,
    timeout: float,
    **_: object,  # noqa: A002 - as `subprocess.run` names it
) -> SimpleNamespace:
    """Answer as the child would, without starting one."""
    try:
        return SimpleNamespace(stdout=sheet_child.answer_to(input))
    except BaseException as fault:  # a parser's panic is no Exception, and ends a child all the same
        if isinstance(fault, KeyboardInterrupt):
            raise
        raise subprocess.CalledProcessError(1, command) from None


def started_by(run: Callable[..., object]) -> SimpleNamespace:
    """Return what stands in the place of `subprocess` for the one module that starts the reader."""
    faults = {name: getattr(subprocess, name) for name in ("CalledProcessError", "TimeoutExpired")}
    return SimpleNamespace(run=run, **faults)


def everything() -> list[tuple[str, ...]]:
    """Return every row of the network, every order, and how many entries the history has, by one statement."""
    tables = [model._meta.db_table for model in HOLDINGS]
    rows = [f"SELECT '{table}', t::text FROM {table} t" for table in (*tables, "orders_repairorder")]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join([*rows, "SELECT 'history', count(*)::text FROM journal_entry"]))
        return sorted(cursor.fetchall())


def run(data: bytes, *, dry_run: bool = False) -> Report | str:
    """Return what the import said, or the code of its refusal."""
    try:
        return import_network(data, actor=CLERK, now=MONDAY_NINE, dry_run=dry_run)
    except Unreadable as problem:
        assert problem.text.zh and problem.text.en
        return problem.code


def what_came_of(data: bytes) -> Outcome:
    """Check, import, and import again, as people do; return what came of it.

    Fails where anything is written by halves, by a dry run, beside a fault, or by the second time.
    """
    before = everything()
    dry = run(data, dry_run=True)
    assert everything() == before, "a dry run writes nothing"
    done = run(data)
    after = everything()
    if isinstance(done, str) or isinstance(dry, str):
        assert (dry, before) == (done, after)
        return refused(str(done))
    assert dry.faults == done.faults
    if done.faults:
        assert after == before, "one fault, and nothing is written"
        assert all(fault.row >= 1 and fault.text.zh and fault.text.en for fault in done.faults)
        return Faulty(frozenset((fault.row, fault.column) for fault in done.faults))
    assert (dry.added, dry.changed) == (done.added, done.changed), "what was shown is what was done"
    again = run(data)
    assert isinstance(again, Report) and again.changes_nothing
    assert everything() == after, "the same file twice changes nothing"
    assert sum(done.rows.values()) == done.added.total() + done.changed.total(), "every row is in the tables"
    return Taken({station.number: vars(station) for station in Station.objects.all()})


def fits(found: Outcome, wanted: Outcome) -> bool:
    if isinstance(wanted, Refused):
        return isinstance(found, Refused) and found.codes <= wanted.codes
    if isinstance(wanted, Taken):
        return isinstance(found, Taken) and all(
            number in found.stations and {**found.stations[number], **facts} == found.stations[number]
            for number, facts in wanted.stations.items()
        )
    return found == wanted


def surprises(files: Mapping[str, Sent]) -> list[str]:
    """Return what came out otherwise than it must, each file in the same world."""
    found = []
    for name, one in files.items():
        with transaction.atomic():
            try:
                outcome = what_came_of(one.data)
            except AssertionError as fault:
                found.append(f"{name}: {fault}")
            else:
                if not any(fits(outcome, wanted) for wanted in one.outcomes):
                    found.append(f"{name}: {outcome}")
            transaction.set_rollback(True)
    return found


def light(files: Mapping[str, Sent]) -> dict[str, Sent]:
    return {name: one for name, one in files.items() if not one.is_heavy}


@pytest.fixture
def no_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "subprocess", started_by(in_this_process))


def test_there_are_two_hundred_files_and_each_says_what_must_come_of_it(
    record_property: Callable[[str, object], None],
) -> None:
    record_property("files / 个文件", len(sent()))
    assert len(sent()) >= 200
    assert all(one.outcomes for one in sent().values())
    assert len([name for name, one in sent().items() if len(one.outcomes) == 1]) >= 150


@pytest.mark.usefixtures("network", "no_child")
def test_what_must_come_of_a_file_comes_of_it_and_nothing_by_halves() -> None:
    assert surprises(light(asked())) == []


@pytest.mark.usefixtures("network")
def test_the_same_comes_of_it_where_a_child_reads_it() -> None:
    """At night all; in the build what only a child with limits may read."""
    assert surprises(asked() if WHOLE else {name: one for name, one in asked().items() if one.is_heavy}) == []


@pytest.mark.usefixtures("network", "no_child")
def test_control_an_import_that_passes_over_faulty_rows_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = imports._plan

    def lenient(tables: list[sheets.Table], report: Report) -> object:
        made = plan(tables, report)
        report.faults.clear()
        return made

    monkeypatch.setattr(imports, "_plan", lenient)
    assert surprises({name: sent()[name] for name in ("one faulty row of three", "a row twice")}) != []


@pytest.mark.usefixtures("network", "no_child")
def test_control_a_dry_run_that_writes_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def eager(data: bytes, *, actor: Actor, now: datetime, dry_run: bool = False) -> Report:
        return imports.import_network(data, actor=actor, now=now)

    monkeypatch.setattr(sys.modules[__name__], "import_network", eager)
    assert surprises({"two rows": sent()["two rows"]}) != []


FOUR_TABLES = a_workbook(
    {
        "维修站": [STATIONS, ["000007", "昌平站", "华北区", None, "110114", "2026-01-01"]],
        "覆盖": [COVERAGE, ["000007", "110114", "台式机", "2026-01-01", None]],
        "产能": [CAPACITY, ["000007", "desktop", 10, "2026-01-01"]],
        "备案": [NO800, ["1101", "2025-12-01", "2026-01-01"]],
    }
)
WRITES = ("write_coverage", "write_capacities", "look_again", "_note")


def broken_at(write: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: object) -> None:
        raise DatabaseError(f"{write} found no database")

    place = history if write.startswith("write") else imports
    monkeypatch.setattr(place, write, breaks)


@pytest.mark.usefixtures("network", "no_child")
@pytest.mark.parametrize("write", WRITES)
def test_an_import_that_breaks_after_some_of_its_tables_leaves_nothing(
    write: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything()
    with monkeypatch.context() as patch:
        broken_at(write, patch)
        with pytest.raises(DatabaseError):
            run(FOUR_TABLES)
    assert everything() == before

    done = run(FOUR_TABLES)
    assert isinstance(done, Report) and done.added.total() == 4, "and the same file goes in afterwards"


@pytest.mark.usefixtures("network", "no_child")
def test_control_without_a_transaction_some_of_it_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    before = everything()
    broken_at("write_capacities", monkeypatch)
    monkeypatch.setattr(imports, "transaction", SimpleNamespace(atomic=nullcontext))
    with pytest.raises(DatabaseError):
        run(FOUR_TABLES)

    assert everything() != before


@pytest.mark.usefixtures("network", "no_child")
def test_the_exchange_with_the_legacy_system_takes_none_of_them_and_moves_no_order() -> None:
    """It shares the reader. Its rows are steps of their own, so nothing in a file that is no exchange may be a step."""
    a_report()
    before = everything()
    wrong = []
    for name, one in light(asked()).items():
        try:
            report = import_orders(one.data, actor=CLERK, now=MONDAY_NINE, dry_run=False)
        except Unreadable:
            continue
        if report.rows or report.cancelled or not all(fault.row >= 1 for fault in report.faults):
            wrong.append(f"{name}: {report}")
    assert (wrong, everything()) == ([], before)


# One of each sort in the build: taken, faulty, refused at the door, refused by the child.
BY_THE_CONSOLE = ("two rows", "one faulty row of three", "a cell in the last column", "a cell far away")


@pytest.mark.parametrize("name", sorted(sent()) if WHOLE else BY_THE_CONSOLE)
def test_the_console_says_the_same_and_goes_on(name: str, signed_in: SignIn) -> None:
    """Send, read what it would do, have it done, twice; whatever came of it, the next page is answered."""
    one, client = sent()[name], signed_in("channel_management")
    before = everything()
    answer = client.post("/network/import/", {"table": SimpleUploadedFile("表.xlsx", one.data)})
    if answer.status_code == 302:
        address = str(answer["Location"])
        assert client.get(address).status_code == 200
        assert everything() == before, "looking writes nothing"
        done = client.post(address)
        after = everything()
        assert (after != before) <= (done.status_code == 302)
        assert client.post(address).status_code == done.status_code
        assert everything() == after
    else:
        assert answer.status_code == 422
        assert everything() == before
    came_in = answer.status_code == 302 and done.status_code == 302
    assert came_in in {isinstance(wanted, Taken) for wanted in one.outcomes}
    assert client.get("/network/import/").status_code == 200
    assert children() == set(), "no child is left"


def children() -> set[int]:
    """Return the processes that this thread started and that still are there."""
    return {int(pid) for pid in Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text().split()}


# What a parser that was taken over may do instead of reading. Its limits of time are a second here.
EVIL: Mapping[str, str] = {
    "never ends": "while True: pass",
    "waits": "import signal; signal.pause()",
    "takes a gigabyte": "held = bytearray(1 << 30)",
    "dies": "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
    "says nothing": "import os; os._exit(0)",
    "says nonsense": "import os; os.write(1, b'{'); os._exit(0)",
    "writes a file": "open(BESIDE, 'w').write('x' * 100)",
}


def taken_over(folder: Path, evil: str, monkeypatch: pytest.MonkeyPatch, limits: bool = True) -> Path:
    """Put a reader in the child's place that does something else; return the file that it would like to write."""
    beside, child = folder / "written", folder / "child.py"
    lifted = "" if limits else "c.resource.setrlimit = lambda *_: None\n"
    body = evil.replace("BESIDE", repr(str(beside)))
    child.write_text(
        f"import mendline.network.sheet_child as c\nc.CPU_SECONDS = 1\n{lifted}"
        f"def evil(data):\n    {body}\n    return []\nc.sheets_of = evil\nc.main()\n",
        encoding="utf-8",
    )

    def in_its_place(command: Sequence[str], **kwargs: Any) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run([command[0], "-P", str(child)], **kwargs)

    monkeypatch.setattr(sheets, "subprocess", started_by(in_its_place))
    monkeypatch.setattr(sheets, "WALL_SECONDS", 1 if evil == EVIL["waits"] else 20)
    return beside


@pytest.mark.usefixtures("network")
@pytest.mark.parametrize("evil", EVIL if WHOLE else ["takes a gigabyte", "says nonsense"])
def test_a_child_that_was_taken_over_ends_and_the_next_file_is_read(
    evil: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything()
    with monkeypatch.context() as patch:
        beside = taken_over(tmp_path, EVIL[evil], patch)
        assert run(GOOD_TABLE) in ("too_large", "no_rows"), "what it did not say is not imported"
    assert not beside.exists() or beside.stat().st_size == 0
    assert everything() == before and children() == set()

    monkeypatch.setattr(sheets, "subprocess", started_by(in_this_process))
    assert isinstance(run(GOOD_TABLE), Report)


@pytest.mark.usefixtures("network")
def test_control_without_its_limits_it_writes_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    beside = taken_over(tmp_path, EVIL["writes a file"], monkeypatch, limits=False)
    run(GOOD_TABLE)

    assert beside.stat().st_size > 0
