"""A load generator: closed loop, one request under way on each kept-alive connection. Knows no Django.

A process of its own (`python -m mendline.sim.bench.http_load`), so that it takes no time from the server
but what its share of the machine is. Reads one `Job` as JSON from standard input, answers in JSON.
"""

from __future__ import annotations

import json
import resource
import selectors
import socket
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Job:
    """What to send to 127.0.0.1:`port`: every request once in order, or (`again`) round and round, until `seconds`.

    A request is (method and path, headers, body) as text; see `request_bytes`.
    """

    port: int
    clients: int
    seconds: float
    requests: list[tuple[str, dict[str, str], str]]
    again: bool = False
    keep_bodies: bool = False


@dataclass(slots=True)
class Found:
    """What came of it. Latencies are milliseconds, one for each answer; `cpu` is the generator's own, in seconds."""

    answered: int = 0
    seconds: float = 0.0
    cpu: float = 0.0
    statuses: dict[str, int] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    strange: str = ""  # the first answer that was no success


class _Line:
    """One connection: when it sent its last request, and what has come back of the answer."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), TIMEOUT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sent_at = 0.0
        self._came = b""

    def send(self, request: bytes) -> None:
        self._came = b""
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> tuple[int, bytes] | None:
        """Return (status, body) when the answer is complete, None while it is not."""
        part = self.socket.recv(65536)
        if not part:
            raise ConnectionError("the server closed the connection")
        self._came += part
        head, found, rest = self._came.partition(b"\r\n\r\n")
        body = body_of(head.lower(), rest) if found else None
        return None if body is None else (int(head[9:12]), body)


def body_of(head: bytes, rest: bytes) -> bytes | None:
    """Return the body that follows a head (in small letters), None while it is not complete.

    >>> body_of(b"content-length: 2", b"ok"), body_of(b"content-length: 2", b"o")
    (b'ok', None)
    >>> body_of(b"transfer-encoding: chunked", b"2\\r\\nok\\r\\n0\\r\\n\\r\\n")
    b'ok'
    """
    at = head.find(b"content-length:")
    if at >= 0:
        length = int(head[at + 15 :].split(b"\r\n", 1)[0])
        return rest[:length] if len(rest) >= length else None
    if not rest.endswith(b"0\r\n\r\n"):
        return None
    body = b""
    while (size := int(rest[: (end := rest.index(b"\r\n"))], 16)) > 0:
        body += rest[end + 2 : end + 2 + size]
        rest = rest[end + 4 + size :]
    return body


def request_bytes(line: str, headers: dict[str, str], body: str) -> bytes:
    """Return a request as it goes over the wire.

    >>> request_bytes("GET /", {}, "")
    b'GET / HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\n\\r\\n'
    """
    data = body.encode()
    own = {"Host": "127.0.0.1", **headers}
    if data:
        own |= {"Content-Type": "application/json", "Content-Length": str(len(data))}
    head = "".join(f"{name}: {value}\r\n" for name, value in own.items())
    return f"{line} HTTP/1.1\r\n{head}\r\n".encode() + data


def run(job: Job) -> Found:
    """Send the requests and count the answers."""
    ready = [request_bytes(*request) for request in job.requests]
    lines = [_Line(job.port) for _ in range(min(job.clients, len(ready)))]
    watch = selectors.DefaultSelector()
    for line in lines:
        watch.register(line.socket, selectors.EVENT_READ, line)
    found, statuses, place = Found(), Counter[str](), 0
    cpu, begun = _cpu(), time.perf_counter()
    for line in lines:
        line.send(ready[place])
        place += 1
    under_way = len(lines)
    while under_way:
        events = watch.select(TIMEOUT)
        if not events:
            raise TimeoutError("no answer came")
        for key, _ in events:
            line = key.data
            answer = line.receive()
            if answer is None:
                continue
            now = time.perf_counter()
            _note(found, statuses, job, answer, 1000 * (now - line.sent_at))
            if job.again and place == len(ready):
                place = 0
            if place < len(ready) and now - begun < job.seconds:
                line.send(ready[place])
                place += 1
            else:
                under_way -= 1
    found.seconds, found.cpu = time.perf_counter() - begun, _cpu() - cpu
    found.statuses = dict(statuses)
    for line in lines:
        line.socket.close()
    return found


def _note(found: Found, statuses: Counter[str], job: Job, answer: tuple[int, bytes], latency: float) -> None:
    status, body = answer
    found.answered += 1
    found.latencies.append(latency)
    statuses[str(status)] += 1
    if job.keep_bodies:
        found.bodies.append(body.decode("utf-8", "replace"))
    if status >= 400 and not found.strange:
        found.strange = f"{status} {body[:500].decode('utf-8', 'replace')}"


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    asked: dict[str, Any] = json.load(sys.stdin)
    asked["requests"] = [tuple(request) for request in asked["requests"]]
    json.dump(asdict(run(Job(**asked))), sys.stdout)


if __name__ == "__main__":
    main()
