"""Lets the catchers run against a copy, and says who noticed."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from mendline.sim.defects.board import Defect
from mendline.sim.defects.scratch_tree import ScratchTree

Outcome = Literal["caught", "held", "broken"]
PATIENCE = 900  # seconds for one catcher; a defect that makes it hang was noticed by nobody
_FAILED = re.compile(r"^FAILED (?P<test>[^\[\n]+?(?:\[.*?\])?)(?: - (?P<why>.*))?$", re.MULTILINE)
_SEEDS = re.compile(r"\bseed[s=: ]+(?P<seed>\d+)", re.IGNORECASE)
# pytest: 1 says that tests failed; all others that it could not even begin.
_CAUGHT = 1


@dataclass(frozen=True, slots=True)
class Run:
    """What one catcher said. `caught`: it failed. `held`: it passed. `broken`: it could not be carried out."""

    catcher: str
    outcome: Outcome
    seconds: float
    by: str = ""  # the first test that failed
    why: str = ""
    seed: int | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one defect: the last run is the one that noticed, if any did."""

    name: str
    runs: tuple[Run, ...]

    @property
    def caught(self) -> Run | None:
        return next((run for run in self.runs if run.outcome == "caught"), None)

    @property
    def broken(self) -> Run | None:
        return next((run for run in self.runs if run.outcome == "broken"), None)

    @property
    def seconds(self) -> float:
        return round(sum(run.seconds for run in self.runs), 1)

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "runs": [run.as_json() for run in self.runs]}


def verdict_from_json(kept: Mapping[str, Any]) -> Verdict:
    return Verdict(kept["name"], tuple(Run(**run) for run in kept["runs"]))


class Catchers:
    """Runs catchers in a copy, each with a fresh database on the server that the environment names."""

    def __init__(self, tree: ScratchTree, environment: Mapping[str, str], database: str = "test_defects") -> None:
        self._tree = tree
        self._environment = {
            **{name: value for name, value in environment.items() if not name.startswith("PYTEST_")},
            "TEST_DATABASE_NAME": database,
            "PYTHONPATH": str(tree.folder),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "MENDLINE_DATABASE_ROLE": "owner",
        }

    def judge(self, defect: Defect) -> Verdict:
        """Plant a defect and let its catchers run until one notices.

        Raises DoesNotApply.
        """
        runs: list[Run] = []
        with self._tree.planted(defect.patches):
            for catcher in defect.catchers:
                runs.append(self.run(catcher))
                if runs[-1].outcome != "held":
                    break
        return Verdict(defect.name, tuple(runs))

    def run(self, catcher: str, *, patience: int = PATIENCE) -> Run:
        """Let one catcher run against the copy as it is."""
        began = time.monotonic()
        code, said = self._carried_out(command_of(catcher), patience)
        seconds = round(time.monotonic() - began, 1)
        failed = _FAILED.search(said)
        seed = _SEEDS.search(said)
        if code == 0:
            return Run(catcher, "held", seconds)
        own = catcher.startswith("mendline ")
        if code == _CAUGHT and (failed or own):
            by, why = (failed["test"], failed["why"] or "") if failed else (catcher, "")
            return Run(catcher, "caught", seconds, by, why[:200], int(seed["seed"]) if seed and own else None)
        return Run(catcher, "broken", seconds, why=said.strip()[-1500:])

    def _carried_out(self, command: Sequence[str], patience: int) -> tuple[int, str]:
        running = subprocess.Popen(
            command, cwd=self._tree.folder, env=self._environment, text=True, errors="replace",
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            said, _ = running.communicate(timeout=patience)
        except BaseException as end:
            os.killpg(running.pid, signal.SIGKILL)
            running.communicate()
            if not isinstance(end, subprocess.TimeoutExpired):
                raise
            return -1, f"no end after {patience} s"
        return running.returncode, said


def command_of(catcher: str) -> tuple[str, ...]:
    """Return the command line of a catcher.

    >>> command_of("tests/orders/test_door.py -k revision")[2:6]
    ('pytest', '-q', '-x', '--no-header')
    """
    words = shlex.split(catcher)
    if words[0] == "mendline":
        return (sys.executable, "-m", "mendline.cli.main", *words[1:])
    quiet = ("-q", "-x", "--no-header", "--tb=no", "-rf", "-p", "no:cacheprovider", "-p", "no:xdist")
    return (sys.executable, "-m", "pytest", *quiet, *words)
