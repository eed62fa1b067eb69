"""Keeps the history of a seed that went wrong where nobody looks on: as a file, made short within a minute."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from mendline.sim.ground import cases
from mendline.sim.ground.cases import Case, Item
from mendline.sim.ground.oracle.plain import Finding
from mendline.sim.ground.replaying import shortened
from mendline.sim.ground.run import Outcome

LONGEST = 60.0  # seconds for which a history is made shorter
TRIES = 200
MOST_SHOWN = 12
Replay = Callable[[Sequence[Item]], list[Finding]]


def kept(outcome: Outcome, folder: Path, commit: str, again: Replay, *, longest: float = LONGEST) -> Path:
    """Write the history of a seed that went wrong below `folder` and return the file.

    `again` plays a history on a fresh database. The whole history is written first, so it is there whatever befalls
    the shortening; the shortest one that was found within `longest` seconds takes its place.
    """
    plan = outcome.plan
    kinds = tuple(sorted({finding.kind for finding in outcome.findings}))
    case = Case(plan.world, plan.seed, commit, kinds, tuple(outcome.stage.history))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{plan.world}-{plan.seed}-{commit or 'unknown'}.json"
    cases.write(path, case)
    cases.write(path, shortened(case, _for_so_long(again, longest), TRIES))
    return path


def _for_so_long(again: Replay, longest: float) -> Replay:
    """Return `again`, which finds nothing any more, and plays nothing, once its time is over."""
    ends = time.monotonic() + longest
    return lambda items: again(items) if time.monotonic() < ends else []


def told(outcome: Outcome, path: Path, commit: str) -> str:
    """Return what went wrong, under which seed and commit, where the history lies and what plays it again."""
    plan, steps = outcome.plan, len(cases.read(path).items)
    seed = (
        f"mendline simulate --world {plan.world} --seed {plan.seed} --days {plan.days:g} --reports {plan.reports}"
        f" --faults {'storm' if plan.storm else 'none'}"
    )
    return "\n".join(
        [
            f"种子 seed {plan.seed}，提交 commit {commit or '?'}：{len(outcome.findings)} 个问题 findings",
            *(f"  {finding}" for finding in outcome.findings[:MOST_SHOWN]),
            f"过程 history ({steps} 步 steps): {path}",
            f"重放 play it again: mendline simulate --replay {shlex.quote(str(path))}",
            f"整个种子 the whole seed: {seed}",
        ]
    )
