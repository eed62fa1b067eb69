"""`mendline bench`: measure, print a table, write JSON."""

from __future__ import annotations

import argparse
import json
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from mendline.sim.bench import (
    against_pgbench,
    hostile_load,
    over_http,
    pages,
    queue_page,
    search_page,
    station_choice,
    timer_sweep,
)
from mendline.sim.bench.conditions import conditions, cpu_name, load_average
from mendline.sim.bench.crew import a_member
from mendline.sim.bench.figures import Measured, table
from mendline.sim.bench.many_orders import fill
from mendline.sim.bench.peers import beside, outcome
from mendline.sim.bench.peers.beside import levels_of
from mendline.sim.bench.peers.sites import Site, read_sites
from mendline.sim.bench.scratch import BenchFailed, Database, Scratch, scratch_server

Measure = Callable[["Run"], Measured]


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much of everything. `background` orders stand in the tables before anything is measured."""

    rounds: int = 3
    stations: int = 400
    coverage_rows: int = 35_200
    background: int = 100_000
    walked: int = 1_200
    http_seconds: float = 5.0
    orders: int = 2_000_000
    queue_reads: int = 200
    searches: int = 60
    choice_stations: int = 5_000
    choice_coverage_rows: int = 444_000
    timers: int = 10_000
    hostile_seconds: float = 8.0


FULL = Sizes()
QUICK = Sizes(
    background=10_000, walked=240, http_seconds=2.0, orders=50_000, choice_stations=1_000,
    choice_coverage_rows=88_800, timers=2_000,
)  # fmt: skip
TINY = Sizes(
    rounds=1, stations=40, coverage_rows=12_800, background=200, walked=8, http_seconds=0.3, orders=3_000,
    queue_reads=20, searches=2, choice_stations=50, choice_coverage_rows=4_440, timers=40,
    hostile_seconds=1.0,
)  # fmt: skip
SIZES = {"full": FULL, "quick": QUICK, "tiny": TINY}


@dataclass(frozen=True, slots=True)
class Run:
    """The server of a run, its databases to copy from, and the sizes."""

    scratch: Scratch
    network: Database
    stocked: Database
    sizes: Sizes


MEASURES: Mapping[str, Measure] = {
    "perform": lambda run: against_pgbench.measure(
        run.scratch, run.stocked, orders=run.sizes.walked, rounds=run.sizes.rounds, background=run.sizes.background
    ),
    "http": lambda run: over_http.measure(
        run.scratch, run.stocked, seconds=run.sizes.http_seconds, rounds=run.sizes.rounds,
        background=run.sizes.background,
    ),
    "queue": lambda run: queue_page.measure(
        run.scratch, run.network, orders=run.sizes.orders, stations=run.sizes.stations, rounds=run.sizes.rounds,
        reads=run.sizes.queue_reads,
    ),
    "search": lambda run: search_page.measure(
        run.scratch, run.network, orders=run.sizes.orders, stations=run.sizes.stations, rounds=run.sizes.rounds,
        searches=run.sizes.searches,
    ),
    "pages": lambda run: pages.measure(
        run.scratch, run.scratch.base, orders=run.sizes.orders, stations=run.sizes.choice_stations,
        reads=max(2, run.sizes.searches // 4),
    ),
    "choice": lambda run: station_choice.measure(
        run.scratch, run.scratch.base, stations=run.sizes.choice_stations,
        coverage_rows=run.sizes.choice_coverage_rows, rounds=run.sizes.rounds,
    ),
    "sweep": lambda run: timer_sweep.measure(
        run.scratch, run.stocked, timers=run.sizes.timers, rounds=run.sizes.rounds, background=run.sizes.background
    ),
    "hostile": lambda run: hostile_load.measure(
        run.scratch, run.stocked, seconds=run.sizes.hostile_seconds, background=run.sizes.background
    ),
}  # fmt: skip
# The pages take their own country to fill and a quarter of an hour, what is hostile ten minutes; they are measured when
# they are named.
OWN_COUNTRY = frozenset(("pages",))
WHEN_NAMED = OWN_COUNTRY | {"hostile"}


class Command(BaseCommand):
    help = "测量速度，用自建的数据库，不碰现有数据 / measure speed on databases of its own; never touches yours"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--quick", action="store_true", help="较小的规模，约两分钟 / smaller sizes, about two minutes"
        )
        parser.add_argument("--tiny", action="store_true", help=argparse.SUPPRESS)  # for the test of this command
        parser.add_argument(
            "--only",
            nargs="+",
            choices=sorted(MEASURES),
            help="只测这些；pages、hostile 只在点名时测 / only these; pages and hostile only when they are named",
        )
        parser.add_argument(
            "--orders", type=int, help="队列页与查找的维修单数 / orders for queue and search (2,000,000)"
        )
        parser.add_argument("--json", type=Path, metavar="FILE", help="结果写入文件 / write the result here as JSON")
        parser.add_argument(
            "--peers",
            type=Path,
            metavar="FILE",
            help="只与清单中的同类产品并排测量 / measure only beside the peers that this file names",
        )
        parser.add_argument(
            "--seconds",
            type=float,
            default=1.0,
            help="与同类产品并排时每次多久 / length of each measurement beside peers (1)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        size = "tiny" if options["tiny"] else "quick" if options["quick"] else "full"
        sizes = SIZES[size]
        if options["orders"]:
            sizes = replace(sizes, orders=options["orders"])
        wanted = set() if options["peers"] else set(options["only"] or MEASURES.keys() - WHEN_NAMED)
        chosen = [name for name in MEASURES if name in wanted]
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # ended from outside, it clears up as on Ctrl-C
        result: dict[str, Any] = {"size": size, "measurements": {}}
        parts: list[Measured] = []
        tables: list[str] = []
        try:
            sites = read_sites(options["peers"]) if options["peers"] else []
            with scratch_server(Path(settings.HOME)) as scratch:
                result["conditions"] = {**conditions(scratch), "cpu": cpu_name()}
                run = self._prepared(scratch, sizes, stocked=not wanted <= OWN_COUNTRY)
                for level in levels_of(sites):
                    part, drawn = self._beside(run, sites, level, options["seconds"])
                    parts.append(part)
                    tables.append(drawn)
                    result["measurements"][f"peers, {level}"] = part.as_json()
                for name in chosen:
                    part, told = self._measured(name, run)
                    parts.append(part)
                    result["measurements"][name] = {**part.as_json(), **told}
        except BenchFailed as failure:
            raise CommandError(f"测量失败 / the measurement failed: {failure}") from failure
        self.stdout.write("\n" + ("\n\n".join(tables) or table(parts)))
        if options["json"]:
            path: Path = options["json"]
            path.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
            self.stdout.write(f"\n{path}")
        if any(part.faults for part in parts):
            raise CommandError("结果有误，见上 / some results are wrong, see above")

    def _prepared(self, scratch: Scratch, sizes: Sizes, *, stocked: bool) -> Run:
        """Make the databases that others are copied from: a network, and one with orders already in it."""
        if not stocked:
            return Run(scratch, scratch.base, scratch.base, sizes)
        network = self._network(scratch, sizes)
        filled = scratch.copy(network, "bench_stocked")
        fill(scratch, filled, orders=sizes.background, stations=sizes.stations)
        return Run(scratch, network, filled, sizes)

    def _network(self, scratch: Scratch, sizes: Sizes) -> Database:
        self._say("准备数据 / preparing")
        network = scratch.copy(scratch.base, "bench_network")
        with a_member(scratch.environment(network, "owner")) as member:
            member.do("fill_network", stations=sizes.stations, coverage_rows=sizes.coverage_rows, lines=4)
        return network

    def _beside(self, run: Run, sites: Sequence[Site], level: int, seconds: float) -> tuple[Measured, str]:
        """Compare with the peers of one level of fill; returns the figures, and the table that people read."""
        self._say(f"并排测量 / measuring side by side: {level:,}")
        before, network = load_average(), self._network(run.scratch, run.sizes)
        found, setup = beside.measure(
            run.scratch, network, sites, level=level, stations=run.sizes.stations, seconds=seconds,
            rounds=run.sizes.rounds,
        )  # fmt: skip
        part = outcome.measured(found, {**setup, "load_before": before, "load_after": load_average()})
        return part, outcome.as_table(found)

    def _measured(self, name: str, run: Run) -> tuple[Measured, dict[str, object]]:
        self._say(f"测量 {name} / measuring {name}")
        before, begun = load_average(), time.monotonic()
        part = MEASURES[name](run)
        told: dict[str, object] = {
            "load_before": before, "load_after": load_average(), "took_seconds": round(time.monotonic() - begun, 1),
        }  # fmt: skip
        return part, told

    def _say(self, text: str) -> None:
        self.stderr.write(f"{time.strftime('%H:%M:%S')} {text}")
