"""Every page of the console for every role: what the server takes, what goes over the wire, what a person waits for.

The pages are those of the address table, so a new one is measured without anybody thinking of it. The server's
time is taken over real HTTP, one request after the other; bytes, loading and interaction in a Chromium on a
simulated 4G line, where there is one.
"""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from mendline.cli.serve import WEB_LIMITS_MS, web_command
from mendline.sim.bench.crew import Member, a_member, end_in_order
from mendline.sim.bench.figures import Aim, Figure, Measured, percentile
from mendline.sim.bench.scratch import BenchFailed, Database, Scratch

NAME = "every page of the console, for every role"
SEED = 20260302
STATIONS_OF_A_COUNTRY = 300
FEW_ORDERS = 20_000  # up to here the national demo alone
AIM_MS, AIM_FIGURES_MS, AIM_DOCUMENT_MS = 100, 2000, 3000
FIRST_LOAD_KB, LOADED_SECONDS, INTERACTION_MS = 150, 1.5, 200
MOST_FIELDS = {"new caller": 12, "known caller": 4}
START_SECONDS = 90.0
# Pages that are read and not worked with all day, and documents that are made while somebody waits.
SLOWER = ("figures", "coverage", "gaps", "change_effect", "capacity", "replay", "differences", "network", "verdict")
DOCUMENTS = ("print", "sheet", "_pdf", "export", "template")


def measure(scratch: Scratch, base: Database, *, orders: int, stations: int, reads: int) -> Measured:
    """Fill a database with the demo of that size and measure it."""
    database = scratch.copy(base, "bench_pages")
    large = orders > FEW_ORDERS
    with a_member(scratch.environment(database, "owner")) as member:
        filled = member.do(
            "fill_country", orders=orders, stations=stations if large else STATIONS_OF_A_COUNTRY, seed=SEED
        )
    with database.connect() as connection:
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")
    found = of_installation(scratch.environment(database), reads=reads)
    scratch.drop("bench_pages")
    setup: dict[str, object] = {"orders": orders, "reads of each page": reads, "seconds to fill": filled}
    return Measured(NAME, found.figures, {**setup, **found.setup}, found.faults)


def of_installation(environment: Mapping[str, str], *, reads: int) -> Measured:
    """Measure the pages of the database that `environment` names, which holds a demo."""
    figures: list[Figure] = []
    faults: list[str] = []
    with a_member(environment) as member, web_server(environment) as port:
        people: list[dict[str, str]] = member.do("visitors")
        opened: dict[str, tuple[dict[str, str], str]] = {}
        for who in people:
            for name, found in member.do("visit_pages", port=port, who=who, reads=reads).items():
                if found["status"] >= 500:
                    faults.append(f"{name} as {who['role']}: {found['status']} at {found['address']}")
                if found["ms"]:
                    opened.setdefault(name, (who, found["address"]))
                    value = percentile(found["ms"], 0.95)
                    figures.append(Figure(f"{name}, {who['role']}: server p95", "ms", (value,), aim_of(name)))
        figures += _seen(member, port, opened, people)
    return Measured(NAME, tuple(figures), {"pages": len(opened), "roles": len(people)}, tuple(faults))


def aim_of(name: str) -> Aim:
    """Return how long the server may take for a page.

    >>> str(aim_of("queue")), str(aim_of("figures_paths")), str(aim_of("print"))
    ('≤ 100', '≤ 2,000', '≤ 3,000')
    """
    if any(word in name for word in DOCUMENTS):
        return Aim("at_most", AIM_DOCUMENT_MS)
    return Aim("at_most", AIM_FIGURES_MS if name.startswith(SLOWER) else AIM_MS)


def _seen(
    member: Member, port: int, opened: Mapping[str, tuple[dict[str, str], str]], people: list[dict[str, str]]
) -> Iterator[Figure]:
    """Yield what the browser shows: each page once, as the first role that has it."""
    if not member.do("can_look"):
        return
    by_person: dict[str, dict[str, str]] = {}
    whole = {name: both for name, both in opened.items() if not any(word in name for word in DOCUMENTS)}
    for name, (who, address) in whole.items():
        by_person.setdefault(who["username"], {})[name] = address
    for who in people:
        pages = by_person.get(who["username"], {})
        for name, found in member.do("look_at_pages", port=port, who=who, pages=pages).items():
            if "failed" in found:
                continue
            yield Figure(f"{name}: first load", "kB", (found["kb"],), Aim("at_most", FIRST_LOAD_KB))
            yield Figure(f"{name}: loaded on 4G", "s", (found["seconds"],), Aim("at_most", LOADED_SECONDS))
            yield Figure(f"{name}: interaction", "ms", (found["interaction_ms"],), Aim("at_most", INTERACTION_MS))
    agent = next((who for who in people if who["role"] == "cc_agent"), None)
    if agent is not None:
        yield from _agents_path(member.do("take_reports", port=port, who=agent, known_phone=member.do("a_known_phone")))


def _agents_path(found: Mapping[str, Mapping[str, Any]]) -> Iterator[Figure]:
    for who, path in found.items():
        yield Figure(f"report of a {who}: fields", "", (path["fields"],), Aim("at_most", MOST_FIELDS[who]))
        yield Figure(f"report of a {who}: keys pressed", "", (path["keys"],))
        yield Figure(f"report of a {who}: characters by input method", "", (path["characters"],))
        yield Figure(f"report of a {who}: requests", "", (path["requests"],))
        yield Figure(f"report of a {who}: seconds of the server", "s", (path["server_seconds"],))


@contextmanager
def web_server(environment: Mapping[str, str]) -> Iterator[int]:
    """Serve as an installation would, on a free port of this machine only; yields the port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = web_command("127.0.0.1", port, workers=1, threads=4)
    with_limits = {**environment, **WEB_LIMITS_MS, "MENDLINE_DATABASE_ROLE": "app"}
    process = subprocess.Popen(command, env=with_limits, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port, process)
        yield port
    finally:
        end_in_order(process)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise BenchFailed("the web server did not start")
