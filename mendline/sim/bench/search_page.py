"""Searching among millions of orders: what people type, by scope; the frequent word and the one that is nowhere."""

from __future__ import annotations

import time

from mendline.sim.bench.crew import Member, a_member
from mendline.sim.bench.figures import Aim, Figure, Measured, percentile
from mendline.sim.bench.many_orders import OPEN_SHARE, drop_indexes, fill
from mendline.sim.bench.scratch import Database, Scratch
from mendline.sim.bench.search_jobs import KINDS

NAME = "searching, by what is typed"
SCOPES = ("station", "region", "everywhere")
FEWEST_OPEN = 5_000


def measure(scratch: Scratch, base: Database, *, orders: int, stations: int, rounds: int, searches: int) -> Measured:
    """Measure every kind of search for a station, a region and the call centre, and the palette as a whole.

    `searches` is how many of each kind; the palette is asked as often, kind by kind in turn.
    """
    database = scratch.copy(base, "bench_search")
    stock = fill(
        scratch, database, orders=orders, stations=stations, open_share=min(1.0, max(OPEN_SHARE, FEWEST_OPEN / orders))
    )
    made = _make_index(scratch, database)
    setup: dict[str, object] = {"orders": stock.as_setup(), "index": made, "rounds": rounds}
    faults: list[str] = []
    with a_member(scratch.environment(database)) as member:
        figures = [figure for whose in SCOPES for figure in _searches(member, whose, rounds, searches, faults)]
        figures += [_whole_page(member, whose, rounds, searches) for whose in SCOPES]
        figures.append(_of_everything(member, rounds, searches))
    scratch.drop("bench_search")
    return Measured(NAME, tuple(figures), setup, tuple(faults))


def _searches(member: Member, whose: str, rounds: int, searches: int, faults: list[str]) -> list[Figure]:
    """Return the p95 of each kind, and of all kinds together: nobody types only the easy ones."""
    by_kind: dict[str, list[float]] = {kind: [] for kind in KINDS}
    together: list[float] = []
    for number in range(rounds):
        all_of_them: list[float] = []
        for kind in KINDS:
            warming = min(6, searches)  # statements are prepared from the sixth time on
            member.do("search_orders", whose=whose, kind=kind, number=warming, seed=1_000 + number)
            found = member.do("search_orders", whose=whose, kind=kind, number=searches, seed=number)
            by_kind[kind].append(percentile(found["ms"], 0.95))
            all_of_them += found["ms"]
            if found["stopped"]:
                faults.append(f"{kind}, {whose}: {found['stopped']} of {searches} searches were cut off")
            if not found["found"] and kind not in ("two frequent words", "nothing there"):
                faults.append(f"{kind}, {whose}: an order was not found by its own words")
        together.append(percentile(all_of_them, 0.95))
    figures = [Figure(f"{kind}, {whose}: p95", "ms", tuple(values)) for kind, values in by_kind.items()]
    return [Figure(f"everything typed, {whose}: p95", "ms", tuple(together), Aim("at_most", 150)), *figures]


def _whole_page(member: Member, whose: str, rounds: int, searches: int) -> Figure:
    values = [
        percentile(
            member.do("render_palette", whose=whose, number=max(searches, len(KINDS)), seed=100 * number)["ms"], 0.95
        )
        for number in range(rounds)
    ]
    return Figure(f"palette through the web process, {whose}: p95", "ms", tuple(values), Aim("at_most", 150))


def _of_everything(member: Member, rounds: int, searches: int) -> Figure:
    """The years before as well, which people ask for by a button of its own."""
    values: list[float] = []
    for number in range(rounds):
        taken = [
            ms
            for kind in KINDS
            for ms in member.do(
                "search_orders",
                whose="everywhere",
                kind=kind,
                number=max(1, searches // 5),
                seed=number,
                everything=True,
            )["ms"]
        ]
        values.append(percentile(taken, 0.95))
    return Figure("everything typed, all years, everywhere: p95", "ms", tuple(values))


def _make_index(scratch: Scratch, database: Database) -> dict[str, object]:
    """Fill the index as an installation does; its own indexes are built afterwards, which takes less time."""
    with database.connect() as connection:
        definitions = [
            built for table in ("search_current", "search_past") for built in drop_indexes(connection, table)
        ]
    with a_member(scratch.environment(database)) as member:
        made = member.do("fill_search")
    begun = time.perf_counter()
    with database.connect() as connection:
        connection.execute("SET maintenance_work_mem = '512MB'")
        for definition in definitions:
            connection.execute(definition.encode())
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")
        row = connection.execute(
            "SELECT (SELECT count(*) FROM search_current), (SELECT count(*) FROM search_past),"
            " pg_total_relation_size('search_current') >> 20, pg_total_relation_size('search_past') >> 20,"
            " (SELECT avg(cardinality(keys))::int FROM search_current)"
        ).fetchone()
    assert row is not None
    names = ("current", "past", "current_mb", "past_mb", "keys_per_order")
    return {
        **{name: int(str(value)) for name, value in zip(names, row, strict=True)},
        "filled_seconds": round(float(made["seconds"]), 1),
        "indexed_seconds": round(time.perf_counter() - begun, 1),
    }
