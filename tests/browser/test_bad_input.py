"""What goes wrong between a person and a page: a session that ended, the back button, a wrong clock, too many windows.

With MENDLINE_SCREENSHOTS=<folder> some pages are also saved as pictures.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, expect

from mendline.access.models import Person
from mendline.journal.models import Entry
from mendline.orders.models import Record, RepairOrder
from mendline.orders.store import Loaded
from mendline.orders.transitions import begin
from mendline.web.live.tickets import ticket_for
from mendline.web.models import TourTaken
from tests.browser.conftest import PASSWORD, Desk, Office
from tests.browser.test_queue import live
from tests.browser.test_screens import shown
from tests.make import a_report, an_actor, do

pytestmark = pytest.mark.browser
TABS, STREAMS = 12, 300

__all__ = ["live"]  # a fixture of the queue's module


@pytest.fixture
def order(people: None) -> Loaded:
    return a_report(now=datetime.now(UTC))


@pytest.fixture
def request_(order: Loaded) -> Loaded:
    return begin(
        "cancellation_request", "submit", actor=an_actor("station_coordinator"), now=datetime.now(UTC),
        order_ref=order.ref, given={"cancel_reason": "user_solved", "cancel_detail": "用户已自行解决"},
    )  # fmt: skip


def sign_in_again(desk: Desk, username: str) -> None:
    expect(desk.page.locator("#id_password")).to_be_visible()
    desk.page.locator("#id_login").fill(username)
    desk.page.locator("#id_password").fill(PASSWORD)
    desk.page.locator("form button.btn-primary").click()


def test_nothing_typed_is_lost_when_the_session_ends_in_the_middle_of_a_form(office: Office, request_: Loaded) -> None:
    """A report, a step, a verdict and a callback: each is sent without a session, and is whole after signing in."""
    order_ref = str(request_.order_ref)
    solved = a_report(now=datetime.now(UTC), customer={"name": "赵女士", "phone": "13800000009"})
    do(solved, "resolve_remotely", now=datetime.now(UTC), promise_reason="软件问题,电话解决")
    callback = Record.objects.unscoped("a test looks").get(order_ref=solved.ref, process="callback")
    tried = [
        ("cc_agent", "/intake/", "#report", "[name='fault']", ""),  # asks while somebody types
        ("cc_agent", f"/steps/{order_ref}/urge/", "form.step-form", "[name='urge_note']", "button[type=submit]"),
        (
            "cc_agent",
            f"/callbacks/{callback.ref}/",
            "form:has(#attempt-note)",
            "#attempt-note",
            "[data-step=log_attempt]",
        ),
        ("region_interface", f"/inbox/{request_.ref}/", "form.verdict-form", "#verdict-note", "[data-step=refuse]"),
    ]
    desks: dict[str, Desk] = {}
    for role, path, form, field, button in tried:
        desk = desks.get(role) or office.desk(role)
        desks[role] = desk
        desk.open(path)
        expect(desk.page.locator(f"{form} {field}").first).to_be_visible()
        Session.objects.all().delete()
        desk.page.locator(f"{form} {field}").first.fill(f"没有丢失 {path}")
        if button:
            desk.page.locator(f"{form} {button}").first.click()
        sign_in_again(desk, role)
        expect(desk.page.locator(f"{form} {field}").first).to_have_value(f"没有丢失 {path}")
        desk.complaints.clear()  # the browser notes the answer 401

    assert not Entry.objects.filter(kind__in=["order.urge", "callback.log_attempt"]).exists()
    assert RepairOrder.objects.unscoped("a test counts").count() == 2


def test_going_back_after_a_verdict_shows_that_it_was_given_and_gives_no_second(
    office: Office, request_: Loaded
) -> None:
    desk = office.desk("region_interface")
    desk.open("/inbox/")
    desk.open(f"/inbox/{request_.ref}/")
    desk.page.locator("#verdict-note").fill("用户仍要维修")
    desk.page.locator("[data-step=refuse]").click()
    desk.page.wait_for_url(re.compile(r"/inbox/$"))
    given = Entry.objects.filter(subject=request_.ref).count()

    desk.page.go_back()
    expect(desk.page.locator(".order-head .state").first).to_have_text("不可撤单")
    expect(desk.page.locator("[data-step=refuse]")).to_have_count(0)
    assert Entry.objects.filter(subject=request_.ref).count() == given == 2


@pytest.mark.parametrize("off", [timedelta(days=1), timedelta(days=-1)], ids=["a day fast", "a day slow"])
def test_deadlines_follow_the_servers_clock_and_not_the_browsers(office: Office, order: Loaded, off: timedelta) -> None:
    desk = office.desk("station_coordinator")
    desk.page.clock.install(time=datetime.now(UTC) + off)
    desk.open("/queue/")
    words = desk.page.locator(f"#row-{order.ref} .chip-words")
    expect(words).to_have_text(re.compile("剩 (3小时5|4小时0)"))
    desk.page.clock.run_for(31_000)  # the page counts for itself once
    expect(words).to_have_text(re.compile("剩 (3小时5|4小时0)"))
    expect(desk.page.locator(f"#row-{order.ref} .chip-breached")).to_have_count(0)


# --- many windows ------------------------------------------------------------------------------------------


@pytest.fixture
def streams(live: str) -> Iterator[list[int]]:
    """Three hundred listeners of one person that are no browser; yields the status of each answer."""
    address = urlsplit(live)
    ticket = ticket_for(an_actor("station_coordinator"))
    open_ones: list[socket.socket] = []
    found: list[int] = []
    for _ in range(STREAMS):
        one = socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=60)
        one.sendall(f"GET {address.path}?ticket={ticket} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        open_ones.append(one)
        found.append(int(one.recv(12).split()[1]))
    yield found
    for one in open_ones:
        one.close()


def test_twelve_windows_and_three_hundred_streams_of_one_person_hold_up_nothing(
    office: Office, order: Loaded, live: str, streams: list[int]
) -> None:
    """A browser has six connections to one server: the windows share one stream, and pages go on opening."""
    assert streams == [200] * STREAMS
    desk = office.desk("station_coordinator")
    tabs: list[Page] = [desk.page, *(desk.page.context.new_page() for _ in range(TABS - 1))]
    for tab in tabs:
        tab.goto(desk.server + "/queue/")
        expect(tab.locator("#queue[data-heard], #queue[data-follows]")).to_be_visible()
    assert sum(tab.locator("#queue[data-holds]").count() for tab in tabs) == 1

    do(order, "download", now=datetime.now(UTC))
    for tab in tabs:
        expect(tab.locator(f"#row-{order.ref} .state")).to_have_text("已下载")

    holder = next(tab for tab in tabs if tab.locator("#queue[data-holds]").count())
    holder.close()  # somebody else takes over, and goes on where the first stood
    left = [tab for tab in tabs if tab is not holder]
    expect(left[0].locator("body")).to_be_visible()
    do(order, "log_contact", now=datetime.now(UTC), contact_outcome="busy")
    for tab in left:
        expect(tab.locator(f"#row-{order.ref} .state")).to_have_text("联系用户")


# --- too long, and the tour --------------------------------------------------------------------------------


def test_the_longest_words_without_a_blank_stay_within_a_telephone(office: Office, people: None) -> None:
    Person.objects.filter(username="station_coordinator").update(name="W" * 40)
    long: dict[str, Any] = {"customer": {"name": "W" * 60, "phone": "13800000001"}, "address": "长" * 200,
                            "fault": "W" * 2000}  # fmt: skip
    order = a_report(now=datetime.now(UTC), **long)
    desk = office.desk("station_coordinator", width=390, height=844)
    for path in ("/queue/", f"/orders/{order.ref}/", "/search/?q=13800000001", f"/steps/{order.ref}/log_contact/"):
        desk.open(path)
        wide = desk.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 1, f"{path}: {wide} px too wide"
        shown(desk, f"longest-{path.split('/')[1]}")


@pytest.mark.parametrize(("locale", "width"), [("zh-CN", 1440), ("en", 390)])
def test_the_tour_is_walked_by_keys_and_not_offered_again(
    office: Office, order: Loaded, locale: str, width: int
) -> None:
    TourTaken.objects.all().delete()
    desk = office.desk("station_coordinator", locale=locale, width=width, height=844)
    page = desk.page
    desk.open("/queue/")
    page.locator("[data-tour-start]").first.focus()
    page.keyboard.press("Enter")
    for place in range(1, 6):
        expect(page.locator("[data-tour] [data-stop]:not([hidden]) .ms-auto").first).to_have_text(f"{place}/5")
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 1
        shown(desk, f"tour-{locale}-{width}-{place}")
        if place < 5:
            page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("[data-tour] [data-stop]:not([hidden]) .ms-auto").first).to_have_text("4/5")
    with page.expect_response(re.compile("/tour/ended/")):
        page.keyboard.press("Escape")
    expect(page.locator("[data-tour]")).to_have_count(0)
    desk.open("/queue/")
    expect(page.locator("[data-tour-offer]")).to_have_count(0)

    page.keyboard.press("?")
    page.locator("#keys a[href$='?tour=1']").click()
    expect(page.locator("[data-tour]")).to_be_visible()
