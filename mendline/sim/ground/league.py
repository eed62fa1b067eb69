"""Plays seeds in processes beside each other, keeps an eye on them, shrinks what went wrong."""

from __future__ import annotations

import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson

from mendline.sim.bench import cpu
from mendline.sim.bench.scratch import Scratch
from mendline.sim.ground import arena, cases
from mendline.sim.ground.cases import Item
from mendline.sim.ground.figures import merged
from mendline.sim.ground.oracle.plain import Finding
from mendline.sim.ground.replaying import shortened
from mendline.sim.ground.run import Plan
from mendline.sim.ground.situations import SITUATIONS

Told = Callable[[int, Mapping[str, Any]], None]  # seed, what its process says of itself


@dataclass(slots=True)
class Results:
    """What all seeds of a run found, as the report shows it."""

    plan: Plan
    seeds: list[dict[str, Any]] = field(default_factory=list)
    conditions: dict[str, Any] = field(default_factory=dict)
    cases: list[str] = field(default_factory=list)
    server_cpu_seconds: float = 0.0  # of PostgreSQL while the seeds were played

    @property
    def cpu_seconds(self) -> float:
        """CPU of the seeds' own processes, user and system."""
        return float(sum(one["cpu_seconds"] for one in self.seeds))

    @property
    def calls(self) -> int:
        return int(sum(one["calls"] for one in self.seeds))

    @property
    def findings(self) -> list[tuple[int, dict[str, Any]]]:
        return [(one["seed"], finding) for one in self.seeds for finding in one["findings"]]

    @property
    def seen(self) -> Counter[str]:
        total: Counter[str] = Counter()
        for one in self.seeds:
            total.update(one["seen"])
        return total

    @property
    def never_seen(self) -> list[str]:
        return [name for name in SITUATIONS if not self.seen[name]]

    @property
    def figures(self) -> dict[str, Any]:
        return merged([one["figures"] for one in self.seeds])

    def as_json(self) -> dict[str, Any]:
        calls, own = self.calls, self.cpu_seconds
        return {
            "world": self.plan.world, "days": self.plan.days, "reports": self.plan.reports,
            "faults": "storm" if self.plan.storm else "none", "conditions": self.conditions, "calls": calls,
            "cpu_ms_per_call": round(1000 * own / calls, 2) if calls else 0.0,
            "cpu_seconds": round(own, 1), "server_cpu_seconds": round(self.server_cpu_seconds, 1),
            "memory_mib": max((one["memory_mib"] for one in self.seeds), default=0),
            "findings": [{"seed": seed, **finding} for seed, finding in self.findings],
            "situations": {name: self.seen[name] for name in SITUATIONS}, "never_seen": self.never_seen,
            "cases": self.cases, "figures": self.figures,
            "seeds": [{name: value for name, value in one.items() if name not in ("figures", "seen")}
                      for one in self.seeds],
        }  # fmt: skip


def play_all(scratch: Scratch, plan: Plan, seeds: Sequence[int], *, processes: int, told: Told, keep: Path) -> Results:
    """Play every seed on its own database, `processes` at a time. Histories of what failed go to the folder `keep`.

    Raises arena.ArenaFailed when a process of ours fails, which tells nothing of the product.
    """
    results = Results(plan)
    waiting, lock = list(seeds), threading.Lock()
    failed: list[arena.ArenaFailed] = []

    def work() -> None:
        while not failed:
            with lock:
                if not waiting:
                    return
                seed = waiting.pop(0)
            try:
                outcome = _play_one(scratch, replace(plan, seed=seed), told, keep)
            except arena.ArenaFailed as failure:
                failed.append(failure)
                return
            with lock:
                results.seeds.append(outcome)

    before = cpu.of_tree(scratch.server_pid)
    threads = [threading.Thread(target=work, name=f"ground {n}") for n in range(processes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    results.server_cpu_seconds = cpu.of_tree(scratch.server_pid) - before
    results.seeds.sort(key=lambda one: int(one["seed"]))
    return results


def _play_one(scratch: Scratch, plan: Plan, told: Told, keep: Path) -> dict[str, Any]:
    name = f"seed_{plan.seed}"
    database = arena.seat_of(scratch, plan.world, name)
    arguments = ["--world", plan.world, "--seed", str(plan.seed), "--days", str(plan.days)]
    arguments += ["--reports", str(plan.reports), "--history", str(keep / f"{plan.world}-{plan.seed}.json")]
    process = arena.started(scratch, database, "app", *arguments, *(["--storm"] if plan.storm else []))
    try:
        last = _listen(process, plan.seed, told)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        scratch.drop(name)
    if last is None:
        raise arena.ArenaFailed(f"the process of seed {plan.seed} ended with {process.returncode}")
    return last


def _listen(process: subprocess.Popen[str], seed: int, told: Told) -> dict[str, Any] | None:
    assert process.stdout is not None
    last: dict[str, Any] | None = None
    for line in process.stdout:
        document: dict[str, Any] = orjson.loads(line)
        if "trace" in document:
            last = document
        else:
            told(seed, document)
    process.wait()
    return last if process.returncode == 0 else None


def shrunk(scratch: Scratch, path: Path, commit: str, *, tries: int) -> cases.Case:
    """Make a kept history as short as it can be in so many tries, and write it in its place; without tries as it is."""
    case = cases.read(path)
    if not tries:
        return case

    def try_out(items: Sequence[Item]) -> list[Finding]:
        draft = path.with_suffix(".draft")
        cases.write(draft, replace(case, items=tuple(items)))
        try:
            return replayed(scratch, draft, case.world)
        finally:
            draft.unlink()

    short = shortened(replace(case, commit=commit), try_out, tries)
    cases.write(path, short)
    return short


def replayed(scratch: Scratch, path: Path, world: str) -> list[Finding]:
    """Play a kept history on a fresh database."""
    database = arena.seat_of(scratch, world, "replayed")
    try:
        [document] = arena.child(scratch, database, "app", "--replay", str(path))
    finally:
        scratch.drop("replayed")
    return _findings(document["findings"])


def _findings(rows: Iterable[Mapping[str, Any]]) -> list[Finding]:
    return [Finding(row["kind"], row["invariant"], row["zh"], row["en"], row["call"]) for row in rows]
