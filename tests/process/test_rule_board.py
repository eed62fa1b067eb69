"""Every rule fails without its guard: what a process file says is left out in turn, and some scenario must notice.

Here a sample is taken, the same one in every run; `mendline process prove` leaves out everything.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
from django.conf import settings

from mendline.process.loading import processes
from mendline.process.switches import Switch, rules_of_name
from mendline.sim import worlds
from mendline.sim.proof import Unsettled, Witness, all_switches, prove, sample, witnesses
from mendline.sim.proof_reasons import REASONS, reason_for
from mendline.sim.scenarios import built, world_key

SCENARIOS = Path(settings.BASE_DIR) / "scenarios"
ONE_IN = 12


def test_everything_a_file_says_can_be_left_out() -> None:
    names = {str(switch) for switch in all_switches()}

    for process in processes().values():
        place = f"{process.code} {process.version}"
        for step in process.transitions.values():
            for word, listed in (("guard", step.guards), ("requires", step.requires), ("effect", step.effects)):
                assert {f"{place} transitions.{step.name}: {word} {name}" for name in listed} <= names
        assert {f"{place} clocks.{name}: clock" for name in process.clocks} <= names
        assert {f"{place} notices.{n.name}: audience {role}" for n in process.notices for role in n.to} <= names


def test_what_is_left_out_is_gone_and_all_else_is_as_it_was() -> None:
    [switch] = [
        one for one in all_switches() if str(one) == "unified_repair 3 transitions.promise: guard promises_left"
    ]
    before = processes()["unified_repair", 3]
    step = before.transitions["promise"]

    assert switch.without.transitions["promise"] == replace(
        step, guards=tuple(name for name in step.guards if name != "promises_left")
    )
    assert replace(switch.without, transitions=before.transitions) == before
    assert switch.rules[0] == "STN-08"


def test_a_guard_that_asks_another_stands_for_the_rules_of_both() -> None:
    assert {"STN-25", "STN-26", "CAN-13"} <= set(rules_of_name("order_was_unreachable"))


def test_every_reason_is_about_something_that_is_still_there() -> None:
    there = {(switch.code, switch.place, switch.what) for switch in all_switches()}

    assert set(REASONS) <= there


# Which scenarios pass as they are is what tests/scenarios asks; here only those are played that a switch looks at.
@pytest.fixture(scope="module")
def among() -> list[Witness]:
    return witnesses(SCENARIOS)


@pytest.mark.slow
@pytest.mark.django_db
def test_no_rule_of_the_sample_can_be_lost_without_a_scenario_noticing(among: list[Witness]) -> None:
    chosen = [switch for switch in sample(all_switches(), ONE_IN) if reason_for(switch) is None]

    lost = [str(finding.switch) for finding in prove(chosen, among) if not finding.noticed]

    assert len(chosen) > 30
    assert lost == [], "write the scenario that misses it; `mendline process prove` shows all of them"


@pytest.mark.slow
@pytest.mark.django_db
def test_control_a_definition_that_is_as_it_was_is_noticed_by_nobody(among: list[Witness]) -> None:
    process = processes()["callback", 1]
    touches = frozenset((process.code, process.version, name) for name in process.transitions)
    nothing = Switch(process.code, process.version, "transitions.open", "nothing", ("STN-48",), touches, process)
    shortest = sorted((one for one in among if one.scenario.world == "small"), key=lambda one: len(one.text))
    world = worlds.load(world_key(shortest[0].scenario))
    with built(world):
        here = list(islice((one for one in shortest if touches & one.steps(world)), 5))

    assert len(here) == 5
    assert [finding.noticed for finding in prove([nothing], here)] == [False]


@pytest.mark.django_db
def test_a_scenario_that_fails_with_everything_in_place_proves_nothing(tmp_path: Path) -> None:
    text = (SCENARIOS / "can" / "agent-reassigns-for-the-user.yaml").read_text(encoding="utf-8")
    (tmp_path / "wrong.yaml").write_text(text.replace("region: east", "region: north"), encoding="utf-8")
    [witness] = witnesses(tmp_path)
    world = worlds.load(world_key(witness.scenario))

    with built(world), pytest.raises(Unsettled, match=r"wrong\.yaml"):
        witness.steps(world)
