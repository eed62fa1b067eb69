"""The agent with a caller on the line: a pasted line, the keyboard alone, nothing lost, nothing guessed in silence."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from mendline.orders.models import RepairOrder
from tests.browser.conftest import Desk, Office
from tests.browser.test_pages_accessible import AXE, RUN
from tests.make import a_report

pytestmark = pytest.mark.browser

PICTURES = os.environ.get("MENDLINE_SCREENSHOTS")
LINE = "13812345678 王先生 北京市海淀区上地信息路2号 扬天M4000q开机黑屏，明天下午三点以后在家"
ORDER_PAGE = re.compile(r"/orders/WX[^/]+/$")
MOST_FIELDS_KNOWN, MOST_FIELDS_NEW = 4, 12


@pytest.fixture
def agent(office: Office) -> Iterator[Desk]:
    desk = office.desk("cc_agent")
    desk.open("/intake/")
    yield desk


def at(page: Page, name: str) -> Locator:
    return page.locator(f'#report [name="{name}"]')


def paste(page: Page, line: str) -> None:
    """Paste as people do; the browser's clipboard is not needed for it."""
    page.locator("#line").fill(line)
    page.locator("#line").press("Enter")


def guessed(page: Page) -> set[str]:
    return set(filter(None, at(page, "guessed").input_value().split(",")))


def orders() -> list[RepairOrder]:
    return list(RepairOrder.objects.unscoped("a test looks").order_by("id"))


def an_order_of(phone: str, **changed: str) -> str:
    customer = {"name": "赵敏", "phone": phone}
    return a_report(now=datetime.now(UTC) - timedelta(days=40), customer=customer, **changed).ref


# --- the pasted line -------------------------------------------------------------------------------


def test_a_pasted_line_fills_the_form_and_no_order_is_made_before_its_guesses_were_seen(agent: Desk) -> None:
    page = agent.page
    paste(page, LINE)

    expect(at(page, "customer.phone")).to_have_value("13812345678")
    expect(at(page, "customer.name")).to_have_value("王先生")
    expect(at(page, "area")).to_have_value("110108")
    expect(at(page, "area.search")).to_have_value("北京市海淀区")
    expect(at(page, "address")).to_have_value("上地信息路2号")
    expect(at(page, "product")).to_have_value("desktop")
    expect(at(page, "fault")).to_have_value(re.compile("扬天M4000q开机黑屏"))
    expect(at(page, "wished_at")).to_have_value(re.compile("T15:00$"))
    expect(page.locator("#wished-window")).to_contain_text("15:00–20:00")
    expect(page.locator("#proposal")).to_contain_text("000001")
    assert guessed(page) == {
        "customer.phone", "customer.name", "area", "address", "product", "fault", "wished_at", "service_mode",
    }  # fmt: skip
    expect(page.locator(".guess-mark")).to_have_count(8)
    expect(page.locator("#unseen")).to_contain_text("8 项")

    page.keyboard.press("Control+Enter")  # held: the question has the focus
    expect(page.locator("[data-confirm-guesses]")).to_be_focused()
    assert orders() == []
    page.keyboard.press("Enter")  # all seen
    expect(page.locator("#unseen")).to_be_hidden()
    page.keyboard.press("Enter")  # create
    expect(page).to_have_url(ORDER_PAGE)
    assert [(order.area, order.customer_name) for order in orders()] == [("110108", "王先生")]


def test_a_guess_counts_as_seen_when_its_field_was_left_or_changed(agent: Desk) -> None:
    page = agent.page
    at(page, "serial_no").fill("PF2ABC12")
    paste(page, f"{LINE} 序列号R90XYZ12")
    expect(page.locator("#unseen")).to_be_visible()

    at(page, "customer.name").focus()
    at(page, "address").focus()
    assert "customer.name" not in guessed(page) and "address" in guessed(page)
    at(page, "address").press_sequentially("3层")
    assert "address" not in guessed(page)
    page.locator('.guess-mark[data-guess="product"]').click()
    assert "product" not in guessed(page)
    expect(at(page, "serial_no")).to_have_value("PF2ABC12")  # what was typed is not overwritten


def test_an_ambiguous_district_is_asked_for_and_chosen_by_keys(agent: Desk) -> None:
    page = agent.page
    paste(page, "13812345678 王先生 朝阳区建国路88号 台式机黑屏")
    expect(page.locator("[data-place]")).to_have_count(2)
    expect(at(page, "area")).to_have_value("")

    at(page, "area.search").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("[data-place]").first).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(at(page, "area")).to_have_value("110105")
    expect(at(page, "address")).to_be_focused()


def test_a_line_pasted_into_the_telephone_field_is_read_as_a_line(agent: Desk) -> None:
    page = agent.page
    at(page, "customer.phone").evaluate(
        """(node, text) => {
            const data = new DataTransfer()
            data.setData("text/plain", text)
            node.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}))
        }""",
        LINE,
    )

    expect(at(page, "customer.phone")).to_have_value("13812345678")
    expect(at(page, "area")).to_have_value("110108")


# --- the agent's path, counted ---------------------------------------------------------------------


@dataclass
class Hands:
    """Types on the keyboard alone and counts: keys pressed, characters that an input method puts in, fields."""

    page: Page
    keys: int = 0
    characters: int = 0
    fields: set[str] = field(default_factory=set)

    def press(self, key: str) -> None:
        self.keys += 1
        self.page.keyboard.press(key)

    def type(self, name: str, text: str) -> None:
        """Type into the field that has the focus, which must be this one: nobody reaches for the mouse."""
        expect(at(self.page, name).first).to_be_focused()
        self.fields.add(name)
        if text.isascii():
            self.keys += len(text)
            self.page.keyboard.type(text)
        else:
            self.characters += len(text)
            self.page.keyboard.insert_text(text)

    def choose(self, name: str, *keys: str) -> None:
        expect(self.page.locator(f'#report [name="{name}"]:focus')).to_have_count(1)
        self.fields.add(name)
        for key in keys:
            self.press(key)

    def go_to(self, name: str) -> None:
        for _ in range(12):
            if self.page.locator(f'#report [name="{name}"]:focus').count():
                return
            self.press("Tab")
        raise AssertionError(f"no way to {name} by keyboard")

    def __str__(self) -> str:
        return f"{len(self.fields)} fields, {self.keys} keys, {self.characters} characters by input method"


def test_a_new_caller_takes_at_most_twelve_fields_and_no_mouse(agent: Desk) -> None:
    page, hands = agent.page, Hands(agent.page)
    hands.type("customer.phone", "13912345678")
    hands.press("Enter")
    hands.type("customer.name", "李女士")
    hands.press("Enter")
    hands.type("area.search", "海淀")
    expect(page.locator("[data-place]").first).to_contain_text("110108")
    hands.press("Enter")
    hands.type("address", "上地信息路2号")
    hands.press("Enter")
    hands.choose("product", "ArrowDown", "Enter")
    hands.go_to("fault")
    hands.type("fault", "开机黑屏，风扇不转")
    hands.go_to("service_mode")
    hands.choose("service_mode", "Space")
    expect(page.locator("#proposal")).to_contain_text("000001")
    hands.press("Control+Enter")

    expect(page).to_have_url(ORDER_PAGE)
    print(f"\nnew caller: {hands}")  # noqa: T201  # the published figures come from here
    assert len(hands.fields) <= MOST_FIELDS_NEW
    assert [(order.customer_name, order.area, order.service_mode) for order in orders()] == [
        ("李女士", "110108", "on_site")
    ]


def test_a_known_caller_takes_at_most_four_fields_and_no_mouse(office: Office) -> None:
    an_order_of("13912345678")
    agent = office.desk("cc_agent")
    agent.open("/intake/")
    page, hands = agent.page, Hands(agent.page)
    hands.type("customer.phone", "13912345678")
    expect(at(page, "customer.name")).to_have_value("赵敏")
    expect(at(page, "area")).to_have_value("110108")
    assert guessed(page) == {"customer.name", "area", "address"}
    hands.go_to("product")  # passing through the marked fields is looking at them
    hands.choose("product", "ArrowDown")
    hands.go_to("fault")
    hands.type("fault", "打印机卡纸")
    hands.go_to("service_mode")
    hands.choose("service_mode", "Space")
    assert guessed(page) == set()
    hands.press("Control+Enter")

    expect(page).to_have_url(ORDER_PAGE)
    print(f"\nknown caller: {hands}")  # noqa: T201  # the published figures come from here
    assert len(hands.fields) <= MOST_FIELDS_KNOWN
    assert orders()[-1].address == "上地信息路2号"


def test_another_number_brings_another_callers_data(office: Office) -> None:
    an_order_of("13912345678", address="上地信息路2号")
    an_order_of("13712345678", address="学院路37号")
    agent = office.desk("cc_agent")
    agent.open("/intake/")
    page = agent.page
    at(page, "customer.phone").fill("13912345678")
    expect(at(page, "address")).to_have_value("上地信息路2号")
    at(page, "customer.phone").fill("13712345678")
    expect(at(page, "address")).to_have_value("学院路37号")
    at(page, "customer.phone").fill("13612345678")
    expect(page.locator("#caller")).to_contain_text("新来电人")
    expect(at(page, "address")).to_have_value("")
    expect(at(page, "area")).to_have_value("")


# --- reported already ------------------------------------------------------------------------------


def test_the_order_that_is_there_is_urged_with_one_key(office: Office) -> None:
    ref = an_order_of("13912345678")
    agent = office.desk("cc_agent")
    agent.open("/intake/")
    page = agent.page
    at(page, "customer.phone").fill("13912345678")
    expect(page.locator("[data-duplicates]")).to_contain_text(ref)

    page.keyboard.press("Alt+KeyU")
    expect(page).to_have_url(re.compile(f"/orders/{ref}/$"))
    expect(page.locator(".order-head")).to_contain_text("催单 1 次")
    assert len(orders()) == 1
    agent.open("/intake/")
    expect(at(page, "customer.phone")).to_have_value("")  # the draft of the report that was not needed is gone


# --- nothing lost, nothing twice -------------------------------------------------------------------


def kept_in_clear(page: Page) -> list[str]:
    """Return what of the report can be read in the storage of the tab; the draft must be there, and is sealed."""
    stored: str = page.evaluate("JSON.stringify(sessionStorage)")
    assert "mendline.draft:/intake/" in stored
    return [word for word in ("13812345678", "王建国", "customer.phone", "address") if word in stored]


def test_a_draft_outlives_a_reload_and_a_session_that_ended(agent: Desk) -> None:
    page = agent.page
    paste(page, LINE)
    expect(page.locator("#unseen")).to_contain_text("8 项")
    at(page, "customer.name").fill("王建国")
    page.reload()
    expect(at(page, "customer.name")).to_have_value("王建国")
    expect(at(page, "area")).to_have_value("110108")
    assert guessed(page) == {
        "customer.phone", "area", "address", "product", "fault", "wished_at", "service_mode",
    }  # fmt: skip
    expect(page.locator(".guess-mark")).to_have_count(7)

    assert kept_in_clear(page) == []

    page.context.clear_cookies()
    for key in ("Control+Enter", "Enter", "Control+Enter"):  # any question to the server may lead to the login first
        page.keyboard.press(key)
    expect(page.locator("#id_password")).to_be_visible()
    assert kept_in_clear(page) == []
    page.locator("#id_login").fill("cc_agent")
    page.locator("#id_password").fill("a-long-enough-one")
    page.locator("form button.btn-primary").click()
    expect(page).to_have_url(re.compile("/intake/$"))
    expect(at(page, "customer.name")).to_have_value("王建国")
    agent.complaints.clear()  # the browser reports the 401, as it should

    page.keyboard.press("Control+Enter")
    if page.locator("[data-confirm-guesses]").is_visible():
        page.locator("[data-confirm-guesses]").click()
        page.keyboard.press("Control+Enter")
    expect(page).to_have_url(ORDER_PAGE)
    agent.open("/intake/")
    expect(at(page, "customer.name")).to_have_value("")


def test_a_double_click_makes_one_order(agent: Desk) -> None:
    page = agent.page
    paste(page, LINE)
    expect(page.locator("#unseen")).to_be_visible()
    page.locator("[data-confirm-guesses]").click()
    page.locator("#report button[type=submit]").dblclick()

    expect(page).to_have_url(ORDER_PAGE)
    assert len(orders()) == 1


def test_a_refused_report_stays_on_the_page_with_what_was_typed(agent: Desk) -> None:
    page = agent.page
    at(page, "customer.phone").fill("12345")
    at(page, "fault").fill("开机黑屏")
    page.keyboard.press("Control+Enter")

    expect(page.locator("#report .alert-danger")).to_be_visible()
    expect(at(page, "fault")).to_have_value("开机黑屏")
    page.reload()
    expect(at(page, "fault")).to_have_value("开机黑屏")


def test_keys_of_an_input_method_neither_move_nor_send(agent: Desk) -> None:
    page = agent.page
    name = at(page, "customer.name")
    name.focus()
    name.evaluate(
        """node => {
            for (const [key, code, more] of [["Enter", "Enter", {}], ["Enter", "Enter", {ctrlKey: true}],
                                             ["l", "KeyL", {altKey: true}], ["u", "KeyU", {altKey: true}]])
                node.dispatchEvent(new KeyboardEvent("keydown",
                    {key, code, isComposing: true, keyCode: 229, bubbles: true, cancelable: true, ...more}))
        }"""
    )

    expect(name).to_be_focused()
    expect(page.locator("#report .alert-danger")).to_have_count(0)
    assert orders() == []


# --- as people see it ------------------------------------------------------------------------------


@pytest.mark.parametrize("locale", ["zh-CN", "en-US"])
def test_a_filled_page_fits_its_window_and_is_usable_by_everybody(office: Office, locale: str) -> None:
    an_order_of("13812345678", serial_no="PF2ABC12")
    desk = office.desk("cc_agent", locale=locale)
    for name, line in (("line", LINE), ("ambiguous", "13812340000 李女士 朝阳区建国路88号 打印不清楚 周六或周日")):
        desk.page.set_viewport_size({"width": 1440, "height": 900})
        desk.open("/intake/")
        paste(desk.page, line)
        expect(desk.page.locator("#unseen")).to_be_visible()
        expect(desk.page.locator("#caller [data-known]")).to_be_visible()
        _shown(desk.page, f"intake-{name}-{locale[:2]}-1440")
        assert _faults(desk.page) == [], name
        desk.page.set_viewport_size({"width": 390, "height": 844})
        _shown(desk.page, f"intake-{name}-{locale[:2]}-390")
        desk.page.emulate_media(color_scheme="dark")
        desk.page.locator("[data-discard]").click()


def _faults(page: Page) -> list[str]:
    """What somebody with a screen reader or weak eyes could not use; the first page is light, the second dark."""
    page.evaluate(AXE.read_text("utf-8"))
    found: list[str] = page.evaluate(RUN)
    return found


def _shown(page: Page, name: str) -> None:
    page.wait_for_load_state("networkidle" if PICTURES else "load")
    too_wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert too_wide <= 1, f"{name} is {too_wide} px wider than the window"
    if PICTURES:
        Path(PICTURES).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)
