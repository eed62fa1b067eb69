"""The database is killed while reports come in: what was acknowledged is there, once and whole (P1).

Four writers send reports through the whole application and ask again under the same key until they
have an answer; the server is killed in the middle of it and started again by the launcher. Two
controls show that this would see a loss and a double: one commits without waiting for the log, one
sends every try under a key of its own.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from mendline.sim.faults.crew import found_by, started
from mendline.sim.faults.journals import Told, count_acknowledged, told
from mendline.sim.faults.patience import wait_for
from mendline.sim.faults.rig import Rig, a_rig

pytestmark = pytest.mark.slow

WRITERS = 4
KILLS = 4
SEED = 20260302
# What has to hang together for every order, as a question that counts where it does not.
HALVES = {
    "orders without their history": """
        SELECT count(*) FROM orders_repairorder o
        WHERE (SELECT count(*) FROM journal_entry e WHERE e.subject = o.ref AND e.kind = 'order.report') <> 1""",
    "orders without their clock": """
        SELECT count(*) FROM orders_repairorder o
        WHERE (SELECT count(*) FROM process_timer t WHERE t.subject = o.ref AND t.state = 'open') <> 3""",
    "orders without their seat": """
        SELECT count(*) FROM orders_repairorder o
        WHERE (SELECT count(*) FROM network_seat s WHERE s.order_ref = o.ref) <> 1""",
    "orders nobody was told of": """
        SELECT count(*) FROM orders_repairorder o
        WHERE (SELECT count(*) FROM journal_outgoing m WHERE m.subject = o.ref AND m.notice = 'new_order') <> 1""",
    "orders whose answer was not kept": """
        SELECT count(*) FROM orders_repairorder o
        WHERE (SELECT count(*) FROM orders_idempotencykey k WHERE k.body LIKE '%' || o.ref || '%') <> 1""",
    "histories, clocks or seats without an order": """
        SELECT count(*) FROM (SELECT subject AS ref FROM journal_entry WHERE kind ~ '^(order|clock)[.]'
                              UNION SELECT subject FROM process_timer UNION SELECT order_ref FROM network_seat) x
        WHERE NOT EXISTS (SELECT 1 FROM orders_repairorder o WHERE o.ref = x.ref)""",
    "days whose count is not the number of their seats": """
        SELECT count(*) FROM network_dayload d
        WHERE d.taken <> (SELECT count(*) FROM network_seat s WHERE s.load_id = d.id)""",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the writers were told, and what the database holds of it."""

    told: Told
    stored: dict[str, list[str]]  # what was wanted → numbers of the orders made for it
    halves: dict[str, int]
    kills: int

    @property
    def lost(self) -> list[str]:
        return [wanted for wanted, ref in self.told.acknowledged.items() if ref not in self.stored.get(wanted, [])]

    @property
    def doubled(self) -> list[str]:
        return [wanted for wanted, refs in self.stored.items() if len(refs) > 1]

    def __str__(self) -> str:
        unanswered = sum(self.told.unanswered.values())
        return (
            f"{self.kills} kills, {len(self.told.acknowledged)} acknowledged, {unanswered} tries unanswered,"
            f" {len(self.told.cut)} answers cut off, {len(self.lost)} lost, {len(self.doubled)} doubled"
        )


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with a_rig("tests.faults.writers:prepare") as made:
        yield made


def storm(rig: Rig, database: str, folder: Path, *, kills: int, same_key: bool) -> Outcome:
    """Kill the server `kills` times while four writers work; each time after some more acknowledged reports."""
    chance = random.Random(SEED)
    before = rig.kills
    work = {"folder": str(folder), "secret": rig.prepared, "writers": WRITERS, "same_key": same_key}
    with started("tests.faults.writers:write_reports", rig.environment(database), **work) as writers:
        for last in [False] * kills + [True]:
            enough = count_acknowledged(folder) + chance.randint(15, 45)

            def more(enough: int = enough) -> bool:
                assert writers.poll() is None, found_by(writers)
                return count_acknowledged(folder) >= enough

            wait_for(more, f"{enough} acknowledged reports")
            if not last:
                rig.kill()
                rig.start()
        (folder / "stop").touch()
        assert found_by(writers) == 0, "a writer failed"
    return look(rig, database, folder, rig.kills - before)


def look(rig: Rig, database: str, folder: Path, kills: int) -> Outcome:
    stored: dict[str, list[str]] = {}
    with psycopg.connect(rig.url(database, "owner")) as connection:
        for wanted, ref in connection.execute("SELECT fault, ref FROM orders_repairorder ORDER BY id"):
            stored.setdefault(wanted, []).append(ref)
        halves = {}
        for what, question in HALVES.items():
            row = connection.execute(question.encode()).fetchone()
            assert row is not None
            halves[what] = row[0]
    return Outcome(told(folder), stored, halves, kills)


def test_p1_no_acknowledged_report_is_lost_or_doubled_when_the_database_is_killed(rig: Rig, tmp_path: Path) -> None:
    rig.copy("stormy")

    outcome = storm(rig, "stormy", tmp_path, kills=KILLS, same_key=True)

    assert (outcome.lost, outcome.doubled, outcome.told.odd) == ([], [], []), outcome
    assert outcome.stored.keys() == outcome.told.sent == outcome.told.acknowledged.keys()
    assert {what: many for what, many in outcome.halves.items() if many} == {}
    # The same answer again, not a new one: what the caller did not hear is what it hears at last.
    assert {wanted: outcome.told.acknowledged[wanted] for wanted in outcome.told.cut} == outcome.told.cut
    assert outcome.told.unanswered and outcome.told.cut, "the storm did not touch anybody"


def test_p1_control_a_commit_that_does_not_wait_loses_acknowledged_reports(rig: Rig, tmp_path: Path) -> None:
    rig.copy("hasty", "synchronous_commit = off")
    rig.hold_back_the_log()

    outcome = storm(rig, "hasty", tmp_path, kills=1, same_key=True)

    assert len(outcome.lost) >= 5, outcome


def test_p1_control_tries_without_a_common_key_make_doubles(rig: Rig, tmp_path: Path) -> None:
    rig.copy("keyless")

    outcome = storm(rig, "keyless", tmp_path, kills=1, same_key=False)

    assert outcome.lost == [], outcome
    assert outcome.doubled, outcome
    assert Counter(map(len, outcome.stored.values())).keys() <= {1, 2, 3}
