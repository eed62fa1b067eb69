"""Refused rights are written down: who by number, at which address, which step, which rule (16.3.2).

No name, telephone number, order or search word is in such a line; the route is the pattern, not what was put into it.
Somebody who tries a thousand things writes ten lines a minute and a sum. Absent and somebody else's are the same here
as they are to the person: `status=404`.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest
from django.http.response import HttpResponse, HttpResponseBase
from django.utils import timezone

from mendline.access import tokens
from mendline.access.models import Person, Token
from mendline.web.api.problems import MEDIA_TYPE
from mendline.web.key_use import BEARER

log = logging.getLogger("mendline.refused")
TOLD_A_MINUTE = 10
MINUTE = timedelta(minutes=1)
MOST_REMEMBERED = 10_000
_WORD = re.compile(r"[a-zA-Z0-9_.-]{1,60}", re.ASCII)
_ASKED_FOR = ("name", "code")  # parts of an address that name a step or a process, and never a person


@dataclass(slots=True)
class _Minute:
    """What one caller was refused since a moment."""

    began_at: datetime
    told: int = 0
    untold: int = 0


class Refusals:
    """Middleware before the short way to the interface; good answers pay for the look at one number."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._minutes: dict[str, _Minute] = {}
        self._lock = threading.Lock()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code in (401, 403, 404):
            self._note(request, response)
        return response

    def _note(self, request: HttpRequest, response: HttpResponseBase) -> None:
        secret = _secret_of(request)
        match = request.resolver_match
        if match is None or (response.status_code == 401 and not secret):  # nowhere at all; a stranger who must sign in
            return
        caller = tokens.digest_of(secret) if secret else _person_of(request)
        if not caller or (untold := self._may_tell(caller, timezone.now())) is None:
            return
        code, rule = _reason(request, response)
        names = "".join(f" {name}={match.kwargs[name]}" for name in _ASKED_FOR if _is_word(match.kwargs.get(name)))
        log.warning(
            "refused status=%s code=%s rule=%s %s method=%s route=%s%s%s",
            response.status_code, code, rule or "-", _who(secret, caller), request.method, match.route, names,
            f" untold={untold}" if untold else "",
        )  # fmt: skip

    def _may_tell(self, caller: str, now: datetime) -> int | None:
        """Count a refusal; return how many were not told in the minute before, or None when this one is not told."""
        with self._lock:
            minute = self._minutes.get(caller)
            if minute is None or now - minute.began_at >= MINUTE:
                if len(self._minutes) >= MOST_REMEMBERED:
                    self._minutes.clear()
                untold = minute.untold if minute is not None else 0
                self._minutes[caller] = _Minute(now, told=1)
                return untold
            if minute.told >= TOLD_A_MINUTE:
                minute.untold += 1
                return None
            minute.told += 1
            return 0


def _secret_of(request: HttpRequest) -> str:
    sent: str = request.META.get("HTTP_AUTHORIZATION", "")
    secret = sent.removeprefix(BEARER).strip()
    return secret if tokens.looks_like_one(secret) else ""


def _person_of(request: HttpRequest) -> str:
    """Return the number of whoever is signed in; empty for a stranger, who is asked to sign in and not refused."""
    user = getattr(request, "user", None)
    return str(user.pk) if isinstance(user, Person) else ""


def _who(secret: str, caller: str) -> str:
    if not secret:
        return f"person={caller}"
    try:
        found = Token.objects.filter(digest=caller).values_list("pk", "person_id").first()
    except (DatabaseError, InterfaceError):
        found = None
    return f"key={found[0]} person={found[1]}" if found else "key=unknown"


def _reason(request: HttpRequest, response: HttpResponseBase) -> tuple[str, str]:
    """Return code and rule of a refusal: of a problem document, or of what the page was about to show."""
    refused = getattr(request, "refused", None)  # see `visit.screen`
    if refused is not None:
        return refused.code, getattr(refused, "rule", "")
    if isinstance(response, HttpResponse) and response.headers.get("Content-Type") == MEDIA_TYPE:
        document = orjson.loads(response.content)
        return document["code"], document["rule"]
    return ("not_found" if response.status_code == 404 else "forbidden"), ""


def _is_word(value: object) -> bool:
    return isinstance(value, str) and _WORD.fullmatch(value) is not None
