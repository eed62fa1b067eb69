"""The order page: what happened, why it was late, what others did meanwhile, and one effect for one form."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from mendline.care.scorecards import refresh_scorecards
from mendline.journal.models import Entry
from mendline.orders.models import RepairOrder
from mendline.orders.reveal import reveal_phone
from mendline.orders.store import Loaded
from mendline.orders.transitions import begin
from tests.console.conftest import SignIn
from tests.make import a_report, an_actor, do

HTMX = {"HX-Request": "true"}
HOUR = timedelta(hours=1)


def now() -> datetime:
    return datetime.now(UTC)


def told(page: bytes) -> str:
    """The page's words without its tags, one blank between any two."""
    return " ".join(re.sub(r"<[^>]+>", " ", page.decode()).split())


def a_late_order() -> Loaded:
    """Reported six hours ago, downloaded after one, contacted after five and a half: ninety minutes late."""
    moment = now()
    order = a_report(now=moment - 6 * HOUR)
    do(order, "download", now=moment - 5 * HOUR)
    promised_at = (moment + 20 * HOUR).isoformat()
    return do(order, "promise", now=moment - 0.5 * HOUR, promised_at=promised_at)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh-hans", ("为什么超时", "超时 1小时30分", "其中“已下载”用去 4小时30分，负责方：维修站 000001", "STN-19")),
        ("en", ("Why it was late", "1 h 30 min late", "4 h 30 min of it went at Downloaded", "STN-19")),
    ],
)
def test_stn_19_the_page_says_why_it_was_late_and_through_whom(
    signed_in: SignIn, language: str, words: tuple[str, ...]
) -> None:
    page = told(signed_in("station_coordinator", language=language).get(f"/orders/{a_late_order().ref}/").content)

    for word in words:
        assert word in page


def test_an_order_in_time_is_not_called_late(signed_in: SignIn) -> None:
    page = told(signed_in("station_coordinator").get(f"/orders/{a_report(now=now()).ref}/").content)

    assert "时限的经过" in page and "为什么超时" not in page


def test_the_picture_says_when_each_state_was_reached(signed_in: SignIn) -> None:
    page = signed_in("station_coordinator").get(f"/orders/{a_late_order().ref}/").content.decode()

    assert page.count('class="reached"') == 3  # dispatched, downloaded, promised


def test_a_refused_step_shows_its_rule_and_the_rules_words(signed_in: SignIn) -> None:
    page = signed_in("station_coordinator").get(f"/orders/{a_report(now=now()).ref}/").content.decode()

    refused = page[page.index('data-refused="mark_unreachable"') :]
    refused = refused[: refused.index("</details>")]
    assert "STN-24" in refused and 'href="/rules/#STN-24"' in refused
    assert "<summary" in refused  # the keyboard reaches it


def test_a_notice_stays_with_the_step_that_caused_it_whoever_looked_at_the_number_since(signed_in: SignIn) -> None:
    order = a_report(now=now())
    reveal_phone(order.ref, "call_user", actor=an_actor("station_coordinator"), now=now())
    page = signed_in("station_coordinator").get(f"/orders/{order.ref}/").content.decode()

    seen, reported = page.split("<li data-topics=")[1:3]
    assert "查看完整电话" in seen and "新派单" not in seen
    assert "新派单" in reported


# --- somebody else was faster ----------------------------------------------------------------------


def test_whoever_was_slower_sees_what_changed_by_whom_and_keeps_what_was_typed(signed_in: SignIn) -> None:
    order = a_report(now=now())
    do(order, "download", now=now())
    do(order, "correct", "cc_agent", now=now(), fault="风扇异响", address="上地信息路9号")
    answer = signed_in("station_coordinator").post(
        f"/steps/{order.ref}/log_contact/",
        {"revision": "0", "contact_outcome": "busy", "contact_note": "下午再打"}, headers=HTMX,
    )  # fmt: skip

    assert answer.status_code == 409
    page = told(answer.content)
    assert "下载 → 已下载" in page and "更正资料" in page and "cc_agent（CC座席）" in page
    assert "故障描述： 风扇异响" in page
    assert "详细地址： 已更改（个人信息不写入历史）" in page and "上地信息路9号" not in page
    assert "下午再打" in answer.content.decode()
    assert 'name="revision" value="2"' in answer.content.decode()


def test_a_step_that_is_over_cannot_be_sent_again_from_the_conflict(signed_in: SignIn) -> None:
    order = a_report(now=now())
    do(
        order,
        "cancel",
        "cc_agent",
        now=now(),
        cancel_reason="user_solved",
        requested_by="user",
        request_line="line_800",
    )
    answer = signed_in("station_coordinator").post(
        f"/steps/{order.ref}/log_contact/", {"revision": "0", "contact_outcome": "busy"}, headers=HTMX
    )

    assert answer.status_code == 409
    assert "这一步现在不能再办" in answer.content.decode() and '<button type="submit"' not in answer.content.decode()


def test_the_address_of_a_step_that_is_over_says_so_instead_of_a_form(signed_in: SignIn) -> None:
    order = a_report(now=now())
    do(order, "download", now=now())
    page = signed_in("station_coordinator").get(f"/steps/{order.ref}/download/").content.decode()

    assert "维修单处于“已下载”" in page and '<button type="submit"' not in page


# --- once ------------------------------------------------------------------------------------------


def test_the_same_form_sent_twice_has_one_effect_and_both_answers_show_it(signed_in: SignIn) -> None:
    order = a_report(now=now())
    station = signed_in("station_coordinator")
    form = {"contact_outcome": "busy", "once": uuid4().hex}  # without a revision: the key alone must hold

    answers = [station.post(f"/steps/{order.ref}/log_contact/", form, headers=HTMX) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert Entry.objects.filter(subject=order.ref, kind="order.log_contact").count() == 1


def test_a_double_click_on_a_step_is_no_conflict_with_oneself(signed_in: SignIn) -> None:
    order = a_report(now=now())
    station = signed_in("station_coordinator")
    form = {"revision": "0", "once": uuid4().hex}

    answers = [station.post(f"/steps/{order.ref}/download/", form, headers=HTMX) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert RepairOrder.objects.unscoped("a test looks").get(ref=order.ref).revision == 1


def test_a_refused_form_may_be_mended_and_sent_under_the_same_key(signed_in: SignIn) -> None:
    order = a_report(now=now())
    station = signed_in("station_coordinator")
    key = uuid4().hex

    missing = station.post(f"/steps/{order.ref}/log_contact/", {"once": key}, headers=HTMX)
    mended = station.post(f"/steps/{order.ref}/log_contact/", {"once": key, "contact_outcome": "busy"}, headers=HTMX)
    assert (missing.status_code, mended.status_code) == (422, 200)


def test_the_keys_of_two_people_are_not_the_same(signed_in: SignIn) -> None:
    order = a_report(now=now())
    form = {"contact_outcome": "busy", "once": uuid4().hex}
    signed_in("station_coordinator").post(f"/steps/{order.ref}/log_contact/", form, headers=HTMX)
    signed_in("station_engineer").post(f"/steps/{order.ref}/log_contact/", form, headers=HTMX)

    assert Entry.objects.filter(subject=order.ref, kind="order.log_contact").count() == 2


def test_looking_at_a_number_twice_by_one_click_leaves_one_trace(signed_in: SignIn) -> None:
    order = a_report(now=now())
    station = signed_in("station_coordinator")
    form = {"reason": "call_user", "once": uuid4().hex}

    answers = [station.post(f"/orders/{order.ref}/phone/", form, headers=HTMX) for _ in range(2)]
    assert all("13800000001" in answer.content.decode() for answer in answers)
    assert Entry.objects.filter(subject=order.ref, kind="order.reveal_phone").count() == 1


# --- the session ended -----------------------------------------------------------------------------


def test_a_part_of_a_page_is_never_the_login_page(signed_in: SignIn) -> None:
    order = a_report(now=now())
    station = signed_in("station_coordinator")
    station.logout()

    for answer in (
        station.get(f"/steps/{order.ref}/log_contact/", headers=HTMX),
        station.post(f"/steps/{order.ref}/log_contact/", {"contact_outcome": "busy"}, headers=HTMX),
    ):
        assert (answer.status_code, answer.content) == (401, b"")
    assert station.get(f"/orders/{order.ref}/").status_code == 302


# --- bad input -------------------------------------------------------------------------------------


def test_markup_that_somebody_typed_is_shown_and_never_run(signed_in: SignIn) -> None:
    bad = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    order = a_report(now=now() - 2 * HOUR, fault=bad, customer={"name": bad[:40], "phone": "13800000001"})
    do(order, "log_contact", now=now() - HOUR, contact_outcome="busy", contact_note=bad)
    request = begin(
        "cancellation_request", "submit", actor=an_actor("station_coordinator"), now=now() - HOUR, order_ref=order.ref,
        given={"cancel_reason": "user_solved", "cancel_detail": bad},
    )  # fmt: skip
    refresh_scorecards(now())
    region, station = signed_in("region_interface"), signed_in("station_coordinator")
    pages = [
        station.get(f"/orders/{order.ref}/"), station.get("/requests/"), region.get("/inbox/"),
        region.get(f"/inbox/{request.ref}/"), region.get("/stations/000001/?show=reported"),
        station.post(f"/steps/{order.ref}/log_contact/", {"revision": "0", "contact_note": bad}, headers=HTMX),
    ]  # fmt: skip

    for page in pages:
        text = page.content.decode()
        assert "<script>alert" not in text and "<img src=x" not in text, page.request["PATH_INFO"]
    assert "&lt;script&gt;alert(1)" in pages[0].content.decode()
