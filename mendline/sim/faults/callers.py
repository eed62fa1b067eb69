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
from typing import Any, Literal, TypeAlias

from mendline.sim.faults.journals import Journal
from mendline.sim.faults.patience import pause

PATIENCE = 2.0  # seconds that a caller waits for an answer
RETRY = 0.1
# Answers after which the same call is sent again: broken off on its way, busy or in flight, our fault, not reachable.
AGAIN = frozenset((400, 409, 500, 502, 503, 504))
# How far a try came that was not answered: the line took no request; the request was out and no answer began; an
# answer began and never ended. Whether the request arrived, nobody can tell who asks.
Broke: TypeAlias = Literal["unsent", "unanswered", "half answered"]


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of one try: status and body, or how far it came."""

    status: int = 0
    body: bytes = b""
    broke: Broke | None = None


@dataclass(slots=True)
class Heard:
    """What callers heard, all together: answers by status, and tries without one by how far they came."""

    statuses: Counter[str] = field(default_factory=Counter)
    broke: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, reply: Reply) -> None:
        with self.lock:
            if reply.broke is None:
                self.statuses[str(reply.status)] += 1
            else:
                self.broke[reply.broke] += 1


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
            port = self._ports[(caller + attempt) % len(self._ports)]
            reply = ask(port, self._secret, wanted, report_of(wanted))
            self.heard.note(reply)
            if reply.status == 201:
                journal.note("acknowledged", wanted, f"{json.loads(reply.body)['ref']}/{digest(reply.body)}")
                return
            if reply.broke is None and reply.status not in AGAIN:
                journal.note("odd", wanted, f"{reply.status} {reply.body.decode(errors='replace')}")
                return
            journal.note("unanswered", wanted, reply.broke or str(reply.status))
            pause(RETRY)


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:16]


def ask(port: int, secret: str, key: str, given: dict[str, Any]) -> Reply:
    """Send one report, and say how far it came when no answer did."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    came: Broke = "unsent"
    try:
        line.request(
            "POST", "/api/v1/orders", json.dumps({"given": given}, ensure_ascii=False).encode(),
            {"Authorization": f"Bearer {secret}", "Idempotency-Key": key, "Content-Type": "application/json"},
        )  # fmt: skip
        came = "unanswered"
        response = line.getresponse()
        came = "half answered"
        return Reply(response.status, response.read())
    except (OSError, http.client.HTTPException):
        return Reply(broke=came)
    finally:
        line.close()
