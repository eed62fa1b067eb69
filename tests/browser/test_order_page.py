"""The order page in a real browser: what was typed is never lost, and one click has one effect."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Route, expect

from mendline.access.models import Person
from mendline.care.scorecards import refresh_scorecards
from mendline.journal.models import Entry
from mendline.orders.store import Loaded
from mendline.orders.transitions import begin
from tests.browser.conftest import PASSWORD, Desk, Office
from tests.make import a_report, an_actor, do

pytestmark = pytest.mark.browser

NOTE = "用户要求下午三点以后再打"


@pytest.fixture
def order(people: None) -> Loaded:
    return a_report(now=datetime.now(UTC) - timedelta(minutes=20))


def a_started_note(desk: Desk, order: Loaded) -> None:
    """Open the form of a contact and type into it, without sending."""
    desk.open(f"/orders/{order.ref}/")
    desk.step("log_contact")
    desk.choose("contact_outcome", "busy")
    desk.fill("contact_note", NOTE)


def test_what_was_typed_survives_a_session_that_ended(office: Office, order: Loaded) -> None:
    desk = office.desk("station_coordinator")
    a_started_note(desk, order)
    Session.objects.all().delete()
    desk.page.locator("form.step-form button[type=submit]").click()

    expect(desk.page.locator("#id_login")).to_be_visible()
    desk.complaints.clear()  # the browser itself reports the 401
    desk.page.locator("#id_login").fill("station_coordinator")
    desk.page.locator("#id_password").fill(PASSWORD)
    desk.page.locator("form button.btn-primary").click()

    expect(desk.page).to_have_url(re.compile(f"/orders/{order.ref}/$"))
    expect(desk.page.locator("[data-draft-note]")).to_be_visible()
    expect(desk.page.locator('form.step-form [name="contact_note"]')).to_have_value(NOTE)
    expect(desk.page.locator('form.step-form [name="contact_outcome"][value="busy"]')).to_be_checked()
    desk.send()
    desk.stands_at("联系用户")
    desk.page.reload()
    expect(desk.page.locator("form.step-form")).to_have_count(0)  # what was sent does not come back


def test_whoever_got_another_role_meanwhile_is_told_on_the_form(office: Office, order: Loaded) -> None:
    desk = office.desk("station_coordinator")
    a_started_note(desk, order)
    Person.objects.filter(username="station_coordinator").update(role="channel_management", station_no="")
    desk.page.locator("form.step-form button[type=submit]").click()

    expect(desk.page.locator("form.step-form .alert")).to_contain_text("您的角色不能执行")
    expect(desk.page.locator('form.step-form [name="contact_note"]')).to_have_value(NOTE)
    assert [told for told in desk.complaints if "403" not in told] == []
    desk.complaints.clear()  # the browser itself reports the 403


def test_a_reload_brings_back_what_was_typed_until_it_is_given_up(office: Office, order: Loaded) -> None:
    desk = office.desk("station_coordinator")
    a_started_note(desk, order)
    desk.page.reload()
    expect(desk.page.locator('form.step-form [name="contact_note"]')).to_have_value(NOTE)

    desk.page.locator("[data-draft-note] button").click()
    desk.page.reload()
    expect(desk.page.locator(".order-head")).to_be_visible()
    expect(desk.page.locator("form.step-form")).to_have_count(0)


def test_another_person_at_the_same_window_sees_nothing_of_it(office: Office, order: Loaded) -> None:
    desk = office.desk("station_coordinator")
    a_started_note(desk, order)
    desk.page.context.clear_cookies()
    desk.open("/accounts/login/")
    desk.page.locator("#id_login").fill("station_engineer")
    desk.page.locator("#id_password").fill(PASSWORD)
    desk.page.locator("form button.btn-primary").click()
    expect(desk.page.locator("#id_password")).to_have_count(0)

    desk.open(f"/orders/{order.ref}/")
    expect(desk.page.locator(".order-head")).to_be_visible()
    expect(desk.page.locator("form.step-form")).to_have_count(0)
    desk.page.wait_for_function("() => !JSON.stringify(sessionStorage).includes('mendline.draft:')")


def test_a_double_click_on_a_step_is_one_step(office: Office, order: Loaded) -> None:
    desk = office.desk("station_coordinator")
    desk.open(f"/orders/{order.ref}/")
    desk.page.locator('button[data-step="download"]').dblclick()

    desk.stands_at("已下载")
    expect(desk.page.locator(".alert-warning")).to_have_count(0)
    assert Entry.objects.filter(subject=order.ref, kind="order.download").count() == 1


def test_a_form_that_arrived_but_whose_answer_was_lost_has_one_effect(office: Office, order: Loaded) -> None:
    desk = office.desk("station_coordinator")
    a_started_note(desk, order)
    lost: list[str] = []

    def lose_the_first_answer(route: Route) -> None:
        if route.request.method == "POST" and not lost:
            lost.append(route.request.url)
            route.fetch()  # it reaches the server, and its answer nobody
            route.abort()
        else:
            route.continue_()

    desk.page.route("**/steps/**", lose_the_first_answer)
    send = desk.page.locator("form.step-form button[type=submit]")
    send.click()
    expect(desk.page.locator("#toasts .toast")).to_be_visible()
    desk.complaints.clear()  # the browser itself reports the lost answer
    expect(send).to_be_enabled()
    send.click()

    desk.stands_at("联系用户")
    assert Entry.objects.filter(subject=order.ref, kind="order.log_contact").count() == 1


def test_whoever_is_slower_sees_what_the_other_did_and_keeps_his_words(office: Office, order: Loaded) -> None:
    desk = office.desk("station_coordinator")
    a_started_note(desk, order)
    do(order, "correct", "cc_agent", now=datetime.now(UTC), fault="风扇异响")
    desk.page.locator("form.step-form button[type=submit]").click()

    expect(desk.page.locator("[data-meanwhile]")).to_contain_text("更正资料")
    expect(desk.page.locator("[data-meanwhile]")).to_contain_text("风扇异响")
    expect(desk.page.locator('form.step-form [name="contact_note"]')).to_have_value(NOTE)
    desk.send()  # having seen it, the second sending is a decision
    desk.stands_at("联系用户")


def test_a_refusal_is_read_with_the_keyboard_alone(office: Office, order: Loaded) -> None:
    desk = office.desk("station_coordinator")
    desk.open(f"/orders/{order.ref}/")
    desk.page.get_by_role("button", name="更多").focus()
    desk.page.keyboard.press("Enter")
    refused = desk.page.locator('[data-refused="mark_unreachable"]')
    refused.locator("summary").focus()
    desk.page.keyboard.press("Enter")

    expect(refused.locator(".why")).to_be_visible()
    expect(refused).to_contain_text("STN-24")


def test_a_verdict_is_one_click_from_the_inbox_and_back_shows_it_as_given(office: Office, order: Loaded) -> None:
    request = begin(
        "cancellation_request", "submit", actor=an_actor("station_coordinator"), now=datetime.now(UTC),
        order_ref=order.ref, given={"cancel_reason": "user_solved"},
    )  # fmt: skip
    desk = office.desk("region_interface")
    desk.open("/inbox/")
    desk.page.locator("tr[data-beside]").first.click()
    detail = desk.page.locator("#detail")
    expect(detail).to_contain_text("维修站近 30 天")
    detail.locator('[name="verdict_note"]').fill("请继续维修")
    detail.locator('button[data-step="refuse"]').dblclick()

    expect(desk.page.locator("main .alert-success")).to_contain_text("不可撤单")
    expect(desk.page.locator("tr[data-beside]")).to_have_count(0)
    assert Entry.objects.filter(subject=request.ref, kind="cancellation_request.refuse").count() == 1
    desk.open(f"/inbox/{request.ref}/")
    expect(desk.page.locator(".verdict-form")).to_have_count(0)


def test_a_callback_is_made_from_the_list(office: Office, order: Loaded) -> None:
    do(order, "resolve_remotely", now=datetime.now(UTC), promise_reason="软件问题,电话解决")
    desk = office.desk("info_support_dept")
    desk.open("/callbacks/")
    desk.page.locator("tr[data-beside]").first.click()
    expect(desk.page.locator("#detail .script")).to_contain_text("现在解决了吗")
    desk.page.locator("#detail button", has_text="显示号码").click()
    expect(desk.page.locator("#detail")).to_contain_text("已留下查看记录")
    desk.choose("callback_outcome", "satisfied")
    desk.choose("solved", "yes")
    desk.page.locator("#detail form.step-form button[type=submit]").click()

    expect(desk.page.locator("main .alert-success")).to_contain_text("回访完成")
    expect(desk.page.locator(".empty-title")).to_have_text("没有待回访的维修单")


@pytest.mark.parametrize("locale", ["zh-CN", "en-US"])
def test_what_a_region_reads_fits_a_telephone(office: Office, order: Loaded, locale: str) -> None:
    request = begin(
        "cancellation_request", "submit", actor=an_actor("station_coordinator"), now=datetime.now(UTC),
        order_ref=order.ref, given={"cancel_reason": "user_solved"},
    )  # fmt: skip
    refresh_scorecards(datetime.now(UTC))
    desk = office.desk("region_interface", locale=locale, width=390, height=844)
    for name, path in (
        ("inbox", "/inbox/"), ("late", "/inbox/?tab=late"), ("verdict", f"/inbox/{request.ref}/"),
        ("stations", "/stations/"), ("station", "/stations/000001/?show=reported"), ("order", f"/orders/{order.ref}/"),
    ):  # fmt: skip
        desk.open(path)
        too_wide = desk.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert too_wide <= 1, f"{name} is {too_wide} px wider than the window"
