"""The tutorial is walked with the words that stand on its page: a button renamed here or there breaks it.

Behind each sentence that tells people to do something stands what it means, unseen: `<!-- do: press 建单并派单 -->`.
Words that are pressed or looked for must be told in the text as well, in bold where they are pressed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from mendline.sim import worlds
from tests.browser.conftest import PATIENCE

pytestmark = pytest.mark.browser

DOCS = Path(__file__).parents[2] / "docs"
LOCALES = {"zh": "zh-CN", "en": "en-US"}
_DO = re.compile(r"<!-- do: (.+?) -->")


@dataclass(frozen=True)
class Deed:
    """One thing to do, as `verb` and `words`; `told` is the text of the page before it, back to the heading."""

    verb: str
    words: str
    told: str

    def __str__(self) -> str:
        return f"{self.verb} {self.words}"


def deeds(language: str) -> list[Deed]:
    found: list[Deed] = []
    for section in (DOCS / language / "tutorial.md").read_text(encoding="utf-8").split("\n## "):
        for mark in _DO.finditer(section):
            told = _DO.sub("", section[: mark.start()])
            for deed in mark[1].split("; "):
                verb, _, words = deed.strip().partition(" ")
                found.append(Deed(verb, words, told))
    return found


@pytest.mark.parametrize("language", LOCALES)
def test_what_the_tutorial_presses_is_told_in_its_text(language: str) -> None:
    for deed in deeds(language):
        words = re.split(" = ", deed.words)
        if deed.verb in ("press", "submit", "sign-out"):
            assert f"**{deed.words}**" in deed.told, deed
        elif deed.verb == "fill":
            assert all(word in deed.told for word in words), deed
        elif deed.verb in ("choose", "sign-in"):
            assert deed.words in deed.told, deed


@dataclass
class Walker:
    """Does what the page says, at one window."""

    page: Page
    address: str
    order: str = field(default="")

    def do(self, deed: Deed) -> None:
        getattr(self, f"_{deed.verb.replace('-', '_')}")(deed.words)

    def _sign_in(self, username: str) -> None:
        self.page.goto(self.address)
        self.page.locator("#id_login").fill(username)
        self.page.locator("#id_password").fill(worlds.DEMO_PASSWORD)
        self.page.locator("form button.btn-primary").click()
        expect(self.page.locator("#id_password")).to_have_count(0)

    def _sign_out(self, words: str) -> None:
        self.page.locator("header .dropdown-toggle").last.click()
        self.page.get_by_role("button", name=words, exact=True).click()
        expect(self.page.locator(".navbar-vertical")).to_have_count(0)

    def _press(self, words: str) -> None:
        named = re.compile(rf"^\s*{re.escape(words)}\s*$")
        button = self.page.get_by_role("button", name=named)
        self._seen(button.or_(self.page.get_by_role("link", name=named))).click()

    def _submit(self, words: str) -> None:
        form = self.page.locator("form.step-form")
        form.get_by_role("button", name=words, exact=True).click()

    def _fill(self, words: str) -> None:
        label, value = words.split(" = ")
        self._seen(self.page.get_by_label(label)).fill(value)

    def _choose(self, words: str) -> None:
        form = self.page.locator("form.step-form")
        named = re.compile(rf"^\s*{re.escape(words)}\s*$")
        lists = form.locator("select").filter(has=self.page.locator("option", has_text=named))
        label = form.locator("label", has_text=named)
        expect(lists.or_(label).first).to_be_attached()
        if lists.count():
            lists.first.select_option(label=words)
        else:
            label.first.click()

    def _see(self, words: str) -> None:
        expect(self.page.locator("main").get_by_text(words).filter(visible=True).first).to_be_visible()

    def _keep_order(self, words: str) -> None:
        expect(self.page).to_have_url(re.compile(r"/orders/WX[^/]+/$"))
        self.order = self.page.locator(".order-head .order-no").inner_text().strip()

    def _find_order(self, words: str) -> None:
        self.page.wait_for_load_state()
        self.page.keyboard.press("Control+k")
        box = self.page.locator("#palette-input")
        box.fill(self.order)
        expect(self.page.locator('#palette-list [aria-selected="true"]')).to_contain_text(self.order)
        box.press("Enter")
        expect(self.page).to_have_url(re.compile(f"/orders/{self.order}/$"))

    def _told(self, words: str) -> None:
        expect(self.page.locator("main .alert-success")).to_contain_text(words)

    def _open_request(self, words: str) -> None:
        self.page.locator("tr[data-beside] a.order-no", has_text=self.order).click()

    def _seen(self, found: Locator) -> Locator:
        return found.filter(visible=True).first


@pytest.mark.parametrize("language", LOCALES)
def test_the_tutorial_goes_as_its_page_tells(
    language: str, browser: Browser, live_server: LiveServer, transactional_db: None
) -> None:
    worlds.load("small").build()
    context = browser.new_context(
        locale=LOCALES[language], timezone_id="Asia/Shanghai", viewport={"width": 1440, "height": 900}
    )
    context.set_default_timeout(PATIENCE)
    walker = Walker(context.new_page(), live_server.url)
    steps = deeds(language)

    assert len(steps) > 25
    for number, deed in enumerate(steps, 1):
        try:
            walker.do(deed)
        except Exception as fault:
            raise AssertionError(f"docs/{language}/tutorial.md, deed {number}: {deed}") from fault
    context.close()
