"""A caller who tries things without leaving a trace, and what it hears with everything taken out that may differ."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import quote, urlencode
from zipfile import ZipFile

import orjson
import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.test import Client
from pytest_django import DjangoDbBlocker

from mendline.dispatch.current import forget_index
from mendline.process import calendar_table
from mendline.process.loading import forget_in_force
from tests.access_matrix.cast import Cast, the_cast

MAY_DIFFER = ("X-Request-Id", "Content-Length", "Expires")  # the request's own number, and its second
# What is asked and noted about the caller himself once in some time, whatever he asks: when his key or session was last
# used, and whose key it is, for the first ten refusals of a minute in the log.
_OF_THE_CALLER = re.compile(r'UPDATE "access_token"|"access_token"."id" AS "pk"|access_signin|set_config\(|SAVEPOINT "')
# After these the program remembers whom to expect behind a key and a session, which the first call has to ask for.
FIRST = (("GET", "/api/v1/me"), ("POST", "/api/v1/orders/WX990101-222222222/transitions/urge"), ("GET", "/settings/"))
_numbers = itertools.count(1)
_TOKEN = re.compile(rb'(name="csrfmiddlewaretoken" value="|X-CSRFToken[^A-Za-z0-9]{1,12})[A-Za-z0-9]{32,64}')
_SLIP = re.compile(rb'(name="(?:once|ticket|slip|carried)" value="|data-ticket=")[^"]*"')
_NOW = re.compile(rb'data-now="[^"]*"')


@dataclass(frozen=True, slots=True)
class Heard:
    """One answer; `said` and `headers` without the number asked for, the request's own, form tokens and slips.

    `statements` are what the database was asked for it, without values: whoever needs another statement for what is
    somebody else's than for what is nowhere takes another time for it, which can be measured (P11).
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    said: bytes
    statements: tuple[str, ...]


class Asker:
    """Calls as one role, by key or by session; whatever it causes is taken back at once."""

    def __init__(self, cast: Cast, role: str) -> None:
        self.role = role
        self._secret = cast.secrets.get(role, "")
        self._client = Client(raise_request_exception=False, headers={"accept-language": "zh-hans"})
        if role in cast.people:
            backend = "allauth.account.auth_backends.AuthenticationBackend"
            self._client.force_login(cast.people[role], backend=backend)
            for method, address in FIRST:
                self.ask(method, address)

    def ask(self, method: str, path: str, *, about: str = "", body: Mapping[str, Any] | None = None) -> Heard:
        """Call and take back; `about` is what was asked for, which an answer may repeat as it was sent."""
        is_api = path.startswith("/api/")
        headers = {"Idempotency-Key": f"matrix-{next(_numbers)}"} if is_api else {}
        if is_api and self._secret:
            headers["Authorization"] = f"Bearer {self._secret}"
        data = ({"given": {}} if is_api else {}) if body is None else body
        statements: list[str] = []
        with transaction.atomic(), connection.execute_wrapper(_listing(statements)):
            if method == "GET":
                answer = self._client.get(path, headers=headers)
            else:
                kind = "application/json" if is_api else "application/x-www-form-urlencoded"
                answer = self._client.generic(method, path, _encoded(data, is_api), kind, headers=headers)
            content = _unpacked(answer.getvalue())
            transaction.set_rollback(True)
        self._client.cookies.pop("messages", None)  # what the next page would say about this one
        cache.clear()
        for wanted in {about.encode(), quote(about).encode()} - {b""}:
            content = content.replace(wanted, b"THING")
        said = _TOKEN.sub(rb"\1TOKEN", content)
        said = _SLIP.sub(rb'\1SLIP"', said)
        said = _NOW.sub(b'data-now="NOW"', said)
        kept = sorted(
            (name, value.replace(about, "THING") if about else value)
            for name, value in answer.headers.items()
            if name not in MAY_DIFFER
        )
        return Heard(answer.status_code, tuple(kept), said, tuple(statements))


def _listing(found: list[str]) -> Callable[..., Any]:
    """Return what notes every statement without its values."""

    def note(execute: Callable[..., Any], sql: object, *rest: object) -> Any:
        if not _OF_THE_CALLER.search(str(sql)):
            found.append(str(sql))
        return execute(sql, *rest)

    return note


def _unpacked(content: bytes) -> bytes:
    """Return what is in a sheet, without the moment at which it was made; anything else as it is."""
    if not content.startswith(b"PK\x03\x04"):
        return content
    with ZipFile(BytesIO(content)) as sheet:
        return b"\n".join(sheet.read(name) for name in sheet.namelist() if name != "docProps/core.xml")


def _encoded(data: Any, is_api: bool) -> bytes:
    return orjson.dumps(data) if is_api else urlencode(data, doseq=True).encode()


@pytest.fixture(scope="module")
def cast(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Cast]:
    """Built once: whoever asks takes back what he caused."""
    cache.clear()
    with django_db_blocker.unblock(), transaction.atomic():
        yield the_cast()
        transaction.set_rollback(True)
    cache.clear()
    forget_index()
    forget_in_force()
    calendar_table.forget()
