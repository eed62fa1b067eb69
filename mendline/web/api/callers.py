"""Who calls, and whether the same call was answered before: one statement of SQL for both.

A key is looked up on every call, so a revoked key, a deactivated person or a changed role counts from the very
next one. What is remembered of a key is only whom to expect: a step begins with that, and asks
together with its own questions whether it still holds (`Expected.confirm`). Nothing is written, and
nobody is refused, on what was only remembered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware

from mendline.access import tokens
from mendline.access.actors import Actor
from mendline.access.models import Person
from mendline.database.statements import first_row
from mendline.kernel.text import Text
from mendline.orders.store import AnsweredMeanwhile
from mendline.process.registry import Question
from mendline.web.api.problems import EdgeError

VIA = "api"
LOOKING = ("GET", "HEAD")  # what a browser may send for another site without its token
MOST_REMEMBERED = 4096
_REMEMBERED: dict[str, Caller] = {}  # by the digest of the key: whom to expect, see `Expected`

_KEPT = "k.request_digest, k.status, k.body"
# The lock lasts until the transaction ends and is only tried: who comes second is told so at once.
_CLAIM = f"{_KEPT}, pg_try_advisory_xact_lock(hashtextextended(p.id::text || ':' || %(key)s::text, 0))"
_STORED = "LEFT JOIN orders_idempotencykey k ON k.person_id = p.id AND k.key = %(key)s"
_WHO = "p.id, p.name, p.role, p.region, p.station_no"
_OF_TOKEN = """
    FROM access_token t JOIN access_person p ON p.id = t.person_id AND p.is_active {stored}
    WHERE t.digest = %(digest)s AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > %(now)s)
"""
BY_TOKEN = f"SELECT {_WHO}, t.scopes {_OF_TOKEN.format(stored='')}"
_CONFIRM = f"""
    SELECT json_build_array({_WHO}, t.scopes, k.key IS NOT NULL) FROM access_token t
    JOIN access_person p ON p.id = t.person_id AND p.is_active
    LEFT JOIN orders_idempotencykey k ON k.person_id = p.id AND k.key = %s
    WHERE t.digest = %s AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > %s)
"""
BY_TOKEN_ONCE = f"SELECT {_WHO}, t.scopes, {_CLAIM} {_OF_TOKEN.format(stored=_STORED)}"
BY_TOKEN_STEPPING = f"SELECT {_WHO}, t.scopes, {_KEPT} {_OF_TOKEN.format(stored=_STORED)}"
_OF_PERSON = f"FROM access_person p {_STORED} WHERE p.id = %(person)s"
BY_PERSON_ONCE = f'SELECT {_WHO}, \'["read", "write"]\', {_CLAIM} {_OF_PERSON}'
BY_PERSON_STEPPING = f'SELECT {_WHO}, \'["read", "write"]\', {_KEPT} {_OF_PERSON}'

SIGN_IN = Text(
    "请登录，或用 Authorization: Bearer 提供有效的密钥", "sign in, or send a valid key as Authorization: Bearer"
)
NO_CSRF = Text(
    "缺少 X-CSRFToken，请从 cookie 或页面中取得", "X-CSRFToken is missing or wrong; take it from the cookie or the page"
)


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """The answer that this key was given before, and to what."""

    request_digest: str
    status: int
    body: str


class NotAsExpected(Exception):
    """The key belongs to nobody any more, or to somebody who has changed. Nothing was written."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A person or a machine acting as one. `stored` and `claimed` are asked for where something is to be changed."""

    actor: Actor
    person_id: int
    claimed: bool = False
    stored: StoredAnswer | None = None


@dataclass(slots=True)
class Expected:
    """Who probably calls, and the question whether it is so; `confirmed` once the database said yes."""

    caller: Caller
    digest: str
    confirmed: bool = False

    def confirm(self, key: str, now: datetime) -> Question:
        """Ask for the caller as he is now, and whether this idempotency key was answered already.

        Raises, when it is answered: NotAsExpected, AnsweredMeanwhile.
        """
        return Question(_CONFIRM, (key, self.digest, now), self._compare)

    def _compare(self, answer: Sequence[Any] | None) -> None:
        actor = self.caller.actor
        expected = [self.caller.person_id, actor.name, actor.role, actor.region, actor.station_no]
        if answer is None or answer[:5] != expected or "write" not in answer[5]:
            _REMEMBERED.pop(self.digest, None)
            raise NotAsExpected
        if answer[6]:
            raise AnsweredMeanwhile
        self.confirmed = True


def spare_the_check() -> None:
    """Leave out Django's `SELECT 1` of a kept connection: the look-up of the caller is the first statement anyway.

    It changes nothing, so when it finds the connection gone it is simply sent again on a new one.
    """
    connection.health_check_done = True  # type: ignore[attr-defined]


def reading_caller(request: HttpRequest, now: datetime) -> Caller:
    """Return who reads.

    Raises EdgeError: nobody (401), or a key that may not read, or a question by POST without its CSRF token (403).
    """
    secret = _secret_of(request)
    if secret is None:
        person = _signed_in(request) if request.method in LOOKING else _signed_in_to_write(request)
        return Caller(person.as_actor(VIA), person.pk)
    return _caller(_asked_first(BY_TOKEN, {"digest": tokens.digest_of(secret), "now": now}), "read")


def refuse_strangers(request: HttpRequest, now: datetime) -> None:
    """Raise EdgeError for nobody (401) and without the page's token (403).

    What is wrong with the form of a request is told only to those who may ask.
    Called where a form turns out to be wrong before anybody was asked for, so that good calls do not pay for it.
    """
    secret = _secret_of(request)
    if secret is None:
        _ = _signed_in(request) if request.method in LOOKING else _signed_in_to_write(request)
    elif _asked_first(BY_TOKEN, {"digest": tokens.digest_of(secret), "now": now}) is None:
        raise EdgeError(401, "unauthenticated", SIGN_IN)


def expected_caller(request: HttpRequest) -> Expected | None:
    """Return whom to expect behind the key that was sent; None when nobody used it lately."""
    sent = request.META.get("HTTP_AUTHORIZATION")
    secret = _secret_of(request) if sent is not None else None
    if secret is None:
        return None
    digest = tokens.digest_of(secret)
    caller = _REMEMBERED.get(digest)
    if caller is None:
        return None
    spare_the_check()
    return Expected(caller, digest)


def stepping_caller(request: HttpRequest, key: str, now: datetime) -> Caller:
    """Return who carries out a step, and the answer that this idempotency key has already; claims nothing.

    Raises EdgeError: nobody (401), a key that may not write or a missing CSRF token (403).
    """
    secret = _secret_of(request)
    if secret is not None:
        digest = tokens.digest_of(secret)
        caller = _caller(_asked_first(BY_TOKEN_STEPPING, {"digest": digest, "now": now, "key": key}), "write")
        if len(_REMEMBERED) >= MOST_REMEMBERED:
            _REMEMBERED.clear()
        _REMEMBERED[digest] = Caller(caller.actor, caller.person_id)
        return caller
    return _caller(first_row(BY_PERSON_STEPPING, {"person": _signed_in_to_write(request).pk, "key": key}), "write")


def writing_caller(request: HttpRequest, key: str, now: datetime) -> Caller:
    """Return who writes, and what is known of this idempotency key; holds the key until the transaction ends.

    Raises EdgeError: nobody (401), a key that may not write or a missing CSRF token (403).
    """
    secret = _secret_of(request)
    if secret is not None:
        return _caller(first_row(BY_TOKEN_ONCE, {"digest": tokens.digest_of(secret), "now": now, "key": key}), "write")
    return _caller(first_row(BY_PERSON_ONCE, {"person": _signed_in_to_write(request).pk, "key": key}), "write")


def _secret_of(request: HttpRequest) -> str | None:
    """Return the key that was sent, or None when the caller comes with a session instead."""
    sent: str | None = request.META.get("HTTP_AUTHORIZATION")
    if sent is None:
        return None
    scheme, _, secret = sent.partition(" ")
    secret = secret.strip()
    if scheme.lower() != "bearer" or not tokens.looks_like_one(secret):
        raise EdgeError(401, "unauthenticated", SIGN_IN)
    return secret


def _signed_in(request: HttpRequest) -> Person:
    person = request.user
    if not isinstance(person, Person) or not person.is_active:
        raise EdgeError(401, "unauthenticated", SIGN_IN)
    return person


def _signed_in_to_write(request: HttpRequest) -> Person:
    person = _signed_in(request)
    if _Csrf(_unused).refusal(request) is not None:
        raise EdgeError(403, "csrf", NO_CSRF)
    return person


def _asked_first(statement: str, values: dict[str, Any]) -> Sequence[Any] | None:
    """Ask the first question of a call; on a connection that turns out to be gone, once more on a new one."""
    spare_the_check()
    try:
        return first_row(statement, values)
    except OperationalError:
        connection.close_if_unusable_or_obsolete()
        return first_row(statement, values)


def _caller(row: Sequence[Any] | None, scope: str) -> Caller:
    if row is None:
        raise EdgeError(401, "unauthenticated", SIGN_IN)
    person_id, name, role, region, station_no, scopes, *claim = row
    granted = orjson.loads(scopes) if isinstance(scopes, str) else scopes
    if scope not in granted:
        raise EdgeError(
            403,
            "token_scope",
            Text(f"此密钥没有 {scope} 权限，请另行签发", f"this key has no {scope} scope; have another one issued"),
        )
    actor = Actor(person_id, name, role, region, station_no, VIA)
    if not claim:
        return Caller(actor, person_id)
    digest, status, body, *claimed = claim
    stored = StoredAnswer(digest, status, body) if digest is not None else None
    return Caller(actor, person_id, claimed == [True], stored)


class _Csrf(CsrfViewMiddleware):
    """Django's own check, asked for where a session is used; calls with a key need none."""

    def refusal(self, request: HttpRequest) -> HttpResponse | None:
        request.csrf_processing_done = False  # type: ignore[attr-defined]
        self.process_request(request)
        return self.process_view(request, _unused, (), {})

    def _reject(self, request: HttpRequest, reason: str) -> HttpResponse:
        return HttpResponse(reason, status=403)


def _unused(request: HttpRequest) -> HttpResponse:
    raise NotImplementedError
