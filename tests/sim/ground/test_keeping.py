"""A seed that goes wrong in the tests is not lost: its history lies in a file, short, and the test says where."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from django.core.handlers.wsgi import WSGIRequest

from mendline.sim.ground import cases
from mendline.sim.ground.door import Door, Reply
from mendline.sim.ground.oracle.plain import Call, Network
from mendline.sim.ground.run import Outcome, Plan, play
from tests.sim.ground.keeping import Keeper, commit

pytestmark = pytest.mark.django_db(transaction=True)

PLAN = Plan("small", 21, 0.2, 2, storm=False)
honest = Door._answer


def lying(door: Door, request: WSGIRequest) -> Reply:
    """Answer as a product would that names another station than the one whose seat it took."""
    reply = honest(door, request)
    body = re.sub(rb'"station_no":"\d+"', b'"station_no":"000012"', reply.body) if reply.status == 201 else reply.body
    return Reply(reply.status, body, reply.replayed, reply.statements)


def test_a_seed_that_goes_wrong_is_kept_short_and_the_test_says_where(
    network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = Keeper(network, tmp_path / "a state" / "cases")
    monkeypatch.setattr(Door, "_answer", lying)
    outcome = play(PLAN, network)

    said = keeper.says(outcome)

    [path] = keeper.folder.glob("*.json")
    case = cases.read(path)
    assert (case.world, case.seed, case.commit) == ("small", 21, commit())
    assert "wrong_station" in case.kinds
    assert [type(item) for item in case.items] == [Call], "one report is all that it takes to be lied to"
    assert f"seed 21，提交 commit {commit() or '?'}" in said
    assert f"mendline simulate --replay {shlex.quote(str(path))}" in said
    assert "mendline simulate --world small --seed 21 --days 0.2 --reports 2 --faults none" in said

    assert {finding.kind for finding in keeper._again(case.items)} & set(case.kinds)
    monkeypatch.setattr(Door, "_answer", honest)
    assert keeper._again(case.items) == [], "control: of an honest product the same history shows nothing"


def test_what_cannot_be_made_short_in_time_is_kept_whole(
    network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = Keeper(network, tmp_path, longest=0.0)
    monkeypatch.setattr(Door, "_answer", lying)
    outcome = play(PLAN, network)

    keeper.says(outcome)

    [path] = tmp_path.glob("*.json")
    assert cases.read(path).items == tuple(outcome.stage.history)


def test_of_a_seed_that_goes_well_nothing_is_kept(network: Network, tmp_path: Path) -> None:
    keeper = Keeper(network, tmp_path)
    outcome: Outcome = play(PLAN, network)

    assert keeper.says(outcome) == ""
    assert list(tmp_path.iterdir()) == []
