"""One process of a run: builds a world, or plays a seed and answers in lines of JSON. `python -m …ground.child`."""

from __future__ import annotations

import argparse
import json
import logging
import os
import resource
import sys
import time
from pathlib import Path
from typing import IO, Any

import django

TOLD_EVERY = 1.0  # seconds
CASES = 1  # histories kept of a seed


def main() -> None:
    """Do one thing and end; exit 0 whatever was found, for findings are an answer."""
    options = _parser().parse_args()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints must not be taken for an answer
    django.setup()
    # A cut connection is what the storm is for, and a refusal an answer that is judged.
    for name in ("mendline.api", "mendline.web.key_use", "mendline.contact", "mendline.refused"):
        logging.getLogger(name).setLevel(logging.ERROR)
    if options.build:
        _build(options.build)
    elif options.replay:
        _replay(options.replay, answers)
    else:
        _play(options, answers)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="")
    parser.add_argument("--replay", type=Path)
    parser.add_argument("--world", default="small")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--days", type=float, default=3)
    parser.add_argument("--reports", type=int, default=300)
    parser.add_argument("--storm", action="store_true")
    parser.add_argument("--history", type=Path)
    return parser


def _build(world: str) -> None:
    from mendline.sim.ground.places import world_named

    world_named(world).build()


def _replay(path: Path, answers: IO[str]) -> None:
    from mendline.sim.ground import cases
    from mendline.sim.ground.places import plain, world_named
    from mendline.sim.ground.replaying import replay

    case = cases.read(path)
    found = replay(case.items, plain(world_named(case.world).contents))
    _tell(answers, {"findings": [_finding(one) for one in found]})


def _play(options: argparse.Namespace, answers: IO[str]) -> None:
    from mendline.sim.ground import cases
    from mendline.sim.ground.figures import Figures
    from mendline.sim.ground.places import plain, world_named
    from mendline.sim.ground.run import Plan, play
    from mendline.sim.ground.stage import Stage

    plan = Plan(options.world, options.seed, options.days, options.reports, options.storm)
    told = 0.0

    def progress(stage: Stage, share: float) -> None:
        nonlocal told
        if time.monotonic() - told >= TOLD_EVERY:
            told = time.monotonic()
            found = {"calls": stage.tally["calls"], "orders": len(stage.oracle.orders), "findings": len(stage.findings)}
            _tell(answers, {"share": share, **found})

    outcome = play(plan, plain(world_named(options.world).contents), progress)
    figures = Figures()
    figures.count(outcome.stage.oracle)
    if options.history is not None and outcome.findings:
        kinds = tuple(sorted({finding.kind for finding in outcome.findings}))
        cases.write(options.history, cases.Case(plan.world, plan.seed, "", kinds, tuple(outcome.stage.history)))
    _tell(answers, {
        "seed": plan.seed, "trace": outcome.trace, "findings": [_finding(one) for one in outcome.findings],
        "seconds": round(outcome.seconds, 2), "cpu_seconds": round(outcome.cpu_seconds, 2), "calls": outcome.calls,
        "memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "storm_calls": outcome.storm_calls, "ended": outcome.ended.isoformat(),
        "answers": dict(sorted(outcome.stage.tally.items())), "seen": dict(sorted(outcome.stage.seen.counts.items())),
        "statements": dict(sorted(outcome.stage.statements.items())), "figures": figures.as_json(),
    })  # fmt: skip


def _finding(finding: Any) -> dict[str, Any]:
    return {"kind": finding.kind, "invariant": finding.invariant, "zh": finding.zh, "en": finding.en,
            "call": finding.call}  # fmt: skip


def _tell(answers: IO[str], document: dict[str, Any]) -> None:
    answers.write(json.dumps(document, ensure_ascii=False) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
    sys.stdout.flush()
