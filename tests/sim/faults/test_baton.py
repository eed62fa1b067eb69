"""Several people at once, in orders drawn from seeds: no seat is sold twice, no step lost (P2, P5)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from mendline.sim.faults.baton import Crew, a_crew
from mendline.sim.faults.controls import OF_PLAYS
from mendline.sim.faults.plays import PLAYS, SESSIONS, Play, Theatre, a_theatre

pytestmark = pytest.mark.django_db(transaction=True)

SEEDS = 2  # of each play; the night has as many as there is time for
MOST_SEEDS_UNTIL_RED = 10


@pytest.fixture
def crew() -> Iterator[Crew]:
    with a_crew(SESSIONS) as made:
        yield made


@pytest.fixture
def theatre(crew: Crew) -> Iterator[Theatre]:
    with a_theatre(crew) as made:
        yield made


def the_play(name: str) -> Play:
    [play] = [play for play in PLAYS if play.name == name]
    return play


def test_p2_p5_nothing_goes_wrong_in_any_order(theatre: Theatre) -> None:
    wrong = {(play.name, seed): theatre.seed(play, seed)[1] for play in PLAYS for seed in range(SEEDS)}

    assert {which: what for which, what in wrong.items() if what} == {}


def test_a_seed_leads_to_the_same_order_every_time(theatre: Theatre) -> None:
    waits = 0
    for play in (the_play("two orders change places"), the_play("the alarm and the person")):
        for seed in (0, 1):
            first = theatre.seed(play, seed)[0]
            theatre.seed(the_play("one screen, three people"), seed)  # leaves the sessions in another state
            second = theatre.seed(play, seed)[0]
            assert first.trace == second.trace
            waits += first.waits
    assert waits > 0, "nobody ever waited for a lock: these are not several people at once"


def test_different_seeds_lead_to_different_orders(theatre: Theatre) -> None:
    play = the_play("one screen, three people")

    assert len({theatre.seed(play, seed)[0].trace for seed in range(6)}) > 1


@pytest.mark.parametrize("name", sorted(OF_PLAYS))
def test_control_without_its_wall_a_play_goes_wrong_within_a_few_seeds(theatre: Theatre, name: str) -> None:
    with OF_PLAYS[name]():
        for seed in count():
            assert seed < MOST_SEEDS_UNTIL_RED, "nothing went wrong: this play would not see the wall missing"
            if theatre.seed(the_play(name), seed)[1]:
                break
