"""What normal users wait for while somebody sends requests of hostile shape (P18).

The processes are those of an installation: web, live, worker, PostgreSQL. Normal users ask at a steady rate, first
alone and then beside each shape, in turn, so that both halves of a ratio were measured within a minute.
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
from pathlib import Path
from typing import Any

from mendline.cli.live import live_command
from mendline.cli.serve import WEB_LIMITS_MS, web_command
from mendline.sim.bench import cpu, hostile_proxy
from mendline.sim.bench.crew import a_member, end_in_order
from mendline.sim.bench.figures import Aim, Figure, Measured, percentile
from mendline.sim.bench.hostile_shapes import SHAPES, Attack
from mendline.sim.bench.hostile_users import Found, Job
from mendline.sim.bench.scratch import BenchFailed, Database, Scratch

NAME = "normal users beside requests of hostile shape"
WORKERS, THREADS = 2, 4
KINDS = ("report", "queue", "order")
EACH_PER_SECOND = 4.0
BUSY_KEY = 10 * EACH_PER_SECOND
AIM_TIMES, AIM_MEMORY_MB = 2.0, 200.0
START_SECONDS = 120.0
LIMITED, NO_LIMIT = "exports", "no limit and nothing"
HEAD_START_SECONDS = 1.5  # the shape is there before the first who is measured
SETTLE_SECONDS = 3.0
# Of whom a shape comes: one key, or one person in a browser. What anybody may send is of neither.
BY_PERSON = {"far_pages": "seeker", "one_sign": "seeker", "costly_words": "seeker", "exports": "manager"}


@dataclass(frozen=True, slots=True)
class Site:
    """A running installation: the port that people ask at, its processes, and who there is."""

    port: int
    web: int
    processes: tuple[int, ...]
    people: Mapping[str, Any]
    coming: Iterator[dict[str, Any]]


@dataclass(slots=True)
class Seen:
    """What one shape showed: waiting times by kind (ms, p95), answers to users and to the shape, memory (MB)."""

    alone: dict[str, float]
    beside: dict[str, float]
    users: dict[str, dict[str, int]]
    told: dict[str, int]
    said_when: int
    memory_before: float
    memory_most: float
    extra: dict[str, object] = field(default_factory=dict)


def measure(scratch: Scratch, base: Database, *, seconds: float, background: int) -> Measured:
    """Measure each shape for `seconds`: with nothing before the web process, behind nginx where there is one, and, as a
    control, the one that a limit of ours stops, without that limit."""
    figures: list[Figure] = []
    seen: dict[str, dict[str, object]] = {}
    database = scratch.copy(base, "bench_hostile")
    with a_member(scratch.environment(database, "owner")) as member:
        people = member.do("cast_hostile")
    for before in ("nothing", *(["nginx"] if hostile_proxy.program() else []), NO_LIMIT):
        with _site(scratch, database, people, before) as site:
            _alone(site, 3.0)  # warms workers, threads, connections
            for shape in SHAPES if before != NO_LIMIT else [LIMITED]:
                found = _beside(site, shape, seconds)
                name = f"{shape}, {before} before it"
                seen[name] = asdict(found)
                figures += _figures(name, found)
    scratch.drop("bench_hostile")
    setup: dict[str, object] = {
        "web workers": WORKERS, "threads of each": THREADS, "seconds of each shape": seconds,
        "normal requests a second": f"{EACH_PER_SECOND:g} of each: {', '.join(KINDS)}", "orders": background,
        "seen": seen,
    }  # fmt: skip
    return Measured(NAME, tuple(figures), setup)


def _figures(name: str, seen: Seen) -> Iterator[Figure]:
    for kind in KINDS:
        yield Figure(f"{name}: {kind}, p95 alone", "ms", (seen.alone[kind],))
        yield Figure(f"{name}: {kind}, p95 beside it", "ms", (seen.beside[kind],))
        times = seen.beside[kind] / seen.alone[kind]
        yield Figure(f"{name}: {kind}, beside ÷ alone", "", (times,), Aim("at_most", AIM_TIMES), _answers(seen, kind))
    grown = seen.memory_most - seen.memory_before
    said = f"{_told(seen.told)}; {seen.said_when} said when to come again"
    yield Figure(f"{name}: memory at most above before", "MB", (grown,), Aim("at_most", AIM_MEMORY_MB), said)


def _answers(seen: Seen, kind: str) -> str:
    return _told(seen.users[kind])


def _told(statuses: Mapping[str, int]) -> str:
    return ", ".join(f"{status}: {count}" for status, count in sorted(statuses.items()))


def _alone(site: Site, seconds: float) -> Found:
    return _answer_of(_users(site, seconds))


def _beside(site: Site, shape: str, seconds: float) -> Seen:
    alone = _alone(site, seconds)
    before = most = memory_mb(site.processes)
    # The shape outlasts those who are measured beside it.
    attack = _started("hostile_shapes", asdict(_attack(site, shape, seconds + HEAD_START_SECONDS + 1)))
    time.sleep(HEAD_START_SECONDS)
    users = _users(site, seconds)
    while users.poll() is None:
        most = max(most, memory_mb(site.processes))
        time.sleep(0.25)
    beside, told = _answer_of(users), _answer_of_attack(attack)
    _until_quiet(site)
    return Seen(
        {kind: percentile(alone.waited[kind], 0.95) for kind in KINDS},
        {kind: percentile(beside.waited[kind], 0.95) for kind in KINDS},
        beside.statuses, told["statuses"], told["said_when"], before, most,
    )  # fmt: skip


def _attack(site: Site, shape: str, seconds: float) -> Attack:
    person = site.people[BY_PERSON.get(shape, "seeker")]
    reports = [
        json.dumps({"given": given}, ensure_ascii=False) for given in islice(site.coming, int(BUSY_KEY * seconds))
    ]
    return Attack(
        shape, site.port, seconds,
        machine={"Authorization": f"Bearer {site.people['key']}", "Idempotency-Key": secrets.token_hex(12), **SECURE},
        person={"Cookie": f"sessionid={person}", **SECURE},
        reports=reports if shape == "busy_key" else [], per_second=BUSY_KEY,
    )  # fmt: skip


SECURE = {"Accept-Language": "zh-hans"}


def _users(site: Site, seconds: float) -> subprocess.Popen[str]:
    """Start the normal users; what they ask for is the same mix every time."""
    requests: list[tuple[str, str, str, dict[str, str], str]] = []
    cookie = {"Cookie": f"sessionid={site.people['coordinator']}", **SECURE}
    for number in range(int(EACH_PER_SECOND * seconds)):
        key = {"Authorization": f"Bearer {site.people['agent']}", "Idempotency-Key": secrets.token_hex(12)}
        body = json.dumps({"given": next(site.coming)}, ensure_ascii=False)
        ref = site.people["orders"][number % len(site.people["orders"])]
        requests.append(("report", "POST", "/api/v1/orders", {**key, "Content-Type": "application/json"}, body))
        requests.append(("queue", "GET", "/queue/", cookie, ""))
        requests.append(("order", "GET", f"/orders/{ref}/", cookie, ""))
    return _started("hostile_users", asdict(Job(site.port, EACH_PER_SECOND * len(KINDS), requests)))


def _started(module: str, asked: Mapping[str, Any]) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", f"mendline.sim.bench.{module}"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8",
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write(json.dumps(asked))
    process.stdin.close()
    return process


def _read(process: subprocess.Popen[str]) -> Any:
    assert process.stdout is not None
    told = process.stdout.read()
    if process.wait() != 0:
        raise BenchFailed("a generator of load failed")
    return json.loads(told)


def _answer_of(process: subprocess.Popen[str]) -> Found:
    return Found(**_read(process))


def _answer_of_attack(process: subprocess.Popen[str]) -> dict[str, Any]:
    found: dict[str, Any] = _read(process)
    return found


def memory_mb(processes: tuple[int, ...]) -> float:
    """Return what the processes and their children hold in memory, in MB."""
    everybody = [*processes, *(child for one in processes for child in cpu.children_of(one))]
    return sum(_resident_kb(one) for one in everybody) / 1024


def _resident_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS:")), 0)


def _until_quiet(site: Site) -> None:
    """Wait until the web process has nothing left to do, or the next shape would pay for this one."""
    until = time.monotonic() + START_SECONDS
    used = cpu.of_tree(site.web)
    while time.monotonic() < until:
        time.sleep(SETTLE_SECONDS)
        now = cpu.of_tree(site.web)
        if now - used < 0.1 * SETTLE_SECONDS:
            return
        used = now


@contextmanager
def _site(scratch: Scratch, database: Database, people: Mapping[str, Any], before: str) -> Iterator[Site]:
    """Start an installation on free ports of this machine only."""
    from mendline.sim.bench.small_country import reports

    web_port, live_port = free_port(), free_port()
    environment = scratch.environment(database)
    worker = [sys.executable, "-m", "mendline.cli.main", "worker"]
    web = web_command("127.0.0.1", web_port, workers=WORKERS, threads=THREADS)
    if before == NO_LIMIT:
        web[-1] = "mendline.sim.bench.hostile_control:application"
    commands = {
        "web": (web, {**environment, **WEB_LIMITS_MS}),
        "live": (live_command("127.0.0.1", live_port), environment),
        "worker": (worker, environment),
    }
    started: list[subprocess.Popen[bytes]] = []
    try:
        for name, (command, its) in commands.items():
            with (scratch.home / f"{name}.log").open("w", encoding="utf-8") as log:
                started.append(subprocess.Popen(command, env=its, stdout=log, stderr=log))
        _wait_for(web_port, started[0], scratch.home / "web.log")
        pids = tuple(process.pid for process in started)
        if before != "nginx":
            yield Site(web_port, pids[0], pids, people, reports(secrets.randbits(32)))
            return
        with hostile_proxy.before(web_port, live_port, scratch.home, free_port()) as port:
            yield Site(port, pids[0], pids, people, reports(secrets.randbits(32)))
    finally:
        for process in started:
            end_in_order(process)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise BenchFailed(f"the web server did not start:\n{log.read_text(encoding='utf-8')[-1500:]}")
