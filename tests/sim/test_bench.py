"""`mendline bench` at its smallest: it measures, says under which conditions, and finds nothing lost or doubled."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config.home import ROOT
from mendline.sim.bench import family, http_load
from mendline.sim.bench.figures import Aim, Figure, Measured, ratio, table


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Run the whole command once, with a state folder of its own, and return its JSON."""
    folder = tmp_path_factory.mktemp("bench")
    file = folder / "bench.json"
    environment = {name: value for name, value in os.environ.items() if name != "MENDLINE_DATABASE_ROLE"}
    environment[family.WANTED] = "true"  # what is tested is the measuring; starting each member is two thirds of it
    done = subprocess.run(
        [sys.executable, "-m", "mendline.cli.main", "bench", "--tiny", "--json", str(file)],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=580, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    yield json.loads(file.read_text(encoding="utf-8"))


@pytest.mark.slow
def test_a_run_tells_its_conditions(result: dict[str, Any]) -> None:
    conditions = result["conditions"]

    assert conditions["cores"] >= 1
    assert conditions["postgresql"][:2].isdigit()
    assert conditions["postgresql_settings"]["synchronous_commit"] == "on"
    assert result["size"] == "tiny"
    for part in result["measurements"].values():
        assert len(part["load_before"]) == len(part["load_after"]) == 3
        assert part["setup"]


@pytest.mark.slow
def test_every_measurement_has_its_figures(result: dict[str, Any]) -> None:
    named = {name: {figure["name"] for figure in part["figures"]} for name, part in result["measurements"].items()}

    assert set(named) == {"perform", "http", "queue", "search", "choice", "sweep"}
    assert {"perform ÷ pgbench, 1 client", "perform ÷ pgbench, 4 clients"} <= named["perform"]
    assert {
        "create, 1 client",
        "create, 4 clients",
        "create, 16 clients",
        "transition, 16 clients ÷ 4 clients",
    } <= named["http"]
    assert {"query, station, many: p95", "whole page, station: many ÷ few (p50)"} <= named["queue"]
    assert {"everything typed, station: p95", "palette through the web process, region: p95"} <= named["search"]
    assert {"one choice, CPU: candidates known", "changed coverage seen by an order after"} <= named["choice"]
    assert {"effects, 1 sweeper", "effects, 2 sweepers"} <= named["sweep"]
    for part in result["measurements"].values():
        for figure in part["figures"]:
            assert figure["value"] >= 0 and len(figure["rounds"]) >= 1, figure


@pytest.mark.slow
def test_nothing_is_lost_or_doubled(result: dict[str, Any]) -> None:
    assert {name: part["faults"] for name, part in result["measurements"].items() if part["faults"]} == {}
    assert result["measurements"]["sweep"]["setup"]["timers due"] == 40
    assert result["measurements"]["http"]["setup"]["orders created"] > 0


@pytest.mark.slow
def test_the_scratch_server_and_its_files_are_gone(result: dict[str, Any], settings: Any) -> None:
    assert list(Path(settings.HOME).glob("bench-*")) == []


def test_an_aim_that_is_missed_is_said_to_be_missed() -> None:
    fast, slow = (
        Figure("fast", "/s", (100, 110, 90), Aim("at_least", 80)),
        Figure("slow", "ms", (30,), Aim("at_most", 25)),
    )

    text = table([Measured("a part", (fast, slow), faults=("one order is missing",))])

    assert fast.is_met is True and slow.is_met is False
    assert "MISSED" in text and "FAULT: one order is missing" in text
    assert ratio(fast, Figure("base", "/s", (200, 110, 180)), "share").rounds == (0.5, 1.0, 0.5)


def test_an_answer_in_pieces_is_put_together() -> None:
    whole = b'3\r\n{"a\r\n4\r\n":1}\r\n0\r\n\r\n'

    assert http_load.body_of(b"transfer-encoding: chunked", whole) == b'{"a":1}'
    assert http_load.body_of(b"transfer-encoding: chunked", whole[:-5]) is None
