"""A night goes through its layers, notes every piece, and goes on where it was stopped."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from mendline.sim.faults import pieces
from mendline.sim.faults.baton import RigFailed
from mendline.sim.faults.night import LAYERS, SHARES, Night, Piece, weather_the_night
from mendline.sim.faults.rig import Rig
from mendline.sim.faults.walking import by_what_is_new, scenario_files
from tests.sim.faults.nights import a_night, no_rig

OF_OLD = ("nth", "orders", "world", "real", "controls")  # the layers of a night before there were more


class Quick:
    """Layers that are one quick piece each: what they return or raise, by layer."""

    def __init__(self) -> None:
        self.answers: dict[str, list[bool | BaseException]] = {layer: [False] for layer in LAYERS}

    def weather(self, night: Night) -> None:
        weather_the_night(night, {layer: self._piece(layer) for layer in LAYERS}, no_rig)

    def _piece(self, layer: str) -> Piece:
        def piece(night: Night, rig: Rig) -> bool:
            answer = self.answers[layer].pop(0)
            if isinstance(answer, BaseException):
                raise answer
            night.totals.setdefault(layer, {"pieces": 0})["pieces"] += 1
            return answer

        return piece


@pytest.fixture
def quick() -> Quick:
    return Quick()


def test_a_night_goes_through_all_its_layers(tmp_path: Path, quick: Quick) -> None:
    night = a_night(tmp_path)
    quick.answers["nth"] = [True, True, False]

    quick.weather(night)

    assert night.finished == list(LAYERS) == list(pieces.PIECES)
    assert night.totals["nth"] == {"pieces": 3}


def test_the_shares_of_the_layers_are_the_night_and_what_is_drawn_has_half_an_hour(tmp_path: Path) -> None:
    asked_in_full = 9  # minutes of the hostile layer before it goes on with the description alone

    assert sum(SHARES.values()) == pytest.approx(1)
    assert a_night(tmp_path).left("hostile") >= (asked_in_full + 30) * 60


def test_who_wants_some_layers_only_gives_them_all_the_time(tmp_path: Path) -> None:
    night = a_night(tmp_path, only=("hostile", "upgrade"))

    assert night.left("hostile") + night.left("upgrade") == pytest.approx(180 * 60)


def test_a_night_that_was_stopped_goes_on_at_the_piece_where_it_was(tmp_path: Path, quick: Quick) -> None:
    quick.answers["orders"] = [True, KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        quick.weather(a_night(tmp_path, begun="yesterday"))

    night = a_night(tmp_path, begun="today")
    night.take_up()
    assert (night.finished, night.totals["orders"], night.begun) == (["nth"], {"pieces": 1}, "yesterday")
    quick.answers["orders"] = [False]
    quick.weather(night)

    assert night.finished == list(LAYERS)
    assert night.totals["orders"] == {"pieces": 2}
    fresh = a_night(tmp_path)
    fresh.take_up()
    assert fresh.finished == [], "a night that is over is not gone on with"


def test_a_night_that_knew_fewer_layers_goes_on_with_the_new_ones_only(tmp_path: Path, quick: Quick) -> None:
    spent = dict.fromkeys(OF_OLD, 9e9)
    kept = {"seed": 7, "minutes": 33.0, "spent": spent, "totals": {"nth": {"pieces": 4}}, "problems": ["L0 a problem"],
            "rig_failures": ["nth: RigFailed: no port"] * 4, "finished": list(OF_OLD)}  # fmt: skip
    (tmp_path / "storm.json").write_text(json.dumps(kept), encoding="utf-8")
    night = a_night(tmp_path, commit="new")
    night.take_up()
    quick.answers = {layer: [] for layer in OF_OLD} | {"hostile": [RigFailed("no port"), False], "upgrade": [False]}

    quick.weather(night)

    assert (night.seed, night.problems, night.totals["nth"]) == (7, ["L0 a problem"], {"pieces": 4})
    assert night.commits == {"hostile": ["new"], "upgrade": ["new"]}
    assert {layer: night.spent[layer] for layer in OF_OLD} == spent
    assert set(night.finished) == set(LAYERS)


def test_a_bench_that_fails_once_is_noted_and_one_that_fails_always_ends_the_night(
    tmp_path: Path, quick: Quick
) -> None:
    night = a_night(tmp_path)
    quick.answers["real"] = [RigFailed("no port"), False]
    quick.weather(night)
    assert night.problems == []
    assert night.rig_failures == ["real: RigFailed: no port"]

    night = a_night(tmp_path, only=("real",))
    night.minutes = 0.0
    quick.answers["real"] = [RigFailed("no port"), True]
    quick.weather(night)
    assert night.totals["real"] == {"pieces": 1}, "a layer of which nothing was done is not finished"

    quick.answers["orders"] = [RigFailed("no port")] * 9
    with pytest.raises(RigFailed):
        quick.weather(a_night(tmp_path, only=("orders",)))


def test_files_come_in_the_order_in_which_most_is_new() -> None:
    files = scenario_files()
    ordered = by_what_is_new(files)

    assert sorted(ordered) == sorted(files)
    assert ordered == by_what_is_new(reversed(files))
    assert len(steps_of(ordered[:10])) > 2 * len(steps_of(files[:10]))


def steps_of(files: list[Path]) -> set[str]:
    return {name for path in files for name in re.findall(r"\bdo: (\w+)", path.read_text(encoding="utf-8"))}


def test_one_thing_of_a_page_is_done_again_with_what_the_page_says(tmp_path: Path) -> None:
    night = pieces.repeated("real", ["20260303"], tmp_path / "x.json", lambda line: None)
    assert (night.only, night.seed, night.left("real")) == (("real",), 20260303, 0)

    name = scenario_files()[7].name
    walked = pieces.repeated("nth", [name], tmp_path / "x.json", lambda line: None).totals["nth"]["walked"]
    assert {path.name for path in scenario_files()} - {Path(one).name for one in walked} == {name}

    for wrong in (["nowhere", "1"], ["real", "monday"], ["nth", "nofile.yaml"]):
        with pytest.raises(CommandError, match="--repeat LAYER"):
            call_command("storm", "--repeat", *wrong)
