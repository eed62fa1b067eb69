"""The coverage map in a real browser: drawn without tiles, led by the table; and other seats for a day."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from mendline.kernel.time import local_day
from mendline.network.models import Capacity
from tests.browser.conftest import Office

pytestmark = pytest.mark.browser


def test_the_map_draws_what_the_table_says_and_leads_to_who_serves_an_area(office: Office) -> None:
    desk = office.desk("region_interface")
    desk.open("/network/map/?line=desktop&area=11")
    drawn = desk.page.locator("#map[data-drawn]")
    expect(drawn).to_have_count(1)
    shapes = desk.page.locator("#map path.area")
    assert shapes.count() == int(drawn.get_attribute("data-drawn") or 0)
    expect(desk.page.locator("#map path.area-unknown")).to_have_count(0)  # every shape has a row of the table
    desk.page.locator("#map path.area-two").first.click()
    expect(desk.page.get_by_role("heading", name="北京市海淀区的报修派给谁")).to_be_visible()
    expect(desk.page.locator("#why")).to_contain_text("000001")

    day = local_day(timezone.now()) + timedelta(days=1)
    desk.open("/network/capacity/?line=desktop")
    desk.page.locator(f'a[href="/network/capacity/000001/desktop/?first={day.isoformat()}"]').click()
    desk.page.locator("#per_day").fill("3")
    desk.page.locator("#reason").fill("工程师培训")
    desk.page.get_by_role("button", name="调整", exact=True).click()
    expect(desk.page.locator("td", has_text="0/3")).to_have_count(1)
    assert Capacity.objects.filter(station_id="000001", per_day=3, effective_from=day).count() == 1
