"""P6: the history is sealed beside the work, nothing sealed is missed, and nothing sound is called wrong."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction
from pytest_django.fixtures import Settings

from mendline.journal import following, sealing
from mendline.journal.models import Entry, Outgoing
from mendline.journal.sealing import Sealer, add_seal, last_seal
from mendline.journal.sealing_chain import COLUMNS
from mendline.journal.sealing_heads import Heads, restored_line
from tests.journal.histories import LATER, happened, sealed_history, verdict
from tests.make import MONDAY_NINE

ADD = """
    INSERT INTO journal_entry (at, subject, kind, process, from_state, to_state, revision, actor_name, actor_role,
                               station_no, region, data)
    VALUES (now(), 'WX000009', 'order.report', 'unified_repair', '', '', 0, 'x', 'cc_agent', '', '', '{}') RETURNING id
"""


@contextmanager
def another() -> Iterator[psycopg.Connection[Any]]:
    """Somebody else, in a session of his own."""
    other = psycopg.connect(**connection.get_connection_params())
    try:
        yield other
    finally:
        other.close()


def test_everything_an_entry_holds_is_sealed() -> None:
    assert set(COLUMNS) == {field.column for field in Entry._meta.concrete_fields}


def test_what_happened_is_sealed_and_its_head_is_outside(db: None, heads: Path) -> None:
    pieces = sealed_history(pieces=3, each=5)

    found = verdict()

    assert (found.ok, found.entries, found.seals, found.unsealed) == (True, 15, 4, 0)
    [file] = heads.iterdir()
    kept = Heads().read(file.read_text().splitlines())
    assert kept.heads[3] == found.head and kept.last_entry[3] == pieces[-1][-1] == found.last_entry
    assert file.stat().st_mode & 0o777 == 0o600


def test_fifty_histories_that_nobody_touched_are_called_sound(db: None, heads: Path) -> None:
    sealer = Sealer()
    for round_ in range(50):
        happened(round_ % 7)
        sealer.seal(MONDAY_NINE + timedelta(seconds=round_))
        assert verdict().wrong == []


def test_an_idle_history_gets_no_seals(db: None, heads: Path) -> None:
    sealed_history(pieces=1)
    with connection.cursor() as cursor:
        before = last_seal(cursor)
        Sealer().seal(LATER)
        assert last_seal(cursor) == before


def test_a_long_history_is_sealed_in_pieces(db: None, heads: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "MOST", 10)
    happened(35)
    sealer = Sealer()

    while sealer.seal(MONDAY_NINE):
        pass

    found = verdict()
    assert (found.ok, found.entries, found.seals, found.unsealed) == (True, 35, 5, 0)


@pytest.mark.django_db(transaction=True)
def test_an_entry_that_is_committed_late_is_waited_for(heads: Path) -> None:
    sealer = Sealer()
    with another() as slow:
        late = slow.execute(ADD).fetchone()
        [newest] = happened(1)
        assert late is not None and late[0] < newest
        sealer.seal(MONDAY_NINE)
        assert verdict().entries == 0, "it was sealed while a lower number could still come"
        slow.commit()

    sealer.seal(MONDAY_NINE)

    assert (verdict().ok, verdict().entries) == (True, 2)


@pytest.mark.django_db(transaction=True)
def test_control_a_sealer_that_does_not_wait_calls_an_honest_entry_slipped_in(heads: Path) -> None:
    with another() as slow:
        late = slow.execute(ADD).fetchone()
        [newest] = happened(1)
        add_seal(newest, MONDAY_NINE)
        slow.commit()

    assert late is not None and [one.entry for one in verdict(files=[]).wrong] == [late[0]]


@pytest.mark.django_db(transaction=True)
def test_two_sealers_make_one_chain(heads: Path) -> None:
    happened(40)
    horizon = following.look_around()
    met = threading.Barrier(2)

    def work() -> None:
        try:
            met.wait(30)
            add_seal(horizon.newest_entry, MONDAY_NINE)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    found = verdict(files=[])
    assert (found.ok, found.entries, found.seals) == (True, 40, 2)


def test_the_sealer_who_died_before_the_head_was_outside_is_caught_up_with(db: None, heads: Path) -> None:
    sealed_history(pieces=2)
    [newest] = happened(1)
    add_seal(newest, MONDAY_NINE)  # … and no head
    assert [one.code for one in verdict().wrong] == ["no_head"]
    assert verdict(now=MONDAY_NINE).ok, "a head may be some seconds late"

    Sealer().seal(LATER)

    assert verdict().ok


def test_a_line_that_was_torn_off_by_a_crash_is_written_again(db: None, heads: Path) -> None:
    sealed_history(pieces=2)
    [file] = heads.iterdir()
    file.write_bytes(file.read_bytes()[:-30])

    Sealer().seal(LATER)

    found = verdict()
    assert found.ok and "cannot be read" in found.notes[0].en


def test_a_restore_that_was_written_down_is_a_remark_and_no_fault(db: None, heads: Path, triggers_off: None) -> None:
    pieces = sealed_history(pieces=4)
    [file] = heads.iterdir()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM journal_entry WHERE id >= %s", [pieces[2][0]])
        cursor.execute("DELETE FROM journal_seal WHERE number > 2")
    assert [one.code for one in verdict().wrong] == ["cut_off"]

    with file.open("a") as added:
        added.write(restored_line(2, at=LATER, until=MONDAY_NINE) + "\n")
    happened(5)
    Sealer().seal(LATER)

    found = verdict()
    assert found.ok and "restored at" in found.notes[0].en


def test_the_newest_head_is_mailed_once_a_day(db: None, heads: Path, settings: Settings) -> None:
    settings.SEALS_MAIL = "auditor@example.org"
    sealed_history(pieces=3)

    [message] = Outgoing.objects.filter(notice="seal")
    assert (message.address, message.state) == ("auditor@example.org", "pending")
    [file] = heads.iterdir()
    line = message.data["en"].partition(": ")[2].partition(": ")[2] or message.data["en"].rpartition("it: ")[2]
    assert line in file.read_text()


@pytest.mark.parametrize("table", ["journal_entry", "journal_seal"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET {}", "DELETE FROM {}", "TRUNCATE {}"])
def test_not_even_the_owner_changes_or_empties_it_by_accident(
    table: str, statement: str, db: None, heads: Path, triggers_on: None
) -> None:
    sealed_history(pieces=1)
    change = "kind = 'x'" if table == "journal_entry" else "up_to = 1"

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(table, change))


@pytest.mark.parametrize("role", ["mendline_app", "mendline_auditor"])
@pytest.mark.parametrize(
    "statement",
    ["UPDATE {} SET {}", "DELETE FROM {}", "TRUNCATE {}", "ALTER TABLE {} DISABLE TRIGGER append_only",
     "SET session_replication_role = replica"],
)  # fmt: skip
@pytest.mark.parametrize("table", ["journal_entry", "journal_seal"])
def test_the_application_and_the_auditor_have_no_right_to(role: str, statement: str, table: str, db: None) -> None:
    change = "kind = 'x'" if table == "journal_entry" else "up_to = 1"

    with pytest.raises(DatabaseError) as refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {role}")
        cursor.execute(statement.format(table, change))
    assert isinstance(refused.value.__cause__, psycopg.errors.InsufficientPrivilege)


def test_the_auditor_can_verify_and_the_application_can_seal(db: None, heads: Path) -> None:
    happened(3)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE mendline_app")
        Sealer().seal(MONDAY_NINE)
        cursor.execute("SET LOCAL ROLE mendline_auditor")
        found = verdict()
        cursor.execute("RESET ROLE")

    assert (found.ok, found.entries) == (True, 3)
