"""The box that finds everything, by keyboard alone, with an input method open, in both languages and widths."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from mendline.orders.store import Loaded
from mendline.search import index
from tests.browser.conftest import Desk, Office
from tests.browser.test_screens import shown
from tests.make import a_report

pytestmark = pytest.mark.browser

COMPOSING = """(node, [text, composing]) => {
    node.value = text
    node.dispatchEvent(new InputEvent("input", {bubbles: true, isComposing: composing}))
}"""


@pytest.fixture
def orders(people: None) -> list[Loaded]:
    """Three orders, in the index as after a worker's second."""
    now = datetime.now(UTC)
    people_and_places = (
        ("王先生", "13812345678", "上地信息路2号院3号楼1202室", "开机黑屏，风扇不转", 1.0),
        ("李女士", "13900001111", "中关村大街1号", "打印机卡纸，清理后仍报错", 3.5),
        ("王小明", "13700002222", "上地十街10号", "系统无法启动，提示硬盘错误", 5.0),
    )
    made = [
        a_report(now=now - timedelta(hours=ago), customer={"name": name, "phone": phone}, address=address, fault=fault)
        for name, phone, address, fault, ago in people_and_places
    ]
    index.start_over(now, lambda done: None)
    return made


def box(page: Page) -> Locator:
    return page.locator("#palette-input")


def chosen(page: Page) -> Locator:
    return page.locator('#palette-list [aria-selected="true"]')


def test_an_order_is_opened_by_keyboard_alone(office: Office, orders: list[Loaded]) -> None:
    page = at_the_desk(office).page
    page.keyboard.press("Control+k")
    expect(box(page)).to_be_focused()
    expect(chosen(page)).to_have_text(re.compile("新建报修单"))  # before anything is typed: what one may begin

    page.keyboard.type("shangdi")
    expect(page.locator("#palette")).to_contain_text("没有“shangdi”")
    box(page).fill("上地")
    expect(page.locator(".palette-option .order-no")).to_have_text([orders[0].ref, orders[2].ref])
    expect(chosen(page)).to_contain_text(orders[0].ref)
    assert box(page).get_attribute("aria-activedescendant") == chosen(page).get_attribute("id")
    expect(chosen(page)).to_contain_text("已派单")
    expect(chosen(page)).to_contain_text("剩")
    expect(chosen(page)).to_contain_text("138****5678")

    page.keyboard.press("ArrowDown")
    expect(chosen(page)).to_contain_text(orders[2].ref)
    assert box(page).get_attribute("aria-activedescendant") == chosen(page).get_attribute("id")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")  # round to the last
    expect(page.locator("#palette-list [role=option]").last).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/orders/{orders[2].ref}/$"))


def test_enter_pressed_before_the_answer_opens_what_was_typed(office: Office, orders: list[Loaded]) -> None:
    """Nobody who types a number and presses Enter at once gets the hit for half of it."""
    page = at_the_desk(office).page
    page.keyboard.press("/")
    expect(chosen(page)).to_have_count(1)
    page.keyboard.type(orders[1].ref)
    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile(f"/orders/{orders[1].ref}/$"))


def test_pages_and_actions_are_reached_by_name(office: Office, orders: list[Loaded]) -> None:
    desk = at_the_desk(office)
    page = desk.page
    page.keyboard.press("Control+k")
    page.keyboard.type("hf")
    expect(chosen(page)).to_contain_text("回访")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/callbacks/$"))

    before = page.locator("html").get_attribute("data-bs-theme")
    page.keyboard.press("Control+k")
    page.keyboard.type("明暗")
    expect(chosen(page)).to_contain_text("切换明暗")
    page.keyboard.press("Enter")
    expect(page.locator("#palette")).not_to_be_visible()
    expect(page.locator("html")).not_to_have_attribute("data-bs-theme", before or "")

    page.keyboard.press("Control+k")
    page.keyboard.type("english")
    expect(chosen(page)).to_contain_text("切换到英文")
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("lang", "en")

    page.keyboard.press("Control+k")
    page.keyboard.type("sign out")
    expect(chosen(page)).to_contain_text("Sign out")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/accounts/login/"))


def test_what_an_input_method_composes_is_neither_searched_nor_a_key(office: Office, orders: list[Loaded]) -> None:
    page = at_the_desk(office).page
    page.keyboard.press("Control+k")
    expect(chosen(page)).to_have_count(1)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/palette/" in request.url else None)
    box(page).evaluate(COMPOSING, ["shang'di", True])
    for key in ("ArrowDown", "Enter"):
        box(page).evaluate(
            """(node, key) => node.dispatchEvent(
                new KeyboardEvent("keydown", {key, keyCode: 229, isComposing: true, bubbles: true}))""",
            key,
        )
    first = page.locator("#palette-list [role=option]").first
    expect(first).to_have_attribute("aria-selected", "true")
    expect(page.locator("#palette")).to_be_visible()

    box(page).evaluate(
        """node => {
            node.value = "上地"
            node.dispatchEvent(new CompositionEvent("compositionend", {bubbles: true, data: "上地"}))
        }"""
    )
    expect(chosen(page)).to_contain_text(orders[0].ref)
    assert len(asked) == 1 and "shang" not in asked[0]


def test_escape_closes_and_gives_the_place_back(office: Office, orders: list[Loaded]) -> None:
    page = at_the_desk(office, "station_coordinator").page
    page.keyboard.press("/")
    expect(box(page)).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#palette")).not_to_be_visible()

    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    expect(page.locator("#keys")).to_contain_text("查找维修单、页面和操作")
    page.keyboard.press("/")  # what is open is closed first
    expect(page.locator("#palette")).not_to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).not_to_be_visible()


def test_keys_typed_into_a_field_stay_text(office: Office, orders: list[Loaded]) -> None:
    desk = office.desk("cc_agent")
    desk.open("/intake/")
    field = desk.page.locator('[name="fault"]')
    field.click()
    desk.page.keyboard.type("a/b?")

    expect(field).to_have_value("a/b?")
    expect(desk.page.locator("dialog[open]")).to_have_count(0)


def test_a_lost_connection_is_said_and_the_box_goes_on_working(office: Office, orders: list[Loaded]) -> None:
    desk = at_the_desk(office)
    page = desk.page
    page.keyboard.press("Control+k")
    expect(chosen(page)).to_have_count(1)
    page.route("**/palette/**", lambda route: route.abort())
    page.keyboard.type("上地")
    expect(page.locator(".toast")).to_contain_text("网络不通")
    page.unroute("**/palette/**")
    page.keyboard.type("十街")

    expect(chosen(page)).to_contain_text(orders[2].ref)
    desk.complaints.clear()  # the browser complains about the connection that was cut


@pytest.mark.parametrize("size", ["wide", "phone"])
@pytest.mark.parametrize("locale", ["zh-CN", "en-US"])
def test_the_box_looks_right(office: Office, orders: list[Loaded], locale: str, size: str) -> None:
    width, height = (1440, 900) if size == "wide" else (390, 844)
    desk = office.desk("cc_agent", locale=locale, width=width, height=height)
    ending = f"{locale[:2]}-{size}"
    desk.open("/")
    open_box(desk, size)
    expect(chosen(desk.page)).to_have_count(1)
    shown(desk, f"palette-empty-{ending}")
    for name, typed in (
        ("hits", "上地"),
        ("initials", "wx"),
        ("nothing", "望京"),
        ("pages", "re" if locale == "en-US" else "tz"),
    ):
        box(desk.page).fill(typed)
        expect(desk.page.locator(f'#palette-list[data-for="{typed}"]')).to_have_count(1)
        shown(desk, f"palette-{name}-{ending}")
    desk.open("/notices/")  # the page before begins in a field, where a question mark is text
    desk.page.keyboard.press("?")
    expect(desk.page.locator("#keys")).to_be_visible()
    shown(desk, f"palette-keys-{ending}")
    desk.page.keyboard.press("Escape")
    for name, query in (("results", "?q=上地"), ("everything", "?q=上地&all=1"), ("none", "?q=望京"), ("start", "")):
        desk.open(f"/search/{query}")
        shown(desk, f"search-{name}-{ending}")


def test_the_box_is_dark_on_a_dark_page(office: Office, orders: list[Loaded]) -> None:
    desk = office.desk("station_coordinator")
    desk.page.emulate_media(color_scheme="dark")
    desk.open("/queue/")
    desk.page.keyboard.press("Control+k")
    box(desk.page).fill("上地")
    expect(chosen(desk.page)).to_contain_text(orders[0].ref)
    shown(desk, "palette-dark")
    brightest = desk.page.locator("#palette").evaluate(
        """node => {
            const pen = document.createElement("canvas").getContext("2d")
            pen.fillStyle = getComputedStyle(node).backgroundColor
            pen.fillRect(0, 0, 1, 1)
            return Math.max(...pen.getImageData(0, 0, 1, 1).data.slice(0, 3))
        }"""
    )
    assert brightest < 90


def at_the_desk(office: Office, role: str = "cc_agent") -> Desk:
    """Somebody in front of a page that has loaded: keys pressed before its script runs are nobody's."""
    desk = office.desk(role)
    desk.open("/queue/")
    return desk


def open_box(desk: Desk, size: str) -> None:
    if size == "wide":
        desk.page.locator("#search").click()
    else:
        desk.page.locator("a[data-open-palette]").click()
    expect(box(desk.page)).to_be_focused()
