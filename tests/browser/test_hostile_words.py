"""P13: what people typed is never carried out, in a real browser, with the policy of the pages switched off.

The policy is a second wall, and behind it a fault of the first would not be seen; that it stops things is another
test's (test_pages_accessible). Mail is plain text only (tests/console/test_bad_input_text.py). In the build some of
each family are looked at on one page of each sort; with MENDLINE_HOSTILE=whole all are, as every role's pages.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any

import pytest
from django.db import connection
from django.template import base
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, Request, Route
from pytest_django.live_server_helper import LiveServer

from mendline.access import tokens
from mendline.access.models import Person
from mendline.channels.webhook.models import Webhook
from mendline.journal.models import Entry, Outgoing
from mendline.network.models import Product, Region, Station
from mendline.orders import store
from mendline.orders.models import Attachment, Record
from mendline.orders.transitions import begin
from mendline.web.print.pages import html_of
from tests.browser.conftest import PATIENCE, signed_in_as
from tests.browser.hostile_words import CANARY, IMG, all_words, some_words, unseen
from tests.make import a_network, a_report, an_actor, do

pytestmark = pytest.mark.browser
WHOLE = os.environ.get("MENDLINE_HOSTILE") == "whole"
AT_ONCE = 24 if WHOLE else 11  # as many reports stand on one page of the queue; one of each family
PHONE = "13800000001"
# By role: what it opens. `{…}` are the numbers of what was put there.
PAGES: dict[str, tuple[str, ...]] = {
    "station_coordinator": ("/queue/?show=all", "/orders/{order}/", "/search/?q=" + PHONE),
    "region_interface": ("/inbox/{request}/",),
    "admin": ("/admin/audit/", "/admin/outbox/"),
}
AT_NIGHT: dict[str, tuple[str, ...]] = {
    "station_coordinator": ("/steps/{order}/promise/", "/records/{request}/", "/notices/", "/settings/",
                            "/queue/?q=%3Cimg%20src=x%20onerror=hit=1%3E", "/palette/?q=" + PHONE),
    "station_engineer": ("/queue/?show=all", "/orders/{printed}/"),
    "region_interface": ("/inbox/", "/stations/", "/stations/000001/", "/orders/{order}/"),
    "cc_agent": ("/orders/{order}/", "/callbacks/", "/callbacks/{callback}/", "/search/?q=" + PHONE),
    "channel_management": ("/network/", "/network/stations/000001/", "/network/map/?area=11", "/network/capacity/"),
    "hq_interface": ("/figures/", "/figures/daily/", "/figures/orders/", "/figures/load/"),
    "admin": ("/admin/people/", "/admin/tokens/", "/admin/webhooks/", "/admin/products/", "/admin/texts/"),
}  # fmt: skip
READ = "() => document.documentElement.textContent.replace(/\\s+/g, ' ')"


@dataclass
class Canary:
    """Listens to one window: what was carried out, and who was asked for something."""

    page: Page
    server: str
    asked: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.context.route(lambda url: not url.startswith((self.server, "data:", "blob:")), self._stop)
        self.page.on("request", self._note)
        self.page.on("dialog", self._dismiss)

    def _dismiss(self, dialog: Dialog) -> None:
        self.faults.append(f"a dialog says {dialog.message}")
        dialog.dismiss()

    def _stop(self, route: Route) -> None:
        self.asked.append(route.request.url)
        route.abort()

    def _note(self, request: Request) -> None:
        if request.url == f"{self.server}/x" or request.url.rpartition("/")[2] == "x":
            self.asked.append(request.url)  # the picture that is not there

    def look(self, path: str) -> str:
        """Open a page, wait until it is drawn, note what happened; returns its text."""
        answer = self.page.goto(path) if path.startswith("/") else None
        if answer is None:
            self.page.set_content(path)
        elif answer.status != 200:
            self.faults.append(f"{path}: answered {answer.status}")
        where = path if answer is not None else "paper"
        if self.page.evaluate("globalThis.hit ?? 0"):
            self.faults.append(f"{where}: something was carried out")
        if len(self.page.frames) > 1:
            self.faults.append(f"{where}: a frame")
        self.faults += [f"{where}: asked for {url}" for url in self.asked]
        self.asked.clear()
        return str(self.page.evaluate(READ))


@pytest.fixture
def long_days(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stations that take as many orders as there are words; what a station can do is never rewritten."""
    monkeypatch.setattr("tests.browser.conftest.a_network", partial(a_network, 10_000))


@pytest.fixture
def canary(browser: Browser, live_server: LiveServer, long_days: None, people: None) -> Iterator[Canary]:
    context: BrowserContext = browser.new_context(
        locale="zh-CN", base_url=live_server.url, bypass_csp=True, viewport={"width": 1440, "height": 900}
    )
    context.set_default_timeout(PATIENCE)
    yield Canary(context.new_page(), live_server.url)
    context.close()


def put(words: tuple[str, ...]) -> dict[str, str]:
    """Have every word stand wherever somebody may write; returns the numbers of what pages are about."""
    now = datetime.now(UTC)
    hour = timedelta(hours=1)
    text = "\n".join(words)[:2000]
    reports = [
        a_report(now=now - hour, customer={"name": word[:60], "phone": PHONE}, address=word, fault=word)
        for word in words
    ]
    order = a_report(now=now - 6 * hour, customer={"name": words[0][:60], "phone": PHONE}, fault=text)
    do(order, "download", now=now - 5 * hour)
    do(order, "log_contact", now=now - 4.5 * hour, contact_outcome="no_answer", contact_note=text[:400])
    do(reports[0], "promise", now=now - hour / 2, promised_at=(now + 5 * hour).isoformat())
    do(reports[0], "print_order", now=now - hour / 3)
    do(reports[1], "resolve_remotely", now=now - hour / 2, promise_reason="软件问题,电话解决", findings=text[:400])
    request = begin(
        "cancellation_request", "submit", actor=an_actor("station_coordinator"), now=now - hour, order_ref=order.ref,
        given={"cancel_reason": "user_solved", "cancel_detail": text[:400]},
    )  # fmt: skip
    callback = Record.objects.unscoped("a test looks").get(order_ref=reports[1].ref, process="callback")
    put_past_every_door(words, order.ref, now)
    return {"order": order.ref, "printed": reports[0].ref, "request": request.ref, "callback": str(callback.ref)}


def put_past_every_door(words: tuple[str, ...], ref: str, now: datetime) -> None:
    """Where a check would refuse them, or nobody may write today: names of people and places, files, the history."""
    short = [word for word in words if len(word) <= 40] or [IMG]
    Station.objects.update(name=short[0], address=words[1])
    Region.objects.update(name=short[-1])
    Product.objects.update(name_zh=short[-1], name_en=short[-1])
    Person.objects.update(name=short[0])
    tokens.issue(Person.objects.get(username="cc_agent"), short[0])
    Webhook.objects.create(url=f"https://x.example/{words[0]}", events=[words[2]], created_at=now)
    sent: dict[str, Any] = {"zh": words[0], "en": words[1], words[2]: words[3]}
    for number, word in enumerate([*words, *islice(unseen(), None if WHOLE else 2)]):
        Entry.objects.create(
            at=now, subject=ref, kind="person.change", process="administration", revision=0, actor_name=word[:40],
            actor_role="admin", data={"before": {"name": word}, "after": {word: word}, "reason": word},
        )  # fmt: skip
        Outgoing.objects.create(
            key=f"hostile-{now.timestamp()}-{number}", at=now, subject=ref, notice=word[:40], channel="email",
            address=word[:200], data=sent, state="failed", error=word[:200], next_try_at=now,
        )  # fmt: skip
        Attachment.objects.create(
            order_ref=ref, name=word[:120], stored_as=f"{now.timestamp()}-{number}", media_type="image/jpeg", size=1,
            sha256="0" * 64, uploaded_by=1, uploaded_at=now,
        )  # fmt: skip


def take_away() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE orders_repairorder, orders_record, process_timer, journal_outgoing, orders_attachment CASCADE"
        )


def looked_at(canary: Canary, words: tuple[str, ...], pages: dict[str, tuple[str, ...]]) -> list[str]:
    """Put words everywhere and open the pages; returns which are not readable where they stand whole."""
    refs, unread = put(words), []
    for role, paths in pages.items():
        signed_in_as(canary.page.context, role, canary.server)
        for path in paths:
            shown = canary.look(path.format(**refs))
            if path == "/orders/{order}/":
                unread += [f"{role}: {word}" for word in words if " ".join(word.split()) not in shown]
    paper = html_of(store.load(refs["printed"], actor=an_actor("station_coordinator")), here="http://localhost")
    shown = canary.look(paper)
    unread += [f"paper: {words[0]}"] if " ".join(words[0].split()) not in shown else []
    return unread


def test_p13_no_word_is_carried_out_and_each_can_be_read(canary: Canary) -> None:
    words = all_words() if WHOLE else some_words(AT_ONCE)
    pages = {role: PAGES.get(role, ()) + AT_NIGHT.get(role, ()) for role in {**PAGES, **AT_NIGHT}} if WHOLE else PAGES
    unread: list[str] = []
    for first in range(0, len(words), AT_ONCE):
        unread += looked_at(canary, tuple(words[first : first + AT_ONCE]), pages)
        take_away()

    assert canary.faults == [], "\n".join(dict.fromkeys(canary.faults))
    assert unread == [], "\n".join(unread)
    assert len(all_words()) >= 300


def test_p13_control_one_field_that_is_not_escaped_is_heard(canary: Canary, monkeypatch: pytest.MonkeyPatch) -> None:
    def some_escaped(value: str) -> str:
        return SafeString(value) if str(value) == IMG else conditional_escape(value)

    monkeypatch.setattr(base, "conditional_escape", some_escaped)
    order = a_report(now=datetime.now(UTC), fault=IMG, address=f"<img src=//{CANARY}/i>")
    signed_in_as(canary.page.context, "station_coordinator", canary.server)

    canary.look(f"/orders/{order.ref}/")

    assert any("something was carried out" in fault or "asked for" in fault for fault in canary.faults)
