"""The board of planted defects: every patch fits the code, and what is planted is noticed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from django.conf import settings

from config.home import ROOT
from mendline.sim.defects import board as boards
from mendline.sim.defects.board import WrongDefect, board, by_promise, read_defect, stale, the_one_to_plant
from mendline.sim.defects.catching import Catchers, Run, Verdict
from mendline.sim.defects.page import page
from mendline.sim.defects.patches import DoesNotApply, applied, read_patch
from mendline.sim.defects.scratch_tree import ScratchTree, copy_of_files

MISTAKE = """\
zh: 加成了减
en: plus became minus
keeps: P4
catcher: tests/test_sum.py
--- a/sum.py
+++ b/sum.py
@@ -1,2 +1,2 @@
 def add(a, b):
--- a note that goes
-    return a + b
+    return a - b
"""
SOUND = "def add(a, b):\n-- a note that goes\n    return a + b\n"


def a_defect(folder: Path, text: str = MISTAKE) -> boards.Defect:
    path = folder / "plus-is-minus.patch"
    path.write_text(text, encoding="utf-8")
    return read_defect(path)


def test_every_patch_fits_the_code_and_every_catcher_is_there() -> None:
    assert stale(board()) == []


def test_there_are_enough_defects_and_the_promises_about_orders_are_among_them() -> None:
    defects = board()

    assert len(defects) >= 24
    assert {"P1", "P2", "P3", "P5", "P6", "P10", "P11", "P12", "P14", "P19", "P22"} <= by_promise(defects).keys()


def test_control_a_patch_whose_lines_changed_is_named(tmp_path: Path) -> None:
    (tmp_path / "sum.py").write_text(SOUND.replace("a + b", "sum((a, b))"), encoding="utf-8")

    [fault, absent] = stale([a_defect(tmp_path)], tmp_path)

    assert fault.startswith("plus-is-minus: sum.py: what hunk 1 replaces does not stand there any more")
    assert "tests/test_sum.py" in absent


def test_lines_that_stand_twice_are_not_guessed_at(tmp_path: Path) -> None:
    [patch] = a_defect(tmp_path).patches

    with pytest.raises(DoesNotApply, match="stands there more than once"):
        applied(patch, SOUND + SOUND)


@pytest.mark.parametrize(
    ("line", "instead", "fault"),
    [
        ("keeps: P4", "keeps: 4", "no promise or invariant: 4"),
        ("en: plus became minus\n", "", "en is missing"),
        ("zh: 加成了减", "name: 加成了减", "not understood"),
        ("--- a/sum.py", "nothing", "catcher is missing|not understood"),
    ],
    ids=["keeps", "en", "zh", "diff"],
)
def test_a_file_of_the_board_with_a_fault_is_named(line: str, instead: str, fault: str, tmp_path: Path) -> None:
    with pytest.raises(WrongDefect, match=fault):
        a_defect(tmp_path, MISTAKE.replace(line, instead))


def test_a_name_that_is_not_on_the_board_is_named() -> None:
    with pytest.raises(WrongDefect, match="no-such-thing"):
        board(only=["no-such-thing"])


def test_what_is_planted_is_gone_afterwards_even_if_somebody_falls(tmp_path: Path) -> None:
    (tmp_path / "sum.py").write_text(SOUND, encoding="utf-8")
    defect = a_defect(tmp_path)

    with pytest.raises(ZeroDivisionError), ScratchTree(tmp_path).planted(defect.patches):
        assert "a - b" in (tmp_path / "sum.py").read_text(encoding="utf-8")
        raise ZeroDivisionError

    assert (tmp_path / "sum.py").read_text(encoding="utf-8") == SOUND


def test_a_diff_that_changes_nothing_is_refused() -> None:
    with pytest.raises(DoesNotApply):
        read_patch("no diff at all")


@pytest.mark.parametrize(
    ("catcher", "code", "said", "outcome", "by"),
    [
        ("tests/a.py", 0, "3 passed", "held", ""),
        ("tests/a.py", 1, "FAILED tests/a.py::test_b[c] - assert 1 == 2", "caught", "tests/a.py::test_b[c]"),
        (
            "tests/a.py",
            1,
            "FAILED tests/a.py::test_b[UPDATE x]\n!!! stopping",
            "caught",
            "tests/a.py::test_b[UPDATE x]",
        ),
        ("tests/a.py", 1, "FAILED tests/a.py::test_b[x - y] - not [1]", "caught", "tests/a.py::test_b[x - y]"),
        ("tests/a.py", 1, "ERROR tests/a.py::test_b - no table", "broken", ""),  # the tests could not even begin
        ("tests/a.py", 4, "ERROR: file or directory not found", "broken", ""),
        ("mendline simulate --seed 7", 1, "✗ seed 7: I5", "caught", "mendline simulate --seed 7"),
        ("mendline simulate --seed 7", 2, "usage", "broken", ""),
    ],
    ids=["passed", "failed", "dashes", "blanks", "error", "absent", "simulated", "usage"],
)
def test_who_noticed_is_the_first_failing_test(
    catcher: str, code: int, said: str, outcome: str, by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Catchers, "_carried_out", lambda self, command, patience: (code, said))

    run = Catchers(ScratchTree(tmp_path), {}).run(catcher)

    assert (run.outcome, run.by) == (outcome, by)


def test_the_catchers_after_the_first_that_notices_are_spared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sum.py").write_text(SOUND, encoding="utf-8")
    defect = a_defect(tmp_path, MISTAKE.replace("tests/test_sum.py", "one\ncatcher: two\ncatcher: three"))
    codes = {"one": 0, "two": 1}
    monkeypatch.setattr(
        Catchers, "_carried_out", lambda self, command, patience: (codes[command[-1]], "FAILED two - no")
    )

    verdict = Catchers(ScratchTree(tmp_path), {}).judge(defect)

    assert [(run.catcher, run.outcome) for run in verdict.runs] == [("one", "held"), ("two", "caught")]


@pytest.mark.slow
def test_a_defect_planted_in_the_code_as_it_is_now_is_noticed(tmp_path: Path) -> None:
    """Which one depends on the code that it would be planted in, so that all of them have their turn."""
    defect = the_one_to_plant(board())
    copy = tmp_path / "copy"
    copy_of_files(copy)
    database = f"{os.environ.get('TEST_DATABASE_NAME', 'test_mendline')}_planted_{os.getpid()}"

    here = {**os.environ, "MENDLINE_HOME": str(settings.HOME)}  # the server that runs already

    verdict = Catchers(ScratchTree(copy), here, database).judge(defect)

    shutil.rmtree(copy)
    assert verdict.broken is None, verdict.broken
    assert verdict.caught is not None, f"{defect.name} was planted, and {defect.catchers} stayed green"


def test_the_page_names_who_noticed_and_what_nobody_did() -> None:
    first, second, *_ = board()
    noticed = Verdict(first.name, (Run("tests/x.py", "caught", 4.0, "tests/x.py::test_it[a]"),))
    unnoticed = Verdict(second.name, (Run("tests/x.py", "held", 6.0),))
    about = {"when": "2026-01-01", "commits": "abc", "machine": "2 cores", "control": "1 passed"}

    alone = {"mendline simulate": {first.name: noticed.runs[0].as_json(), second.name: unnoticed.runs[0].as_json()}}
    said = page(board(), {first.name: noticed, second.name: unnoticed}, about, alone)

    assert "1 of 2 (50 %)" in said
    assert "`x.py::test_it`" in said
    assert f"- `{second.name}`: {second.breaks.zh}" in said
    assert f"| `mendline simulate` | 2 | 1 | 4 | `{second.name}` |" in said


def test_the_page_of_evidence_is_about_the_board_as_it_is() -> None:
    said = (ROOT / "docs" / "evidence" / "defects.md").read_text(encoding="utf-8")

    assert [one.name for one in board() if f"| `{one.name}` |" not in said] == []
