"""A night of storms: layer after layer, each with its share of the time, noted after every piece of work.

What was noted is taken up again by `--resume`: whoever stops a night in the middle loses the piece at hand.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mendline.sim.faults import real
from mendline.sim.faults.baton import RigFailed
from mendline.sim.faults.crew import run_job
from mendline.sim.faults.rig import Rig, a_rig

LAYERS = ("nth", "orders", "world", "real", "controls")
SHARES = {"nth": 0.25, "orders": 0.2, "world": 0.15, "real": 0.3, "controls": 0.1}
FILES_AT_ONCE, SEEDS_AT_ONCE, BLOWS_AT_ONCE = 6, 10, 36
WORLD_SEEDS_AT_ONCE = 2
MOST_RIG_FAILURES = 3
_LAYERS = "mendline.sim.faults.layers"


@dataclass(slots=True)
class Night:
    """What was found until now; kept in a file."""

    path: Path
    seed: int
    minutes: float
    said: Callable[[str], None]
    spent: dict[str, float] = field(default_factory=dict)  # seconds by layer
    totals: dict[str, dict[str, Any]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    rig_failures: list[str] = field(default_factory=list)
    finished: list[str] = field(default_factory=list)

    def save(self) -> None:
        kept = {name: getattr(self, name) for name in ("seed", "minutes", "spent", "totals", "problems",
                                                       "rig_failures", "finished")}  # fmt: skip
        draft = self.path.with_suffix(".draft")
        draft.write_text(json.dumps(kept, ensure_ascii=False, indent=1), encoding="utf-8")
        draft.replace(self.path)

    def take_up(self) -> None:
        """Go on from what the file holds; from the beginning when there is none, or when that night is over."""
        with suppress(FileNotFoundError):
            kept = json.loads(self.path.read_text(encoding="utf-8"))
            if set(kept["finished"]) >= set(LAYERS):
                return
            for name, value in kept.items():
                if name != "minutes":
                    setattr(self, name, value)

    def left(self, layer: str) -> float:
        """Return how many seconds of its share a layer has left."""
        return 60 * self.minutes * SHARES[layer] - self.spent.get(layer, 0.0)


def weather_the_night(night: Night, only: tuple[str, ...]) -> None:
    """Carry out the layers that are not finished yet.

    Raises RigFailed when the bench fails again and again.
    """
    wanted = [layer for layer in LAYERS if layer in only and layer not in night.finished]
    if not wanted:
        return
    with a_rig(f"{_LAYERS}:migrated") as rig:
        for layer in wanted:
            night.said(f"{layer} …")
            _until_done(night, rig, layer)
            night.finished.append(layer)
            night.save()


def _until_done(night: Night, rig: Rig, layer: str) -> None:
    piece = {"nth": _nth, "orders": _orders, "world": _world, "real": _real, "controls": _controls}[layer]
    while True:
        began = time.monotonic()
        try:
            more = piece(night, rig)
        except (RigFailed, AssertionError, OSError, subprocess.SubprocessError, TimeoutError) as failure:
            night.rig_failures.append(f"{layer}: {type(failure).__name__}: {str(failure)[-1500:]}")
            night.said(f"{layer}: the rig failed: {str(failure)[-300:]}")
            if len(night.rig_failures) > MOST_RIG_FAILURES:
                raise RigFailed("the bench failed again and again") from failure
            more = True
        night.spent[layer] = night.spent.get(layer, 0.0) + time.monotonic() - began
        night.save()
        if not more or night.left(layer) <= 0:
            return


def _nth(night: Night, rig: Rig) -> bool:
    total = night.totals.setdefault("nth", {"scenarios": 0, "commands": 0, "faults": 0, "unknown": 0, "swept": [],
                                            "met": [], "files": 0})  # fmt: skip
    found = _job(rig, "nth", first=total["files"], many=FILES_AT_ONCE, swept=total["swept"])
    for name in ("scenarios", "commands", "faults", "unknown"):
        total[name] += found[name]
    total["swept"] = found["swept"]
    total["met"] = sorted({*map(tuple, total["met"]), *map(tuple, found["met"])})
    if not total["files"]:
        more = _job(rig, "beside")
        for name in ("commands", "faults", "unknown"):
            total[name] += more[name]
        found["problems"] += more["problems"]
    total["files"] += FILES_AT_ONCE
    total["steps"] = found["steps"]
    night.problems += [f"L0 {problem}" for problem in found["problems"]]
    night.said(f"nth: {total['scenarios']} scenarios, {total['commands']} steps, {total['faults']} faults")
    return bool(found["scenarios"] == FILES_AT_ONCE)


def _orders(night: Night, rig: Rig) -> bool:
    total = night.totals.setdefault("orders", {"plays": {}, "waits": 0, "steps": 0, "again": 0, "seeds": 0})
    found = _job(rig, "orders", first=night.seed + total["seeds"], seeds=SEEDS_AT_ONCE)
    total["plays"] = dict(Counter(total["plays"]) + Counter(found["plays"]))
    for name in ("waits", "steps", "again"):
        total[name] += found[name]
    total["seeds"] += SEEDS_AT_ONCE
    night.problems += [f"L1 {problem}" for problem in found["problems"]]
    night.said(f"orders: {total['seeds']} seeds, {total['waits']} waits for a lock")
    return True


def _world(night: Night, rig: Rig) -> bool:
    """Let the simulated world play some seeds; it has a server and an exit code of its own."""
    total = night.totals.setdefault("world", {"seeds": 0})
    first = night.seed + total["seeds"]
    with TemporaryDirectory() as folder:
        results = Path(folder) / "results.json"
        done = subprocess.run(
            [sys.executable, "-m", "mendline.cli.main", "simulate", "--faults", "storm", "--json", str(results),
             "--seed", f"{first}-{first + WORLD_SEEDS_AT_ONCE - 1}"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode not in (0, 1):
            raise RigFailed(f"mendline simulate: {done.stderr[-800:] or done.stdout[-800:]}")
        told = json.loads(results.read_text(encoding="utf-8")) if results.exists() else {}
    total["seeds"] += WORLD_SEEDS_AT_ONCE
    total["calls"] = total.get("calls", 0) + told.get("calls", 0)
    total["findings"] = total.get("findings", 0) + len(told.get("findings", ()))
    total["situations"] = dict(Counter(total.get("situations", {})) + Counter(told.get("situations", {})))
    if done.returncode == 1:
        night.problems.append(f"L1 world, seeds from {first}: {done.stdout[-1500:]}")
    night.said(f"world: {total['seeds']} seeds")
    return True


def _real(night: Night, rig: Rig) -> bool:
    total = night.totals.setdefault("real", {"storms": 0, "blows": {}, "acknowledged": 0, "unanswered": 0, "stored": 0,
                                             "statuses": {}, "touched": 0, "repeated": 0})  # fmt: skip
    name = f"stormy{total['storms']}_{len(night.rig_failures)}"
    _with_people(rig)
    rig.copy(name, original="people")
    found = real.storm(rig, name, rig.home.parent / name, seed=night.seed + total["storms"], blows=BLOWS_AT_ONCE,
                       said=lambda line: night.said(f"real: {line}"))  # fmt: skip
    for which in ("acknowledged", "unanswered", "stored", "touched", "repeated"):
        total[which] += getattr(found, which)
    total["blows"] = dict(Counter(total["blows"]) + Counter(found.blows))
    total["statuses"] = dict(Counter(total["statuses"]) + Counter(found.statuses))
    total["storms"] += 1
    night.problems += [f"L2 seed {night.seed + total['storms'] - 1}: {problem}" for problem in found.problems]
    night.said(f"real: {sum(total['blows'].values())} blows, {total['acknowledged']} acknowledged")
    return True


def _controls(night: Night, rig: Rig) -> bool:
    """Take walls away; whoever does not go red then proves nothing, which is a finding about the test."""
    total = night.totals.setdefault("controls", {})
    red: dict[str, Any] = {"a step without its transaction: left a half": _job(rig, "nth_control")}
    red |= {name: seeds and f"after {seeds} seeds" for name, seeds in _job(rig, "order_controls").items()}
    _with_people(rig)
    turn = len(night.rig_failures)
    hasty = real.without_waiting(rig, rig.home.parent / f"hasty{turn}", seed=night.seed)
    lost = sum("I1 lost" in problem for problem in hasty.problems)
    red["synchronous_commit = off, server killed once: acknowledged reports lost"] = lost
    keyless = real.without_unique_key(rig, rig.home.parent / f"keyless{turn}", seed=night.seed)
    doubled = sum("doubled" in problem for problem in keyless.problems)
    many = sum(keyless.blows.values())
    red[f"unique key dropped, {many} blows: reports doubled"] = doubled
    total |= red
    night.problems += [f"control did not go red: {name}" for name, happened in red.items() if not happened]
    return False


def _with_people(rig: Rig) -> None:
    """Have the database `people`: a network and callers, from which storms are copied."""
    if not rig.prepared:
        rig.copy("people")
        rig.prepared = run_job("mendline.sim.faults.real:prepare", rig.environment("people", "owner"))


def _job(rig: Rig, name: str, **what: object) -> Any:
    """Do a piece of work on a fresh, empty database."""
    rig.copy("fresh")
    try:
        return run_job(f"{_LAYERS}:{name}", rig.environment("fresh", "owner"), seconds=3600.0, **what)
    finally:
        rig.drop("fresh")
