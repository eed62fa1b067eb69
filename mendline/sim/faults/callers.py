"""Callers over real sockets: each asks under a key until it has an answer, and notes everything before and after.

A caller that hears nothing for two seconds tries again at the other web process, as a client behind a balancer does.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from mendline.sim.faults.journals import Journal
from mendline.sim.faults.patience import pause

PATIENCE = 2.0  # seconds that a caller waits for an answer
RETRY = 0.1
# Answers after which the same call is sent again: broken off on its way, busy or in flight, our fault, not reachable.
AGAIN = frozenset((400, 409, 500, 502, 503, 504))


@dataclass(slots=True)
class Heard:
    """What callers heard, all together."""

    statuses: Counter[str] = field(default_factory=Counter)
    differed: list[str] = field(default_factory=list)  # keys that were answered in two ways
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, status: object) -> None:
        with self.lock:
            self.statuses[str(status)] += 1


def report_of(wanted: str) -> dict[str, Any]:
    """Return the report of one key; `fault` tells in the database what was wanted."""
    caller, number = map(int, wanted.split("-"))
    return {
        "customer": {"name": "王先生", "phone": f"139{caller:02d}{number:06d}"}, "product": "desktop", "area": "110108",
        "address": "上地信息路2号", "fault": wanted, "service_mode": "on_site",
    }  # fmt: skip


class Callers:
    """`size` callers that report until they are told to stop; whatever was begun is asked for until it is answered."""

    def __init__(self, ports: Sequence[int], secret: str, folder: Path, size: int, *, first: int = 0) -> None:
        self.heard = Heard()
        self._ports = ports
        self._secret = secret
        self._folder = folder
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._call, args=(first + n,), daemon=True) for n in range(size)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self, seconds: float = 60.0) -> int:
        """Let everybody finish what was begun; return how many could not within `seconds`."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(seconds)
        return sum(thread.is_alive() for thread in self._threads)

    def _call(self, caller: int) -> None:
        journal = Journal(self._folder, caller)
        for number in count():
            if self._stopping.is_set():
                return
            self._report(journal, f"{caller}-{number}", caller)

    def _report(self, journal: Journal, wanted: str, caller: int) -> None:
        for attempt in count():
            journal.note("sent", wanted)
            status, body = ask(
                self._ports[(caller + attempt) % len(self._ports)], self._secret, wanted, report_of(wanted)
            )
            self.heard.note(status)
            if status == 201:
                journal.note("acknowledged", wanted, f"{json.loads(body)['ref']}/{digest(body)}")
                return
            if status not in AGAIN and status != 0:
                journal.note("odd", wanted, f"{status} {body[:200].decode(errors='replace')}")
                return
            journal.note("unanswered", wanted, str(status))
            pause(RETRY)


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:16]


def ask(port: int, secret: str, key: str, given: dict[str, Any]) -> tuple[int, bytes]:
    """Send one report; the status is 0 when there was no answer."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        line.request(
            "POST", "/api/v1/orders", json.dumps({"given": given}, ensure_ascii=False).encode(),
            {"Authorization": f"Bearer {secret}", "Idempotency-Key": key, "Content-Type": "application/json"},
        )  # fmt: skip
        response = line.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        line.close()
