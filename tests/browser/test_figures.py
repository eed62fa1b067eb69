"""Figures in a real browser: charts are drawn under the page's policy, every number leads to its orders."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from mendline.figures import facts
from tests.browser.conftest import Office
from tests.make import a_report, do

pytestmark = pytest.mark.browser


@pytest.fixture
def counted(people: None) -> None:
    """Three orders, one of them late and one cancelled, with their figures."""
    now = datetime.now(UTC)
    for hours, phone in ((30, "13800000001"), (5, "13800000002"), (1, "13800000003")):
        order = a_report(now=now - timedelta(hours=hours), customer={"name": "王先生", "phone": phone})
        if hours == 1:
            do(order, "cancel", "cc_agent", now=now, cancel_reason="user_solved", requested_by="user",
               cancel_detail="用户自行解决")  # fmt: skip
    while facts.catch_up(now):
        pass


@pytest.mark.parametrize(("locale", "width"), [("zh-CN", 1440), ("en-US", 390)])
def test_a_chart_is_drawn_and_a_number_leads_to_its_orders(
    office: Office, counted: None, locale: str, width: int
) -> None:
    desk = office.desk("hq_interface", locale=locale, width=width)
    page = desk.page
    desk.open("/figures/?period=7d")

    expect(page.locator(".chart[data-drawn]")).to_have_count(2)
    expect(page.locator(".chart canvas")).to_have_count(2)
    said = page.locator(".chart").last.get_attribute("aria-label")
    assert said and "3" in said  # what the chart says is said in words, in the language of the page
    assert ("共报修 3 单" in said) == (locale == "zh-CN")
    page.evaluate("document.documentElement.dataset.bsTheme = 'dark'")
    assert page.locator(".chart").last.get_attribute("aria-label") == said

    page.locator(".figures a.figure").nth(1).click()  # contacts: the late ones
    expect(page.locator("h1")).to_contain_text("2")
    expect(page.locator(".order-no")).to_have_count(2)
    too_wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert too_wide <= 1


def test_only_pages_with_a_chart_load_the_charts_and_can_be_read_before(office: Office, counted: None) -> None:
    desk = office.desk("hq_interface")
    loaded: list[str] = []
    desk.page.on("request", lambda request: loaded.append(request.url))
    desk.open("/figures/orders/")
    desk.open("/search/")
    assert not any("charts" in url for url in loaded)

    desk.open("/figures/load/")
    expect(desk.page.locator(".chart[data-drawn]")).to_have_count(1)
    asked, there = desk.page.evaluate("""() => {
        const script = performance.getEntriesByType("resource").find(one => one.name.includes("charts"))
        return [script.startTime, performance.getEntriesByType("navigation")[0].loadEventStart]
    }""")
    assert asked >= there
