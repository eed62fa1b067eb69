"""A coordinator's morning at the queue: calls with one tap, many orders at once, a list that does not jump.

With MENDLINE_SCREENSHOTS=<folder> the pages are also saved as pictures.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from playwright.sync_api import expect
from pytest_django import Settings

from mendline.orders.models import RepairOrder
from mendline.orders.store import Loaded
from mendline.web.console import visit
from mendline.web.live.serve import listen
from tests.browser.conftest import Office
from tests.browser.test_screens import SIZES, orders, shown
from tests.make import a_report, do

pytestmark = pytest.mark.browser
PATIENCE = 20_000  # milliseconds; a change comes within one, on a machine that has nothing else to do

__all__ = ["orders"]  # a fixture of the pictures' module


@pytest.fixture
def live(settings: Settings) -> Iterator[str]:
    """The process that tells of changes, here as a thread, on a port of its own."""
    started = threading.Event()
    found: list[tuple[int, asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def run() -> None:
        stopping = asyncio.Event()

        def ready(port: int) -> None:
            found.append((port, asyncio.get_running_loop(), stopping))
            started.set()

        await listen("127.0.0.1", 0, stopping, ready)

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    assert started.wait(20)
    port, loop, stopping = found[0]
    address = f"http://127.0.0.1:{port}/live/"
    settings.LIVE_ADDRESS = address
    policy = {**settings.CONTENT_SECURITY_POLICY["DIRECTIVES"], "connect-src": ["'self'", address]}
    settings.CONTENT_SECURITY_POLICY = {"DIRECTIVES": policy}
    yield address
    loop.call_soon_threadsafe(stopping.set)
    thread.join(20)
    assert not thread.is_alive()


def revision_of(order: Loaded) -> int:
    return int(RepairOrder.objects.unscoped("a test looks").get(ref=order.ref).revision)


def test_a_call_is_noted_with_one_tap_and_counted(
    office: Office, orders: list[Loaded], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)  # the server's clock stands still: calls are counted by the day
    monkeypatch.setattr(visit, "timezone", SimpleNamespace(now=lambda: now))
    desk = office.desk("station_coordinator")
    desk.open("/queue/")
    row = desk.page.locator(f"#row-{orders[1].ref}")
    expect(row.locator(".count")).to_have_text("0/6")
    row.locator('[data-call="no_answer"]').click()
    expect(row.locator(".count")).to_have_text("1/6", timeout=PATIENCE)
    expect(row.locator(".state")).to_have_text("联系用户")
    expect(row.locator('[data-call="no_answer"]')).to_be_focused()  # the next tap needs no look
    row.locator('[data-call="busy"]').click()
    expect(row.locator(".count")).to_have_text("2/6", timeout=PATIENCE)
    assert revision_of(orders[1]) == 3


def test_many_orders_at_once_say_for_each_what_became_of_it(office: Office, orders: list[Loaded]) -> None:
    desk = office.desk("station_coordinator")
    desk.open("/queue/")
    expect(desk.page.locator(".bulk")).to_be_hidden()
    for order in (orders[3], orders[0]):
        desk.page.locator(f"#row-{order.ref} input").check()
    expect(desk.page.locator("[data-picked]")).to_have_text("已选 2 张")
    desk.page.get_by_role("button", name="打印维修单").click()
    outcomes = desk.page.locator("#outcomes")
    expect(outcomes).to_contain_text("1 张完成，1 张未办", timeout=PATIENCE)
    expect(outcomes.locator("li").first).to_contain_text(orders[0].ref)  # what needs somebody comes first
    expect(outcomes.locator("li").first).to_contain_text("STN-")
    expect(desk.page.locator(f"#row-{orders[3].ref} .state")).to_have_text("已打印", timeout=PATIENCE)
    expect(desk.page.locator(f"#row-{orders[3].ref} input")).not_to_be_checked()
    expect(desk.page.locator(f"#row-{orders[0].ref} input")).to_be_checked()
    shown(desk, "queue-outcomes-zh-wide")


def test_a_view_is_kept_under_a_name_and_stands_in_the_address(office: Office, orders: list[Loaded]) -> None:
    desk = office.desk("station_coordinator")
    desk.open("/queue/")
    desk.page.locator("#tiles a", has_text="已超时").click()
    desk.page.get_by_role("button", name="保存视图").click()
    desk.page.locator("#view-name").fill("先打电话")
    desk.page.get_by_role("button", name="保存", exact=True).click()
    kept = desk.page.get_by_role("navigation", name="我的视图").get_by_role("link", name="先打电话")
    expect(kept).to_have_attribute("href", "?breached=1")
    assert desk.page.url.endswith("/queue/?breached=1")
    shown(desk, "queue-view-zh-wide")
    desk.page.get_by_role("button", name="删除这个视图").click()
    expect(kept).to_have_count(0)


def test_what_others_do_shows_where_it_stands_and_the_list_does_not_jump(
    office: Office, orders: list[Loaded], live: str
) -> None:
    desk = office.desk("station_coordinator")
    desk.open("/queue/")
    expect(desk.page.locator("#queue[data-heard]")).to_be_visible(timeout=PATIENCE)
    before = desk.page.locator("tr.order").evaluate_all("rows => rows.map(row => row.id)")
    row = desk.page.locator(f"#row-{orders[0].ref}")
    row.locator("input").check()
    row.locator("a.order-no").focus()

    do(orders[0], "download", now=datetime.now(UTC))
    expect(row.locator(".state")).to_have_text("已下载", timeout=PATIENCE)
    expect(row.locator("input")).to_be_checked()
    expect(row.locator("a.order-no")).to_be_focused()

    fresh = a_report(now=datetime.now(UTC), fault="刚刚报修")
    news = desk.page.locator("#news")
    expect(news).to_contain_text("有 1 项变化", timeout=PATIENCE)
    assert desk.page.locator("tr.order").evaluate_all("rows => rows.map(row => row.id)") == before
    shown(desk, "queue-news-zh-wide")
    news.click()
    expect(desk.page.locator(f"#row-{fresh.ref}")).to_be_visible(timeout=PATIENCE)
    expect(news).to_be_hidden()
    expect(row.locator("input")).to_be_checked()


def test_without_the_live_process_the_page_asks_by_itself(office: Office, orders: list[Loaded]) -> None:
    desk = office.desk("station_coordinator")
    desk.page.clock.install()
    desk.open("/queue/")
    row = desk.page.locator(f"#row-{orders[0].ref}")
    expect(desk.page.locator('#queue[data-asked="1"]')).to_be_visible(timeout=PATIENCE)
    expect(row.locator(".state")).to_have_text("已派单")
    do(orders[0], "download", now=datetime.now(UTC))
    desk.page.clock.run_for(11_000)
    expect(row.locator(".state")).to_have_text("已下载", timeout=PATIENCE)


def test_an_order_that_left_the_list_stays_in_place_and_says_so(
    office: Office, orders: list[Loaded], live: str
) -> None:
    desk = office.desk("station_coordinator")
    desk.open("/queue/?state=dispatched")
    expect(desk.page.locator("#queue[data-heard]")).to_be_visible(timeout=PATIENCE)
    do(orders[0], "download", now=datetime.now(UTC))
    expect(desk.page.locator(f"#row-{orders[0].ref}")).to_contain_text("已离开此列表", timeout=PATIENCE)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("locale", ["zh-CN", "en-US"])
def test_the_queue_fits_its_window(office: Office, orders: list[Loaded], locale: str, size: str) -> None:
    width, height = SIZES[size]
    desk = office.desk("station_coordinator", locale=locale, width=width, height=height)
    desk.open("/queue/")
    desk.page.locator(f"#row-{orders[1].ref} input").check()
    shown(desk, f"queue-picked-{locale[:2]}-{size}")
    if size == "wide":
        desk.page.locator(f"#row-{orders[2].ref} .fault").click()
        expect(desk.page.locator("#detail [data-order]")).to_be_visible()
        shown(desk, f"queue-beside-{locale[:2]}")
    desk = office.desk("region_interface", locale=locale, width=width, height=height)
    desk.open("/queue/?breached=1")
    shown(desk, f"queue-region-{locale[:2]}-{size}")


def test_the_queue_is_dark_where_people_want_it_dark(office: Office, orders: list[Loaded]) -> None:
    desk = office.desk("station_coordinator")
    desk.page.emulate_media(color_scheme="dark")
    desk.open("/queue/")
    desk.page.locator(f"#row-{orders[1].ref} input").check()
    shown(desk, "queue-dark")
