"""Requests of hostile shape, sent for some seconds. Knows no Django.

A process of its own (`python -m mendline.sim.bench.hostile_shapes`). Reads one `Attack` as JSON from standard input,
and answers with how often each status came, how many of them said when to come again, and what became of slow lines.
"""

from __future__ import annotations

import http.client
import json
import secrets
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias

SLOW_LINES = 500
DRIP_SECONDS = 1.0
GREEDY = 4  # lines of one who asks without pause
AT_ONCE = 50  # exports that one person asks for together
HUGE = 100 * 1024 * 1024
DEEP = 10_000
PATIENCE = 30.0
Request: TypeAlias = tuple[str, str, bytes]  # method, path, body


@dataclass(frozen=True, slots=True)
class Attack:
    """`machine` and `person` are the headers with which one key, and one person in a browser, are known."""

    shape: str
    port: int
    seconds: float
    machine: dict[str, str] = field(default_factory=dict)
    person: dict[str, str] = field(default_factory=dict)
    reports: list[str] = field(default_factory=list)
    per_second: float = 0.0


class Told:
    """What the server said, from all threads."""

    def __init__(self) -> None:
        self.statuses: Counter[str] = Counter()
        self.said_when = 0
        self._lock = threading.Lock()

    def note(self, status: str, when: bool = False) -> None:
        with self._lock:
            self.statuses[status] += 1
            self.said_when += when


def slow_heads(attack: Attack, told: Told) -> None:
    _drip(attack, told, b"GET /accounts/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")


def slow_bodies(attack: Attack, told: Told) -> None:
    """A form for signing in, which anybody may send, and whose body never ends.

    Without the cookie of a form it would be refused unread, and everybody has that cookie.
    """
    head = "POST /accounts/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n"
    head += f"Cookie: csrftoken={'a' * 32}\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\nlogin="
    _drip(attack, told, head.encode())


def _drip(attack: Attack, told: Told, begun: bytes) -> None:
    lines, until = [], time.monotonic() + attack.seconds
    for _ in range(SLOW_LINES):
        with suppress(OSError):
            line = socket.create_connection(("127.0.0.1", attack.port), 5)
            line.sendall(begun)
            line.setblocking(False)
            lines.append(line)
    told.statuses["begun"] = len(lines)
    while time.monotonic() < until:
        for line in list(lines):
            try:
                line.send(b"x")
                if (heard := line.recv(64)) == b"":
                    raise ConnectionResetError
                told.note(heard[9:12].decode("ascii", "replace"))
            except BlockingIOError:
                continue
            except OSError:
                lines.remove(line)
        time.sleep(DRIP_SECONDS)
    told.statuses["still open"] = len(lines)


def huge_json(attack: Attack, told: Told) -> None:
    body = b'{"given": {"fault": "' + b"x" * HUGE + b'"}}'
    _greedy(attack, told, {**attack.machine, "Content-Type": "application/json"}, [("POST", "/api/v1/orders", body)])


def deep_json(attack: Attack, told: Told) -> None:
    both = [b'{"given": ' + b"[" * DEEP + b"]" * DEEP + b"}", b'{"a":' * DEEP + b"1" + b"}" * DEEP]
    headers = {**attack.machine, "Content-Type": "application/json"}
    _greedy(attack, told, headers, [("POST", "/api/v1/orders", body) for body in both])


def far_pages(attack: Attack, told: Told) -> None:
    paths = ["/queue/?page=1000000000", "/search/?q=138&page=1000000000", "/queue/?after=" + "A" * 200]
    _greedy(attack, told, attack.person, [("GET", path, b"") for path in paths])


def garbled_cursors(attack: Attack, told: Told) -> None:
    paths = ["/api/v1/orders?limit=1000000000", "/api/v1/orders?cursor=" + "A" * 80, "/api/v1/orders?cursor=%00%FF"]
    _greedy(attack, told, attack.machine, [("GET", path, b"") for path in paths])


def one_sign(attack: Attack, told: Told) -> None:
    words = ("1", "a", "%E8%B7%AF", "0", "%E7%8E%8B", "%25", "_")
    _greedy(attack, told, attack.person, [("GET", f"/{page}/?q={word}", b"") for word in words for page in PAGES])


PAGES = ("search", "palette")


def costly_words(attack: Attack, told: Told) -> None:
    """What hurts whoever hands it to a regular expression or to LIKE; and a frequent word many times."""
    words = (
        "(a%2B)%2B%24" + "a" * 60, "%25_" * 60, "(.*)*" * 20 + "b", "%E8%B7%AF+" * 40, "138+" * 40,
        "%E5%BB%BA%E8%AE%BE+" * 30, "a%7C" * 80, "%5C" * 100,
    )  # fmt: skip
    _greedy(attack, told, attack.person, [("GET", f"/{page}/?q={word}", b"") for word in words for page in PAGES])


def exports(attack: Attack, told: Told) -> None:
    """The largest table there is, fifty times at once; each line asks again a second after it was answered."""
    request = ("GET", "/network/export.xlsx", b"")
    _greedy(attack, told, attack.person, [request], lines=AT_ONCE, pause=1.0)


def busy_key(attack: Attack, told: Told) -> None:
    """One key that takes reports at ten times the rate of everybody together."""
    turns, lock, begun = iter(enumerate(attack.reports)), threading.Lock(), time.monotonic()

    def call() -> None:
        line = _line(attack)
        while True:
            with lock:
                turn = next(turns, None)
            if turn is None or time.monotonic() - begun > attack.seconds:
                return
            number, body = turn
            time.sleep(max(0.0, begun + number / attack.per_second - time.monotonic()))
            headers = {**attack.machine, "Content-Type": "application/json", "Idempotency-Key": secrets.token_hex(12)}
            line = _asked(line, attack, told, ("POST", "/api/v1/orders", body.encode()), headers)

    _together([call] * 16)


SHAPES: Mapping[str, Callable[[Attack, Told], None]] = {
    "slow_heads": slow_heads,
    "slow_bodies": slow_bodies,
    "huge_json": huge_json,
    "deep_json": deep_json,
    "far_pages": far_pages,
    "garbled_cursors": garbled_cursors,
    "one_sign": one_sign,
    "costly_words": costly_words,
    "exports": exports,
    "busy_key": busy_key,
}


def _greedy(
    attack: Attack, told: Told, headers: Mapping[str, str], requests: list[Request], lines: int = GREEDY,
    pause: float = 0.0,
) -> None:  # fmt: skip
    """Send the requests round and round on `lines` lines, each as soon as the one before was answered."""
    until = time.monotonic() + attack.seconds

    def ask() -> None:
        line, number = _line(attack), 0
        while time.monotonic() < until:
            line = _asked(line, attack, told, requests[number % len(requests)], headers)
            number += 1
            time.sleep(pause)

    _together([ask] * lines)


def _asked(
    line: http.client.HTTPConnection, attack: Attack, told: Told, request: Request, headers: Mapping[str, str]
) -> http.client.HTTPConnection:
    """Ask once, note what came, and return the line for the next one."""
    method, path, body = request
    try:
        with suppress(BrokenPipeError, ConnectionResetError):  # a refusal may come before all was sent
            line.request(method, path, body or None, dict(headers))
        answer = line.getresponse()
        answer.read()
        told.note(str(answer.status), "Retry-After" in answer.headers)
    except (OSError, http.client.HTTPException):
        told.note("no answer")
        line.close()
        return _line(attack)
    return line


def _line(attack: Attack) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", attack.port, timeout=PATIENCE)


def _together(calls: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main() -> None:
    asked: dict[str, Any] = json.load(sys.stdin)
    attack, told = Attack(**asked), Told()
    SHAPES[attack.shape](attack, told)
    json.dump({"statuses": dict(told.statuses), "said_when": told.said_when}, sys.stdout)


if __name__ == "__main__":
    main()
