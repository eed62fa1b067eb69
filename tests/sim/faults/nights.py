"""Nights with nothing behind them, and what an upgrade tells them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mendline.sim.faults.night import Night
from mendline.sim.faults.rig import Rig

MACHINE = "two cores"


@contextmanager
def no_rig() -> Iterator[Rig]:
    yield Rig(Path("/nowhere"), server=None)  # type: ignore[arg-type]


def a_night(tmp_path: Path, **named: Any) -> Night:
    return Night(tmp_path / "storm.json", 1, 180.0, lambda line: None, **named)


def a_drill(*, faults: int = 0) -> dict[str, Any]:
    wrong = ["POST /orders: 500"] if faults else []
    phases = [{"name": "both", "wrong": wrong, "answers": {"200": 25, "201": 5} | ({"500": faults} if faults else {})}]
    return {"commits": {"before": "a" * 40, "after": "b" * 40}, "phases": phases, "acknowledged": 5, "lost": 0,
            "broken": [], "migrated": ["figures.0002"]}  # fmt: skip
