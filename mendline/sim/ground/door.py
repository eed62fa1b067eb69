"""Calls the product as a machine does: HTTP in this process, a key for each person, all the way to PostgreSQL.

Here also happens what happens to calls: the request never arrives, the reply never comes back, the connection
breaks before or right after the commit.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.core.handlers.base import BaseHandler
from django.core.handlers.wsgi import WSGIRequest
from django.db import DEFAULT_DB_ALIAS, OperationalError, connection, connections

from mendline.access import tokens
from mendline.access.models import Person

WRITES = ("mendline_write", "INSERT", "UPDATE", "network_give_back_seat")
BEFORE, AFTER = "cut_before_commit", "cut_after_commit"


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes
    replayed: bool = False
    statements: int | None = None

    def json(self) -> Any:
        return orjson.loads(self.body)


@dataclass(slots=True)
class Door:
    """One process's handler. Statements of every `counted`-th call are counted, which goes a slower way (I19)."""

    counted: int = 20
    secrets: dict[str, str] = field(default_factory=dict)
    handler: BaseHandler = field(default_factory=BaseHandler)
    calls: int = 0

    def __post_init__(self) -> None:
        self.handler.load_middleware()

    def send(
        self, method: str, path: str, *, by: str, body: Mapping[str, Any] | None = None, key: str = "", cut: str = ""
    ) -> Reply:
        """Send one request as `by` and return what the product answered; `cut` breaks its connection on the way."""
        self.calls += 1
        request = _request(method, path, self._secret(by), body, key)
        if cut:
            with broken_at(cut):
                return self._answer(request)
        if self.calls % self.counted == 0:
            counter = _Counter()
            with connection.execute_wrapper(counter):
                reply = self._answer(request)
            return Reply(reply.status, reply.body, reply.replayed, counter.statements)
        return self._answer(request)

    def _answer(self, request: WSGIRequest) -> Reply:
        response = self.handler.get_response(request)
        content = bytes(response.content)  # type: ignore[attr-defined]  # nothing here streams, or need be closed
        return Reply(response.status_code, content, response.headers.get("Idempotency-Replayed") == "true")

    def _secret(self, username: str) -> str:
        if username not in self.secrets:
            self.secrets[username] = tokens.issue(Person.objects.get(username=username), "simulation")
        return self.secrets[username]


def _request(method: str, path: str, secret: str, body: Mapping[str, Any] | None, key: str) -> WSGIRequest:
    raw = json.dumps(body, ensure_ascii=False).encode() if body is not None else b""
    address, _, query = path.partition("?")
    return WSGIRequest(
        {
            "REQUEST_METHOD": method, "PATH_INFO": f"/api/v1{address}", "QUERY_STRING": query, "SCRIPT_NAME": "",
            "SERVER_NAME": "localhost", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(raw), "wsgi.errors": io.StringIO(), "CONTENT_LENGTH": str(len(raw)),
            "CONTENT_TYPE": "application/json", "HTTP_AUTHORIZATION": f"Bearer {secret}",
            "HTTP_ACCEPT_LANGUAGE": "zh-hans", **({"HTTP_IDEMPOTENCY_KEY": key} if key else {}),
        }
    )  # fmt: skip


Execute = Callable[[str, Any, bool, dict[str, Any]], Any]


class _Counter:
    """Counts what is sent to the database."""

    def __init__(self) -> None:
        self.statements = 0

    def __call__(self, execute: Execute, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        self.statements += 1
        return execute(sql, params, many, context)


@contextmanager
def broken_at(where: str) -> Iterator[None]:
    """Break the connection once: before the first thing that is written, or when it has just become durable."""
    broken = False

    def break_it() -> None:
        nonlocal broken
        broken = True
        if connection.connection is not None:
            connection.connection.close()
        raise OperationalError("the connection was cut (simulated)")

    def statement(execute: Execute, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        if broken or not any(word in sql for word in WRITES):
            return execute(sql, params, many, context)
        if where == BEFORE:
            break_it()
        found = execute(sql, params, many, context)
        if not connection.in_atomic_block:
            break_it()
        return found

    def commit() -> None:
        committing()
        if not broken:
            break_it()

    own: Any = connections[DEFAULT_DB_ALIAS]  # `django.db.connection` is a proxy for all threads
    committing = own._commit
    if where == AFTER:
        own._commit = commit
    try:
        with own.execute_wrapper(statement):
            yield
    finally:
        own.__dict__.pop("_commit", None)
        if own.connection is not None and own.connection.closed:
            own.close()
