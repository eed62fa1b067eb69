"""The administration and a person's own settings in a real browser: light and dark, wide and narrow, by keyboard."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from mendline.access import tokens
from mendline.access.models import Person
from mendline.access.people import PersonData, add_person
from mendline.channels.webhook.actions import add_webhook
from mendline.journal.models import Outgoing
from mendline.orders.reveal import reveal_phone
from tests.browser.conftest import Desk, Office, from_now
from tests.browser.test_pages_accessible import AXE, RUN
from tests.make import a_report

pytestmark = pytest.mark.browser
PICTURES = os.environ.get("MENDLINE_ADMIN_PICTURES")


@pytest.fixture
def world(people: None) -> dict[str, str]:
    """Some of everything that the administration shows; returns its pages by name."""
    now = from_now()
    Person.objects.filter(role="admin").update(name="孙静")
    chief = Person.objects.get(role="admin").as_actor("admin")
    data = PersonData("zhou.fang", "周芳", "region_interface", region="north", email="zhou@example.com")
    zhou = add_person(data, actor=chief, now=now)
    tokens.issue(zhou, "派单接口", actor=chief, now=now)
    hook = add_webhook("https://example.com/hook", ["order.report"], now=now, actor=chief)
    order = a_report(now=from_now(hours=-1))
    reveal_phone(order.ref, "call_user", actor=Person.objects.get(role="cc_agent").as_actor(), now=now)
    Outgoing.objects.filter(channel="webhook").update(state="failed", error="对方没有应答", next_try_at=None)
    return {
        "index": "/admin/", "people": "/admin/people/", "person": f"/admin/people/{zhou.pk}/", "roles": "/admin/roles/",
        "role": "/admin/roles/station_coordinator/", "tokens": "/admin/tokens/", "issue": "/admin/tokens/issue/",
        "calendar": "/admin/calendar/?year=2026", "day": "/admin/calendar/add/", "products": "/admin/products/",
        "texts": "/admin/texts/", "webhook": f"/admin/webhooks/{hook.pk}/", "outbox": "/admin/outbox/",
        "audit": "/admin/audit/", "settings": "/settings/",
    }  # fmt: skip


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)


def faults_of(desk: Desk) -> list[str]:
    """Return what a screen reader or a keyboard stumbles over, and how far the page sticks out of a telephone."""
    found: list[str] = desk.page.evaluate(RUN)
    desk.page.set_viewport_size({"width": 390, "height": 844})
    wide = int(desk.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
    return [*found, *([f"{wide} px wider than a telephone"] if wide > 1 else [])]


def test_every_page_is_usable_light_and_dark_and_on_a_telephone(office: Office, world: dict[str, str]) -> None:
    desk = office.desk("admin")
    desk.page.context.add_init_script(AXE.read_text("utf-8"))
    faults: list[str] = []
    for name, path in world.items():
        desk.open(path)
        picture(desk.page, f"zh-1440-{name}")
        faults += [f"{path}: {fault}" for fault in faults_of(desk)]
        picture(desk.page, f"zh-390-{name}")
        desk.page.set_viewport_size({"width": 1440, "height": 900})
    Person.objects.filter(role="admin").update(theme="dark", language="en")
    for name in ("index", "people", "person", "webhook", "audit", "settings"):
        desk.open(world[name])
        picture(desk.page, f"en-dark-{name}")
        faults += [f"dark {world[name]}: {fault}" for fault in faults_of(desk)]
        picture(desk.page, f"en-390-dark-{name}")
        desk.page.set_viewport_size({"width": 1440, "height": 900})

    assert not faults, "\n".join(faults)


def test_a_key_is_issued_asked_about_and_revoked(office: Office, world: dict[str, str]) -> None:
    desk = office.desk("admin", width=390, height=844)
    page = desk.page
    desk.open("/admin/")
    page.get_by_role("button", name="菜单").press("Enter")
    page.get_by_role("link", name="接口密钥", exact=True).press("Enter")
    page.get_by_role("link", name="签发密钥").click()
    page.get_by_label("用途").fill("备件系统")
    page.get_by_label("以谁的身份（用户名）").fill("zhou.fang")
    page.get_by_role("button", name="签发").click()
    expect(page.locator("code.secret")).to_contain_text("ml_")

    page.get_by_role("link", name="接口密钥", exact=True).last.click()
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.get_by_role("button", name="吊销").first.click()
    expect(page.get_by_text("已吊销")).to_have_count(0)
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="吊销").first.click()
    expect(page.get_by_text("已吊销，立即生效")).to_be_visible()


def test_the_switch_between_light_and_dark_is_there_at_the_next_machine(office: Office, people: None) -> None:
    first = office.desk("station_coordinator")
    first.open("/")
    with first.page.expect_response("**/settings/theme/"):
        first.page.locator("[data-theme-switch]").last.click()
    expect(first.page.locator("html")).to_have_attribute("data-bs-theme", "dark")

    second = office.desk("station_coordinator")
    second.open("/")

    expect(second.page.locator("html")).to_have_attribute("data-bs-theme", "dark")
