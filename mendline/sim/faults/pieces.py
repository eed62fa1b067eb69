"""The pieces of a night's layers: each does a little, adds what it found to the night, and says whether to go on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from django.conf import settings

from mendline.sim.faults import real
from mendline.sim.faults.commanded import hostile, upgrade, world
from mendline.sim.faults.crew import run_job
from mendline.sim.faults.night import AGAIN, Night, Piece
from mendline.sim.faults.rig import Rig, a_rig
from mendline.sim.faults.walking import scenario_files

_NOTHING_WALKED = {"scenarios": 0, "commands": 0, "faults": 0, "unknown": 0, "swept": [], "met": []}
FILES_AT_ONCE, SEEDS_AT_ONCE, BLOWS_AT_ONCE = 3, 10, 36
_JOBS = "mendline.sim.faults.layers"


def the_rig() -> AbstractContextManager[Rig]:
    """Start the server that a night works on, with tables and nothing in them."""
    return a_rig(f"{_JOBS}:migrated")


def nth(night: Night, rig: Rig) -> bool:
    total = night.totals.setdefault("nth", {**_NOTHING_WALKED, "walked": []})
    if "walked" not in total:  # a night that counted files instead of naming them
        total["walked"] = [
            str(path.relative_to(Path(settings.BASE_DIR))) for path in scenario_files()[: total["files"]]
        ]
    is_first = not total["walked"]
    found = _job(rig, "nth", walked=total["walked"], many=FILES_AT_ONCE, swept=total["swept"])
    _add(total, found, "commands", "faults", "unknown")
    total["swept"], total["registered"], total["files_left"] = found["swept"], found["registered"], found["left"]
    total["met"] = sorted({*map(tuple, total["met"]), *map(tuple, found["met"])})
    total["walked"] += found["walked"]
    total["scenarios"] += len(found["walked"])
    if is_first:
        more = _job(rig, "beside")
        _add(total, more, "commands", "faults", "unknown")
        found["problems"] += more["problems"]
    night.found("L0", found["problems"], f"{AGAIN} nth {' '.join(map(_name, found['walked']))}")
    night.said(f"nth: {total['scenarios']} scenarios, {total['commands']} steps, {total['faults']} faults")
    return bool(found["left"])


def orders(night: Night, rig: Rig) -> bool:
    total = night.totals.setdefault("orders", {"plays": {}, "waits": 0, "steps": 0, "again": 0, "seeds": 0})
    first = night.seed + total["seeds"]
    found = _job(rig, "orders", first=first, seeds=SEEDS_AT_ONCE)
    total["plays"] = dict(Counter(total["plays"]) + Counter(found["plays"]))
    _add(total, found, "waits", "steps", "again")
    total["seeds"] += SEEDS_AT_ONCE
    night.found("L1", found["problems"], f"{AGAIN} orders {first}")
    night.said(f"orders: {total['seeds']} seeds, {total['waits']} waits for a lock")
    return True


def storms(night: Night, rig: Rig) -> bool:
    total = night.totals.setdefault("real", {"storms": 0, "blows": {}, "acknowledged": 0, "stored": 0, "statuses": {},
                                             "broke": {}, "met": {}, "repeated": 0})  # fmt: skip
    name = f"stormy{total['storms']}_{len(night.rig_failures)}"
    seed = night.seed + total["storms"]
    _with_people(rig)
    rig.copy(name, original="people")
    found = real.storm(rig, name, rig.home.parent / name, seed=seed, blows=BLOWS_AT_ONCE,
                       said=lambda line: night.said(f"real: {line}"))  # fmt: skip
    _add(total, found.as_dict(), "acknowledged", "stored", "repeated")
    for which in ("blows", "statuses", "broke", "met"):
        total[which] = dict(Counter(total.get(which, {})) + Counter(getattr(found, which)))
    total["storms"] += 1
    night.found(f"L2 seed {seed}:", found.problems, f"{AGAIN} real {seed}")
    night.said(f"real: {sum(total['blows'].values())} blows, {total['acknowledged']} acknowledged")
    return True


def controls(night: Night, rig: Rig) -> bool:
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
    green = [name for name, happened in red.items() if not happened]
    night.found("control did not go red:", green, f"{AGAIN} controls {night.seed}")
    return False


PIECES: Mapping[str, Piece] = {
    "nth": nth, "orders": orders, "world": world, "real": storms, "hostile": hostile, "upgrade": upgrade,
    "controls": controls,
}  # fmt: skip


def repeated(layer: str, what: Sequence[str], path: Path, said: Callable[[str], None]) -> Night:
    """Return a night that does one piece of one layer again: with a seed, or `nth` with the names of scenario files.

    Raises ValueError when that is no layer, seed or file.
    """
    if layer not in PIECES:
        raise ValueError(f"{layer!r}: {', '.join(PIECES)}")
    night = Night(path, 0, 0.0, said, only=(layer,))
    if layer == "nth":
        files = {str(one.relative_to(Path(settings.BASE_DIR))): one.name for one in scenario_files()}
        if unknown := {*what} - {*files.values()}:
            raise ValueError(", ".join(sorted(unknown)))
        walked = [file for file, name in files.items() if what and name not in what]
        night.totals["nth"] = {**_NOTHING_WALKED, "walked": walked}
    elif what:
        night.seed = int(what[0])
    return night


def _with_people(rig: Rig) -> None:
    """Have the database `people`: a network and callers, from which storms are copied."""
    if not rig.prepared:
        rig.drop("people")  # of a try that failed half-way
        rig.copy("people")
        rig.prepared = run_job("mendline.sim.faults.real:prepare", rig.environment("people", "owner"))


def _job(rig: Rig, name: str, **what: object) -> Any:
    """Do a piece of work on a fresh, empty database."""
    rig.copy("fresh")
    try:
        return run_job(f"{_JOBS}:{name}", rig.environment("fresh", "owner"), seconds=3600.0, **what)
    finally:
        rig.drop("fresh")


def _add(total: dict[str, Any], found: Mapping[str, Any], *names: str) -> None:
    for name in names:
        total[name] += found[name]


def _name(path: str) -> str:
    return Path(path).name
