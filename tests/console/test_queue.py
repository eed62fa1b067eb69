"""The station's queue: what a row shows, one-tap calls, a step on many orders, kept views; never beyond the scope."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from mendline.access.models import Person
from mendline.journal.models import Entry
from mendline.orders.models import RepairOrder
from mendline.orders.store import Loaded
from mendline.web.console import visit
from mendline.web.models import SavedView
from tests.console.conftest import SignIn
from tests.make import a_report, do

HTMX = {"HX-Request": "true"}
NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)  # in Shanghai; calls are counted by the day


@pytest.fixture(autouse=True)
def _it_is_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visit, "timezone", SimpleNamespace(now=lambda: NOON))


def a_fresh_report(**changed: str) -> Loaded:
    return a_report(now=NOON, **changed)


def state_of(order: Loaded) -> str:
    return str(RepairOrder.objects.unscoped("a test looks").get(ref=order.ref).state)


def row_of(page: str, order: Loaded) -> str:
    found = re.search(rf'<tr id="row-{order.ref}".*?</tr>', page, re.DOTALL)
    assert found, f"{order.ref} is not on the page"
    return found[0]


# --- what a row shows --------------------------------------------------------------------------------


def test_a_row_shows_what_people_typed_as_text_and_never_as_markup(signed_in: SignIn) -> None:
    order = a_report(now=NOON, fault="<script>alert(1)</script>", customer={"name": "<b>王", "phone": "13800000001"})
    page = signed_in("station_coordinator").get("/queue/").content.decode()

    assert "<script>alert" not in page and "<b>王" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in row_of(page, order)
    assert "13800000001" not in page and "138****0001" in page


def test_stn_25_a_row_counts_todays_calls_of_the_six(signed_in: SignIn) -> None:
    order = a_fresh_report()
    now = NOON
    do(order, "log_contact", now=now, contact_outcome="busy")
    do(order, "log_contact", now=now, contact_outcome="no_answer")
    row = row_of(signed_in("station_coordinator").get("/queue/").content.decode(), order)

    assert ">2/6</span>" in row
    assert "今天已联系 2 次，每天至少 6 次" in row


def test_yesterdays_calls_do_not_count_today(signed_in: SignIn) -> None:
    order = a_report(now=NOON - timedelta(days=2))
    do(order, "log_contact", now=NOON - timedelta(days=1), contact_outcome="busy")
    row = row_of(signed_in("station_coordinator").get("/queue/").content.decode(), order)

    assert ">0/6</span>" in row


def test_only_whoever_logs_calls_has_the_buttons_for_it(signed_in: SignIn) -> None:
    order = a_fresh_report()

    for role, has in (("station_coordinator", True), ("station_engineer", True), ("region_interface", False)):
        row = row_of(signed_in(role).get("/queue/").content.decode(), order)
        assert ("data-call=" in row) == has, role


def test_the_counts_above_the_list_narrow_it(signed_in: SignIn) -> None:
    late = a_report(now=NOON - timedelta(hours=5))
    fresh = a_fresh_report()
    client = signed_in("station_coordinator")

    page = client.get("/queue/").content.decode()
    assert re.search(r'href="\?breached=1".*?<span class="number text-red">1</span>', page, re.DOTALL)
    narrowed = client.get("/queue/?breached=1").content.decode()
    assert f"row-{late.ref}" in narrowed and f"row-{fresh.ref}" not in narrowed


@pytest.mark.parametrize(
    "address",
    ["?state=nonsense", "?show=everything", "?station=%00", "?after=1~2~3", "?after=~99999999999999999999",
     "?after=2026-01-01~5", "?state=" + "x" * 5000, "?mine=%F0%9F%94%A7&breached=%3Cb%3E"],
)  # fmt: skip
def test_an_address_edited_by_hand_is_a_page_all_the_same(signed_in: SignIn, address: str) -> None:
    a_fresh_report()

    assert signed_in("station_coordinator").get(f"/queue/{address}").status_code == 200


# --- one tap, one call -------------------------------------------------------------------------------


def test_one_tap_notes_a_call_and_answers_with_the_row(signed_in: SignIn) -> None:
    order = a_fresh_report()
    client = signed_in("station_coordinator")

    answer = client.post(f"/queue/{order.ref}/call/", {"outcome": "no_answer", "revision": "0"}, headers=HTMX)
    assert answer.status_code == 200
    assert ">1/6</span>" in row_of(answer.content.decode(), order)
    assert json.loads(answer["HX-Trigger"])["toast"]["zh"].endswith("已记录：无人接听")
    assert Entry.objects.filter(subject=order.ref, kind="order.log_contact").count() == 1


def test_a_double_tap_counts_once(signed_in: SignIn) -> None:
    order = a_fresh_report()
    client = signed_in("station_coordinator")

    answers = [
        client.post(f"/queue/{order.ref}/call/", {"outcome": "busy", "revision": "0"}, headers=HTMX) for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [200, 409]
    assert ">1/6</span>" in row_of(answers[1].content.decode(), order)  # the row as it is, not as it was
    assert Entry.objects.filter(subject=order.ref, kind="order.log_contact").count() == 1


def test_a_call_nobody_may_log_any_more_is_refused_with_its_reason(signed_in: SignIn) -> None:
    order = a_fresh_report()
    do(order, "cancel", "cc_agent", now=NOON, cancel_reason="user_solved", requested_by="user")

    answer = signed_in("station_coordinator").post(f"/queue/{order.ref}/call/", {"outcome": "busy"}, headers=HTMX)
    assert answer.status_code == 422
    assert json.loads(answer["HX-Trigger"])["toast"]["tone"] == "danger"
    assert "已离开此列表" in answer.content.decode()


@pytest.mark.parametrize("outcome", ["", "resolved", "<b>"])
def test_an_outcome_that_there_is_not_notes_nothing(signed_in: SignIn, outcome: str) -> None:
    order = a_fresh_report()

    answer = signed_in("station_coordinator").post(f"/queue/{order.ref}/call/", {"outcome": outcome}, headers=HTMX)
    assert answer.status_code == 422
    assert state_of(order) == "dispatched"


def test_another_stations_order_is_absent_from_every_address_of_the_queue(signed_in: SignIn) -> None:
    order = a_fresh_report()
    neighbour = signed_in("station_coordinator", station_no="000002")

    assert order.ref not in neighbour.get("/queue/").content.decode()
    assert neighbour.get(f"/queue/rows/?ref={order.ref}").content == b""
    assert neighbour.post(f"/queue/{order.ref}/call/", {"outcome": "busy"}, headers=HTMX).status_code == 404
    answer = neighbour.post("/queue/many/", {"do": "download", "ref": [order.ref]}, headers=HTMX).content.decode()
    assert "没有找到，或不在您的管辖范围内" in answer
    assert state_of(order) == "dispatched"


# --- many at once ------------------------------------------------------------------------------------


def test_every_order_of_many_is_answered_for(signed_in: SignIn) -> None:
    """One can be printed, one lacks its promise, one does not exist: each says so, and the first is printed."""
    ready, early = a_fresh_report(), a_fresh_report()
    do(ready, "promise", now=NOON, promised_at=(NOON + timedelta(hours=20)).isoformat())

    answer = signed_in("station_coordinator").post(
        "/queue/many/", {"do": "print_order", "ref": [ready.ref, early.ref, "WX000000-NOTHERE1"]}, headers=HTMX
    )
    page = answer.content.decode()
    assert "1 张完成，2 张未办" in page
    assert "STN-50" in page and "没有找到" in page
    assert f'href="/orders/{ready.ref}/print/"' in page
    assert json.loads(answer["HX-Trigger"]) == {"orders-changed": {"refs": [ready.ref]}}
    assert (state_of(ready), state_of(early)) == ("printed", "dispatched")


def test_an_engineer_is_assigned_to_many(signed_in: SignIn) -> None:
    orders = [a_fresh_report(), a_fresh_report()]
    signed_in("station_engineer")
    engineer = Person.objects.get(role="station_engineer")
    coordinator = signed_in("station_coordinator")
    assert f'value="{engineer.username}"' in coordinator.get("/queue/engineers/").content.decode()

    form = {"do": "assign_engineer", "engineer": engineer.username, "ref": [order.ref for order in orders]}
    page = coordinator.post("/queue/many/", form, headers=HTMX).content.decode()
    assert "2 张完成，0 张未办" in page
    assigned = RepairOrder.objects.unscoped("a test looks").values_list("assignee_id", flat=True)
    assert list(assigned) == [engineer.pk, engineer.pk]


def test_stn_12_an_engineer_of_another_station_is_refused_for_every_order(signed_in: SignIn) -> None:
    orders = [a_fresh_report(), a_fresh_report()]
    signed_in("station_engineer", station_no="000002")
    stranger = Person.objects.get(role="station_engineer")

    form = {"do": "assign_engineer", "engineer": stranger.username, "ref": [order.ref for order in orders]}
    page = signed_in("station_coordinator").post("/queue/many/", form, headers=HTMX).content.decode()
    assert "0 张完成，2 张未办" in page


def test_the_same_order_named_twice_is_done_once(signed_in: SignIn) -> None:
    order = a_fresh_report()

    page = signed_in("station_coordinator").post("/queue/many/", {"do": "download", "ref": [order.ref] * 2})
    assert "1 张完成，0 张未办" in page.content.decode()


@pytest.mark.parametrize("name", ["cancel", "resolve", "", "nonsense"])
def test_a_step_that_is_not_for_many_is_absent(signed_in: SignIn, name: str) -> None:
    order = a_fresh_report()

    answer = signed_in("station_coordinator").post("/queue/many/", {"do": name, "ref": [order.ref]}, headers=HTMX)
    assert answer.status_code == 404
    assert state_of(order) == "dispatched"


def test_nothing_selected_is_said(signed_in: SignIn) -> None:
    page = signed_in("station_coordinator").post("/queue/many/", {"do": "download"}, headers=HTMX).content.decode()

    assert "还没有选择维修单" in page


def test_a_role_without_such_steps_has_no_boxes_to_tick(signed_in: SignIn) -> None:
    a_fresh_report()
    page = signed_in("service_support_dept").get("/queue/").content.decode()

    assert 'name="ref"' not in page and 'name="do"' not in page


# --- views -------------------------------------------------------------------------------------------


def test_a_view_is_its_filters_in_our_spelling_under_a_name_of_ones_own(signed_in: SignIn) -> None:
    client = signed_in("station_coordinator")

    answer = client.post("/queue/views/", {"name": " 先打  电话 ", "query": "state=downloaded,dispatched,x&evil=1"})
    assert answer["Location"] == "/queue/?state=dispatched,downloaded"
    view = SavedView.objects.get()
    assert (view.name, view.query) == ("先打 电话", "state=dispatched,downloaded")
    assert "先打 电话" in client.get("/queue/").content.decode()
    colleague = signed_in("station_coordinator", station_no="000002")
    assert "先打 电话" not in colleague.get("/queue/").content.decode()


def test_the_same_name_again_replaces_and_another_persons_view_cannot_be_removed(signed_in: SignIn) -> None:
    client = signed_in("station_coordinator")
    for query in ("breached=1", "mine=1"):
        client.post("/queue/views/", {"name": "急", "query": query})
    view = SavedView.objects.get()
    assert view.query == "mine=1"

    signed_in("cc_agent").post(f"/queue/views/{view.pk}/remove/")
    assert SavedView.objects.exists()
    client.post(f"/queue/views/{view.pk}/remove/")
    assert not SavedView.objects.exists()


def test_a_view_needs_a_name_and_there_are_not_endlessly_many(signed_in: SignIn) -> None:
    client = signed_in("station_coordinator")
    client.post("/queue/views/", {"name": "  ", "query": "mine=1"})
    assert not SavedView.objects.exists()

    for number in range(14):
        client.post("/queue/views/", {"name": f"视图{number}", "query": "mine=1"})
    assert SavedView.objects.count() == 12
    assert "最多保存 12 个视图" in client.get("/queue/").content.decode()
