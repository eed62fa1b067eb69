"""Due timers: how many take effect in a second, with one sweeper and with two, and each exactly once."""

from __future__ import annotations

import time

from mendline.sim.bench import cpu
from mendline.sim.bench.crew import a_crew, all_at_once
from mendline.sim.bench.figures import Aim, Figure, Measured
from mendline.sim.bench.scratch import Database, Scratch

NAME = "due timers taking effect (clock, history, notice each)"
SWEEPERS = (1, 2)
TAKEN_AT = "2026-03-02T01:00:00+00:00"
SWEPT_AT = "2026-03-02T04:05:00+00:00"  # three quarters of the four hours to contact the user have passed


def measure(scratch: Scratch, base: Database, *, timers: int, rounds: int, background: int) -> Measured:
    """Measure on copies of one database in which `timers` steps are due at once."""
    original = scratch.copy(base, "bench_due")
    with a_crew(scratch.environment(original), 2) as members:
        half = timers // 2
        shares = [{"number": half, "first": 0}, {"number": timers - half, "first": half}]
        all_at_once(members, "take_orders", [{**share, "now": TAKEN_AT} for share in shares])
    rates: dict[int, list[float]] = {number: [] for number in SWEEPERS}
    own_cpu: dict[int, list[float]] = {number: [] for number in SWEEPERS}
    server_cpu: dict[int, list[float]] = {number: [] for number in SWEEPERS}
    faults: list[str] = []
    for _ in range(rounds):
        for number in SWEEPERS:
            database = scratch.copy(original, "bench_sweep")
            with a_crew(scratch.environment(database), number) as members:
                all_at_once(members, "warm_sweeper", [{}] * number)
                before, begun = cpu.of_tree(scratch.server_pid), time.perf_counter()
                found = all_at_once(members, "sweep_all", [{"now": SWEPT_AT}] * number)
                seconds = time.perf_counter() - begun
                used = cpu.of_tree(scratch.server_pid) - before
            settled = sum(int(one["settled"]) for one in found)
            rates[number].append(settled / seconds)
            own_cpu[number].append(1000 * sum(one["cpu"] for one in found) / max(1, settled))
            server_cpu[number].append(1000 * used / max(1, settled))
            faults += _faults(database, timers, settled)
    for name in ("bench_due", "bench_sweep"):
        scratch.drop(name)
    figures: list[Figure] = []
    for number in SWEEPERS:
        said = f", {number} sweeper{'s' if number > 1 else ''}"
        figures += [
            Figure("effects" + said, "/s", tuple(rates[number]), Aim("at_least", 2000)),
            Figure("CPU of the sweepers" + said, "ms", tuple(own_cpu[number])),
            Figure("CPU of the database" + said, "ms", tuple(server_cpu[number])),
        ]
    setup: dict[str, object] = {"timers due": timers, "orders already there": background, "rounds": rounds}
    return Measured(NAME, tuple(figures), setup, tuple(faults))


def _faults(database: Database, timers: int, settled: int) -> list[str]:
    """Compare with what must stand there now: every timer fired once, with one entry and one notice."""
    with database.connect() as connection:
        row = connection.execute(
            "SELECT (SELECT count(*) FROM process_timer WHERE state = 'fired'),"
            " (SELECT count(*) FROM process_timer WHERE state = 'open' AND due_at <= %(now)s),"
            " (SELECT count(*) FROM journal_entry WHERE kind = 'clock.warn'),"
            " (SELECT count(DISTINCT subject) FROM journal_entry WHERE kind = 'clock.warn'),"
            " (SELECT count(*) FROM journal_outgoing WHERE notice = 'contact_due' AND channel = 'inbox'),"
            " (SELECT count(*) FROM orders_repairorder WHERE revision = 1 AND updated_at = %(now)s)",
            {"now": SWEPT_AT},
        ).fetchone()
    assert row is not None
    wanted = {
        "timers reported as settled": (settled, timers), "timers fired": (row[0], timers), "timers left": (row[1], 0),
        "entries in the history": (row[2], timers), "orders with an entry": (row[3], timers),
        "notices": (row[4], timers), "orders moved on by one": (row[5], timers),
    }  # fmt: skip
    return [f"{what}: {found}, expected {want}" for what, (found, want) in wanted.items() if found != want]
