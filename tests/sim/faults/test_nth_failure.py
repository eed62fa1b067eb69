"""Every statement, commit and file of a step fails once: nothing happened or everything did, and the key helps (P1).

Here a share of the scenario files is walked: those that take a step which changed against the commit before, or else
another share after every commit. The night walks all of them.
"""

from __future__ import annotations

import errno
import os
import zlib
from collections.abc import Callable
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
from mendline.sim.faults.walking import Step, Walk, scenario_files, walk_through
from mendline.sim.scenario_files import read
from tests.sim.faults.changed import Touched, at_most, changed_paths, files_about, touched
from tests.sim.faults.turns import a_turn

pytestmark = pytest.mark.django_db(transaction=True)

SHARES = 40  # of the files
STEPS = 6  # one in so many of their steps is made to fail
MOST_CHANGED = 8  # different steps of those that changed, which takes as long
A_MOVE = "agent-reassigns-for-the-user.yaml"


def only(step: str) -> Walk:
    """A walk on which only the steps of one name are made to fail, before they are sent."""
    return Walk(wanted=lambda one: one[2] == step, kinds=("before", "cut"))


def the_file(name: str) -> list[Path]:
    return [path for path in scenario_files() if path.name == name]


def a_share(turn: int, steps: Touched) -> tuple[list[Path], Callable[[Step], bool]]:
    """Return which files are walked this time, and which of their steps fail: those that changed, else by turns."""
    files = scenario_files()
    about = files_about(steps, files, turn, len(files) // SHARES)
    if about:
        return about, at_most(steps, MOST_CHANGED)
    return files[turn % SHARES :: SHARES], lambda step: zlib.crc32(repr(step).encode()) % STEPS == turn % STEPS


def test_p1_wherever_a_step_fails_it_happens_wholly_or_not_at_all_and_once() -> None:
    files, chosen = a_share(a_turn(), touched(changed_paths()))
    walk = walk_through(
        list(dict.fromkeys([*the_file(A_MOVE), *files])),
        Walk(wanted=lambda step: step[2] == "report" or chosen(step)),
    )

    assert walk.problems == []
    assert walk.found.faults >= 3 * walk.found.commands > 0
    assert walk.found.unknown > 0, "no caller was ever left not knowing: the faults do not reach the commit"


def test_what_changed_against_the_commit_before_is_made_to_fail_first() -> None:
    steps = touched(["processes/coverage_change.yaml"])
    files, chosen = a_share(7, steps)

    assert {(code, version) for code, version, _ in steps} == {("coverage_change", 1)}
    assert files
    assert all({one.do for one in read(path).steps} & {name for _, _, name in steps} for path in files)
    assert [chosen((*step, "new", "anybody")) for step in sorted(steps)[:2]] == [True, True]
    assert not chosen(("unified_repair", 3, "download", "dispatched", "station_coordinator"))


def test_a_changed_guard_or_effect_touches_the_steps_that_name_it() -> None:
    names = {name for _, _, name in touched(["mendline/dispatch/effects.py"])}

    assert {"cancel", "cancel_and_reassign"} <= names
    assert "download" not in names


def test_where_nothing_of_a_procedure_changed_or_nobody_knows_it_goes_by_turns(tmp_path: Path) -> None:
    assert touched(["README.md", "mendline/web/console/urls.py"]) == frozenset()
    assert changed_paths(tmp_path / "nowhere") == frozenset()
    assert a_share(7, frozenset())[0] == scenario_files()[7::SHARES]


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
