"""What a test does with a seed that went wrong: it keeps the history and says where, and plays nothing to green."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

from config.home import ROOT
from mendline.sim.faults.rows import Row, Rows
from mendline.sim.ground.cases import Item
from mendline.sim.ground.keeping import LONGEST, kept, told
from mendline.sim.ground.oracle.plain import Finding, Network
from mendline.sim.ground.replaying import replay
from mendline.sim.ground.run import Outcome


def commit() -> str:
    asked = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()


@dataclass(slots=True)
class Keeper:
    """Knows the world as it was before anybody acted in it, and can play a history in it again."""

    network: Network
    folder: Path = field(default_factory=lambda: Path(settings.HOME) / "cases")
    longest: float = LONGEST
    rows: Rows = field(default_factory=Rows)
    built: Mapping[str, frozenset[Row]] = field(init=False)

    def __post_init__(self) -> None:
        self.built = self.rows.now()

    def says(self, outcome: Outcome) -> str:
        """Return nothing of a seed that went well; else keep its history, and return what is to be known of it."""
        if not outcome.findings:
            return ""
        return told(outcome, kept(outcome, self.folder, commit(), self._again, longest=self.longest), commit())

    def _again(self, items: Sequence[Item]) -> list[Finding]:
        self.rows.put_back(self.rows.since(self.built))
        return replay(items, self.network)
