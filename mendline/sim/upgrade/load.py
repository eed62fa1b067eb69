"""People at work during an upgrade: machines that report, look and step, through whichever server answers."""

from __future__ import annotations

import http.client
import json
import secrets
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

PATIENCE = 30.0  # seconds for one answer
UNANSWERED = "no answer"


@dataclass(slots=True)
class Phase:
    """What was answered in one part of the upgrade. `wrong`: the first answers that were faults of ours."""

    name: str
    answers: dict[str, int] = field(default_factory=dict)
    slowest_ms: float = 0.0
    wrong: list[str] = field(default_factory=list)

    @property
    def asked(self) -> int:
        return sum(self.answers.values())

    @property
    def faults(self) -> int:
        """How many were 5xx, or never answered."""
        return sum(count for status, count in self.answers.items() if status[0] == "5" or status == UNANSWERED)


class Load:
    """Clients that go round: report, read it, list, step. Which servers they ask may change at any time."""

    def __init__(self, reports: Iterator[Mapping[str, Any]], tokens: Mapping[str, str], *, clients: int = 4) -> None:
        self.phases: list[Phase] = []
        self.acknowledged: list[str] = []
        self._reports, self._tokens, self._clients = reports, tokens, clients
        self._ports: tuple[int, ...] = ()
        self._under_way: Counter[int] = Counter()
        self._known = threading.Condition()
        self._ended = threading.Event()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        threads = [threading.Thread(target=self._work, args=(n,), daemon=True) for n in range(self._clients)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._ended.set()
            for thread in threads:
                thread.join()

    def begin(self, name: str, *ports: int) -> Phase:
        """Begin a phase in which these servers are asked; returns when nothing is under way at any other."""
        with self._known:
            phase = Phase(name)
            self.phases.append(phase)
            self._ports = ports
            self._known.wait_for(lambda: not any(n for port, n in self._under_way.items() if port not in ports))
        return phase

    def until(self, phase: Phase, asked: int, *, seconds: float = 120.0) -> None:
        """Wait until so many requests of a phase were answered."""
        with self._known:
            self._known.wait_for(lambda: phase.asked >= asked, timeout=seconds)

    def _work(self, number: int) -> None:
        lines: dict[int, http.client.HTTPConnection] = {}
        try:
            self._go_round(lines, number)
        finally:
            for line in lines.values():
                line.close()

    def _go_round(self, lines: dict[int, http.client.HTTPConnection], turn: int) -> None:
        while not self._ended.is_set():
            with self._known:
                report = next(self._reports)
            turn += 1
            status, order = self._ask(lines, turn, "POST", "/orders", self._tokens["cc"], {"given": report})
            if status != 201:
                continue
            with self._known:
                self.acknowledged.append(order["ref"])
            self._ask(lines, turn, "GET", f"/orders/{order['ref']}", self._tokens["cc"])
            self._ask(lines, turn + 1, "GET", "/orders?limit=50", self._tokens["cc"])
            if order["state"] == "dispatched":
                body = {"given": {}, "revision": order["revision"]}
                path = f"/orders/{order['ref']}/transitions/download"
                self._ask(lines, turn + 1, "POST", path, self._tokens[order["station_no"]], body)

    def _ask(
        self,
        lines: dict[int, http.client.HTTPConnection],
        turn: int,
        method: str,
        path: str,
        token: str,
        body: object = None,
    ) -> tuple[int, Any]:
        with self._known:
            port, phase = self._ports[turn % len(self._ports)], self.phases[-1]
            self._under_way[port] += 1
        began = time.perf_counter()
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": secrets.token_hex(12)}
        if body is not None:
            headers["Content-Type"] = "application/json"
        status, said = 0, b""
        try:
            line = lines.setdefault(port, http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE))
            line.request(method, f"/api/v1{path}", json.dumps(body) if body is not None else None, headers)
            answer = line.getresponse()
            status, said = answer.status, answer.read()
        except (OSError, http.client.HTTPException) as problem:
            lines.pop(port).close()
            said = str(problem).encode()
        took = 1000 * (time.perf_counter() - began)
        with self._known:
            name = str(status) if status else UNANSWERED
            phase.answers[name] = phase.answers.get(name, 0) + 1
            phase.slowest_ms = max(phase.slowest_ms, took)
            if (status >= 500 or not status) and len(phase.wrong) < 3:
                phase.wrong.append(f"{method} {path}: {status} {said[:200].decode(errors='replace')}")
            self._under_way[port] -= 1
            self._known.notify_all()
        return status, json.loads(said) if 200 <= status < 300 else None
