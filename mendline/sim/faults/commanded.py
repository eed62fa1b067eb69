"""Pieces of a night that are commands of their own: the simulated world, the hostile questions, the upgrade.

Each works on a server of its own or on the night's, never on the installation's, and tells what it found in a file.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from config.home import ROOT
from mendline.sim.faults.baton import RigFailed
from mendline.sim.faults.night import Night
from mendline.sim.faults.rig import Rig

# A few seeds of each in turn: where a station takes one order a day, other things happen than where it takes many.
WORLDS = ("small", "tight")
WORLD_SEEDS_AT_ONCE = 4
# Everything is asked once; then the description again and again with other seeds, half an hour in a whole night.
FIRST_ROUND = ("description", "steps", "matrix", "walls")
AFTERWARDS = "description"
DRAWN = ("description", "steps")
EXAMPLES = 50  # of each operation and step, for every role, in one piece
REQUESTS = 2000  # in each of the five phases of an upgrade
REQUESTS_OF_CONTROL = 500
LONGEST, TO_CLEAR_UP = 3600.0, 60.0  # seconds
CASES = "storm-cases"  # below the state folder: histories of worlds in which something was found


def world(night: Night, rig: Rig) -> bool:
    """Let the simulated world play some seeds."""
    total = night.totals.setdefault("world", {"seeds": 0})
    place = WORLDS[len(total.setdefault("pieces", [])) % len(WORLDS)]
    first = night.seed + total["seeds"]
    cases = night.path.parent / CASES
    # Nothing is shortened here: that takes as long as many seeds, and the command on the page does it.
    told = _told(rig, "simulate", "--world", place, "--faults", "storm", "--shrink", "0", "--cases", str(cases),
                 "--seed", f"{first}-{first + WORLD_SEEDS_AT_ONCE - 1}")  # fmt: skip
    total["pieces"].append(f"{place} {first}-{first + WORLD_SEEDS_AT_ONCE - 1}")
    total["seeds"] += WORLD_SEEDS_AT_ONCE
    total["reports"] = total.get("reports", 0) + told["figures"]["orders"]
    total["calls"] = total.get("calls", 0) + told["calls"]
    total["findings"] = total.get("findings", 0) + len(told["findings"])
    total["situations"] = dict(Counter(total.get("situations", {})) + Counter(told["situations"]))
    for one in told["findings"]:
        says = f"world {place}, seed {one['seed']}: {one['invariant']} {one['kind']}: {one['zh']} {one['en']}"
        night.found("L1", [says], f"mendline simulate --world {place} --seed {one['seed']} --faults storm")
    night.said(f"world: {total['seeds']} seeds, {total['reports']} orders, {total['calls']} calls")
    return True


def hostile(night: Night, rig: Rig) -> bool:
    """Ask a part of the hostile questions, as every role."""
    total = night.totals.setdefault("hostile", {"runs": [], "parts": {}})
    done = len(total["runs"])
    part = FIRST_ROUND[done] if done < len(FIRST_ROUND) else AFTERWARDS
    seed = night.seed + done
    asked = ("--part", part, "--seed", str(seed), "--examples", str(EXAMPLES))
    told = _told(rig, "hostile", *asked, TEST_DATABASE_NAME="hostile")
    if not told:
        raise RigFailed(f"mendline hostile {' '.join(asked)}: nothing was asked")
    known = total["parts"].setdefault(part, {"tests": 0, "requests": 0, "answers": {}, "by": {}, "failed": 0})
    known["tests"] += len(told)
    for name, test in told.items():
        answers = {} if "::test_control_" in name else test["answers"]  # a control's are faults made on purpose
        requests = sum(answers.values())
        known["requests"] += requests
        known["answers"] = dict(Counter(known["answers"]) + Counter(answers))
        if "[" in name:
            role = name.rpartition("[")[2].rstrip("]")
            known["by"][role] = known["by"].get(role, 0) + requests
        known["failed"] += bool(test["failed"])
        night.found(f"hostile {name}:", test["failed"], f"mendline hostile {' '.join(asked)}")
    total["runs"].append(f"{part} {seed}")
    night.said(f"hostile: {part}, {known['tests']} tests, {known['requests']} requests, {known['failed']} failed")
    return True


def upgrade(night: Night, rig: Rig) -> bool:
    """Drill the upgrade from the release before, and once more with a change that must be noticed (control)."""
    total = night.totals.setdefault("upgrade", {})
    if not (ROOT / ".git").exists():
        total["left_out"] = "there is no repository, and a drill takes the code of two commits"
        return False
    drilled = _told(rig, "upgrade-drill", "--requests", str(REQUESTS))
    control = _told(rig, "upgrade-drill", "--requests", str(REQUESTS_OF_CONTROL), "--control")
    total |= {"drill": drilled, "control": control}
    night.found("upgrade", _wrong(drilled), "mendline upgrade-drill")
    if not _wrong(control):
        night.found("control did not go red:", ["an upgrade that the old code cannot bear"],
                    "mendline upgrade-drill --control")  # fmt: skip
    night.said(f"upgrade: {drilled['acknowledged']} acknowledged, {drilled['lost']} lost")
    return False


def faults_in(phase: Mapping[str, Any]) -> int:
    """Return how many answers of a phase of a drill were 5xx, or never came."""
    return sum(count for status, count in phase["answers"].items() if status[0] == "5" or not status.isdigit())


def _wrong(drilled: Mapping[str, Any]) -> list[str]:
    found = [
        f"{phase['name']}: {faults_in(phase)} faults, the first: {'; '.join(phase['wrong'])}"
        for phase in drilled["phases"]
        if faults_in(phase)
    ]
    if drilled["lost"]:
        found.append(f"I1 lost: {drilled['lost']} of {drilled['acknowledged']} acknowledged orders are not there")
    return found + list(drilled["broken"])


def _told(rig: Rig, *command: str, **named: str) -> Any:
    """Run a command of ours that ends with 0 or, having found something, with 1; return what it wrote as JSON.

    Raises RigFailed when it ended otherwise, or without having told anything, or not within an hour.
    """
    with TemporaryDirectory() as folder:
        results = Path(folder) / "told.json"
        ended, said = _ended([sys.executable, "-m", "mendline.cli.main", *command, "--json", str(results)],
                             {**os.environ, "MENDLINE_HOME": str(rig.home), **named})  # fmt: skip
        if ended not in (0, 1) or not results.exists():
            raise RigFailed(f"mendline {' '.join(command)} ended with {ended}: {said[-1600:].strip()}")
        return json.loads(results.read_text(encoding="utf-8"))


def _ended(command: Sequence[str], environment: Mapping[str, str]) -> tuple[int, str]:
    """Return how a command ended and what it said. Whoever ends us meanwhile ends it with all its processes."""
    process = subprocess.Popen(command, cwd=ROOT, env=environment, text=True, start_new_session=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip
    try:
        said, _ = process.communicate(timeout=LONGEST)
    except BaseException:
        with suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(process.pid, signal.SIGTERM)  # so that its server goes as well
            process.communicate(timeout=TO_CLEAR_UP)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    return process.returncode, said
