"""Several people at once, in orders drawn from seeds: no seat is sold twice, no step lost (P2, P5)."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from mendline.sim.faults.baton import Crew, Played, a_crew
from mendline.sim.faults.controls import OF_PLAYS
from mendline.sim.faults.layers import seeds_until_red
from mendline.sim.faults.plays import PLAYS, SESSIONS, Play, Theatre, a_theatre
from tests.sim.faults.turns import a_turn

pytestmark = pytest.mark.django_db(transaction=True)

SEEDS = 2  # of each play; the night has as many as there is time for
WHOLE = os.environ.get("MENDLINE_HOSTILE") == "whole"


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
    waits, decided = 0, []
    for play in (the_play("two orders change places"), the_play("the alarm and the person")):
        for seed in (0, 1):
            first = theatre.seed(play, seed)[0]
            theatre.seed(the_play("one screen, three people"), seed)  # leaves the sessions in another state
            second = theatre.seed(play, seed)[0]
            assert first.agrees_with(second)
            waits += first.waits
            decided.append(min(first.decided, len(first.trace)))
    assert min(decided) > 10
    assert waits > 0, "nobody ever waited for a lock: these are not several people at once"


def test_who_wakes_first_of_two_that_wait_for_one_row_is_no_seeds_to_decide() -> None:
    first = Played(("a: 1", "b: 1", "a: 2", "b: 2"), {}, 2, decided=2)

    assert first.agrees_with(Played(("a: 1", "b: 1", "b: 2"), {}, 2, decided=2))
    assert not first.agrees_with(Played(("b: 1", "a: 1", "a: 2", "b: 2"), {}, 2, decided=2))


def test_different_seeds_lead_to_different_orders(theatre: Theatre) -> None:
    play = the_play("one screen, three people")

    assert len({theatre.seed(play, seed)[0].trace for seed in range(6)}) > 1


def test_every_play_has_a_wall_without_which_it_goes_wrong() -> None:
    assert OF_PLAYS.keys() == {play.name for play in PLAYS}


@pytest.mark.parametrize("place", range(len(OF_PLAYS) if WHOLE else 2))
def test_control_without_its_wall_a_play_goes_wrong(theatre: Theatre, place: int) -> None:
    """Two of them, others after every commit; the night asks for all."""
    play = PLAYS[(a_turn() + place * len(PLAYS) // 2) % len(PLAYS)] if not WHOLE else PLAYS[place]

    assert seeds_until_red(theatre, play, OF_PLAYS[play.name]), "this play would not see the wall missing"


def test_control_a_wall_that_is_not_the_plays_own_does_not_count_for_it() -> None:
    control = OF_PLAYS["a seat comes back"]

    assert control.is_red(["I5 seats_are_counted: 000001 desktop (0 counted, 1 there)"])
    assert not control.is_red(["I18 agent 0: ImportError"])
