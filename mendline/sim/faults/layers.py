"""The parts of a night that run in processes of their own, each on a database of its own."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, reset_queries

from mendline.sim.faults.baton import a_crew
from mendline.sim.faults.beside import message, photo
from mendline.sim.faults.callers import report_of
from mendline.sim.faults.calls import Secrets
from mendline.sim.faults.controls import OF_PLAYS, Control, without_transaction
from mendline.sim.faults.plays import MONDAY_NINE, PLAYS, SESSIONS, Play, Theatre, a_theatre
from mendline.sim.faults.rows import Rows
from mendline.sim.faults.walking import Walk, by_what_is_new, registered, scenario_files, walk_through

MOST_SEEDS_UNTIL_RED = 100


@contextmanager
def _quietly() -> Iterator[None]:
    """Thousands of planted faults are no news."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    reset_queries()
    try:
        yield
    finally:
        logging.disable(before)


def migrated() -> str:
    """Make the tables; as the owner."""
    from mendline.cli.migrate import bring_up_to_date

    bring_up_to_date()
    with connection.cursor() as cursor:  # what a layer puts its own world into must be empty
        cursor.execute("TRUNCATE process_procedureversion, process_allowedchange, process_calendarday")
    return ""


@_quietly()
def nth(*, walked: list[str], many: int, swept: list[list[Any]]) -> dict[str, Any]:
    """Walk `many` scenario files not in `walked`, with every fault at every sending of the steps not in `swept`."""
    root = Path(settings.BASE_DIR)
    walk = Walk(swept={(p, v, t, s, r) for p, v, t, s, r in swept})
    names = {str(path.relative_to(root)): path for path in by_what_is_new(scenario_files())}
    left = [name for name in names if name not in walked]
    walk_through([names[name] for name in left[:many]], walk)
    return {
        "walked": left[:many], "left": len(left[many:]), "commands": walk.found.commands, "faults": walk.found.faults,
        "unknown": walk.found.unknown, "swept": sorted(walk.swept), "met": sorted(walk.met), "problems": walk.problems,
        "registered": sorted(registered()),
    }  # fmt: skip


@_quietly()
def beside() -> dict[str, Any]:
    """Make a photo and a message fail at every sending."""
    from mendline.orders.transitions import begin
    from mendline.sim import worlds

    rows = Rows()
    rows.now()
    world = worlds.load("small")
    world.build()
    actor = world.actor("cc_agent")
    assert actor.person_id is not None
    secret = Secrets()(actor.person_id)
    made = begin("unified_repair", "report", actor=actor, now=MONDAY_NINE, given=report_of("0-0"))
    found = photo(rows, secret, made.ref, MONDAY_NINE, lambda change: None)
    found += message(rows, MONDAY_NINE)
    return {"commands": found.commands, "faults": found.faults, "unknown": found.unknown,
            "problems": [str(one) for one in found.problems]}  # fmt: skip


@_quietly()
def nth_control() -> bool:
    """Tell whether a step without its transaction is found to leave a half."""
    walk = Walk(wanted=lambda step: step[2] == "cancel_and_reassign", kinds=("before",))
    with without_transaction():
        walk_through([_file("agent-reassigns-for-the-user.yaml")], walk)
    return any("left a half" in problem for problem in walk.problems)


@_quietly()
def orders(*, first: int, seeds: int) -> dict[str, Any]:
    """Play every play with these seeds; some are played twice, to see that a seed means the same every time."""
    problems: list[str] = []
    plays: dict[str, int] = {}
    waits = steps = again = 0
    with a_crew(SESSIONS) as crew, a_theatre(crew) as theatre:
        for seed in range(first, first + seeds):
            for play in PLAYS:
                played, wrong = theatre.seed(play, seed)
                plays[play.name] = plays.get(play.name, 0) + 1
                waits, steps = waits + played.waits, steps + len(played.trace)
                problems += [f"{play.name}, seed {seed}: {what}" for what in wrong]
                if seed % 10 == 0:
                    again += 1
                    if not theatre.seed(play, seed)[0].agrees_with(played):
                        problems.append(f"{play.name}, seed {seed}: went another way when played again")
    return {"plays": plays, "waits": waits, "steps": steps, "again": again, "problems": problems}


@_quietly()
def order_controls() -> dict[str, int]:
    """Return for each wall how many seeds it took until a play without it went wrong; 0 for never."""
    found: dict[str, int] = {}
    with a_crew(SESSIONS) as crew, a_theatre(crew) as theatre:
        for play in PLAYS:
            control = OF_PLAYS[play.name]
            found[f"{control.name}: {play.name}"] = seeds_until_red(theatre, play, control)
    return found


def seeds_until_red(theatre: Theatre, play: Play, control: Control) -> int:
    """Play without the wall until that shows; return how many seeds it took, 0 when they did not do."""
    with control.without():
        red = (seed for seed in range(MOST_SEEDS_UNTIL_RED) if control.is_red(theatre.seed(play, seed)[1]))
        return next(red, -1) + 1


def _file(name: str) -> Path:
    [found] = (Path(settings.BASE_DIR) / "scenarios").rglob(name)
    return found
