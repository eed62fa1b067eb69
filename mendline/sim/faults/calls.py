"""Calls of the interface within this process: the whole application, without a socket and with any time of day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from io import BytesIO
from typing import Any

import orjson
from django.core.handlers.wsgi import WSGIHandler
from django.utils import timezone

from mendline.access import tokens
from mendline.access.models import Person
from mendline.kernel.errors import Conflict, NotVisible, Refused
from mendline.kernel.text import Text
from mendline.sim.faults.nth import Answer

REPLAYED = "Idempotency-Replayed"


@dataclass(frozen=True, slots=True)
class Response:
    """Status, body and headers of one answer."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = orjson.loads(self.body)
        return found

    def answer(self) -> Answer:
        done = self.status in (200, 201)
        return Answer(
            done, f"{self.status} {self.body.decode(errors='replace')}", str(self.json.get("ref", "")) if done else ""
        )


@contextmanager
def at_time(now: datetime) -> Iterator[None]:
    """Let the application believe that it is `now`: the interface reads the clock once for every call."""
    kept = timezone.now
    timezone.now = lambda: now
    try:
        yield
    finally:
        timezone.now = kept


@cache
def application() -> WSGIHandler:
    """Return the application, made once; whoever has several threads asks for it before they begin."""
    return WSGIHandler()


def post(path: str, secret: str, key: str, body: Mapping[str, Any]) -> Response:
    """Send one call with its idempotency key; the answer is whole when this returns."""
    return _sent(path, secret, key, "application/json", orjson.dumps(body, default=str))


def post_file(path: str, secret: str, key: str, name: str, content: bytes) -> Response:
    """Send a file, as forms do."""
    head = f'--line\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    return _sent(path, secret, key, "multipart/form-data; boundary=line", head.encode() + content + b"\r\n--line--\r\n")


def _sent(path: str, secret: str, key: str, media_type: str, content: bytes) -> Response:
    heard: list[tuple[str, list[tuple[str, str]]]] = []
    environment = {
        "REQUEST_METHOD": "POST", "PATH_INFO": path, "SERVER_NAME": "localhost", "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "localhost", "HTTP_AUTHORIZATION": f"Bearer {secret}",
        "HTTP_IDEMPOTENCY_KEY": key, "CONTENT_TYPE": media_type, "CONTENT_LENGTH": str(len(content)),
        "wsgi.url_scheme": "http", "wsgi.input": BytesIO(content), "wsgi.errors": BytesIO(),
    }  # fmt: skip

    def began(status: str, headers: list[tuple[str, str]], fault: object = None) -> None:
        heard.append((status, headers))

    response = application()(environment, began)  # type: ignore[arg-type]
    try:
        status, headers = heard[0]
        return Response(int(status.split()[0]), b"".join(response), dict(headers))
    finally:
        response.close()


class Secrets:
    """Keys of people, issued when they are first asked for."""

    def __init__(self) -> None:
        self._of: dict[int, str] = {}

    def __call__(self, person_id: int) -> str:
        if person_id not in self._of:
            self._of[person_id] = tokens.issue(Person.objects.get(pk=person_id), "fault sweep")
        return self._of[person_id]


def raised(response: Response) -> Exception:
    """Return the answer as the error that the door would have raised."""
    if response.status == 404:
        return NotVisible()
    try:
        problem = response.json
    except ValueError:
        return RuntimeError(f"{response.status} {response.body[:200]!r}")
    said = str(problem.get("detail", ""))
    text = Text(said, said)
    if response.status == 409:
        return Conflict(str(problem.get("code")), text)
    if response.status in (403, 422):
        rules = tuple(problem.get("rules") or ())
        return Refused(str(problem.get("code")), text, str(problem.get("rule") or ""), rules=rules)
    return RuntimeError(f"{response.status} {said}")
