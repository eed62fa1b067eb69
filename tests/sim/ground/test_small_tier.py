"""P1–P5, P11: seeded worlds through the real handlers and a real database, and nothing to find in them.

Four seeds of a hundred reports, because each costs some sixteen seconds of CPU. Five of three hundred are
`mendline simulate --world small --seed 21-25 --faults storm`; the night tier plays on from there (`mendline storm`).
"""

from __future__ import annotations

import pytest

from mendline.sim.ground.oracle.plain import Network
from mendline.sim.ground.run import Plan, play

REPORTS, DAYS = 100, 2
SEEDS = (11, 12, 13, 14)  # in 13 a station waits for a visit while nothing else happens
SITUATIONS = 40  # in each seed, although each leaves out about a third of what people do at all


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", SEEDS)
def test_no_seed_of_the_small_world_shows_anything_that_may_not_be(seed: int, network: Network) -> None:
    outcome = play(Plan("small", seed, DAYS, REPORTS, storm=True), network)

    assert [str(finding) for finding in outcome.findings] == []
    assert outcome.stage.tally["ok 201"] >= REPORTS // 2
    assert outcome.stage.seen.counts["delivered_twice"]
    assert len(outcome.stage.seen.counts) >= SITUATIONS
