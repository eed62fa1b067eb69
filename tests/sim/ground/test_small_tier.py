"""P1–P5, P11: seeded worlds through the real handlers and a real database, and nothing to find in them.

Five seeds of three hundred reports, some twenty-five seconds each; the night tier plays others (`mendline storm`).
A seed that goes wrong leaves its history in the folder `cases` of the state folder, and is not played again to green.
"""

from __future__ import annotations

import pytest

from mendline.sim.ground.oracle.plain import Network
from mendline.sim.ground.run import Plan, play
from tests.sim.ground.keeping import Keeper

REPORTS, DAYS = 300, 3
SEEDS = (21, 22, 23, 24, 25)
SITUATIONS = 40  # in each seed, although each leaves out about a third of what people do at all


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", SEEDS)
def test_no_seed_of_the_small_world_shows_anything_that_may_not_be(seed: int, network: Network) -> None:
    keeper = Keeper(network)
    outcome = play(Plan("small", seed, DAYS, REPORTS, storm=True), network)

    assert not outcome.findings, keeper.says(outcome)
    assert outcome.stage.tally["ok 201"] >= REPORTS // 2
    assert outcome.stage.seen.counts["delivered_twice"]
    assert len(outcome.stage.seen.counts) >= SITUATIONS
