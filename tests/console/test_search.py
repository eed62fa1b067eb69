"""The page of hits and the palette, as pages: words, scope, hostile input."""

from __future__ import annotations

import re

import pytest

from config.home import ROOT
from mendline.orders.transitions import begin
from mendline.search import finding, index
from mendline.search.pinyin import initials_of
from mendline.web.console.palette import entries_for, narrowed
from tests.console.conftest import PLACES, SignIn
from tests.make import MONDAY_NINE, a_report, an_actor


def indexed() -> None:
    index.start_over(MONDAY_NINE, lambda done: None)


def labels(role: str, typed: str) -> list[str]:
    return [entry.label.zh for entry in narrowed(entries_for(an_actor(role)), typed, 6)]


@pytest.mark.parametrize(
    ("role", "typed", "first"),
    [
        ("cc_agent", "hf", "回访"),
        ("cc_agent", "huifang", "回访"),
        ("cc_agent", "call", "回访"),
        ("cc_agent", "回", "回访"),
        ("cc_agent", "建单", "新建报修单"),
        ("cc_agent", "xjb", "新建报修单"),
        ("station_coordinator", "wxd", "维修单"),
        ("station_coordinator", "dark", "切换明暗"),
        ("region_interface", "大区", "大区收件箱"),
        ("region_interface", "tongzhi", "通知"),
        ("process_owner", "rule", "规则全文"),
        ("admin", "sign out", "退出登录"),
        ("admin", "快捷", "键盘快捷键"),
    ],
)
def test_a_page_or_action_is_found_by_its_name(network: None, role: str, typed: str, first: str) -> None:
    assert labels(role, typed)[0] == first


def test_nobody_is_offered_what_his_role_does_not_have(network: None) -> None:
    assert "新建报修单" not in labels("station_engineer", "xjb")
    assert "大区收件箱" not in labels("station_coordinator", "大区")
    assert labels("cc_agent", "鑿") == labels("cc_agent", "zzzz") == []


@pytest.mark.parametrize("role", PLACES)
def test_every_entry_leads_to_a_page_that_opens(signed_in: SignIn, role: str) -> None:
    client = signed_in(role)
    for entry in entries_for(an_actor(role)):
        assert bool(entry.href) != bool(entry.does), entry
        if entry.href:
            assert client.get(entry.href).status_code == 200, entry


def test_every_entry_is_found_by_its_own_words(network: None) -> None:
    for role in PLACES:
        entries = entries_for(an_actor(role))
        for entry in entries:
            for typed in (entry.label.zh, entry.label.en, initials_of(entry.label.zh)):
                assert entry in narrowed(entries, typed, len(entries)), (entry, typed)


def test_what_the_browser_does_itself_it_knows() -> None:
    script = (ROOT / "frontend/src/palette.ts").read_text(encoding="utf-8")
    known = set(re.findall(r"^  (\w+): \"", script, re.M)) | {"keys"}

    assert {entry.does for entry in entries_for(an_actor("cc_agent")) if entry.does} == known


def test_hits_show_state_deadline_and_a_masked_number(signed_in: SignIn) -> None:
    order = a_report(customer={"name": "王先生", "phone": "13812345678"})
    indexed()
    page = signed_in("station_coordinator").get("/palette/", {"q": "wxs"}).content.decode()

    assert order.ref in page and "已派单" in page and "chip-" in page and "上地信息路2号" in page
    assert "138****5678" in page and "13812345678" not in page
    assert re.search(r'<a class="palette-option" role="option" id="palette-order-1"[^>]*href="/orders/', page)


def test_the_neighbour_sees_nothing_of_it(signed_in: SignIn) -> None:
    order = a_report()
    indexed()

    for path in ("/palette/", "/search/"):
        for typed in ("上地", "wxs", order.ref, "13800000001", "0001"):
            page = signed_in("station_coordinator", station_no="000003").get(path, {"q": typed}).content.decode()
            assert f"/orders/{order.ref}/" not in page, (path, typed)


def test_a_whole_number_opens_its_order_at_once(signed_in: SignIn) -> None:
    order = a_report()

    answer = signed_in("cc_agent").get("/search/", {"q": f" {order.ref.lower()} "})
    assert (answer.status_code, answer["Location"]) == (302, f"/orders/{order.ref}/")


def test_the_page_says_what_was_looked_through_and_offers_the_rest(signed_in: SignIn) -> None:
    a_report()
    indexed()
    client = signed_in("cc_agent")
    page = client.get("/search/", {"q": "上地"}).content.decode()
    assert "在途及近 12 个月" in page and "查找全部历史" in page

    page = client.get("/search/", {"q": "上地", "all": "1"}).content.decode()
    assert "范围：全部历史" in page and "查找全部历史" not in page


HOSTILE = [
    "<script>alert(1)</script>", "\"'><img src=x onerror=alert(1)>", "😀🎉", "%", "____", "' OR 1=1 --", "   ", "a",
    "\u202e\u200f", "王" * 10_000, "9" * 10_000, "WX%", "\\", "{{ 7 }}", "１３８", "null", "\x00",
]  # fmt: skip


@pytest.mark.parametrize("typed", HOSTILE)
@pytest.mark.parametrize("path", ["/palette/", "/search/"])
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_whatever_is_typed_gets_a_page(signed_in: SignIn, path: str, typed: str, language: str) -> None:
    a_report(serial_no="LNV0123456")
    indexed()
    answer = signed_in("cc_agent", language=language).get(path, {"q": typed})
    page = answer.content.decode()

    assert answer.status_code == 200
    assert "<script>alert" not in page and "<img" not in page and "onerror=alert(1)>" not in page


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("王" * 100, "只按前 80 个字"),
        ("上地 a", "“a”太短"),
        ("😀", "没有可以查找的"),
        ("鑿鑿", "没有“鑿鑿”"),
    ],
)
def test_the_palette_says_why_it_shows_nothing_or_less(signed_in: SignIn, typed: str, said: str) -> None:
    page = signed_in("cc_agent").get("/palette/", {"q": typed}).content.decode()

    assert said in page


def test_a_search_that_was_stopped_says_so(signed_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_long(*_: object) -> list[int]:
        raise finding.TookTooLong

    monkeypatch.setattr(finding, "_newest", too_long)
    for path in ("/palette/", "/search/"):
        assert "可能不全" in signed_in("cc_agent").get(path, {"q": "上地"}).content.decode()


def test_a_record_is_opened_by_its_number(signed_in: SignIn) -> None:
    order = a_report()
    given = {"cancel_reason": "user_solved", "cancel_detail": "用户自行重装系统后恢复正常"}
    actor = an_actor("station_coordinator")
    request = begin("cancellation_request", "submit", actor=actor, now=MONDAY_NINE, order_ref=order.ref, given=given)

    assert f"/go/{request.ref}/" in signed_in("region_interface").get("/palette/", {"q": request.ref}).content.decode()
    assert signed_in("region_interface").get("/search/", {"q": request.ref})["Location"] == f"/go/{request.ref}/"
    neighbour = signed_in("station_coordinator", station_no="000003").get("/palette/", {"q": request.ref})
    assert "/go/" not in neighbour.content.decode()


def test_every_page_carries_the_box_and_the_list_of_keys(signed_in: SignIn) -> None:
    page = signed_in("cc_agent").get("/queue/").content.decode()

    assert 'id="palette-input"' in page and 'role="combobox"' in page and 'id="keys"' in page
