"""Choosing a station in a large network, and how soon a changed coverage counts in another process."""

from __future__ import annotations

from mendline.sim.bench.crew import Member, a_crew
from mendline.sim.bench.figures import Aim, Figure, Measured
from mendline.sim.bench.scratch import Database, Scratch
from mendline.sim.bench.small_country import LINES

NAME = "choosing a station"
CHOICES = 4_000
CHANGED = ("000007", "110108", LINES[0])  # a station, an area it does not serve, a line


def measure(scratch: Scratch, empty: Database, *, stations: int, coverage_rows: int, rounds: int) -> Measured:
    """Measure with two processes: one chooses as a web process does, the other changes the network."""
    database = scratch.copy(empty, "bench_choice")
    lines = len(LINES)
    with a_crew(scratch.environment(database, "owner"), 2) as (chooser, changer):
        rows = changer.do("fill_network", stations=stations, coverage_rows=coverage_rows, lines=lines)
        built = chooser.do("build_index", lines=lines)
        chosen = [chooser.do("choose", number=CHOICES, lines=lines) for _ in range(rounds)]
        kept = [_seconds_until_seen(chooser, changer, serve, asking=False) for serve in _turns(rounds)]
        asked = [_seconds_until_seen(chooser, changer, serve, asking=True) for serve in _turns(rounds)]
    scratch.drop("bench_choice")
    again = Figure("one choice, CPU: candidates known", "µs", tuple(one["again"] for one in chosen), Aim("at_most", 20))
    figures = (
        again,
        Figure("one choice, CPU: first of its area, line and day", "µs", tuple(one["first"] for one in chosen)),
        Figure("one choice with its question to the database, CPU here", "µs", tuple(one["whole"] for one in chosen)),
        Figure("building the index", "s", (built["seconds"],)),
        Figure("building the index, CPU", "s", (built["cpu"],)),
        Figure("changed coverage seen by a kept index after", "s", tuple(kept), Aim("at_most", 1)),
        Figure("changed coverage seen by an order after", "s", tuple(asked), Aim("at_most", 1)),
    )
    setup: dict[str, object] = {
        **rows, "product lines": lines, "candidates on average": round(built["candidates"], 1), "choices": CHOICES,
        "rounds": rounds,
    }  # fmt: skip
    return Measured(NAME, figures, setup)


def _turns(rounds: int) -> list[bool]:
    """Serve, stop serving, serve, …; an even number, so that the network ends as it began."""
    return [place % 2 == 0 for place in range(rounds + rounds % 2)]


def _seconds_until_seen(chooser: Member, changer: Member, serve: bool, *, asking: bool) -> float:
    station, area, line = CHANGED
    what = {"station": station, "area": area, "line": line, "serve": serve}
    chooser.ask("wait_for_coverage", **what, asking=asking)
    committed = changer.do("change_coverage", **what)
    return max(0.0, float(chooser.answer()["at"]) - float(committed))
