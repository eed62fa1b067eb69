"""The queue with a thousand orders and with millions: what a page costs may not depend on how many there were."""

from __future__ import annotations

from dataclasses import dataclass, field

from mendline.sim.bench.crew import Member, a_member
from mendline.sim.bench.figures import Aim, Figure, Measured, percentile, ratio
from mendline.sim.bench.many_orders import OPEN_SHARE, fill
from mendline.sim.bench.scratch import Database, Scratch

NAME = "the queue page, few orders against many"
FEW = 1_000
FEW_STATIONS = 8  # so that each of them has a full page
LEAST_OPEN = 20_000  # with fewer orders in all, more of them are open, so that pages are full
PAGES_SHARE = 0.3  # a whole page costs more than its query, and is read that much less often
OTHERS_SHARE = 5  # wider scopes, which nobody works from all day, are read that many times less often
JOBS = (("read_queue", "query", 1.0), ("count_queue", "counts", 1.0), ("render_queue", "whole page", PAGES_SHARE))


@dataclass(slots=True)
class _Times:
    p50: list[float] = field(default_factory=list)
    p95: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


def measure(scratch: Scratch, base: Database, *, orders: int, stations: int, rounds: int, reads: int) -> Measured:
    """Measure the query and the rendered page for a station, a region and the call centre, few and many in turn."""
    few = scratch.copy(base, "bench_few")
    many = scratch.copy(base, "bench_many")
    small = fill(scratch, few, orders=FEW, stations=min(FEW_STATIONS, stations), open_share=1.0)
    large = fill(
        scratch, many, orders=orders, stations=stations, open_share=min(1.0, max(OPEN_SHARE, LEAST_OPEN / orders))
    )
    times: dict[tuple[str, str, str], _Times] = {}
    with a_member(scratch.environment(few)) as with_few, a_member(scratch.environment(many)) as with_many:
        for number in range(rounds):
            for whose in ("station", "region", "everywhere"):
                for job, _, share in JOBS:
                    often = int(reads * share) if whose == "station" else int(reads * share) // OTHERS_SHARE
                    _take(times, (job, whose, "few"), with_few, often, number)
                    _take(times, (job, whose, "many"), with_many, often, number)
    scratch.drop("bench_few")
    scratch.drop("bench_many")
    setup: dict[str, object] = {"few": small.as_setup(), "many": large.as_setup(), "rounds": rounds}
    return Measured(NAME, tuple(_figures(times)), setup)


def _take(
    times: dict[tuple[str, str, str], _Times], key: tuple[str, str, str], member: Member, reads: int, number: int
) -> None:
    found = member.do(key[0], whose=key[1], number=reads, seed=number)
    noted = times.setdefault(key, _Times())
    noted.p50.append(percentile(found["ms"], 0.5))
    noted.p95.append(percentile(found["ms"], 0.95))
    noted.cpu.append(found["cpu_ms"])


def _figures(times: dict[tuple[str, str, str], _Times]) -> list[Figure]:
    figures: list[Figure] = []
    for job, said, _ in JOBS:
        for whose in ("station", "region", "everywhere"):
            few, many = times[job, whose, "few"], times[job, whose, "many"]
            name = f"{said}, {whose}"
            # The aims are about the page that a station works from all day. Its counts are read from up to a thousand
            # rows, of which the few have not as many.
            aimed = whose == "station" and job != "count_queue"
            aim, growth = (Aim("at_most", 25), Aim("at_most", 1.5)) if aimed else (None, None)
            p50_few, p50_many = (
                Figure(f"{name}, {n}: p50", "ms", tuple(t.p50)) for n, t in (("few", few), ("many", many))
            )
            figures += [
                p50_few,
                p50_many,
                Figure(f"{name}, few: p95", "ms", tuple(few.p95)),
                Figure(f"{name}, many: p95", "ms", tuple(many.p95), aim),
                ratio(p50_many, p50_few, f"{name}: many ÷ few (p50)", growth),
                Figure(f"{name}, many: CPU of the process", "ms", tuple(many.cpu)),
            ]
    return figures
