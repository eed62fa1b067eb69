"""Pages as people see them: wide and on a telephone, in both languages, light and dark.

With MENDLINE_SCREENSHOTS=<folder> every page is also saved as a picture, to be looked at. Some are the pictures of the
documentation: `make screenshots` takes them, and every run holds the pages against them (`pictures`).
"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from mendline.access.actors import Actor
from mendline.care.scorecards import refresh_scorecards
from mendline.figures import facts
from mendline.network.models import Product, Station
from mendline.orders.models import Record
from mendline.orders.store import Loaded
from mendline.orders.transitions import begin, perform
from tests.browser import pictures
from tests.browser.conftest import NAMES as PEOPLE
from tests.browser.conftest import PATIENCE, Desk, Office
from tests.make import REPORT, an_actor

pytestmark = pytest.mark.browser

PICTURES = os.environ.get("MENDLINE_SCREENSHOTS")
SIZES = {"wide": (1440, 900), "phone": (390, 844)}
FAULTS = (
    "开机黑屏，风扇不转", "进水后键盘失灵，触摸板时好时坏", "打印机卡纸，清理后仍报错 E4", "系统无法启动，提示硬盘错误",
    "显示器花屏，重启后恢复几分钟又出现", "无线网络频繁掉线", "电源指示灯不亮",
)  # fmt: skip
NAMES = ("王先生", "李女士", "张伟", "刘洋", "陈静", "杨先生", "赵女士")


STATIONS = {"000001": "北京上地维修站", "000002": "北京朝阳维修站", "000003": "上海徐汇维修站"}


def somebody(role: str) -> Actor:
    return replace(an_actor(role), name=PEOPLE[role])


def a_report(*, now: datetime, **changed: object) -> Loaded:
    return begin("unified_repair", "report", actor=somebody("cc_agent"), now=now, given={**REPORT, **changed})


def do(order: Loaded, name: str, role: str = "station_coordinator", *, now: datetime, **given: object) -> Loaded:
    return perform(order.ref, name, actor=somebody(role), now=now, given=given)


@pytest.fixture
def orders(people: None) -> list[Loaded]:
    """A morning at station 000001: orders at every step, some late, one to be cancelled, one to be called back."""
    for number, station in STATIONS.items():
        Station.objects.filter(number=number).update(name=station)
    Product.objects.update(name_zh="商用台式机", name_en="Office desktop")
    made: list[Loaded] = []
    now = datetime.now(UTC)
    for index, (name, fault) in enumerate(zip(NAMES, FAULTS, strict=True)):
        begun = now - timedelta(hours=(5, 3.6, 3.2, 2, 26, 50, 0.2)[index])
        customer = {"name": name, "phone": f"1381234{index}678"}
        made.append(a_report(now=begun, customer=customer, fault=fault, address=f"上地信息路{index + 2}号"))
    do(made[1], "download", now=now)
    do(made[2], "log_contact", contact_outcome="no_answer", now=now)
    promised = (now + timedelta(hours=20)).isoformat()
    do(made[3], "promise", promised_at=promised, now=now)
    do(made[4], "promise", promised_at=(now - timedelta(hours=1)).isoformat(), now=now - timedelta(hours=25))
    do(made[5], "download", now=now - timedelta(hours=49))
    do(made[5], "promise", promised_at=promised, now=now - timedelta(hours=48))
    part = {"part_code": "MB-H61", "told_user_why": "yes", "borrowing": "not_available"}
    do(made[5], "order_part", now=now - timedelta(hours=47), **part)
    begin(
        "cancellation_request", "submit", actor=somebody("station_coordinator"), now=now, order_ref=made[0].ref,
        given={"cancel_reason": "user_solved", "cancel_detail": "用户自行重装系统后恢复正常，不再需要上门"},
    )  # fmt: skip
    a_report(now=now, area="440106", fault="门禁主机死机")
    solved = a_report(now=now - timedelta(hours=8), customer={"name": "周女士", "phone": "13800000009"}, fault="蓝屏")
    do(solved, "resolve_remotely", now=now - timedelta(hours=7), promise_reason="软件问题,电话解决")
    made.append(solved)
    refresh_scorecards(now)
    while facts.catch_up(now):
        pass
    return made


def shown(desk: Desk, name: str) -> None:
    """No page is wider than its window; what the documentation pictures still looks like its picture."""
    desk.page.wait_for_load_state("load")
    if PICTURES or pictures.TAKING:
        expect(desk.page.locator(".htmx-request")).to_have_count(0)  # a stream stays open: `networkidle` may never come
    too_wide = desk.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert too_wide <= 1, f"{name} is {too_wide} px wider than the window"
    page, locale, size = name.rsplit("-", 2) if name.count("-") >= 2 else (name, "", "")
    if f"{page}-{size}" in pictures.PICTURED:
        pictures.keep_or_compare(desk.page, name, PATIENCE)
    if PICTURES:
        folder = Path(PICTURES)
        folder.mkdir(parents=True, exist_ok=True)
        desk.page.screenshot(path=folder / f"{name}.png", full_page=True)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("locale", ["zh-CN", "en-US"])
def test_no_page_is_wider_than_its_window(office: Office, orders: list[Loaded], locale: str, size: str) -> None:
    width, height = SIZES[size]
    ending = f"{locale[:2]}-{size}"
    desk = office.desk("cc_agent", locale=locale, width=width, height=height)
    desk.open("/intake/")
    shown(desk, f"intake-{ending}")
    desk.page.locator('[name="customer.phone"]').fill("13812340678")
    expect(desk.page.locator("#caller")).to_contain_text(orders[0].ref)
    desk.page.locator("#caller button[data-fill]").click()
    expect(desk.page.locator('[name="area"]')).to_have_value("110108")
    desk.page.locator('[name="product"]').select_option("desktop")
    expect(desk.page.locator("#proposal")).to_contain_text("000001")
    shown(desk, f"intake-known-{ending}")

    desk = office.desk("station_coordinator", locale=locale, width=width, height=height)
    for name, path in (
        ("queue", "/queue/"),
        ("notices", "/notices/"),
        ("search", "/search/?q=王先生"),
        ("requests", "/requests/"),
    ):
        desk.open(path)
        shown(desk, f"{name}-{ending}")
    for index, name in ((0, "late"), (3, "promised"), (5, "part")):
        desk.open(f"/orders/{orders[index].ref}/")
        shown(desk, f"order-{name}-{ending}")
    desk.step("promise")
    shown(desk, f"step-{ending}")
    if size == "wide":
        desk.open("/queue/")
        desk.page.locator("tr[data-beside]").nth(2).click()
        expect(desk.page.locator("#detail [data-order]")).to_be_visible()
        shown(desk, f"beside-{ending}")

    callback = Record.objects.unscoped("a test looks").get(order_ref=orders[7].ref, process="callback").ref
    desk = office.desk("info_support_dept", locale=locale, width=width, height=height)
    for name, path in (("callbacks", "/callbacks/"), ("callback", f"/callbacks/{callback}/")):
        desk.open(path)
        shown(desk, f"{name}-{ending}")

    desk = office.desk("region_interface", locale=locale, width=width, height=height)
    for name, path in (
        ("inbox", "/inbox/"),
        ("stations", "/stations/"),
        ("network-map", "/network/map/"),
        ("figures", "/figures/"),
        ("undispatched", "/inbox/?tab=undispatched"),
        ("procedure", "/procedures/unified_repair/3/"),
    ):
        desk.open(path)
        shown(desk, f"{name}-{ending}")
    request = Record.objects.unscoped("a test looks").get(order_ref=orders[0].ref, process="cancellation_request").ref
    desk.open(f"/inbox/{request}/")
    shown(desk, f"verdict-{ending}")

    desk = office.desk("process_owner", locale=locale, width=width, height=height)
    desk.open("/procedures/")
    shown(desk, f"procedures-{ending}")
    desk.open("/procedures/unified_repair/3/replay/?p_contact_limit=2h&days=7")
    shown(desk, f"replay-{ending}")

    desk = office.desk("admin", locale=locale, width=width, height=height)
    desk.open("/admin/")
    shown(desk, f"admin-{ending}")


def test_the_dark_page_is_dark_from_the_first_paint(office: Office, orders: list[Loaded]) -> None:
    desk = office.desk("station_coordinator")
    desk.page.emulate_media(color_scheme="dark")
    desk.open(f"/orders/{orders[3].ref}/")
    assert _brightness(desk.page) < 60
    shown(desk, "order-dark")
    desk.page.locator("header [data-theme-switch]").click()
    assert _brightness(desk.page) > 200  # the switch wins over the system, here and after reloading
    desk.page.reload()
    assert _brightness(desk.page) > 200


def test_a_clock_counts_down_without_reloading(office: Office, orders: list[Loaded]) -> None:
    desk = office.desk("station_coordinator")
    desk.page.clock.install()
    desk.open("/queue/")
    row = desk.page.locator("tr[data-beside]", has_text=orders[6].ref)
    before = row.locator(".chip-words").inner_text()
    desk.page.clock.fast_forward("05:00")

    expect(row.locator(".chip-words")).not_to_have_text(before)
    expect(row.locator(".chip-words")).to_contain_text("剩 3小时4")


def test_words_being_composed_ask_nothing_of_the_server(office: Office, orders: list[Loaded]) -> None:
    desk = office.desk("cc_agent")
    desk.open("/intake/")
    asked: list[str] = []
    desk.page.on("request", lambda request: asked.append(request.url) if "/areas/" in request.url else None)
    field = desk.page.locator('[name="area.search"]')
    field.focus()
    field.evaluate(
        """node => {
            node.value = "haid"
            node.dispatchEvent(new InputEvent("input", {bubbles: true, isComposing: true}))
        }"""
    )
    desk.page.wait_for_timeout(500)
    assert asked == []

    field.evaluate(
        """node => {
            node.value = "海淀"
            node.dispatchEvent(new CompositionEvent("compositionend", {bubbles: true, data: "海淀"}))
        }"""
    )
    expect(desk.page.locator(".area-field .list-group-item").first).to_contain_text("海淀区")
    assert len(asked) == 1


def _brightness(page: Page) -> int:
    """How bright the page's ground is, 0 to 255, whatever notation the style sheet uses."""
    return int(
        page.evaluate(
            """() => {
            const pen = document.createElement("canvas").getContext("2d")
            pen.fillStyle = getComputedStyle(document.body).backgroundColor
            pen.fillRect(0, 0, 1, 1)
            return Math.max(...pen.getImageData(0, 0, 1, 1).data.slice(0, 3))
        }"""
        )
    )
