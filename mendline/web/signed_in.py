"""How long somebody stays signed in: until nothing was done for a while, twelve hours have passed, or it was ended.

What a page asks by itself (changes, rows that changed, a new ticket) is nobody's doing. Each web process remembers when
it last saw a session, so that the database is asked once a minute and not with every request; a session that was ended
elsewhere is gone from the database and needs no asking.
"""

from __future__ import annotations

import ipaddress
import re
import threading
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import get_language

from mendline.access import signins
from mendline.access.models import Person
from mendline.access.signins import Came, Lasting, Limits
from mendline.kernel.text import Text
from mendline.web.console.accounts import address_of

NOTED_EVERY = timedelta(minutes=1)
MOST_REMEMBERED = 20_000
BY_ITSELF = ("/changes/", "/changes/ticket/", "/queue/rows/")  # what an open page asks without anybody touching it

_BROWSERS = (
    ("MicroMessenger", "WeChat"), ("DingTalk", "DingTalk"), ("Edg", "Edge"), ("OPR/", "Opera"),
    ("QQBrowser", "QQ"), ("Firefox/", "Firefox"), ("FxiOS/", "Firefox"), ("Chrome", "Chrome"), ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
)  # fmt: skip
_SYSTEMS = (
    ("HarmonyOS", "HarmonyOS"), ("OpenHarmony", "HarmonyOS"), ("Android", "Android"), ("iPhone", "iPhone"),
    ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS X", "Mac"), ("Linux", "Linux"),
)  # fmt: skip


class SignedIn:
    """Middleware after those of signing in and of messages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._seen: dict[str, Lasting] = {}
        self._lock = threading.Lock()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            try:
                self._look(request)
            except (DatabaseError, InterfaceError):  # the page of the state of things must come even then
                pass
        return self.get_response(request)

    def _look(self, request: HttpRequest) -> None:
        key, person, now = request.session.session_key, request.user, timezone.now()
        if key is None or not isinstance(person, Person):
            return
        limits, is_active = limits_now(), request.path_info not in BY_ITSELF
        last = self._seen.get(key)
        if last is not None and not limits.is_over(last.began_at, last.seen_at, now):
            if not is_active or now - last.seen_at < NOTED_EVERY:
                return
        lasting = signins.look(person.pk, key, came=_came(request), limits=limits, now=now, is_active=is_active)
        with self._lock:
            if lasting is None or len(self._seen) >= MOST_REMEMBERED:
                self._seen.clear()
            if lasting is not None:
                self._seen[key] = lasting
        if lasting is None:
            _sign_out(request, limits)


def limits_now() -> Limits:
    """Return the limits of the settings; read each time, they are two numbers."""
    minutes: int = settings.SESSION_IDLE_MINUTES
    return Limits(timedelta(seconds=settings.SESSION_COOKIE_AGE), timedelta(minutes=minutes) if minutes else None)


def browser_in_words(agent: str) -> str:
    """Return what people call a browser and its machine; nothing that tells one of many apart.

    >>> browser_in_words("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36")
    'Chrome · Windows'
    >>> browser_in_words("curl/8")
    ''
    """
    browser = next((name for sign, name in _BROWSERS if sign in agent), "")
    system = next((name for sign, name in _SYSTEMS if sign in agent), "")
    return " · ".join(part for part in (browser, system) if part)


def masked_address(address: str) -> str:
    """Return an address without the part that names one machine.

    >>> masked_address("203.0.113.77"), masked_address("2001:db8:1:2::5"), masked_address("?")
    ('203.0.113.*', '2001:db8:1:*', '')
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    mapped = getattr(parsed, "ipv4_mapped", None) or parsed
    if mapped.version == 4:
        return re.sub(r"\d+$", "*", str(mapped))
    first = mapped.exploded.split(":")[:3]
    return ":".join(part.lstrip("0") or "0" for part in first) + ":*"


def _came(request: HttpRequest) -> Came:
    try:
        address = address_of(request)
    except PermissionDenied:  # a proxy that says nothing: the sign-in is shown without
        address = None
    return Came(browser_in_words(request.headers.get("User-Agent", "")), masked_address(address or ""))


def _sign_out(request: HttpRequest, limits: Limits) -> None:
    """Go on as nobody: every page, call and part of a page then says in its own way that one must sign in."""
    request.session.flush()
    request.user = AnonymousUser()
    minutes = int(limits.idle.total_seconds() // 60) if limits.idle is not None else 0
    said = (
        Text(
            f"登录已自动结束（{minutes} 分钟没有操作，或已满 12 小时）。请重新登录，没有提交的内容还在。",
            f"You were signed out after {minutes} minutes without activity, or twelve hours in all. Sign in again:"
            " what you had not sent is still there.",
        )
        if minutes
        else Text("登录已满 12 小时，请重新登录，没有提交的内容还在。",
                  "You were signed in for twelve hours. Sign in again: what you had not sent is still there.")
    )  # fmt: skip
    if not request.path_info.startswith("/api/"):
        messages.info(request, said.in_language(get_language() or "zh-hans"))
