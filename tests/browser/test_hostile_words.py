"""P13: what people typed is never carried out, in a real browser, with the policy of the pages switched off.

The policy is a second wall, and behind it a fault of the first would not be seen; that it stops things is another
test's (test_pages_accessible). All words stand in one world and on one page at once, each with a number of its own;
with MENDLINE_HOSTILE=whole the pages of all roles are opened. Who looks at which sink:

| sink                | looked at                                                                               |
|---------------------|-----------------------------------------------------------------------------------------|
| pages               | here, in a browser; as text on every page: tests/console/test_bad_input_text.py         |
| administration      | here; as text in every room: tests/security/test_sinks.py                               |
| paper               | here, the page it is made of; its cells: test_bad_input_text.py                         |
| a form sent back    | test_bad_input_text.py (`…what_a_form_sends_back`)                                      |
| mail                | here, plain text and nothing else; its headers: test_bad_input_text.py                  |
| CSV, workbook       | here, the CSV; the workbook: test_bad_input_text.py; the audit's sheet: test_sinks.py   |
| JSON                | test_requests_from_elsewhere.py: its type, nosniff and policy on every answer           |
| a drawn procedure   | test_sinks.py                                                                           |
| files               | tests/security/test_uploads.py: never shown in a page                                   |
| live messages       | tests/console/test_live.py: numbers of orders, and nothing that anybody wrote           |
| the log             | no page of ours shows it; the audit, which one does: here, and test_sinks.py            |
| SMS, push           | the product sends neither                                                               |

No HTML is ever cleaned, because none is ever taken: what is typed is text and is escaped where it is shown. So there is
nothing whose cleaning twice could differ from cleaning once.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

import pytest
from django.template import base
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, Route
from pytest_django.live_server_helper import LiveServer

from mendline.channels.email.adapter import compose
from mendline.channels.legacy.exports import as_csv, export_orders
from mendline.contact.ports import Message
from mendline.kernel.text import Text
from mendline.orders import store
from mendline.web.print.pages import html_of
from tests.browser.conftest import PATIENCE, signed_in_as
from tests.browser.hostile_words import CANARY, FIRST, IMG, all_words, numbered
from tests.browser.hostile_world import CUSTOMER, NAME, PHONE, lines_of, pages_without_end, put
from tests.make import a_network, a_report, an_actor

pytestmark = pytest.mark.browser
WHOLE = os.environ.get("MENDLINE_HOSTILE") == "whole"
# By role: what it opens, and as what all words are to be read there one after the other; "": where only some are.
# `{…}` are the numbers of what was put there.
PAGES: dict[str, dict[str, str]] = {
    "station_coordinator": {"/queue/?show=all": "customers", "/orders/{order}/": "words",
                            "/search/?q=" + PHONE: "customers"},
    "region_interface": {"/inbox/{request}/": "words"},
    "admin": {"/admin/audit/": "lines", "/admin/outbox/": "lines"},
}  # fmt: skip
AT_NIGHT: dict[str, dict[str, str]] = {
    "station_coordinator": dict.fromkeys(
        ["/steps/{order}/promise/", "/records/{request}/", "/notices/", "/settings/",
         "/queue/?q=%3Cimg%20src=x%20onerror=hit=1%3E", "/palette/?q=" + PHONE], ""),
    "station_engineer": dict.fromkeys(["/queue/?show=all", "/orders/{printed}/"], ""),
    "region_interface": dict.fromkeys(["/inbox/", "/stations/", "/stations/000001/", "/orders/{order}/"], ""),
    "cc_agent": dict.fromkeys(
        ["/orders/{order}/", "/callbacks/", "/callbacks/{callback}/", "/search/?q=" + PHONE], ""),
    "channel_management": dict.fromkeys(
        ["/network/", "/network/stations/000001/", "/network/map/?area=11", "/network/capacity/"], ""),
    "hq_interface": dict.fromkeys(["/figures/", "/figures/daily/", "/figures/orders/", "/figures/load/"], ""),
    "admin": {"/admin/people/": "names", "/admin/tokens/": "names", "/admin/webhooks/": "",
              "/admin/products/": "names", "/admin/texts/": ""},
}  # fmt: skip
READ = "() => document.documentElement.textContent.replace(/\\s+/g, ' ')"
# What a page carries out is noted in turn, so that the next one does not cover it.
NOTES = """(() => {
    const hits = [];
    Object.defineProperty(window, 'hit', {get: () => hits, set: number => { hits.push(number); }});
})()"""
# Some things happen only when the page has been drawn: an animation that begins, something unfolded that tells so.
DRAWN = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"
AN_X = re.compile(r"/x\d*$")  # the picture that is not there


@dataclass
class Canary:
    """Listens to one window: what was carried out, and who was asked for something."""

    page: Page
    server: str
    asked: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.add_init_script(NOTES)
        self.page.context.route(self._is_elsewhere, self._stop)
        # Hundreds of rows in the looks of the house cost more than all the rest, and carry nothing out.
        self.page.context.route("**/*.css", lambda route: route.abort())
        self.page.on("dialog", self._dismiss)

    def _is_elsewhere(self, url: str) -> bool:
        return not url.startswith((self.server, "data:", "blob:")) or AN_X.search(url) is not None

    def _dismiss(self, dialog: Dialog) -> None:
        self.faults.append(f"a dialog says {dialog.message}")
        dialog.dismiss()

    def _stop(self, route: Route) -> None:
        self.asked.append(route.request.url)
        route.abort()

    def look(self, path: str) -> str:
        """Open a page, wait until it is drawn, note what happened; returns its text."""
        answer = self.page.goto(path)
        if answer is None or answer.status != 200:
            self.faults.append(f"{path}: answered {answer and answer.status}")
        self.page.evaluate(DRAWN)
        if hits := self.page.evaluate("window.hit"):
            self.faults.append(f"{path}: carried out {sorted(set(hits))}")
        if len(self.page.frames) > 1:
            self.faults.append(f"{path}: a frame")
        self.faults += [f"{path}: asked for {url}" for url in self.asked]
        self.asked.clear()
        return str(self.page.evaluate(READ))

    def look_at(self, paper: str) -> str:
        """Open a page that no address has."""
        self.page.route("**/paper", lambda route: route.fulfill(body=paper, content_type="text/html; charset=utf-8"))
        return self.look("/paper")


@pytest.fixture
def long_days(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stations that take as many orders as there are words; what a station can do is never rewritten."""
    monkeypatch.setattr("tests.browser.conftest.a_network", partial(a_network, 10_000))
    pages_without_end(monkeypatch)


@pytest.fixture
def canary(browser: Browser, live_server: LiveServer, long_days: None, people: None) -> Iterator[Canary]:
    context: BrowserContext = browser.new_context(
        locale="zh-CN", base_url=live_server.url, bypass_csp=True, viewport={"width": 320, "height": 200}
    )
    context.set_default_timeout(PATIENCE)
    yield Canary(context.new_page(), live_server.url)
    context.close()


def unread(shown: str, texts: Sequence[str]) -> list[str]:
    """Return which texts do not stand on a page one after the other, in this order or in the opposite one.

    A word that swallowed what comes after it would leave nothing there to read.
    """

    def missing(order: Sequence[str]) -> list[str]:
        found, after = [], 0
        for text in order:
            looked_for = " ".join(text.split())
            at = shown.find(looked_for, after)
            after = at + len(looked_for) if at >= 0 else after
            found += [text] if at < 0 else []
        return found

    return min(missing(texts), missing(texts[::-1]), key=len)


def pages() -> Iterator[tuple[str, str, str]]:
    for role in dict.fromkeys([*PAGES, *AT_NIGHT]) if WHOLE else PAGES:
        for path, texts in {**PAGES.get(role, {}), **(AT_NIGHT.get(role, {}) if WHOLE else {})}.items():
            yield role, path, texts


def test_p13_no_word_is_carried_out_and_each_can_be_read(
    canary: Canary, record_property: Callable[[str, object], None]
) -> None:
    words = all_words()
    lines = words if WHOLE else lines_of(words)
    cut = {"customers": CUSTOMER, "names": NAME}
    texts = {"words": words, "lines": lines, "": [], **{how: [word[:to] for word in words] for how, to in cut.items()}}
    record_property("words / 词", len(words))
    record_property("pages / 页", len(list(pages())))
    refs, wrong, who = put(words, lines), [], ""
    for role, path, how in pages():
        if role != who:
            signed_in_as(canary.page.context, role, canary.server)
        who = role
        wrong += [f"{role} {path}: {text}" for text in unread(canary.look(path.format(**refs)), texts[how])]
    paper = html_of(store.load(refs["printed"], actor=an_actor("station_coordinator")), here="http://localhost")
    wrong += [f"paper: {text}" for text in unread(canary.look_at(paper), words)]
    wrong += [*faults_of_the_table(words), *faults_of_mails(words)]

    assert canary.faults == [], "\n".join(dict.fromkeys(canary.faults))
    assert wrong == [], "\n".join(wrong[:20])
    assert len(words) >= 300


def faults_of_the_table(words: Sequence[str]) -> list[str]:
    """Return which words are not whole in a table that leaves the house, or begin a cell as a formula does."""
    columns = export_orders(an_actor("cc_agent")).rows[0]
    written = as_csv([dict.fromkeys(columns, word) for word in words]).decode("utf-8-sig")
    cells = {cell for row in csv.reader(io.StringIO(written)) for cell in row}
    lost = [f"table: {word} is not in it" for word in words if not {word, f"'{word}"} & cells]
    return lost + [f"table: {cell}" for cell in cells if cell.startswith(("=", "+", "-", "@", "＝"))]


def faults_of_mails(words: Sequence[str]) -> list[str]:
    """Return which words are not whole in a mail, or are more than text there."""
    faults, now = [], datetime.now(UTC)
    for word in words:
        mail = compose(Message(1, "k", now, "WX1", word, "a@example.org", Text(word, word), {})).message()
        body = mail.get_payload(decode=True)
        is_whole = isinstance(body, bytes) and word in body.decode()
        if mail.is_multipart() or mail.get_content_type() != "text/plain" or not is_whole:
            faults.append(f"mail: {word}")
    return faults


def test_p13_control_one_field_that_is_not_escaped_is_heard(canary: Canary, monkeypatch: pytest.MonkeyPatch) -> None:
    word, asks = numbered(IMG, FIRST), f"<img src=//{FIRST + 1}.{CANARY}/i>"

    def some_escaped(value: str) -> str:
        return SafeString(value) if str(value) in (word, asks) else conditional_escape(value)

    monkeypatch.setattr(base, "conditional_escape", some_escaped)
    order = a_report(now=datetime.now(UTC), fault=word, address=asks)
    signed_in_as(canary.page.context, "station_coordinator", canary.server)

    canary.look(f"/orders/{order.ref}/")

    heard = "\n".join(canary.faults)
    assert f"carried out [{FIRST}]" in heard and f"//{FIRST + 1}.{CANARY}/i" in heard, "each is named by its number"
