"""Every statement, commit and file of a step fails once: nothing happened or everything did, and the key helps (P1).

Here a share of the scenario files is walked, another one after every commit; the night walks all of them.
"""

from __future__ import annotations

import errno
import os
import zlib
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection

from mendline.contact import outbox
from mendline.sim.faults import layers
from mendline.sim.faults.beside import message
from mendline.sim.faults.controls import without_transaction
from mendline.sim.faults.plays import MONDAY_NINE
from mendline.sim.faults.rows import Rows
from mendline.sim.faults.sending import Sending, heard_by
from mendline.sim.faults.walking import Walk, scenario_files, walk_through
from tests.sim.faults.turns import a_turn

pytestmark = pytest.mark.django_db(transaction=True)

SHARES = 40  # of the files
STEPS = 6  # one in so many of their steps is made to fail
A_MOVE = "agent-reassigns-for-the-user.yaml"


def only(step: str) -> Walk:
    """A walk on which only the steps of one name are made to fail, before they are sent."""
    return Walk(wanted=lambda one: one[2] == step, kinds=("before", "cut"))


def the_file(name: str) -> list[Path]:
    return [path for path in scenario_files() if path.name == name]


def test_p1_wherever_a_step_fails_it_happens_wholly_or_not_at_all_and_once() -> None:
    turn = a_turn()
    files = [*the_file(A_MOVE), *scenario_files()[turn % SHARES :: SHARES]]
    walk = walk_through(
        files, Walk(wanted=lambda step: step[2] == "report" or zlib.crc32(repr(step).encode()) % STEPS == turn % STEPS)
    )

    assert walk.problems == []
    assert walk.found.faults >= 3 * walk.found.commands > 0
    assert walk.found.unknown > 0, "no caller was ever left not knowing: the faults do not reach the commit"


def test_can_02_p1_control_without_its_transaction_a_reassignment_leaves_a_half() -> None:
    with without_transaction():
        walk = walk_through(the_file(A_MOVE), only("cancel_and_reassign"))

    assert any("left a half" in problem for problem in walk.problems), walk.problems


def test_p1_control_a_key_that_is_not_kept_does_the_step_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mendline.web.api.callers._KEPT", "NULL, NULL, NULL")
    monkeypatch.setattr("mendline.web.api.calls.Call.once", lambda *_: None)
    walk = walk_through(the_file(A_MOVE), only("report"))

    assert any("rows too many" in problem for problem in walk.problems), walk.problems


def test_every_way_out_of_the_process_is_heard(tmp_path: Path) -> None:
    heard: list[tuple[str, bool]] = []

    def listener(sending: Sending, carry_out: Any) -> Any:
        heard.append((sending.what, sending.is_final))
        return carry_out()

    with heard_by(listener):
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        file = os.open(tmp_path / "draft", os.O_WRONLY | os.O_CREAT)
        os.fsync(file)
        os.close(file)
        (tmp_path / "draft").rename(tmp_path / "file")
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")

    assert heard == [("statement", True), ("file", True), ("file", True), ("file", True)]


def test_what_a_listener_refuses_is_not_done(tmp_path: Path) -> None:
    def full(sending: Sending, carry_out: Any) -> Any:
        raise OSError(errno.ENOSPC, "no space left") if sending.what == "file" else psycopg.OperationalError("no")

    with heard_by(full), pytest.raises(OSError, match="no space"):
        os.open(tmp_path / "draft", os.O_WRONLY | os.O_CREAT)
    assert not (tmp_path / "draft").exists()


def test_p12_a_photo_is_stored_with_its_row_or_not_at_all_and_a_message_is_sent_at_least_once() -> None:
    found = layers.beside()

    assert found["problems"] == []
    assert found["faults"] >= 20


def test_p3_control_a_message_marked_before_it_is_sent_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    marks = outbox._CLAIM.replace("SET attempts", "SET state = 'sent', sent_at = now(), attempts")
    monkeypatch.setattr(outbox, "_CLAIM", marks)

    found = message(Rows(), MONDAY_NINE)

    assert any("nobody got it" in str(problem) for problem in found.problems), found
