"""Layers of a night that are commands of their own: how they are called, and what their answers mean."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from mendline.sim.faults import commanded, pieces
from mendline.sim.faults.baton import RigFailed
from mendline.sim.faults.night import Night
from mendline.sim.faults.page import page
from mendline.sim.faults.rig import Rig
from tests.sim.faults.nights import MACHINE, a_drill, a_night, no_rig


class Commands:
    """Commands of ours that wrote what is put here; `asked` holds how they were called."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.tell: dict[str, Any] = {}
        monkeypatch.setattr(commanded, "_told", self._told)

    def _told(self, rig: Rig, *command: str, **named: str) -> Any:
        self.asked.append(command)
        control = "--control" in command
        return self.tell[command[0] + (" control" if control else "")]


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> Commands:
    return Commands(monkeypatch)


def do(night: Night, layer: str) -> bool:
    with no_rig() as rig:
        return pieces.PIECES[layer](night, rig)


def test_the_world_is_played_with_other_seeds_each_time_and_a_finding_says_how_to_see_it(
    tmp_path: Path, commands: Commands
) -> None:
    night = a_night(tmp_path)
    finding = {"seed": 3, "kind": "oversold", "invariant": "I5", "zh": "超卖", "en": "oversold", "call": 1}
    commands.tell["simulate"] = {"figures": {"orders": 10}, "calls": 70, "findings": [], "situations": {"day_full": 2}}

    assert do(night, "world")
    commands.tell["simulate"]["findings"] = [finding]
    assert do(night, "world")

    seeds = [command[command.index("--seed") + 1] for command in commands.asked]
    assert seeds == ["1-4", "5-8"]
    assert night.totals["world"] | {"pieces": []} == {
        "seeds": 8, "reports": 20, "calls": 140, "findings": 1, "situations": {"day_full": 4}, "pieces": [],
    }  # fmt: skip
    assert night.problems == [
        "L1 world tight, seed 3: I5 oversold: 超卖 oversold\n⟲ mendline simulate --world tight --seed 3 --faults storm"
    ]


def test_hostile_questions_are_asked_in_full_once_and_then_drawn_anew(tmp_path: Path, commands: Commands) -> None:
    night = a_night(tmp_path)
    commands.tell["hostile"] = {
        "tests/api/test_fuzz.py::test_it[admin]": {"answers": {"200": 3, "500": 1}, "failed": ["a 500\nof ours"]},
        "tests/api/test_fuzz.py::test_other": {"answers": {"404": 2}, "failed": []},
        "tests/api/test_fuzz.py::test_control_a_fault_is_found": {"answers": {"500": 7}, "failed": []},
    }

    for _ in range(6):
        assert do(night, "hostile")

    total = night.totals["hostile"]
    assert [run.split()[0] for run in total["runs"][:4]] == ["description", "steps", "matrix", "walls"]
    assert total["runs"][4:] == ["description 5", "description 6"]
    assert len({run.split()[1] for run in total["runs"]}) == 6, "a seed comes twice"
    assert total["parts"]["matrix"] == {
        "tests": 3, "requests": 6, "answers": {"200": 3, "500": 1, "404": 2}, "by": {"admin": 4}, "failed": 1,
    }  # fmt: skip
    assert night.problems[0].startswith("hostile tests/api/test_fuzz.py::test_it[admin]: a 500\nof ours\n⟲ mendline ")


def test_an_upgrade_is_drilled_and_its_control_must_go_red(
    tmp_path: Path, commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commanded, "ROOT", tmp_path)
    night = a_night(tmp_path)
    assert not do(night, "upgrade")
    assert commands.asked == []
    assert "Left out / 未做: there is no repository" in page(night, MACHINE)

    (tmp_path / ".git").mkdir()
    commands.tell = {"upgrade-drill": a_drill(), "upgrade-drill control": a_drill()}

    assert not do(night, "upgrade")
    assert [problem.split(":")[0] for problem in night.problems] == ["control did not go red"]

    night.problems = []
    commands.tell = {
        "upgrade-drill": a_drill(faults=2) | {"lost": 1, "broken": ["I5"]},
        "upgrade-drill control": a_drill(faults=4),
    }
    do(night, "upgrade")
    assert [problem.split("\n")[0] for problem in night.problems] == [
        "upgrade both: 2 faults, the first: POST /orders: 500",
        "upgrade I1 lost: 1 of 5 acknowledged orders are not there",
        "upgrade I5",
    ]


def test_a_command_that_tells_nothing_is_a_fault_of_the_bench(tmp_path: Path) -> None:
    with pytest.raises(RigFailed, match="(?s)mendline hostile --no-such-option ended with 2: .*--no-such-option"):
        commanded._told(Rig(tmp_path, server=None), "hostile", "--no-such-option")  # type: ignore[arg-type]


class NeverEnding(subprocess.Popen[str]):
    """A command that is given up once it has said that all its processes are there."""

    def communicate(self, input: str | None = None, timeout: float | None = None) -> tuple[str, str]:
        if timeout == commanded.LONGEST:
            assert self.stdout is not None
            assert self.stdout.readline() == "ready\n"
            raise subprocess.TimeoutExpired(self.args, timeout)
        return super().communicate(input, timeout)


def test_a_command_that_never_ends_is_ended_with_all_its_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "Popen", NeverEnding)
    held = tmp_path / "held"
    os.mkfifo(held)

    with pytest.raises(subprocess.TimeoutExpired):
        commanded._ended(["sh", "-c", f"(exec <>'{held}'; echo ready; cat) & wait"], {**os.environ})

    assert [link for link in Path("/proc").glob("[0-9]*/fd/*") if _target(link) == str(held)] == []


def _target(link: Path) -> str:
    with suppress(OSError):
        return str(link.readlink())
    return ""
