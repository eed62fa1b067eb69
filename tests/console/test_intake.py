"""Taking a report: what the pasted line fills, who is calling, what is reported already."""

from __future__ import annotations

import html
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from mendline.journal.models import Entry
from mendline.network.models import Product, ProductLine
from mendline.orders.models import RepairOrder
from mendline.search.index import catch_up
from tests.console.conftest import SignIn
from tests.make import a_report, do

HTMX = {"HX-Request": "true"}
LINE = "13812345678 王先生 北京市海淀区上地信息路2号 扬天M4000q开机黑屏，明天下午三点以后在家"
REPORT = {
    "customer.name": "王先生", "customer.phone": "13812345678", "product": "desktop", "area": "110108",
    "address": "上地信息路2号", "fault": "开机黑屏", "service_mode": "on_site",
}  # fmt: skip


@pytest.fixture
def agent(signed_in: SignIn) -> Client:
    return signed_in("cc_agent")


def ticket_on(page: bytes) -> str:
    found = re.search(r'name="ticket" value="([^"]+)"', page.decode())
    assert found
    return found[1]


def read(agent: Client, line: str) -> tuple[dict[str, Any], str]:
    """What the line fills, and the fragment that says so."""
    answer = agent.post("/intake/read/", {"line": line}, headers=HTMX)
    assert answer.status_code == 200
    page = answer.content.decode()
    found = re.search(r'data-reading="([^"]*)"', page)
    assert found
    return json.loads(html.unescape(found[1])), page


def proposed(agent: Client, **changed: str) -> str:
    return agent.post("/intake/proposal/", {**REPORT, **changed}, headers=HTMX).content.decode()


def make_findable() -> None:
    while catch_up(today()):
        pass


def today(**earlier: float) -> datetime:
    return datetime.now(UTC) - timedelta(**earlier)


# --- the pasted line -------------------------------------------------------------------------------


def test_a_pasted_line_fills_every_field_of_the_report(agent: Client) -> None:
    values, _ = read(agent, LINE)

    assert values["customer.phone"]["value"] == "13812345678"
    assert values["customer.name"]["value"] == "王先生"
    assert (values["area"]["value"], values["area"]["shown"]) == ("110108", "北京市海淀区")
    assert values["address"]["value"] == "上地信息路2号"
    assert values["product"]["value"] == "desktop"
    assert values["fault"]["value"].startswith("扬天M4000q开机黑屏")
    assert values["wished_at"]["value"].endswith("T15:00") and values["wished_at"]["window"].endswith("15:00–20:00")
    assert values["service_mode"]["value"] == "on_site"


def test_until_when_somebody_is_there_stands_with_the_fault(agent: Client) -> None:
    values, _ = read(agent, LINE)

    assert re.search(r"\n希望时间：.*15:00–20:00$", values["fault"]["value"])


def test_a_district_of_two_cities_is_asked_for(agent: Client) -> None:
    values, page = read(agent, "13812345678 王先生 朝阳区建国路88号 台式机黑屏")

    assert values["area"] == {"value": "", "shown": "朝阳区", "said": "朝阳区"}
    assert "北京市朝阳区" in page and "吉林省长春市朝阳区" in page
    assert "“朝阳区”不止一处" in page


def test_a_city_alone_is_asked_for_its_districts(agent: Client) -> None:
    _, page = read(agent, "13812345678 王先生 长沙市五一大道235号 台式机黑屏")

    assert "湖南省长沙市芙蓉区" in page and "哪个区县" in page


def test_several_products_of_a_kind_are_offered(agent: Client) -> None:
    line = ProductLine.objects.create(code="printer", name_zh="印刷设备", name_en="Printing", channel="desktop_repair")
    for code, name in (("laser", "激光打印机"), ("inkjet", "喷墨打印机")):
        Product.objects.create(code=code, line=line, name_zh=name, name_en=code)
    values, page = read(agent, "打印机卡纸")

    assert "product" not in values
    assert "激光打印机" in page and "喷墨打印机" in page


@pytest.mark.parametrize(
    "line", ["", "你好", "<script>alert(1)</script>", "１" * 5000, "\x00\u202e" * 50, "\"}' onclick=x "]
)
def test_any_line_ends_in_an_answer(agent: Client, line: str) -> None:
    _, page = read(agent, line)

    assert "<script>" not in page


def test_what_is_read_is_never_in_an_address(agent: Client) -> None:
    assert agent.get("/intake/read/?line=13812345678").content.decode().count("13812345678") == 0


def test_only_who_takes_reports_may_have_lines_read(signed_in: SignIn) -> None:
    assert signed_in("station_engineer").post("/intake/read/", {"line": LINE}).status_code == 404


def test_the_english_page_says_it_in_english(signed_in: SignIn) -> None:
    values, page = read(signed_in("cc_agent", language="en"), LINE)

    assert "Filled in and marked as guesses" in page
    assert re.match(r"\w{3} \d+ \w{3} 15:00–20:00", values["wished_at"]["window"])


# --- guesses ---------------------------------------------------------------------------------------


def test_nothing_is_created_from_a_guess_that_nobody_saw(agent: Client) -> None:
    ticket = ticket_on(agent.get("/intake/").content)

    answer = agent.post("/intake/", {**REPORT, "ticket": ticket, "guessed": "area,customer.name"})
    assert answer.status_code == 422 and "推测" in answer.content.decode()
    assert 'name="guessed" value="area,customer.name"' in answer.content.decode()
    assert not RepairOrder.objects.unscoped("a test looks").exists()

    agent.post("/intake/", {**REPORT, "ticket": ticket, "guessed": ""})
    assert RepairOrder.objects.unscoped("a test looks").count() == 1


def test_a_form_that_was_open_too_long_can_be_sent_once_more(agent: Client) -> None:
    answer = agent.post("/intake/", {**REPORT, "ticket": "old"})
    assert answer.status_code == 422 and "上地信息路2号" in answer.content.decode()

    again = agent.post("/intake/", {**REPORT, "ticket": ticket_on(answer.content)})
    assert again.status_code == 302 and again["Location"].startswith("/orders/WX")


# --- who is calling --------------------------------------------------------------------------------


def test_a_known_caller_brings_name_area_address_and_machine(agent: Client) -> None:
    order = a_report(now=today(days=90), customer={"name": "王先生", "phone": "13812345678"}, serial_no="PF2ABC12")

    page = agent.post("/intake/caller/", {"customer.phone": "138 1234 5678"}, headers=HTMX).content.decode()
    found = re.search(r'data-known="([^"]*)"', page)
    assert found
    known = json.loads(html.unescape(found[1]))
    assert known["customer.name"]["value"] == "王先生"
    assert known["area"] == {"value": "110108", "shown": "北京市海淀区"}
    assert order.ref in page and "PF2ABC12" in page
    assert "13812345678" not in page and "138****5678" in page


def test_a_new_caller_brings_nothing(agent: Client) -> None:
    page = agent.post("/intake/caller/", {"customer.phone": "13812345678"}, headers=HTMX).content.decode()

    assert 'data-known="{}"' in page and "新来电人" in page


# --- reported already ------------------------------------------------------------------------------


def test_hcp_06_the_same_telephone_is_shown_with_a_way_to_urge_it(agent: Client) -> None:
    order = a_report(now=today(hours=2), customer={"name": "王先生", "phone": "13812345678"})

    page = proposed(agent, address="别处1号")
    assert order.ref in page and "电话相同" in page
    assert f'formaction="/steps/{order.ref}/urge/"' in page


def test_hcp_06_the_same_serial_number_is_shown(agent: Client) -> None:
    order = a_report(now=today(hours=2), serial_no="PF2ABC12", address="别处1号")

    page = proposed(agent, serial_no="PF2ABC12")
    assert order.ref in page and "序列号相同" in page


@pytest.mark.parametrize("written", ["上地信息路28号-3-501", "上地信息路２８号 3 501", "上地信息路28号 3-501"])
def test_hcp_06_the_same_address_is_shown_however_it_is_written(agent: Client, written: str) -> None:
    order = a_report(now=today(hours=2), address="上地信息路28号 3-501")
    make_findable()

    page = proposed(agent, address=written)
    assert order.ref in page and "地址相同" in page


@pytest.mark.parametrize(("address", "area"), [("上地信息路29号", "110108"), ("上地信息路28号", "110105")])
def test_hcp_06_another_door_is_no_duplicate(agent: Client, address: str, area: str) -> None:
    order = a_report(now=today(hours=2), address="上地信息路28号")
    make_findable()

    assert order.ref not in proposed(agent, address=address, area=area)


def test_hcp_06_an_ended_order_counts_for_thirty_days(agent: Client) -> None:
    young = a_report(now=today(days=29), customer={"name": "王先生", "phone": "13812345678"})
    RepairOrder.objects.unscoped("a test ends it").filter(ref=young.ref).update(category="done")
    old = a_report(now=today(days=31), customer={"name": "王先生", "phone": "13812345678"})
    RepairOrder.objects.unscoped("a test ends it").filter(ref=old.ref).update(category="done")

    page = proposed(agent)
    assert young.ref in page and old.ref not in page


def test_an_urged_order_gets_no_twin(agent: Client) -> None:
    order = a_report(now=today(hours=2), customer={"name": "王先生", "phone": "13812345678"})
    key = re.search(r'name="once" value="([0-9a-f]{32})"', proposed(agent))
    assert key

    for _ in range(2):  # a double click urges once
        answer = agent.post(f"/steps/{order.ref}/urge/", {"once": key[1]})
        assert answer["Location"] == f"/orders/{order.ref}/"
    assert Entry.objects.filter(subject=order.ref, kind="order.urge").count() == 1
    assert RepairOrder.objects.unscoped("a test looks").count() == 1


def test_who_may_not_urge_sees_the_order_without_the_button(signed_in: SignIn) -> None:
    order = a_report(now=today(hours=2), customer={"name": "王先生", "phone": "13812345678"})

    page = proposed(signed_in("region_interface"))
    assert order.ref in page and "data-urge" not in page


def test_an_order_out_of_scope_is_no_duplicate_that_one_could_see(signed_in: SignIn) -> None:
    order = a_report(now=today(hours=2), customer={"name": "王先生", "phone": "13812345678"})
    make_findable()

    assert order.ref not in proposed(signed_in("region_interface", region="east"))


# --- the station, and what to ask ------------------------------------------------------------------


def test_the_proposed_station_comes_with_its_reasons(agent: Client) -> None:
    page = proposed(agent)

    assert "000001" in page and "000002" in page and "派给" in page


def test_a_hint_stands_beside_the_fault_in_the_language_of_the_page(signed_in: SignIn) -> None:
    assert "无显示、花屏" in proposed(signed_in("cc_agent"))
    assert "No picture" in proposed(signed_in("cc_agent", language="en"))


def test_com_01_a_station_is_told_that_it_serves_its_own_orders(signed_in: SignIn) -> None:
    assert "站内自建单由本站处理" in proposed(signed_in("station_coordinator"))


@pytest.mark.parametrize(("typed", "found"), [("密云县", "110118"), ("郑州高新区", "410172"), ("闸北区", "310106")])
def test_an_area_is_found_by_its_former_and_common_names(agent: Client, typed: str, found: str) -> None:
    page = agent.get(f"/areas/?for=area&area.search={typed}", headers=HTMX).content.decode()

    assert found in page


def test_a_report_still_stands_after_the_urged_one_ended(agent: Client) -> None:
    order = a_report(now=today(hours=2), customer={"name": "王先生", "phone": "13812345678"})
    do(order, "download", now=today(hours=1))

    page = proposed(agent)
    assert f'formaction="/steps/{order.ref}/urge/"' in page
