"""`mendline test` runs long checks beside the tests; what one of them says against us is still seen."""

from __future__ import annotations

import sys

import pytest

from mendline.cli import packages, quality
from mendline.cli.quality import Step

FAILS = Step("types", (sys.executable, "-c", "import sys; print('line 7 is wrong', file=sys.stderr); sys.exit(1)"))
HOLDS = Step("lint", (sys.executable, "-c", "print('nothing to say')"))


@pytest.mark.parametrize("aside", [False, True])
def test_a_failing_step_is_named_and_the_others_run_all_the_same(
    aside: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    failed = quality._run([FAILS, HOLDS, Step("lock files", look=lambda: ["lock.txt:3: an address"])], aside=aside)

    shown = capfd.readouterr()
    assert failed == ["types", "lock files"]
    assert "line 7 is wrong" in shown.out + shown.err and "lock.txt:3" in shown.out
    assert "✗ types" in shown.out and "✓ lint" in shown.out


def test_a_step_beside_the_tests_says_nothing_while_it_holds(capfd: pytest.CaptureFixture[str]) -> None:
    quality._run([HOLDS], aside=True)

    assert "nothing to say" not in capfd.readouterr().out


def test_what_one_process_compiled_is_there_for_the_next(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    keeps = Step("keeps", (sys.executable, "-c", "import sys; sys.exit(sys.dont_write_bytecode)"))

    assert quality._run([keeps]) == []


def test_a_fault_found_beside_the_tests_fails_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quality, "_quick_steps", lambda: [HOLDS])
    monkeypatch.setattr(quality, "_static_steps", lambda: [FAILS])
    monkeypatch.setattr(quality, "_scenarios", lambda: [])
    monkeypatch.setattr(quality, "_tests", lambda processes: HOLDS)
    monkeypatch.setattr(packages, "install_missing", lambda wanted: [])

    assert quality.test_main([]) == 1
