"""A real Chromium against a real server. Everybody's password is the same; nothing leaves the machine."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from mendline.access.models import Person
from mendline.cli import packages
from mendline.kernel.time import SHANGHAI
from mendline.web.models import TourTaken
from tests.console.conftest import PLACES
from tests.make import a_network

PASSWORD = "a-long-enough-one"
# Milliseconds. A machine that does ten things at once is slow and not wrong; nothing waits longer than it must.
PATIENCE = 45_000
expect.set_options(timeout=PATIENCE)
# Answers that carry a form back, requests that a newer one replaced; and taking a picture hides the caret by a style.
EXPECTED = (
    "422",
    "409",
    "htmx:sendAbort",
    "htmx:afterRequest",
    *(["inline style"] if "MENDLINE_SCREENSHOTS" in os.environ else []),
)
NAMES = {
    "cc_agent": "陈晓", "region_interface": "赵敏", "station_coordinator": "李明", "station_engineer": "王强",
    "info_support_dept": "周芳", "service_support_dept": "吴刚",
}  # fmt: skip


@pytest.fixture(scope="module")  # no longer: while it is open this thread's event loop counts as running
def browser() -> Iterator[Browser]:
    chromium = packages.browser()
    if chromium is None:
        pytest.skip("no Chromium; `make test` installs it")
    # Playwright runs an event loop in this thread; Django must not take that for asynchronous code of ours.
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def people(transactional_db: None, settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    a_network()
    password = make_password(PASSWORD)
    for role, place in PLACES.items():
        Person.objects.create(username=role, name=NAMES.get(role, role), role=role, password=password, **place)
    Person.objects.create(
        username="neighbour", name="刘洋", role="station_coordinator", password=password, station_no="000002"
    )
    # Pages are looked at as people see them every day; the tour is offered to newcomers.
    TourTaken.objects.bulk_create(TourTaken(person=person, role=person.role) for person in Person.objects.all())


@dataclass
class Desk:
    """One person at one browser window."""

    page: Page
    server: str
    complaints: list[str]

    def open(self, path: str) -> None:
        self.page.goto(self.server + path)

    def step(self, name: str, within: str = "") -> None:
        """Press a step's button, wherever the page offers it, and wait for its form if it asks for something."""
        scope = self.page.locator(within) if within else self.page.locator("body")
        button = scope.locator(f'button[data-step="{name}"]').first
        if not button.is_visible():
            self.page.get_by_role("button", name=re.compile("更多|More")).first.click()
        asks = button.get_attribute("hx-get") is not None
        button.click()
        if asks:  # another step's form may stand there until this one comes
            own = f'form.step-form[action*="/{name.rpartition(".")[2]}/"]'
            expect(self.page.locator(own).first).to_be_visible()

    def send(self) -> None:
        form = self.page.locator("form.step-form")
        form.locator("button[type=submit]").click()
        expect(form).to_have_count(0)

    def fill(self, name: str, value: str) -> None:
        self.page.locator(f'form.step-form [name="{name}"]').fill(value)

    def choose(self, name: str, value: str) -> None:
        field = self.page.locator(f'form.step-form [name="{name}"]')
        if field.first.evaluate("node => node.tagName") == "SELECT":
            field.select_option(value)
        else:
            self.page.locator(f'form.step-form label[for="field-{name}-{value}"]').click()

    def stands_at(self, state: str) -> None:
        expect(self.page.locator(".order-head .state").first).to_have_text(state)


def signed_in_as(context: BrowserContext, username: str, address: str) -> None:
    """Sign somebody in without the form, which is a third of the work of a short test."""
    client = Client()
    person = Person.objects.get(username=username)
    client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    context.clear_cookies()
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": address}])


class Office:
    """Opens a window for each person, signed in; through the real form where a test is about that.

    No page is open yet, except after the form: most tests begin at a page of their own.
    """

    def __init__(self, browser: Browser, server: LiveServer) -> None:
        self._browser = browser
        self._server = server
        self._contexts: list[BrowserContext] = []
        self.desks: list[Desk] = []

    def desk(
        self, username: str, *, locale: str = "zh-CN", width: int = 1440, height: int = 900, by_form: bool = False
    ) -> Desk:
        context = self._browser.new_context(
            locale=locale, timezone_id="Asia/Shanghai", viewport={"width": width, "height": height}
        )
        context.set_default_timeout(PATIENCE)
        self._contexts.append(context)
        page = context.new_page()
        desk = Desk(page, self._server.url, [])

        def note(message: ConsoleMessage) -> None:
            if message.type == "error" and not any(word in message.text for word in EXPECTED):
                desk.complaints.append(f"{message.text} ({message.location})")

        page.on("console", note)
        page.on("pageerror", lambda error: desk.complaints.append(str(error)))
        if by_form:
            desk.open("/accounts/login/")
            page.locator("#id_login").fill(username)
            page.locator("#id_password").fill(PASSWORD)
            page.locator("form button.btn-primary").click()
            expect(page.locator("#id_password")).to_have_count(0)
        else:
            signed_in_as(context, username, self._server.url)
        self.desks.append(desk)
        return desk

    def close(self) -> None:
        for context in self._contexts:
            context.close()


@pytest.fixture
def office(browser: Browser, live_server: LiveServer, people: None) -> Iterator[Office]:
    opened = Office(browser, live_server)
    yield opened
    opened.close()
    # A blocked style, a script that failed or a missing file would show here and nowhere else.
    complaints = [complaint for desk in opened.desks for complaint in desk.complaints]
    assert not complaints, "\n".join(complaints)


def in_form(moment: datetime) -> str:
    """A moment as the browser's field for date and time takes it."""
    return f"{moment.astimezone(SHANGHAI):%Y-%m-%dT%H:%M}"


def from_now(**length: float) -> datetime:
    return datetime.now(UTC) + timedelta(**length)
