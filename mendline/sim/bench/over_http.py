"""Orders created and moved over HTTP, as a machine does it: token, idempotency key, everything written durably.

A create carries authentication, the idempotency key, the duplicate check, the choice of a station and
its seat, the order with all its indexes, history, timers and outbox, and the stored answer; and it is
on disk when it is answered. Against it stands the server's cheapest answer (an unknown address
below the interface, asked with the same token: no database), measured in the same rounds.
"""

from __future__ import annotations

import json
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any

from mendline.cli.serve import WEB_LIMITS_MS, web_command
from mendline.sim.bench import cpu
from mendline.sim.bench.crew import a_member, end_in_order
from mendline.sim.bench.figures import Aim, Figure, Measured, percentile, ratio
from mendline.sim.bench.http_load import Found, Job
from mendline.sim.bench.scratch import BenchFailed, Database, Scratch

NAME = "orders over HTTP (granian WSGI), with token and idempotency key"
CLIENTS = (1, 4, 16)
WORKERS, THREADS = 2, 4
CHEAPEST = "/api/v1/nothing-here"
START_SECONDS = 60.0
MOST_PER_SECOND = 3_000  # requests prepared for each second; more are never answered on two cores


@dataclass(slots=True)
class _Kind:
    """What one kind of request showed with one number of clients, round by round."""

    rates: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)
    p95: list[float] = field(default_factory=list)
    web_cpu_ms: list[float] = field(default_factory=list)
    server_cpu_ms: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Web:
    """A running web server and the PostgreSQL server behind it."""

    port: int
    pid: int
    server_pid: int


def measure(scratch: Scratch, base: Database, *, seconds: float, rounds: int, background: int) -> Measured:
    """Measure creating and moving with 1, 4 and 16 clients in alternation, `seconds` each."""
    database = scratch.copy(base, "bench_http")
    with a_member(scratch.environment(database, "owner")) as member:
        tokens: Mapping[str, str] = member.do("issue_tokens")
    kinds: dict[tuple[str, int], _Kind] = {}
    created: list[str] = []
    moved = 0
    with _web(scratch, database) as web:
        reports, authorised = _creating(tokens["cc"]), {"Authorization": f"Bearer {tokens['cc']}"}
        _send(web, Job(web.port, 4, 3.0, list(islice(reports, 400))), created)  # warms workers, threads, connections
        for _ in range(rounds):
            for clients in CLIENTS:
                many = int(seconds * MOST_PER_SECOND)
                nothing = Job(
                    web.port, clients, min(seconds, 2.0), [(f"GET {CHEAPEST}", authorised, "")] * 50, again=True
                )
                _note(kinds, "cheapest answer", clients, web, nothing, expected="404")
                create = Job(web.port, clients, seconds, list(islice(reports, many)), keep_bodies=True)
                found = _note(kinds, "create", clients, web, create, expected="201")
                fresh = [json.loads(body) for body in found.bodies]
                created += [order["ref"] for order in fresh]
                move = Job(web.port, clients, seconds, list(_moving(fresh, tokens)))
                moved += _note(kinds, "transition", clients, web, move, expected="200").answered
        pages = _moments_of_growth(database)
    faults = _faults(database, created, moved)
    scratch.drop("bench_http")
    setup: dict[str, object] = {
        "workers": WORKERS, "threads of each": THREADS, "seconds": seconds, "rounds": rounds,
        "orders already there": background, "orders created": len(created), "transitions": moved, **pages,
    }  # fmt: skip
    return Measured(NAME, tuple(_figures(kinds)), setup, tuple(faults))


def _figures(kinds: Mapping[tuple[str, int], _Kind]) -> Iterator[Figure]:
    rates = {key: Figure(_said(*key), "/s", tuple(kind.rates)) for key, kind in kinds.items()}
    best = max((clients for clients in CLIENTS if clients > 1), key=lambda clients: rates["create", clients].value)
    aims = {("create", best): Aim("at_least", 850)}
    for (name, clients), kind in kinds.items():
        aim = aims.get((name, clients))
        said = _said(name, clients)
        yield Figure(said, "/s", tuple(kind.rates), aim)
        yield Figure(f"{said}: p50", "ms", tuple(kind.p50))
        yield Figure(f"{said}: p95", "ms", tuple(kind.p95))
        yield Figure(f"{said}: CPU of the web server", "ms", tuple(kind.web_cpu_ms))
        yield Figure(f"{said}: CPU of the database", "ms", tuple(kind.server_cpu_ms))
    for name in ("create", "transition"):
        for clients in CLIENTS:
            cheapest = rates["cheapest answer", clients]
            yield ratio(rates[name, clients], cheapest, f"{_said(name, clients)} ÷ cheapest answer")
        yield ratio(rates[name, 16], rates[name, 4], f"{name}, 16 clients ÷ 4 clients", Aim("at_least", 0.95))
    lowest = tuple(min(one) for one in zip(*(rates["create", clients].rounds for clients in CLIENTS), strict=True))
    yield Figure("create, the slowest number of clients", "/s", lowest, Aim("at_least", 425))


def _said(name: str, clients: int) -> str:
    return f"{name}, {clients} client{'s' if clients > 1 else ''}"


def _note(kinds: dict[tuple[str, int], _Kind], name: str, clients: int, web: _Web, job: Job, expected: str) -> Found:
    """Send one job and note what it showed.

    Raises BenchFailed when any answer has another status: a refusal is not a slow success.
    """
    web_before, server_before = cpu.of_tree(web.pid), cpu.of_tree(web.server_pid)
    found = _send(web, job)
    web_after, server_after = cpu.of_tree(web.pid), cpu.of_tree(web.server_pid)
    if set(found.statuses) != {expected}:
        raise BenchFailed(f"{name}: answers {found.statuses}, first {found.strange}")
    kind = kinds.setdefault((name, clients), _Kind())
    kind.rates.append(found.answered / found.seconds)
    kind.p50.append(percentile(found.latencies, 0.5))
    kind.p95.append(percentile(found.latencies, 0.95))
    kind.web_cpu_ms.append(1000 * (web_after - web_before) / found.answered)
    kind.server_cpu_ms.append(1000 * (server_after - server_before) / found.answered)
    return found


def _send(web: _Web, job: Job, created: list[str] | None = None) -> Found:
    """Let a process of its own send the job; refs of orders that it created go into `created`."""
    asked = asdict(job) | ({"keep_bodies": True} if created is not None else {})
    done = subprocess.run(
        [sys.executable, "-m", "mendline.sim.bench.http_load"],
        input=json.dumps(asked), capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise BenchFailed(f"the load generator failed: {done.stderr[-1500:]}")
    found = Found(**json.loads(done.stdout))
    if created is not None:
        if set(found.statuses) != {"201"}:
            raise BenchFailed(f"creating over HTTP: answers {found.statuses}, first {found.strange}")
        created += [json.loads(body)["ref"] for body in found.bodies]
    return found


def _creating(token: str) -> Iterator[tuple[str, dict[str, str], str]]:
    from mendline.sim.bench.small_country import reports

    for given in reports(secrets.randbits(32)):
        yield "POST /api/v1/orders", _headers(token), json.dumps({"given": given}, ensure_ascii=False)


def _moving(orders: list[dict[str, Any]], tokens: Mapping[str, str]) -> Iterator[tuple[str, dict[str, str], str]]:
    for order in orders:
        if order["state"] == "dispatched":
            path = f"POST /api/v1/orders/{order['ref']}/transitions/download"
            yield path, _headers(tokens[order["station_no"]]), json.dumps({"given": {}, "revision": order["revision"]})


def _headers(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "Idempotency-Key": secrets.token_hex(12)}


@contextmanager
def _web(scratch: Scratch, database: Database) -> Iterator[_Web]:
    """Serve `database` as an installation would, on a free port of this machine only."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = web_command("127.0.0.1", port, workers=WORKERS, threads=THREADS)
    environment = {**scratch.environment(database), **WEB_LIMITS_MS}
    with (scratch.home / "web.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        _wait_for(port, process, scratch)
        yield _Web(port, process.pid, scratch.server_pid)
    finally:
        end_in_order(process)


def _wait_for(port: int, process: subprocess.Popen[bytes], scratch: Scratch) -> None:
    give_up_at = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < give_up_at:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise BenchFailed(
        f"the web server did not start:\n{(scratch.home / 'web.log').read_text(encoding='utf-8')[-1500:]}"
    )


def _faults(database: Database, created: list[str], moved: int) -> list[str]:
    """Compare what was answered with what stands in the tables: nothing lost, nothing twice."""
    with database.connect() as connection:
        rows = connection.execute(
            "SELECT (SELECT count(*) FROM orders_repairorder WHERE ref = ANY(%(refs)s)),"
            " (SELECT count(*) FROM network_seat s JOIN orders_repairorder o ON o.ref = s.order_ref"
            "   WHERE o.ref = ANY(%(refs)s)),"
            " (SELECT count(*) FROM journal_entry WHERE kind = 'order.report' AND subject = ANY(%(refs)s)),"
            " (SELECT count(*) FROM journal_entry WHERE kind = 'order.download' AND subject = ANY(%(refs)s)),"
            " (SELECT count(*) FROM orders_idempotencykey), (SELECT coalesce(sum(taken), 0) FROM network_dayload),"
            " (SELECT count(*) FROM network_seat)",
            {"refs": created},
        ).fetchone()
    assert rows is not None
    orders, seats, reports, downloads, answers, taken, all_seats = (int(str(one)) for one in rows)
    wanted = {
        "different orders answered": (len(set(created)), len(created)), "orders": (orders, len(created)),
        "seats": (seats, len(created)), "reports in the history": (reports, len(created)),
        "downloads in the history": (downloads, moved), "stored answers": (answers, len(created) + moved),
        "seats counted on the days": (taken, all_seats),
    }  # fmt: skip
    return [f"{what}: {found}, expected {want}" for what, (found, want) in wanted.items() if found != want]


def _moments_of_growth(database: Database) -> dict[str, object]:
    with database.connect() as connection:
        row = connection.execute("SELECT count(*) FROM pg_indexes WHERE tablename = 'orders_repairorder'").fetchone()
    return {"indexes on orders": int(str(row[0])) if row else 0}
