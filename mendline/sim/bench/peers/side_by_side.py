"""Asking several products the same questions in turn, round by round, and what came of it as figures."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from mendline.sim.bench.figures import percentile
from mendline.sim.bench.peers import memory
from mendline.sim.bench.peers.load import Plan, Seen
from mendline.sim.bench.peers.memory import Processes
from mendline.sim.bench.peers.product import CHANGE, CREATE, LIST, READING, Product
from mendline.sim.bench.scratch import BenchFailed

CLIENTS = (1, 4, 16)
WARM_CLIENTS = 16
WARM_SECONDS = 3.0
MOST_PER_SECOND = 1_500  # requests prepared for each second; more are never answered on two cores
SEARCHES = 400
MOST_CPU_SECONDS, MOST_SECONDS = 2.0, 10.0  # for one answer; the second where nothing is known of the processes
Cell = tuple[str, str, int]
"""Product, question, clients."""


@dataclass(slots=True)
class Taken:
    """What one product showed for one question with one number of clients, round by round."""

    per_second: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)
    p95: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)  # of the product and its database, for each answer
    answers: int = 0
    kb: float = 0.0


@dataclass(slots=True)
class Comparison:
    """Everything that one level of fill showed."""

    level: int
    rounds: int
    products: tuple[str, ...]
    taken: dict[Cell, Taken] = field(default_factory=dict)
    memory_mb: dict[str, tuple[list[float], float]] = field(default_factory=dict)  # each worker, everything
    created: dict[str, int] = field(default_factory=dict)
    too_slow: dict[tuple[str, str], float] = field(default_factory=dict)  # asked by one client only; seconds for each
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Contestant:
    """A product and the processes that serve it."""

    product: Product
    processes: Processes

    @property
    def name(self) -> str:
        return self.product.name


def compare(contestants: Sequence[Contestant], *, level: int, seconds: float, rounds: int) -> Comparison:
    """Ask all products everything, `seconds` at a time.

    Reading comes first, so that it happens at the level; writing makes the fast ones larger than the slow ones.
    """
    found = Comparison(level, rounds, tuple(one.name for one in contestants))
    for one in contestants:
        one.product.get_ready()
    _warm(found, contestants)
    for number in range(rounds):
        for clients in CLIENTS:
            for question in READING:
                for one in turned(contestants, number):
                    if clients == 1 or (one.name, question) not in found.too_slow:
                        _note(found, one, question, clients, _read(one, question, clients, seconds, seed=number))
    numbers = {one.name: level + 1 + secrets.randbelow(10**6) for one in contestants}
    for one in contestants:
        _write(None, one, WARM_CLIENTS, WARM_SECONDS, numbers)
    for number in range(rounds):
        for clients in CLIENTS:
            for one in turned(contestants, number):
                _write(found, one, clients, seconds, numbers)
    for one in contestants:
        found.memory_mb[one.name] = memory.of_workers(one.processes)
    return found


def _warm(found: Comparison, contestants: Sequence[Contestant]) -> None:
    """Ask everything that is read, so that every worker has loaded its code, and see what takes too long.

    Sixteen clients who wait for an answer that takes seconds of processor time would wait for minutes, and tell nothing
    that one does not.
    """
    for one in contestants:
        for question in READING:
            _read(one, question, 1, 0.0, seed=found.rounds)
            first = _read(one, question, 1, 0.0, seed=found.rounds + 1)
            if first.cpu_seconds > MOST_CPU_SECONDS or (not first.cpu_seconds and first.seen.seconds > MOST_SECONDS):
                found.too_slow[one.name, question] = first.cpu_seconds or first.seen.seconds
            else:
                _read(one, question, WARM_CLIENTS, WARM_SECONDS, seed=found.rounds)


def turned(contestants: Sequence[Contestant], number: int) -> list[Contestant]:
    """Return them in another order each round: who comes first pays for what the one before left to be written."""
    place = number % len(contestants)
    return [*contestants[place:], *contestants[:place]]


@dataclass(frozen=True, slots=True)
class _Asked:
    seen: Seen
    cpu_seconds: float


def _read(one: Contestant, question: str, clients: int, seconds: float, *, seed: int) -> _Asked:
    product = one.product
    requests = list(product.listing() if question == LIST else product.searching(SEARCHES, seed))
    return _ask(one, Plan(*_place(product), clients, seconds, requests, again=True))


def _write(found: Comparison | None, one: Contestant, clients: int, seconds: float, numbers: dict[str, int]) -> None:
    """Create for `seconds`, then change what was created for as long; without `found` nothing is noted."""
    product, many = one.product, max(clients, int(seconds * MOST_PER_SECOND))
    requests = list(product.creating(numbers[one.name], many))
    numbers[one.name] += many
    created = _ask(one, Plan(*_place(product), clients, seconds, requests))
    made = [ticket for body in created.seen.bodies if (ticket := product.made(body)) is not None]
    changed = _ask(one, Plan(*_place(product), clients, seconds, list(product.changing(made)))) if made else None
    if found is not None:
        _note(found, one, CREATE, clients, created)
        found.created[one.name] = found.created.get(one.name, 0) + len(created.seen.bodies)
        if changed is None:
            found.faults.append(f"{one.name}: {CREATE}, {clients} clients: nothing that could be changed")
        else:
            _note(found, one, CHANGE, clients, changed)


def _ask(one: Contestant, plan: Plan) -> _Asked:
    before = sum(one.processes.cpu_seconds())
    seen = send(plan)
    return _Asked(seen, sum(one.processes.cpu_seconds()) - before)


def _place(product: Product) -> tuple[str, int]:
    return product.address.host, product.address.port


def send(plan: Plan) -> Seen:
    """Let a process of its own send the plan. Raises BenchFailed when it could not."""
    done = subprocess.run(
        [sys.executable, "-m", "mendline.sim.bench.peers.load"],
        input=json.dumps(asdict(plan)), capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise BenchFailed(f"the load generator failed at {plan.host}:{plan.port}: {done.stderr[-1500:]}")
    return Seen(**json.loads(done.stdout))


def _note(found: Comparison, one: Contestant, question: str, clients: int, asked: _Asked) -> None:
    """Note what a round showed; a refusal or an answer without what was asked for is a fault, not a fast success."""
    seen, many = asked.seen, len(asked.seen.bodies)
    where = f"{one.name}: {question}, {clients} client{'s' if clients > 1 else ''}"
    if seen.strange:
        found.faults.append(f"{where}: answers {seen.statuses}, first {seen.strange}")
    wrong = sum(not one.product.is_right(question, body) for body in seen.bodies)
    if wrong:
        found.faults.append(f"{where}: {wrong} of {many} answers do not hold what was asked for")
    taken = found.taken.setdefault((one.name, question, clients), Taken())
    taken.per_second.append(seen.per_second)
    taken.p50.append(percentile(seen.latencies, 0.5) if many else 0.0)
    taken.p95.append(percentile(seen.latencies, 0.95) if many else 0.0)
    taken.cpu_ms.append(1000 * asked.cpu_seconds / many if many else 0.0)
    taken.answers += many
    taken.kb = sum(len(body.encode()) for body in seen.bodies) / many / 1000 if many else 0.0
