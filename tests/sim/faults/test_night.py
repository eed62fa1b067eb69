"""A night goes through its layers, notes every piece, goes on where it was stopped, and says what failed in what."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from mendline.sim.faults import night as nights
from mendline.sim.faults.baton import RigFailed
from mendline.sim.faults.callers import report_of
from mendline.sim.faults.journals import Journal, told
from mendline.sim.faults.night import LAYERS, Night, weather_the_night
from mendline.sim.faults.page import page
from mendline.sim.faults.weather import kinds, script

CONDITIONS = {"when": "2026-03-02", "commit": "abc", "machine": "two cores"}


@pytest.fixture
def pieces(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Let each layer be one quick piece: what it returns or raises, by layer."""

    @contextmanager
    def no_rig(prepare: str) -> Iterator[object]:
        yield object()

    made: dict[str, Any] = {layer: [False] for layer in LAYERS}
    monkeypatch.setattr(nights, "a_rig", no_rig)
    for layer in LAYERS:

        def piece(night: Night, rig: object, layer: str = layer) -> bool:
            answer = made[layer].pop(0)
            if isinstance(answer, BaseException):
                raise answer
            night.totals.setdefault(layer, {"pieces": 0})["pieces"] += 1
            return bool(answer)

        monkeypatch.setattr(nights, f"_{layer}", piece)
    return made


def a_night(tmp_path: Path) -> Night:
    return Night(tmp_path / "storm.json", 1, 180.0, lambda line: None)


def test_a_night_goes_through_all_its_layers(tmp_path: Path, pieces: dict[str, Any]) -> None:
    night = a_night(tmp_path)
    pieces["nth"] = [True, True, False]

    weather_the_night(night, LAYERS)

    assert night.finished == list(LAYERS)
    assert night.totals["nth"] == {"pieces": 3}


def test_a_night_that_was_stopped_goes_on_at_the_piece_where_it_was(tmp_path: Path, pieces: dict[str, Any]) -> None:
    pieces["orders"] = [True, KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        weather_the_night(a_night(tmp_path), LAYERS)

    night = a_night(tmp_path)
    night.take_up()
    assert (night.finished, night.totals["orders"]) == (["nth"], {"pieces": 1})
    pieces["orders"] = [False]
    weather_the_night(night, LAYERS)

    assert night.finished == list(LAYERS)
    assert night.totals["orders"] == {"pieces": 2}
    fresh = a_night(tmp_path)
    fresh.take_up()
    assert fresh.finished == [], "a night that is over is not gone on with"


def test_a_bench_that_fails_once_is_noted_and_one_that_fails_always_ends_the_night(
    tmp_path: Path, pieces: dict[str, Any]
) -> None:
    night = a_night(tmp_path)
    pieces["real"] = [RigFailed("no port"), False]
    weather_the_night(night, LAYERS)
    assert night.problems == []
    assert night.rig_failures == ["real: RigFailed: no port"]

    pieces["orders"] = [RigFailed("no port")] * 9
    with pytest.raises(RigFailed):
        weather_the_night(a_night(tmp_path), ("orders",))


def test_every_claim_of_the_page_has_its_n(tmp_path: Path) -> None:
    night = a_night(tmp_path)
    night.totals = {
        "nth": {"scenarios": 3, "commands": 9, "faults": 300, "unknown": 7, "swept": [["p", 1, "t", "new", "r"]]},
        "orders": {"plays": {"the last seats": 50}, "waits": 5, "steps": 900, "again": 5, "seeds": 50},
        "real": {"storms": 1, "blows": {"kill web 0": 2, "kill web 1": 1}, "acknowledged": 600, "unanswered": 4,
                 "stored": 600, "statuses": {"201": 600, "0": 4}, "touched": 3, "repeated": 100},
        "controls": {"a wall": 4, "another": 0},
    }  # fmt: skip
    night.problems = ["L2 seed 1: I1 lost: 0-1 was acknowledged", "L1 the last seats, seed 3: dispatched: 3, must be 2"]

    text = page(night, CONDITIONS)

    for claim in (
        "0 of 300 (< 1 %)",
        "1 of 50 (2 %)",
        "1 of 600 (0.17 %)",
        "0 of 600 (< 0.5 %)",
        "kill web 3",
        "| another | **no / 否** |",
        "at most 180",
    ):
        assert claim in text
    assert text.startswith("# Storms / 风暴\n\n> **摘要**")


def test_a_script_is_the_same_for_a_seed_and_leaves_no_kind_out() -> None:
    many = len(kinds())

    assert list(islice(script(7), 3 * many)) == list(islice(script(7), 3 * many))
    assert {(blow.kind, blow.target) for blow in islice(script(7), many)} == set(kinds())
    assert {blow.kind for blow in islice(script(7, ("kill database",)), 5)} == {"kill"}


def test_what_callers_noted_is_read_back(tmp_path: Path) -> None:
    journal = Journal(tmp_path, 3)
    journal.note("sent", "3-0")
    journal.note("unanswered", "3-0", "0")
    journal.note("acknowledged", "3-0", "WX1/abc")

    heard = told(tmp_path)

    assert (heard.sent, heard.acknowledged, heard.unanswered["3-0"]) == ({"3-0"}, {"3-0": "WX1/abc"}, 1)
    assert report_of("3-0")["fault"] == "3-0"
