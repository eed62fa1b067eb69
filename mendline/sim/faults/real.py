"""Real processes under a storm: what was acknowledged is there, once and whole, whoever was killed (P1, P3).

Callers report through misbehaving lines while web, workers and database are killed, stopped and cut off, as a seed
says. Then the weather clears, everybody finishes what was begun, and the rows are held against what was heard.
Two controls take a wall away and must lose or double something, or the storm would not see it.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from django.db import transaction

from mendline.sim import invariants
from mendline.sim.faults.baton import RigFailed
from mendline.sim.faults.callers import Callers, Reply, ask, digest, report_of
from mendline.sim.faults.installation import Installation, an_installation
from mendline.sim.faults.journals import Told, count_acknowledged, told
from mendline.sim.faults.patience import pause
from mendline.sim.faults.rig import Rig
from mendline.sim.faults.weather import script

CALLERS = 6
CALM_SECONDS = 120.0
STUCK_SECONDS = 90.0
ASKED_AGAIN = 100  # acknowledged keys that are sent once more at the end, and as many with another body
WORLD = """
world: stormy
label: {zh: 风暴中的网络, en: Network in a storm}
like: small
capacity_per_day: 1000000
"""


@dataclass(slots=True)
class Outcome:
    """What a storm came to."""

    acknowledged: int = 0
    stored: int = 0
    blows: dict[str, int] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    broke: dict[str, int] = field(default_factory=dict)  # tries without an answer, by how far they came
    met: dict[str, int] = field(default_factory=dict)  # what lines did to what was under way, by kind and line
    repeated: int = 0  # keys asked again at the end
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def prepare() -> str:
    """Make tables, a network that never fills up, and people; return a call-centre agent's key. Is the owner."""
    from tempfile import TemporaryDirectory

    from mendline.access import tokens
    from mendline.access.models import Person
    from mendline.cli.migrate import bring_up_to_date
    from mendline.sim import worlds

    bring_up_to_date()
    with TemporaryDirectory() as folder, transaction.atomic():
        path = Path(folder) / "stormy.yaml"
        path.write_text(WORLD, encoding="utf-8")
        world = worlds.load(path)
        world.build()
        agent = world.actor("cc_agent").person_id
        assert agent is not None
        return tokens.issue(Person.objects.get(pk=agent), "storm")


def storm(
    rig: Rig, database: str, folder: Path, *, seed: int, blows: int, only: tuple[str, ...] = (),
    enough: Callable[[], bool] = lambda: False, said: Callable[[str], None] = lambda line: None,
) -> Outcome:  # fmt: skip
    """Let `blows` blows fall on an installation that works on `database`, and look at what is left.

    `folder` takes the callers' journals; it must be new. `enough` ends the storm early.

    Raises RigFailed when the bench fails, which says nothing about the product.
    """
    folder.mkdir(parents=True)
    outcome, began = Outcome(), time.monotonic()
    struck: Counter[str] = Counter()
    with an_installation(rig, database) as installation:
        callers = Callers(installation.ports, rig.prepared, folder, CALLERS)
        callers.start()
        for number, blow in enumerate(script(seed, only)):
            if number >= blows or enough():
                break
            _until_more(folder, blow.after, installation)
            installation.strike(blow)
            struck[str(blow)] += 1
            if number % 10 == 9:
                said(f"{number + 1} blows, {count_acknowledged(folder)} acknowledged")
            for name in installation.revived():
                struck[f"{name} ended by itself"] += 1
        if left := callers.stop():
            outcome.problems.append(f"I20: {left} callers were never answered, {CALM_SECONDS:g} s after the storm")
        outcome.problems += _asked_again(installation, told(folder), rig, outcome)
        outcome.problems += _until_quiet(rig, database)
        outcome.statuses = dict(callers.heard.statuses)
        outcome.broke = dict(callers.heard.broke)
        outcome.met = {
            f"{weather} {name}": n for name, line in installation.line.items() for weather, n in line.happened.items()
        }
    if ours := outcome.statuses.get("500", 0):
        outcome.problems.append(f"I18: {ours} answers said 500, which is a fault of ours and not of the weather")
    outcome.blows = dict(struck)
    outcome.seconds = time.monotonic() - began
    _look(rig, database, told(folder), outcome)
    return outcome


def _until_more(folder: Path, more: int, installation: Installation) -> None:
    enough = count_acknowledged(folder) + more
    give_up_at = time.monotonic() + STUCK_SECONDS
    while count_acknowledged(folder) < enough:
        if time.monotonic() > give_up_at:
            words = "\n".join(child.last_words(4) for child in installation.children.values())
            raise RigFailed(f"no {more} reports were acknowledged in {STUCK_SECONDS:g} s of fair weather:\n{words}")
        pause(0.02)


def _asked_again(installation: Installation, heard: Told, rig: Rig, outcome: Outcome) -> list[str]:
    """Send acknowledged keys again: the same bytes come; with another body they are refused."""
    problems = []
    keys = sorted(heard.acknowledged)
    for key in keys[:: max(1, len(keys) // ASKED_AGAIN)]:
        outcome.repeated += 1
        again = _answered(installation, rig, key, report_of(key))
        ref, _, before = heard.acknowledged[key].partition("/")
        if again.status != 201 or digest(again.body) != before:
            problems.append(f"I3: {key} ({ref}) was answered otherwise when asked again: {again.status}")
        other = _answered(installation, rig, key, {**report_of(key), "address": "另一处"})
        if other.status != 422:
            problems.append(f"I2: {key} with another body was answered {other.status}")
    return problems


def _answered(installation: Installation, rig: Rig, key: str, given: dict[str, Any]) -> Reply:
    for attempt in range(50):
        found = ask(installation.ports[attempt % len(installation.ports)], rig.prepared, key, given)
        if found.status in (201, 422):
            return found
        pause(0.2)
    raise RigFailed("nobody answers in fair weather")


def _until_quiet(rig: Rig, database: str) -> list[str]:
    """Wait for the workers to have done what is due; return what is left after a while (I20)."""
    give_up_at = time.monotonic() + CALM_SECONDS
    with closing(psycopg.connect(rig.url(database, "owner"), autocommit=True)) as connection:
        while left := invariants.unquiet(connection, datetime.now(UTC)):
            if time.monotonic() > give_up_at:
                return [str(one) for one in left]
            pause(0.2)
    return []


def _look(rig: Rig, database: str, heard: Told, outcome: Outcome) -> None:
    """Hold the rows against what the callers heard."""
    stored: dict[str, list[str]] = {}
    with closing(psycopg.connect(rig.url(database, "owner"), autocommit=True)) as connection:
        for wanted, ref in connection.execute("SELECT fault, ref FROM orders_repairorder ORDER BY id").fetchall():
            stored.setdefault(wanted, []).append(ref)
        outcome.problems += map(str, invariants.broken(connection, datetime.now(UTC)))
    for wanted, answer in heard.acknowledged.items():
        if answer.partition("/")[0] not in stored.get(wanted, []):
            outcome.problems.append(f"I1 lost: {wanted} was acknowledged as {answer} and is not there")
    outcome.problems += [
        f"I2 doubled: {wanted} is there as {' and '.join(refs)}" for wanted, refs in stored.items() if len(refs) > 1
    ]
    outcome.problems += [f"I1: {wanted} was never asked for" for wanted in stored.keys() - heard.sent]
    outcome.problems += [f"I18: {line}" for line in heard.odd]
    outcome.acknowledged = len(heard.acknowledged)
    outcome.stored = sum(map(len, stored.values()))


def without_waiting(rig: Rig, folder: Path, *, seed: int) -> Outcome:
    """Control: commits that do not wait for the log, and a server that is killed. Something must be lost."""
    rig.drop("hasty")
    rig.copy("hasty", "synchronous_commit = off", original="people")
    rig.hold_back_the_log()
    return storm(rig, "hasty", folder, seed=seed, blows=1, only=("kill database",))


def without_unique_key(rig: Rig, folder: Path, *, seed: int, blows: int = 40) -> Outcome:
    """Control: nothing but the first look keeps a key from being answered twice. Something must be doubled."""
    rig.drop("keyless")
    rig.copy("keyless", original="people")
    with closing(psycopg.connect(rig.url("keyless", "owner"), autocommit=True)) as connection:
        connection.execute("ALTER TABLE orders_idempotencykey DROP CONSTRAINT one_answer_per_key")
        connection.execute("CREATE INDEX key_of_person ON orders_idempotencykey (person_id, key)")

    def doubled() -> bool:
        with closing(psycopg.connect(rig.url("keyless", "owner"), autocommit=True)) as connection:
            row = connection.execute(
                "SELECT count(*) FROM (SELECT 1 FROM orders_repairorder GROUP BY fault HAVING count(*) > 1) x"
            ).fetchone()
        return bool(row and row[0])

    return storm(rig, "keyless", folder, seed=seed, blows=blows, only=("stop web", "delay database"), enough=doubled)
