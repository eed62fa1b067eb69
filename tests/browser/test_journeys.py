"""The whole job, done by people at screens."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Desk, Office, from_now, in_form

pytestmark = pytest.mark.browser


def take_report(desk: Desk, *, phone: str = "13812345678", fault: str = "开机黑屏，风扇不转") -> str:
    """Take a report as the agent does, and return the order's number."""
    page = desk.page
    desk.open("/intake/")
    page.locator('[name="customer.phone"]').fill(phone)
    page.locator('[name="customer.name"]').fill("王先生")
    page.locator('[name="product"]').select_option("desktop")
    page.locator('[name="area.search"]').fill("海淀")
    page.locator(".area-field .list-group-item", has_text="110108").click()
    expect(page.locator('[name="area"]')).to_have_value("110108")
    page.locator('[name="address"]').fill("上地信息路2号")
    page.locator('[name="fault"]').fill(fault)
    page.locator('label[for="field-service_mode-on_site"]').click()
    # The station and its reasons stand there before anything is created.
    expect(page.locator("#proposal")).to_contain_text("000001")
    page.locator("#report button[type=submit]").click()
    expect(page).to_have_url(re.compile(r"/orders/WX[^/]+/$"))
    return page.locator(".order-head .order-no").inner_text().strip()


def sign(page: Page) -> None:
    pad = page.locator("canvas.signature")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 40, box["y"] + 60)
    page.mouse.down()
    for x, y in ((90, 30), (140, 80), (200, 40), (260, 70)):
        page.mouse.move(box["x"] + x, box["y"] + y, steps=4)
    page.mouse.up()


def test_a_report_goes_all_the_way_to_its_callback(office: Office) -> None:
    agent = office.desk("cc_agent", by_form=True)
    ref = take_report(agent)
    agent.stands_at("已派单")

    station = office.desk("station_coordinator")
    station.open("/")
    station.page.locator("tr[data-beside]", has_text=ref).locator("a.order-no").click()
    expect(station.page.locator(f'#detail [data-order="{ref}"]')).to_be_visible()
    station.open(f"/orders/{ref}/")
    station.step("download")
    station.stands_at("已下载")
    station.step("log_contact")
    station.choose("contact_outcome", "reached")
    station.send()
    station.stands_at("联系用户")

    station.step("promise")
    station.fill("promised_at", in_form(from_now(hours=-1)))
    station.page.locator("form.step-form button[type=submit]").click()
    expect(station.page.locator("form.step-form .alert")).to_be_visible()  # the past is refused, what was typed stays
    station.fill("promised_at", in_form(from_now(hours=26)))
    station.send()
    station.stands_at("已约承诺服务时间")

    station.step("order_part")
    station.fill("part_code", "MB-H61")
    station.choose("told_user_why", "yes")
    station.choose("borrowing", "not_available")
    station.send()
    station.stands_at("备件申领中")
    station.step("receive", within=".card[id^=record-]")
    station.stands_at("已约承诺服务时间")

    station.step("print_order")
    station.choose("engineer", "station_engineer")
    station.send()
    station.stands_at("已打印")
    expect(station.page.get_by_role("link", name="维修单 PDF")).to_be_visible()

    engineer = office.desk("station_engineer", width=390, height=844)
    engineer.open(f"/orders/{ref}/")
    engineer.step("start_service")
    engineer.choose("user_agrees", "yes")
    engineer.send()
    engineer.stands_at("服务中")
    engineer.step("resolve")
    engineer.fill("work_done", "更换主板，通电测试正常")
    engineer.choose("part_returned", "yes")
    sign(engineer.page)
    engineer.send()
    engineer.stands_at("已解决")

    agent.open("/callbacks/")
    agent.page.locator("tr[data-beside]", has_text=ref).locator("a.order-no").click()
    expect(agent.page.locator("#detail .script")).to_contain_text("现在解决了吗")
    agent.choose("callback_outcome", "satisfied")
    agent.choose("solved", "yes")
    agent.send()
    expect(agent.page.locator("main .alert-success")).to_contain_text("回访完成")
    agent.open(f"/orders/{ref}/")
    agent.stands_at("已回访")


def test_can_22_the_region_cancels_what_the_station_asked_for(office: Office) -> None:
    ref = take_report(office.desk("cc_agent"))
    station = office.desk("station_coordinator")
    station.open(f"/orders/{ref}/")
    station.page.get_by_role("button", name="更多").click()
    # Too early to mark the user unreachable: greyed, with its rule and from when on it will be possible.
    expect(station.page.locator(".step-refused", has_text="标记联系不上")).to_contain_text("STN-24")
    station.page.keyboard.press("Escape")

    # What the centre gave, the station cannot drop by itself.
    station.step("cancel")
    station.choose("cancel_reason", "user_solved")
    station.choose("requested_by", "station")
    station.page.locator("form.step-form button[type=submit]").click()
    expect(station.page.locator("form.step-form .alert")).to_contain_text("CAN-08")

    station.step("cancellation_request.submit")
    station.choose("cancel_reason", "user_solved")
    station.fill("cancel_detail", "用户自行重装系统后恢复正常")
    station.send()
    expect(station.page.locator(".card[id^=record-]")).to_contain_text("撤单请求")

    region = office.desk("region_interface")
    region.open("/inbox/")
    region.page.locator("tr[data-beside]", has_text=ref).locator("a.order-no").click()
    region.page.locator('#detail button[data-step="cancel_order"]').click()
    expect(region.page.locator("main .alert-success")).to_contain_text("同意并撤单")
    expect(region.page.locator("tr[data-beside]")).to_have_count(0)
    region.open(f"/orders/{ref}/")
    region.stands_at("已撤单")

    station.open(f"/orders/{ref}/")
    station.stands_at("已撤单")


def test_can_02_the_region_reassigns_and_both_orders_lead_to_each_other(office: Office) -> None:
    ref = take_report(office.desk("cc_agent"))
    station = office.desk("station_coordinator")
    station.open(f"/orders/{ref}/")
    station.step("cancellation_request.submit")
    station.choose("cancel_reason", "capacity_error")
    station.fill("cancel_detail", "本周工程师全部外派")
    station.send()

    region = office.desk("region_interface")
    region.open(f"/orders/{ref}/")
    region.page.locator('button[data-step="reassign_order"]').first.click()
    region.send()
    region.stands_at("撤单改派")
    region.page.locator("a.order-no", has_text="WX").first.click()
    expect(region.page).not_to_have_url(re.compile(ref))
    region.stands_at("已派单")
    expect(region.page.locator("body")).to_contain_text("000002")
    expect(region.page.locator("a.order-no", has_text=ref)).to_be_visible()

    neighbour = office.desk("neighbour")
    neighbour.open("/queue/")
    expect(neighbour.page.locator("tr[data-beside]")).to_have_count(1)
    neighbour.open(f"/orders/{ref}/")
    expect(neighbour.page.get_by_text("没有找到这一页")).to_be_visible()
    neighbour.complaints.clear()  # the browser reports the 404, as it should
