"""Normal users at a steady rate, whether they are answered soon or not. Knows no Django.

A process of its own (`python -m mendline.sim.bench.hostile_users`). Reads one `Job` as JSON from standard input,
answers in JSON. What somebody waits for counts from the moment at which he wanted to ask, so a server that stands still
is seen by all who would have asked meanwhile, and not by the few who were being served.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

PATIENCE = 15.0
DESKS = 32  # people who may wait at once


@dataclass(frozen=True, slots=True)
class Job:
    """Each of `requests` is (kind, method, path, headers, body), sent in order, `per_second` of them."""

    port: int
    per_second: float
    requests: list[tuple[str, str, str, dict[str, str], str]]


@dataclass(slots=True)
class Found:
    """By kind: what each waited (ms; whoever gave up, the whole of his patience), and how often each status came."""

    waited: dict[str, list[float]] = field(default_factory=dict)
    statuses: dict[str, dict[str, int]] = field(default_factory=dict)


def run(job: Job) -> Found:
    waited: dict[str, list[float]] = {}
    statuses: dict[str, Counter[str]] = {}
    lock, turns, begun = threading.Lock(), iter(enumerate(job.requests)), time.perf_counter()

    def sit() -> None:
        line = _line(job.port)
        while True:
            with lock:
                turn = next(turns, None)
            if turn is None:
                line.close()
                return
            number, (kind, method, path, headers, body) = turn
            due = begun + number / job.per_second
            time.sleep(max(0.0, due - time.perf_counter()))
            try:
                line.request(method, path, body.encode() if body else None, headers)
                answer = line.getresponse()
                answer.read()
                status = str(answer.status)
            except (OSError, http.client.HTTPException):
                line.close()
                line, status = _line(job.port), "none"
            took = time.perf_counter() - due
            with lock:
                waited.setdefault(kind, []).append(1000 * (max(took, PATIENCE) if status == "none" else took))
                statuses.setdefault(kind, Counter())[status] += 1

    threads = [threading.Thread(target=sit) for _ in range(DESKS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Found(waited, {kind: dict(found) for kind, found in statuses.items()})


def _line(port: int) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)


def main() -> None:
    asked: dict[str, Any] = json.load(sys.stdin)
    asked["requests"] = [tuple(request) for request in asked["requests"]]
    json.dump(asdict(run(Job(**asked))), sys.stdout)


if __name__ == "__main__":
    main()
