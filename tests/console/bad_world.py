"""A little of everything that pages show, for the tests that feed them what no page expects."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from mendline.access.models import Person
from mendline.care.scorecards import refresh_scorecards
from mendline.orders.models import Record
from mendline.orders.store import Loaded
from mendline.orders.transitions import begin
from mendline.web.print.paper import pdf_of
from tests.make import a_report, an_actor, do

PLACE = re.compile(r"<(?:(?P<kind>\w+):)?(?P<name>\w+)>")


@pytest.fixture
def no_paper(monkeypatch: pytest.MonkeyPatch) -> None:
    """Paper is the page it is made of: rendering takes seconds each, and has tests of its own."""
    console_routes()  # imports every page
    for module in [one for one in list(sys.modules.values()) if getattr(one, "pdf_of", None) is pdf_of]:
        monkeypatch.setattr(module, "pdf_of", lambda page, styles: b"%PDF")


def a_world(**words: str) -> dict[str, str]:
    """Orders and records at every stage that has a page of its own; `words` are told by the caller or typed later.

    Returns their numbers by what they are.
    """
    now = datetime.now(UTC)
    hour = timedelta(hours=1)
    told: dict[str, Any] = {name: words[name] for name in ("fault", "address") if name in words}
    if "name" in words:
        told["customer"] = {"name": words["name"], "phone": "13800000001"}
    note = words.get("note", "下午再打")
    late = a_report(now=now - 6 * hour, **told)
    do(late, "download", now=now - 5 * hour)
    do(late, "log_contact", now=now - 4.5 * hour, contact_outcome="no_answer", contact_note=note)
    promised = a_report(now=now - 30 * hour, **told)
    do(promised, "promise", now=now - 29 * hour, promised_at=(now - 2 * hour).isoformat())
    do(promised, "print_order", now=now - 28 * hour)
    solved = a_report(now=now - 8 * hour, **told)
    do(solved, "resolve_remotely", now=now - 7 * hour, promise_reason="软件问题,电话解决", findings=note)
    a_report(now=now - hour, area="120101", **told)  # no station serves it
    request = _begun("cancellation_request", late, now - hour, cancel_reason="user_solved", cancel_detail=note)
    form = _begun("special_situation", promised, now - hour, situation_kind="user_refuses_plan", situation=note)
    refresh_scorecards(now)
    callback = Record.objects.unscoped("a test looks").get(order_ref=solved.ref, process="callback")
    return {
        "late": late.ref, "promised": promised.ref, "solved": solved.ref, "request": request.ref, "form": form.ref,
        "callback": str(callback.ref),
    }  # fmt: skip


def _begun(process: str, order: Loaded, at: datetime, **given: Any) -> Loaded:
    return begin(process, "submit", actor=an_actor("station_coordinator"), now=at, order_ref=order.ref, given=given)


def a_client(role: str, **place: str) -> Client:
    """Somebody of this role, signed in without the form."""
    person, _ = Person.objects.get_or_create(username=role, defaults={"name": "李明", "role": role, **place})
    client = Client(headers={"accept-language": "zh-hans"})
    client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


@contextmanager
def taken_back() -> Iterator[None]:
    """What happens within leaves no trace in the database."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def console_routes() -> list[str]:
    """Return every route of the console as it stands in the address files, `orders/<str:ref>/` for one."""
    (namespace,) = [
        one for one in get_resolver().url_patterns if isinstance(one, URLResolver) and one.namespace == "console"
    ]
    return [str(pattern.pattern) for pattern in namespace.url_patterns if isinstance(pattern, URLPattern)]


def addresses_of(route: str, refs: dict[str, str]) -> list[str]:
    """Return addresses of a route: one for each number that may stand in it; others are filled with what exists."""
    names = [found["name"] for found in PLACE.finditer(route)]
    values = {"name": "promise", "number": "000001", "code": "unified_repair", "version": "3", "view_id": "1"}
    if "code" in names and "name" in names:
        values |= {"code": "coverage_change", "name": "submit"}
    found = []
    for ref in refs.values() if "ref" in names else [""]:
        address = route
        for place in PLACE.finditer(route):
            address = address.replace(place[0], {**values, "ref": ref}.get(place["name"], "1"))
        found.append(f"/{address}")
    return found
