"""Mendline on a scratch server, filled as its peers are, beside those that a list names."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version

from mendline.sim.bench import cpu, over_http
from mendline.sim.bench.crew import a_member, end_in_order
from mendline.sim.bench.many_orders import fill
from mendline.sim.bench.peers import memory
from mendline.sim.bench.peers.memory import Processes
from mendline.sim.bench.peers.mendline_orders import Mendline
from mendline.sim.bench.peers.multiply import LEAST_OPEN, OPEN_SHARE
from mendline.sim.bench.peers.product import Address
from mendline.sim.bench.peers.side_by_side import Comparison, Contestant, compare
from mendline.sim.bench.peers.sites import Site
from mendline.sim.bench.scratch import Database, Scratch

FULL_PAGES = 8  # stations, while there are only a thousand orders
PHONES_KNOWN = 2_000
QUIET_SHARE, QUIET_SECONDS, LONGEST_WAIT = 0.1, 2.0, 180.0


def levels_of(sites: Sequence[Site]) -> list[int]:
    return sorted({site.level for site in sites})


def measure(
    scratch: Scratch,
    network: Database,
    sites: Sequence[Site],
    *,
    level: int,
    stations: int,
    seconds: float,
    rounds: int,
) -> tuple[Comparison, dict[str, object]]:
    """Compare Mendline with the peers of this level; returns what was found and how everything was set up."""
    peers = [site for site in sites if site.level == level]
    for site in peers:
        site.product.get_ready()  # before anything is filled: a peer that is down is said at once
    with _mendline(scratch, network, level, stations) as ours:
        contestants = [ours, *(Contestant(site.product, memory.found(site.product.started_as)) for site in peers)]
        found = compare(contestants, level=level, seconds=seconds, rounds=rounds)
    setup: dict[str, object] = {
        "tickets": level, "seconds": seconds, "rounds": rounds,
        "Mendline": f"granian {version('granian')}, {over_http.WORKERS} workers of {over_http.THREADS} threads, worker",
        **{site.product.name: f"{site.product.address}, {site.setup}" for site in peers},
        "what is asked": {one.name: dict(one.product.answers) for one in contestants},
    }  # fmt: skip
    return found, setup


@contextmanager
def _mendline(scratch: Scratch, network: Database, level: int, stations: int) -> Iterator[Contestant]:
    """Fill a database to `level` and serve it, with the process that keeps the search and sends messages beside."""
    database = scratch.copy(network, f"bench_beside_{level}")
    open_share = min(1.0, max(OPEN_SHARE, LEAST_OPEN / level))
    fill(
        scratch, database, orders=level, stations=stations if level > LEAST_OPEN else FULL_PAGES, open_share=open_share
    )
    with a_member(scratch.environment(database, "owner")) as member:
        tokens: dict[str, str] = member.do("issue_tokens")
    with a_member(scratch.environment(database)) as member:
        member.do("fill_search")
        people: list[dict[str, str]] = member.do("visitors")
    session = next(who["session"] for who in people if who["role"] == "cc_agent")
    with database.connect() as connection:
        connection.execute("VACUUM ANALYZE")
        rows = connection.execute(
            "SELECT substr(phone, 4) FROM orders_repairorder ORDER BY random() LIMIT %s", [PHONES_KNOWN]
        ).fetchall()
    # Its peers have nothing that works beside the requests, so what it does there is counted as well.
    command = [sys.executable, "-m", "mendline.cli.main", "worker"]
    with (scratch.home / "worker.log").open("wb") as log:
        worker = subprocess.Popen(command, env=scratch.environment(database), stdout=log, stderr=log)
    try:
        with over_http._web(scratch, database) as web:
            _wait_until_quiet(worker.pid, web.server_pid)
            processes = Processes((web.pid,), web.server_pid, beside=(worker.pid,))
            address = Address("127.0.0.1", web.port)
            yield Contestant(Mendline(address, tokens, session, [str(row[0]) for row in rows]), processes)
    finally:
        end_in_order(worker)
        scratch.drop(database.name)


def _wait_until_quiet(*pids: int) -> None:
    """Wait until a worker that has just started has caught up with what was filled past it."""
    give_up_at = time.monotonic() + LONGEST_WAIT
    used = QUIET_SECONDS
    while used > QUIET_SHARE * QUIET_SECONDS and time.monotonic() < give_up_at:
        before = sum(cpu.of_tree(pid) for pid in pids)
        time.sleep(QUIET_SECONDS)
        used = sum(cpu.of_tree(pid) for pid in pids) - before
