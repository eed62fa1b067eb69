"""Which steps a change is about: those of a changed process file, and those whose guards or effects were changed."""

from __future__ import annotations

import inspect
import os
import subprocess
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from config.home import ROOT
from mendline.process import loading
from mendline.process.definition import Transition
from mendline.process.registry import CHANGES, EFFECTS, GUARDS
from mendline.sim.faults.walking import Step
from mendline.sim.scenario_files import read

Touched: TypeAlias = frozenset[tuple[str, int, str]]  # process, version, transition


def changed_paths(root: Path = ROOT) -> frozenset[str]:
    """Return what differs from the commit before, the work tree included; nothing where there is no repository."""
    asked = subprocess.run(
        ["git", "-C", str(root), "diff", "--name-only", "--relative", "-z", "HEAD~1"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return frozenset(filter(None, asked.stdout.split("\0")))


def touched(paths: Collection[str]) -> Touched:
    """Return the steps whose process file, guards or effects lie in these files."""
    files = [ROOT / path for path in paths if path.startswith("processes/") and path.endswith(".yaml")]
    own = {path for path in files if path.parent.name == "processes" and path.exists()}
    whole = loading.read_files(sorted(own))[0].keys()
    return frozenset(
        (process.code, process.version, name)
        for key, process in loading.processes().items()
        for name, step in process.transitions.items()
        if key in whole or not _written_in(step).isdisjoint(paths)
    )


def _written_in(step: Transition) -> set[str]:
    functions = _functions((*step.guards, *step.diverts, *step.effects))
    return {os.path.relpath(Path(inspect.getfile(one)).resolve(), ROOT) for one in functions}


def _functions(names: Sequence[str]) -> Iterator[Callable[..., Any]]:
    for name in names:
        if name in GUARDS:
            yield GUARDS[name].check
        if name in CHANGES:
            yield CHANGES[name].make
        if name in EFFECTS:
            yield EFFECTS[name]


def files_about(steps: Touched, files: Sequence[Path], turn: int, many: int) -> list[Path]:
    """Return so many of the files that take one of these steps, others at another turn."""
    names = {name for _, _, name in steps}
    about = [path for path in files if names & {step.do for step in read(path).steps}]
    first = turn % len(about) if about else 0
    return [*about[first:], *about[:first]][:many]


def at_most(steps: Touched, many: int) -> Callable[[Step], bool]:
    """Want these steps, wherever they are first taken from, until there are so many different ones."""
    chosen: set[Step] = set()

    def wanted(step: Step) -> bool:
        if step[:3] in steps and len(chosen) < many:
            chosen.add(step)
        return step in chosen

    return wanted
