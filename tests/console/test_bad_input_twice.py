"""A form sent twice (a double click, a connection that broke, the back button) has one effect.

Every form of every page is tried. They are read from the pages: a new one is tried without anybody thinking of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from json import loads
from typing import Any

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.test import Client

from mendline.access.models import Person
from mendline.orders.models import IdempotencyKey, Record, RepairOrder
from tests.console.bad_world import a_client, a_world, addresses_of, console_routes, no_paper, taken_back
from tests.console.conftest import PLACES

__all__ = ["no_paper"]  # a fixture

HTMX = {"HX-Request": "true"}
# What a field is filled with so that the first sending has an effect; others take the first choice they offer.
FILLED = {
    "customer.name": "王先生", "customer.phone": "13812345678", "product": "desktop", "area": "110108",
    "address": "上地信息路2号", "fault": "开机黑屏", "promise_reason": "软件问题,电话解决", "part_code": "10086",
    "user_signature": "M10 10L20 20", "product_line": "desktop", "per_day": "5", "engineer": "engineer",
}  # fmt: skip
UNCOUNTED = (IdempotencyKey, Session)  # what keeps the second sending from having an effect, and signing in
LEAST = {"cc_agent": 6, "region_interface": 6, "station_coordinator": 12}  # forms that had an effect
NOT_OF_A_PERSON = ("/accounts/", "/i18n/", "/search/")


@dataclass(slots=True)
class Form:
    """One way of sending something: where to, with what."""

    address: str
    fields: dict[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """What it does, to whichever order."""
        return f"{shape(self.address)} {self.fields.get('do', '')}"


def shape(address: str) -> str:
    """Return an address without the numbers in it."""
    return re.sub(r"([A-Z]{2})[0-9]{6}-\w+", r"\1", address).partition("?")[0]


class Forms(HTMLParser):
    """The forms of a page as a browser would send them, once for each of their buttons; and buttons that send alone."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[Form] = []
        self.opens: list[str] = []  # addresses of forms that a button fetches
        self._form: Form | None = None
        self._buttons: list[Form] = []
        self._select = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if "hx-get" in given and "/steps/" in given["hx-get"] + given.get("data-begin", ""):
            self.opens.append(given["hx-get"])
        if "hx-get" in given and "/begin/" in given["hx-get"]:
            self.opens.append(given["hx-get"])
        if tag == "form":
            self._form = Form(given.get("action", "")) if given.get("method", "").lower() == "post" else None
            self._buttons = []
        elif tag == "button":
            self._button(given)
        elif self._form is not None:
            self._field(tag, given)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self._form is not None:
            for button in self._buttons or [Form(self._form.address)]:
                self.found.append(Form(button.address, {**self._form.fields, **button.fields}))
            self._form = None
        if tag == "select" and self._select:
            if self._form is not None:
                self._form.fields.setdefault(self._select, FILLED.get(self._select, ""))
            self._select = ""

    def _button(self, given: dict[str, str]) -> None:
        if "form" in given or (self._form is None and "hx-post" in given):
            named = {given["name"]: given.get("value", "")} if given.get("name") else {}
            address = given.get("hx-post") or given.get("formaction", "")
            self.found.append(Form(address, {**loads(given.get("hx-vals", "{}")), **named}))
        elif self._form is not None and given.get("type", "submit") == "submit":
            named = {given["name"]: given.get("value", "")} if given.get("name") else {}
            self._buttons.append(Form(given.get("formaction") or self._form.address, named))

    def _field(self, tag: str, given: dict[str, str]) -> None:
        assert self._form is not None
        fields, name = self._form.fields, given.get("name", "")
        if tag == "select":
            self._select = name
        elif tag == "option" and self._select and given.get("value"):
            fields.setdefault(self._select, given["value"])
        elif tag == "textarea" and name:
            fields[name] = FILLED.get(name, "记一笔")
        elif tag == "input" and name and given.get("type") != "file":
            self._input(name, given)

    def _input(self, name: str, given: dict[str, str]) -> None:
        assert self._form is not None
        kind, now = given.get("type", "text"), datetime.now(UTC)
        if kind == "checkbox":
            self._form.fields.setdefault(name, []).append(given.get("value", ""))
        elif kind == "radio":
            self._form.fields.setdefault(name, given.get("value", ""))
        elif kind == "datetime-local":
            self._form.fields[name] = f"{now + timedelta(days=1):%Y-%m-%dT%H:%M}"
        elif kind == "date":
            self._form.fields[name] = f"{now + timedelta(days=2):%Y-%m-%d}"
        elif kind == "hidden" or given.get("value"):
            self._form.fields[name] = given.get("value") or FILLED.get(name, "")
        else:
            self._form.fields[name] = FILLED.get(name, "记一笔")


def everything() -> dict[str, int]:
    """Return how much of everything there is; what a form leaves behind shows here."""
    counted = {
        model._meta.label: model._default_manager for model in apps.get_models() if model not in (IdempotencyKey,)
    }
    found = {}
    for label, manager in counted.items():
        rows = manager.unscoped("a test counts") if hasattr(manager, "unscoped") else manager.all()
        found[label] = rows.count()
    for model in (RepairOrder, Record):
        rows = model.objects.unscoped("a test counts")
        found[f"{model.__name__} revisions"] = sum(rows.values_list("revision", flat=True))
    return found


def forms_of(client: Client, page: str, done: set[str]) -> Iterator[Form]:
    """Yield the forms on a page and those that its buttons fetch, unless their like had its one effect already."""
    read = Forms(page)
    yield from read.found
    for address in dict.fromkeys(read.opens):
        if not any(kind.startswith(shape(address)) for kind in done):
            answer = client.get(address, headers=HTMX)
            yield from Forms(answer.content.decode()).found if answer.status_code == 200 else ()


@pytest.mark.parametrize("role", ["cc_agent", "region_interface", "station_coordinator"])
def test_every_form_of_every_page_sent_twice_has_one_effect(network: None, no_paper: None, role: str) -> None:
    refs = a_world()
    Person.objects.create(username="engineer", name="王强", role="station_engineer", station_no="000001")
    client = a_client(role, **PLACES[role])
    done: set[str] = set()
    faults: list[str] = []
    for address in dict.fromkeys(address for route in console_routes() for address in addresses_of(route, refs)):
        answer = client.get(address)
        if answer.status_code != 200 or not answer["Content-Type"].startswith("text/html"):
            continue
        for form in forms_of(client, answer.content.decode(), done):
            if form.address and form.kind not in done and not form.address.startswith(NOT_OF_A_PERSON):
                had_effect, found = sent_twice(client, form)
                done |= {form.kind} if had_effect else set()
                faults += [f"{form.kind}: {fault}" for fault in found]

    assert len(done) >= LEAST[role], sorted(done)
    assert not faults, "\n".join(faults)


def sent_twice(client: Client, form: Form) -> tuple[bool, list[str]]:
    """Return whether the form had an effect, and what the second sending added to it."""
    with taken_back():
        before = everything()
        client.post(form.address, form.fields, headers=HTMX)
        once = everything()
        if once == before:
            return False, []
        client.post(form.address, form.fields, headers=HTMX)
        twice = everything()
    return True, [f"{name} {once[name]} → {twice[name]}" for name in once if twice[name] != once[name]]
