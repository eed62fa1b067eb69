"""A night of storms: layer after layer, each with its share of the time, noted after every piece of work.

What was noted is taken up again by `--resume`: whoever stops a night in the middle loses the piece at hand. A night
whose file knows fewer layers than there are now is gone on with as well: what is finished stays so, the rest is done.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from mendline.sim.faults.baton import RigFailed
from mendline.sim.faults.rig import Rig

# Of 180 minutes: 27, 18, 25, 29, 61, 9, 11. All that is asked of roles and walls needs half an hour by now, and what is
# drawn from the description of the interface another; one upgrade with its control seven minutes; of the others more
# is better.
SHARES: Mapping[str, float] = {
    "nth": 0.15, "orders": 0.1, "world": 0.14, "real": 0.16, "hostile": 0.34, "upgrade": 0.05, "controls": 0.06,
}  # fmt: skip
LAYERS = tuple(SHARES)
WHOLE_NIGHT = 180.0  # minutes
MOST_RIG_FAILURES = 3
AGAIN = "mendline storm --repeat"
AGAIN_LINE = "⟲ "
_KEPT = (
    "seed", "minutes", "begun", "spent", "totals", "commits", "loads", "problems", "rig_failures", "finished",
)  # fmt: skip


@dataclass(slots=True)
class Night:
    """What was found until now; kept in a file."""

    path: Path
    seed: int
    minutes: float
    said: Callable[[str], None]
    begun: str = ""
    commit: str = ""
    only: tuple[str, ...] = LAYERS
    spent: dict[str, float] = field(default_factory=dict)  # seconds by layer
    totals: dict[str, dict[str, Any]] = field(default_factory=dict)
    commits: dict[str, list[str]] = field(default_factory=dict)  # by layer: the code that its pieces were done with
    loads: list[float] = field(default_factory=list)  # lowest and highest load average after a piece
    problems: list[str] = field(default_factory=list)
    rig_failures: list[str] = field(default_factory=list)
    finished: list[str] = field(default_factory=list)

    def save(self) -> None:
        kept = {name: getattr(self, name) for name in _KEPT}
        draft = self.path.with_suffix(".draft")
        draft.write_text(json.dumps(kept, ensure_ascii=False, indent=1), encoding="utf-8")
        draft.replace(self.path)

    def take_up(self) -> None:
        """Go on from what the file holds; from the beginning when there is none, or when that night is over."""
        with suppress(FileNotFoundError):
            kept = json.loads(self.path.read_text(encoding="utf-8"))
            if set(kept["finished"]) >= set(LAYERS):
                return
            for name in _KEPT:
                if name in kept and name != "minutes":
                    setattr(self, name, kept[name])

    def left(self, layer: str) -> float:
        """Return how many seconds of its share a layer has left. Who asks for some layers only gives them the time."""
        share = SHARES[layer] / sum(SHARES[one] for one in (*self.only, *({layer} - {*self.only})))
        return 60 * self.minutes * share - self.spent.get(layer, 0.0)

    def found(self, where: str, problems: Iterable[str], again: str) -> None:
        """Note problems, each with the command that finds it again on a line of its own."""
        self.problems += [f"{where} {problem.rstrip()}\n{AGAIN_LINE}{again}" for problem in problems]


Piece: TypeAlias = Callable[[Night, Rig], bool]  # does a piece of a layer and says whether there is more to do


def weather_the_night(
    night: Night, pieces: Mapping[str, Piece], a_rig: Callable[[], AbstractContextManager[Rig]]
) -> None:
    """Carry out the layers that are wanted and not finished yet.

    Raises RigFailed when the bench fails again and again.
    """
    wanted = [layer for layer in LAYERS if layer in night.only and layer not in night.finished]
    if not wanted:
        return
    failed_before = len(night.rig_failures)
    with a_rig() as rig:
        for layer in wanted:
            night.said(f"{layer} …")
            _until_done(night, rig, layer, pieces[layer], failed_before + MOST_RIG_FAILURES)
            night.finished.append(layer)
            night.save()


def _until_done(night: Night, rig: Rig, layer: str, piece: Piece, most_failures: int) -> None:
    while True:
        began, more = time.monotonic(), True
        try:
            more = piece(night, rig)
        except (RigFailed, AssertionError, OSError, subprocess.SubprocessError, TimeoutError) as failure:
            night.rig_failures.append(f"{layer}: {type(failure).__name__}: {str(failure)[-1500:]}")
            night.said(f"{layer}: the rig failed: {str(failure)[-300:]}")
            if len(night.rig_failures) > most_failures:
                raise RigFailed("the bench failed again and again") from failure
        else:
            _note_conditions(night, layer)
        night.spent[layer] = night.spent.get(layer, 0.0) + time.monotonic() - began
        night.save()
        # A layer of which nothing was done is not finished, however long that took.
        if not more or (night.left(layer) <= 0 and layer in night.commits):
            return


def _note_conditions(night: Night, layer: str) -> None:
    known = night.commits.setdefault(layer, [])
    if night.commit not in known:
        known.append(night.commit)
    now = round(os.getloadavg()[0], 1)
    night.loads = [min(now, *night.loads[:1]), max(now, *night.loads[1:])] if night.loads else [now, now]
