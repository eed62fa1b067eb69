"""P16: no address of the program does anything for a request that another site made, and every page says its policy.

The addresses come from the resolver, so a new one is asked as well. A form without a token is sent to all of them, each
other forgery to an eighth in the build; with MENDLINE_HOSTILE=whole all are sent to all, the form and whatever goes to
the interface by every method. What else the promise names: open streams end with the sign-in
(`test_p16_a_stream_ends_with…` in tests/console/test_live.py), cookies go over TLS only
(tests/security/test_production.py), scripts read none of them (here).
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import pytest
from django.core.cache import cache
from django.db import transaction
from django.middleware.csrf import get_token
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django import Settings

from mendline.journal.models import Entry
from mendline.orders.models import IdempotencyKey
from mendline.orders.transitions import begin
from tests.access_matrix.addresses import AS_EXPRESSIONS, Endpoint, endpoints
from tests.access_matrix.cast import NOW, Cast
from tests.access_matrix.conftest import cast as cast
from tests.console.bad_world import no_paper as no_paper

pytestmark = pytest.mark.django_db
WHOLE = os.environ.get("MENDLINE_HOSTILE") == "whole"
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
HERE, AWAY = "http://testserver", "https://evil.example"
_numbers = itertools.count(1)
# Nothing was there, or nothing that takes this method.
ANSWERED_WITHOUT = {404, 405}


@pytest.fixture(scope="module", autouse=True)
def a_change(cast: Cast) -> None:
    """A real request for coverage, as its page reckons with what it says."""
    given = {"change_kind": "add_area", "product_line": "desktop", "area": "110108", "effective_from": "2099-01-01"}
    actor = cast.people["station_coordinator"].as_actor()
    made = begin("coverage_change", "save_draft", actor=actor, now=NOW, given=given)
    cast.mine["coverage_change"] = made.ref


@pytest.fixture(autouse=True)
def _no_paper(no_paper: None) -> None:
    """A page on paper is the same page, and takes seconds."""


def asked(forgery: str, route: str) -> bool:
    """Say whether this question is asked here; with MENDLINE_HOSTILE=whole all are."""
    return forgery == "a form" or WHOLE or crc32(f"{forgery} {route}".encode()) % 8 == 0


def paths(cast: Cast) -> Iterator[tuple[Endpoint, str]]:
    """Yield every address with things that are really there, so that no refusal is only a 404."""
    mine = {**cast.mine, "subject": cast.mine["order"], "station": "000001"}
    for endpoint in endpoints():
        values: dict[str, object] = {}
        for name in endpoint.names:
            kind = endpoint.stands_for(name)
            if kind == "step":
                values[name] = "urge" if "ref" in endpoint.names else "report"
            elif kind == "person":
                values[name] = cast.people["cc_agent"].pk
            else:
                values[name] = mine.get(kind) or (cast.things.get((kind, "000001")) or ["1"])[0]
        yield endpoint, endpoint.path(values)
    yield from ((Endpoint(route), path) for route, path in AS_EXPRESSIONS.items())


class Browser:
    """Somebody's browser on a page that we did not make. What it causes is taken back."""

    def __init__(self, cast: Cast, role: str = "admin") -> None:
        self.client = Client(enforce_csrf_checks=True, raise_request_exception=False)
        self.client.force_login(cast.people[role], backend="allauth.account.auth_backends.AuthenticationBackend")
        self.client.get("/settings/")
        self.token = self.client.cookies["csrftoken"].value

    def send(self, method: str, path: str, kind: str, body: str = "", **headers: str) -> tuple[int, int]:
        """Send it; return the status and how many rows of history or kept answers it left."""
        with transaction.atomic():
            before = Entry.objects.count() + IdempotencyKey.objects.count()
            extra = {"Idempotency-Key": f"elsewhere-{next(_numbers)}", **headers}
            answer = self.client.generic(method, path, body, kind, headers=extra)
            left = Entry.objects.count() + IdempotencyKey.objects.count() - before
            transaction.set_rollback(True)
        return answer.status_code, left


@dataclass(frozen=True, slots=True)
class Forgery:
    """What another site can make a browser send. `token`: whose goes with it, besides the cookie of the browser."""

    kind: str = "application/json"
    body: str = '{"given": {}}'
    origin: str = ""
    token: str = ""  # "own", "somebody's", or made up

    def headers(self, browser: Browser) -> dict[str, str]:
        tokens = {"": "", "own": browser.token, "somebody's": get_token(RequestFactory().get("/"))}
        named = {"Origin": self.origin, "X-CSRFToken": tokens.get(self.token, self.token)}
        return {name: value for name, value in named.items() if value}


FORGERIES = {
    "a form": Forgery("application/x-www-form-urlencoded", "a=1"),
    "a form that says another method": Forgery("application/x-www-form-urlencoded", "_method=DELETE"),
    "text that is JSON": Forgery("text/plain"),
    "JSON": Forgery(),
    "a made-up token": Forgery(token="a" * 64),
    "somebody's token": Forgery(token="somebody's"),
    "the right token from another site": Forgery(token="own", origin=AWAY),
    "the right token from nowhere": Forgery(token="own", origin="null"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_what_another_site_sends_is_refused_at_every_address(cast: Cast, name: str) -> None:
    forgery = FORGERIES[name]
    browser, refused, wrong = Browser(cast), 0, []
    headers = forgery.headers(browser)
    for endpoint, path in paths(cast):
        if not asked(name, endpoint.route):
            continue
        for method in UNSAFE if WHOLE and (endpoint.is_api or name == "a form") else ("POST",):
            status, left = browser.send(method, path, forgery.kind, forgery.body, **headers)
            refused += status == 403
            if left or status not in {403, *ANSWERED_WITHOUT}:
                wrong.append(f"{method} /{endpoint.route}: {status}, {left} rows")
    cache.clear()

    assert not wrong, "\n".join(wrong)
    assert refused > (80 if name == "a form" else 5)


def test_control_the_right_token_from_here_is_not_refused_for_its_token(cast: Cast) -> None:
    browser = Browser(cast)
    answered = [
        browser.send("POST", path, "application/json", "{}", **Forgery(token="own", origin=HERE).headers(browser))[0]
        for endpoint, path in paths(cast)
        if asked("control", endpoint.route)
    ]

    assert len([status for status in answered if status not in {403, *ANSWERED_WITHOUT}]) > 5


def test_a_right_token_from_a_wrong_origin_is_refused(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.people["admin"], backend="allauth.account.auth_backends.AuthenticationBackend")
    client.get("/settings/")
    token = client.cookies["csrftoken"].value

    here = client.post("/i18n/setlang/", {"language": "en"}, headers={"X-CSRFToken": token, "Origin": HERE})
    away = client.post("/i18n/setlang/", {"language": "en"}, headers={"X-CSRFToken": token, "Origin": AWAY})
    null = client.post("/i18n/setlang/", {"language": "en"}, headers={"X-CSRFToken": token, "Origin": "null"})

    assert (here.status_code, away.status_code, null.status_code) == (302, 403, 403)


def test_control_a_view_that_forgets_the_token_is_found(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.middleware.csrf.CsrfViewMiddleware.process_view", lambda *_: None)
    browser = Browser(cast)

    answered = {browser.send("POST", path, "text/plain", "a=1")[0] for _, path in paths(cast)}

    assert not answered <= {403, *ANSWERED_WITHOUT}


def test_only_the_interface_is_exempt_from_djangos_check_and_asks_for_the_token_itself() -> None:
    exempt = {
        route
        for route, callback in _callbacks(get_resolver(), "")
        if getattr(callback, "csrf_exempt", False) and not route.startswith("api/v1/")
    }
    assert exempt == set()


def _callbacks(resolver: URLResolver, before: str) -> Iterator[tuple[str, Any]]:
    for found in resolver.url_patterns:
        route = before + str(found.pattern)
        if isinstance(found, URLResolver):
            yield from _callbacks(found, route)
        elif isinstance(found, URLPattern):
            yield route, found.callback


def directives(answer: Any) -> dict[str, str]:
    return dict(
        part.strip().partition(" ")[::2]
        for part in answer.get("Content-Security-Policy", "").split(";")
        if part.strip()
    )


def faults_of(answer: Any) -> list[str]:
    """Return what an answer does not say that it should."""
    policy = directives(answer)
    kind = answer.get("Content-Type", "")
    wrong = []
    if answer.get("X-Content-Type-Options") != "nosniff":
        wrong.append("nosniff")
    if policy.get("frame-ancestors") != "'none'" and "sandbox" not in policy:
        wrong.append("frame-ancestors")
    if "unsafe" in str(policy) or "*" in str(policy) or policy.get("default-src") not in ("'self'", "'none'"):
        wrong.append(f"policy {policy}")
    if kind.startswith("text/") and "charset=utf-8" not in kind.lower():
        wrong.append(f"charset {kind}")
    if kind.startswith("text/html"):
        expected = {"object-src": "'none'", "base-uri": "'none'", "form-action": "'self'"}
        wrong += [name for name, value in expected.items() if policy.get(name) != value]
        if answer.get("Cross-Origin-Opener-Policy") != "same-origin" or answer.get("Referrer-Policy") != "same-origin":
            wrong.append("opener or referrer")
    if "Access-Control-Allow-Origin" in answer:
        wrong.append("CORS")
    return wrong


@pytest.mark.parametrize("role", ["", "admin", *(["station_coordinator", "region_interface"] if WHOLE else [])])
def test_every_answer_carries_its_policy_is_kept_nowhere_and_changes_nothing(cast: Cast, role: str) -> None:
    """What can be had by GET changes nothing: a picture on another site can make a browser ask for it."""
    client = Client(raise_request_exception=False)
    if role:
        client.force_login(cast.people[role], backend="allauth.account.auth_backends.AuthenticationBackend")
    wrong, pages = [], 0
    for endpoint, path in paths(cast):
        if endpoint.route == "accounts/logout/":
            continue
        with transaction.atomic():
            before = Entry.objects.count()
            answer = client.get(path, {"_method": "POST"}, headers={"X-HTTP-Method-Override": "POST"})
            left = Entry.objects.count() - before
            transaction.set_rollback(True)
        if left or answer.status_code >= 500 and endpoint.route != "status/":  # which says so without a worker
            wrong.append(f"/{endpoint.route}: {answer.status_code}, {left} rows")
        pages += answer.get("Content-Type", "").startswith("text/html")
        wrong += [f"/{endpoint.route} ({answer.status_code}): {fault}" for fault in faults_of(answer)]
        if role and answer.status_code == 200 and not endpoint.is_open_to_all:
            kept = answer.get("Cache-Control", "")
            if "no-store" not in kept:
                wrong.append(f"/{endpoint.route}: Cache-Control {kept!r}")
    cache.clear()

    assert not wrong, "\n".join(wrong)
    assert pages > (10 if not role else 40)


def test_an_answer_to_a_key_carries_its_policy_too(cast: Cast) -> None:
    client = Client(headers={"Authorization": f"Bearer {cast.secrets['cc_agent']}"}, raise_request_exception=False)
    wrong = [
        f"/{endpoint.route}: {fault}"
        for endpoint, path in paths(cast)
        if endpoint.is_api
        for fault in faults_of(client.get(path))
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", ["sessionid", "csrftoken", "django_language"])
def test_no_script_reads_a_cookie_and_no_other_site_sends_it(cast: Cast, name: str, settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    person = cast.people["cc_agent"]
    person.set_password("a-long-enough-one")
    person.save()
    client = Client()
    client.get("/accounts/login/")
    client.post("/accounts/login/", {"login": "cc_agent", "password": "a-long-enough-one"})
    client.post("/i18n/setlang/", {"language": "en"})

    cookie = client.cookies[name]
    assert cookie["httponly"] and cookie["samesite"] == "Lax" and not cookie["domain"] and cookie["path"] == "/"


def test_trace_is_no_method_here(cast: Cast) -> None:
    for path in ("/", "/queue/", "/api/v1/me", "/accounts/login/"):
        answer = Browser(cast).client.generic("TRACE", path, headers={"X-Secret": "shibboleth"})
        assert b"shibboleth" not in answer.content and answer.status_code in (302, 403, 405), path
