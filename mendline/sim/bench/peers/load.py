"""A load generator for any product: closed loop, one request under way per client. Knows no Django.

Unlike `http_load` it reads answers of every length, takes another address than this machine's, and connects again
where a server closes after each answer, as a server without threads does so that others get their turn.
A process of its own (`python -m mendline.sim.bench.peers.load`): one `Plan` as JSON in, one `Seen` out.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from mendline.sim.bench.http_load import body_of

TIMEOUT = 300.0
MOST_TRIES = 3


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send to `host`:`port`: every request once in order, or (`again`) round and round, until `seconds`.

    A request is (method and path, headers, body) as text.
    """

    host: str
    port: int
    clients: int
    seconds: float
    requests: list[tuple[str, dict[str, str], str]]
    again: bool = False


@dataclass(slots=True)
class Seen:
    """What came of it: milliseconds and body of each answer that was a success, and how many were none."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)
    strange: str = ""  # the first answer that was no success

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds if self.seconds else 0.0


class ClosedEarly(Exception):
    """The server closed before a whole answer had come."""


class _Client:
    """One client: its connection, and what has come back of the answer."""

    def __init__(self, plan: Plan, watched: selectors.BaseSelector) -> None:
        self._plan, self._watched = plan, watched
        self._socket: socket.socket | None = None
        self._came, self._request, self._tries = b"", b"", 0
        self.sent_at = 0.0

    def ask(self, request: bytes) -> None:
        self._request, self._tries = request, 0
        self.sent_at = time.perf_counter()
        self._send()

    def take(self) -> tuple[int, bytes] | None:
        """Return (status, body) when the answer is complete, None while it is not.

        Raises ClosedEarly when the server closes in the middle of an answer or again and again before one.
        """
        assert self._socket is not None
        try:
            part = self._socket.recv(262_144)
        except ConnectionError:
            part = b""
        self._came += part
        answer = whole_answer(self._came, closed=not part)
        if answer is None:
            if not part:
                self._again()
            return None
        status, body, stays = answer
        if not stays or not part:
            self.close()
        return status, body

    def close(self) -> None:
        if self._socket is not None:
            self._watched.unregister(self._socket)
            self._socket.close()
            self._socket = None

    def _again(self) -> None:
        """A kept connection may be closed at any time by its server; nothing was answered on it, so ask anew."""
        self.close()
        if self._came or self._tries >= MOST_TRIES:
            raise ClosedEarly(f"the server closed after {len(self._came)} bytes of an answer")
        self._send()

    def _send(self) -> None:
        self._came = b""
        self._tries += 1
        if self._socket is None:
            self._socket = socket.create_connection((self._plan.host, self._plan.port), TIMEOUT)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._watched.register(self._socket, selectors.EVENT_READ, self)
        try:
            self._socket.sendall(self._request)
        except ConnectionError:
            self._again()


def whole_answer(came: bytes, *, closed: bool) -> tuple[int, bytes, bool] | None:
    """Return (status, body, whether the connection stays) of an answer; None while more has to come.

    >>> whole_answer(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok", closed=False)
    (200, b'ok', True)
    >>> whole_answer(b"HTTP/1.1 200 OK\\r\\nConnection: close\\r\\n\\r\\no", closed=False)
    >>> whole_answer(b"HTTP/1.1 200 OK\\r\\nConnection: close\\r\\n\\r\\nok", closed=True)
    (200, b'ok', False)
    """
    head, found, rest = came.partition(b"\r\n\r\n")
    if not found:
        return None
    small = head.lower()
    status = int(head[9:12])
    stays = b"connection: close" not in small and not small.startswith(b"http/1.0")
    if b"content-length:" in small or b"transfer-encoding: chunked" in small:
        body = body_of(small, rest)
        return None if body is None else (status, body, stays)
    if status == 204 or status == 304:
        return status, b"", stays
    return (status, rest, False) if closed else None


def request_bytes(plan: Plan, request: tuple[str, dict[str, str], str]) -> bytes:
    """Return a request as it goes over the wire; a body is JSON unless its headers say something else."""
    line, headers, body = request
    data = body.encode()
    own = {"Host": f"{plan.host}:{plan.port}", **headers}
    if data:
        own = {"Content-Type": "application/json", **own, "Content-Length": str(len(data))}
    head = "".join(f"{name}: {value}\r\n" for name, value in own.items())
    return f"{line} HTTP/1.1\r\n{head}\r\n".encode() + data


def run(plan: Plan) -> Seen:
    """Send the requests and keep the answers."""
    seen, statuses = Seen(), Counter[str]()
    waiting = _in_turn([request_bytes(plan, request) for request in plan.requests], again=plan.again)
    with selectors.DefaultSelector() as watched:
        clients = [_Client(plan, watched) for _ in range(plan.clients)]
        begun = time.perf_counter()
        under_way = sum(_ask_next(client, waiting) for client in clients)
        while under_way:
            ready = watched.select(TIMEOUT)
            if not ready:
                raise TimeoutError(f"no answer within {TIMEOUT:.0f} s")
            for key, _ in ready:
                client: _Client = key.data
                answer = client.take()
                if answer is None:
                    continue
                _note(seen, statuses, answer, 1000 * (time.perf_counter() - client.sent_at))
                over = time.perf_counter() - begun >= plan.seconds
                under_way -= 0 if not over and _ask_next(client, waiting) else 1
        seen.seconds = time.perf_counter() - begun
        for client in clients:
            client.close()
    seen.statuses = dict(statuses)
    return seen


def _in_turn(requests: list[bytes], *, again: bool) -> Iterator[bytes]:
    yield from requests
    while again and requests:
        yield from requests


def _ask_next(client: _Client, waiting: Iterator[bytes]) -> bool:
    request = next(waiting, None)
    if request is not None:
        client.ask(request)
    return request is not None


def _note(seen: Seen, statuses: Counter[str], answer: tuple[int, bytes], latency: float) -> None:
    status, body = answer
    statuses[str(status)] += 1
    if status < 300:
        seen.latencies.append(latency)
        seen.bodies.append(body.decode("utf-8", "replace"))
    elif not seen.strange:
        seen.strange = f"{status} {body[:300].decode('utf-8', 'replace')}"


def main() -> None:
    asked: dict[str, Any] = json.load(sys.stdin)
    asked["requests"] = [tuple(request) for request in asked["requests"]]
    json.dump(asdict(run(Plan(**asked))), sys.stdout)


if __name__ == "__main__":
    main()
