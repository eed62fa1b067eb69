"""Limits are changed by three people at three windows, and whoever it concerns is told and confirms to have read it.

With MENDLINE_SCREENSHOTS=<folder> every page of it is saved as a picture in both languages, wide and on a telephone.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from mendline.orders.sweep import sweep
from mendline.orders.transitions import begin
from tests.browser.conftest import Desk, Office
from tests.browser.test_screens import PICTURES, SIZES, do, shown, somebody
from tests.make import REPORT

pytestmark = pytest.mark.browser

LIMITS = "/procedures/unified_repair/3/limits/"


@pytest.fixture
def history(people: None) -> None:
    """Two orders: one promised at once, one after three hours and a half."""
    now = datetime.now(UTC) - timedelta(hours=8)
    for hours in (0.1, 3.5):
        order = begin("unified_repair", "report", actor=somebody("cc_agent"), now=now, given=REPORT)
        do(order, "download", now=now)
        then = now + timedelta(hours=hours)
        do(order, "promise", now=then, promised_at=(then + timedelta(days=1)).isoformat())


def test_limits_are_changed_by_three_people_and_read_by_a_fourth(office: Office, history: None) -> None:
    owner = office.desk("process_owner")
    ref = proposed(owner)
    for role, words in (("service_support_dept", "审核通过"), ("hq_interface", "批准")):
        desk = office.desk(role)
        desk.open(f"/records/{ref}/")
        shown(desk, f"limits-record-{role}")
        desk.page.get_by_role("button", name=words, exact=True).first.click()
        if words == "审核通过":  # a remark may go with it; an approval is done at once
            desk.page.locator(f"#step-{ref} form button.btn-primary").click()
        expect(desk.page.get_by_text("已审核" if role.startswith("service") else "已批准").first).to_be_visible()
    sweep(datetime.now(UTC))

    reader = office.desk("station_coordinator")
    reader.open("/reading/")
    shown(reader, "reading-zh-wide")
    reader.page.get_by_role("link", name="联系时限改为3小时").click()
    expect(reader.page.get_by_text("联系时限由4小时改为3小时")).to_be_visible()
    reader.page.get_by_role("button", name="我已阅读").click()
    expect(reader.page.get_by_text("已记录：您已阅读。")).to_be_visible()
    owner.open(f"/reading/{ref}/?role=station_coordinator")
    expect(owner.page.get_by_text("维修站协调员 1/2")).to_be_visible()
    owner.page.get_by_role("button", name="提醒未读的").click()
    expect(owner.page.get_by_role("status")).to_contain_text("已提醒")
    if PICTURES:
        every_page(office, ref)


def proposed(desk: Desk) -> str:
    desk.open(LIMITS)
    desk.page.get_by_label("联系时限", exact=False).first.fill("3h")
    desk.page.get_by_role("button", name="看影响").click()
    expect(desk.page.get_by_text("联系时限由4小时改为3小时")).to_be_visible()
    expect(desk.page.get_by_text("2 单 6 步中，0 步现在会被拒绝")).to_be_visible()
    shown(desk, "limits-effect-zh-wide")
    desk.page.get_by_label("调整内容").fill("联系时限改为3小时")
    desk.page.get_by_label("调整原因").fill("用户反映等待太久")
    desk.page.get_by_role("button", name="提出调整").click()
    desk.page.wait_for_url("**/records/CS*/")
    return desk.page.url.rstrip("/").rpartition("/")[2]


def every_page(office: Office, ref: str) -> None:
    pages = {
        "procedures": "/procedures/", "edition": "/procedures/unified_repair/3001/", "limits": LIMITS,
        "differences": "/procedures/unified_repair/differences/?a=2&b=3",
        "overlay-differences": "/procedures/unified_repair/differences/?a=3&b=3001",
        "document": f"/reading/{ref}/", "record": f"/records/{ref}/", "reading": "/reading/",
    }  # fmt: skip
    for locale in ("zh-CN", "en-US"):
        for size, (width, height) in SIZES.items():
            desk = office.desk("channel_management", locale=locale, width=width, height=height)
            for name, path in pages.items():
                desk.open(path)
                shown(desk, f"p-{name}-{locale[:2]}-{size}")
    desk = office.desk("channel_management")
    desk.page.emulate_media(color_scheme="dark")
    desk.open(pages["differences"])
    shown(desk, "p-differences-dark")
