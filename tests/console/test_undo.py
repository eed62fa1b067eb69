"""Taking back what was just done: only what told nobody, only soon, and through the same door as everything else."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from mendline.access.models import Person
from mendline.journal.models import Entry
from mendline.orders.models import Record, RepairOrder
from mendline.orders.store import Loaded
from mendline.process.loading import latest
from mendline.web.console import undo
from mendline.web.models import SavedView
from tests.console.conftest import SignIn
from tests.make import a_report, do

HTMX = {"HX-Request": "true"}


def slip_on(answer: Any) -> str:  # what a test client answers with has no public name
    found = re.search(r'name="slip" value="([^"]+)"', answer.content.decode())
    return found[1] if found else ""


def now_of(order: Loaded) -> RepairOrder:
    return RepairOrder.objects.unscoped("a test looks").get(ref=order.ref)


@pytest.fixture
def assigned(network: None) -> Loaded:
    """An order that engineer 王强 has; 赵刚 is of the same station."""
    for username, name in (("wang", "王强"), ("zhao", "赵刚")):
        Person.objects.create(username=username, name=name, role="station_engineer", station_no="000001")
    now = datetime.now(UTC)
    return do(a_report(now=now), "assign_engineer", now=now, engineer="wang")


def test_a_wrong_engineer_is_taken_back_by_the_same_step_and_the_history_holds_both(
    signed_in: SignIn, assigned: Loaded
) -> None:
    station = signed_in("station_coordinator")
    form = {"engineer": "zhao", "within": assigned.ref, "revision": "1"}
    answer = station.post(f"/steps/{assigned.ref}/assign_engineer/", form, headers=HTMX)
    assert now_of(assigned).assignee_name == "赵刚"

    back = station.post("/undo/", {"slip": slip_on(answer)}, follow=True)
    assert "已撤销" in back.content.decode()
    assert (now_of(assigned).assignee_name, now_of(assigned).revision) == ("王强", 3)
    steps = Entry.objects.filter(subject=assigned.ref, kind="order.assign_engineer").count()
    assert steps == 3


def test_what_was_undone_is_not_undone_again(signed_in: SignIn, assigned: Loaded) -> None:
    station = signed_in("station_coordinator")
    form = {"engineer": "zhao", "within": assigned.ref}
    slip = slip_on(station.post(f"/steps/{assigned.ref}/assign_engineer/", form, headers=HTMX))
    station.post("/undo/", {"slip": slip})

    again = station.post("/undo/", {"slip": slip})
    assert again.status_code == 409 and "不能再撤销" in again.content.decode()
    assert now_of(assigned).revision == 3


def test_the_first_engineer_has_nobody_before_him_to_go_back_to(signed_in: SignIn, assigned: Loaded) -> None:
    fresh = a_report(now=datetime.now(UTC))
    answer = signed_in("station_coordinator").post(
        f"/steps/{fresh.ref}/assign_engineer/", {"engineer": "wang", "within": fresh.ref}, headers=HTMX
    )

    assert answer.status_code == 200 and not slip_on(answer)


@pytest.mark.parametrize(("step", "role", "given"), [
    ("urge", "cc_agent", {"urge_note": "用户很急"}),
    ("log_contact", "station_coordinator", {"contact_outcome": "busy"}),
    ("correct", "cc_agent", {"address": "上地信息路3号"}),
])  # fmt: skip
def test_what_told_somebody_or_moved_a_count_or_is_personal_is_not_offered(
    signed_in: SignIn, assigned: Loaded, step: str, role: str, given: dict[str, str]
) -> None:
    answer = signed_in(role).post(f"/steps/{assigned.ref}/{step}/", {**given, "within": assigned.ref}, headers=HTMX)

    assert answer.status_code == 200 and not slip_on(answer)


def test_a_corrected_fault_gets_its_old_wording_back(signed_in: SignIn, assigned: Loaded) -> None:
    agent = signed_in("cc_agent")
    form = {"fault": "打错了的故障", "within": assigned.ref}
    answer = agent.post(f"/steps/{assigned.ref}/correct/", form, headers=HTMX)

    agent.post("/undo/", {"slip": slip_on(answer)})
    assert now_of(assigned).fault == "开机黑屏"


def test_a_form_that_tells_somebody_says_that_it_cannot_be_undone(signed_in: SignIn, assigned: Loaded) -> None:
    page = signed_in("cc_agent").get(f"/steps/{assigned.ref}/urge/").content.decode()
    quiet = signed_in("station_coordinator").get(f"/steps/{assigned.ref}/assign_engineer/").content.decode()

    assert "会通知维修站协调员，不能撤销" in page
    assert "不能撤销" not in quiet


def test_somebody_elses_slip_is_as_if_it_were_none(signed_in: SignIn, assigned: Loaded) -> None:
    station = signed_in("station_coordinator")
    form = {"engineer": "zhao", "within": assigned.ref}
    slip = slip_on(station.post(f"/steps/{assigned.ref}/assign_engineer/", form, headers=HTMX))

    assert signed_in("cc_agent").post("/undo/", {"slip": slip}).status_code == 404
    assert station.post("/undo/", {"slip": slip[:-3] + "xxx"}).status_code == 404
    assert now_of(assigned).assignee_name == "赵刚"


def test_a_slip_that_is_too_old_is_refused_in_words(
    signed_in: SignIn, assigned: Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    station = signed_in("station_coordinator")
    form = {"engineer": "zhao", "within": assigned.ref}
    slip = slip_on(station.post(f"/steps/{assigned.ref}/assign_engineer/", form, headers=HTMX))
    monkeypatch.setattr(undo, "SECONDS", -1)

    answer = station.post("/undo/", {"slip": slip})
    assert answer.status_code == 422 and "撤销的时间已过" in answer.content.decode()


def test_a_draft_that_nobody_was_told_of_is_taken_back(signed_in: SignIn, network: None) -> None:
    step = latest("coverage_change").transitions["save_draft"]
    station = signed_in("station_coordinator")
    page = station.get("/begin/coverage_change/save_draft/").content.decode()
    ticket = re.search(r'name="ticket" value="([^"]+)"', page)
    assert ticket and step.creates
    form = {"change_kind": "add_area", "product_line": "desktop", "area": "110105", "effective_from": "2099-01-01"}
    answer = station.post("/begin/coverage_change/save_draft/", {**form, "ticket": ticket[1]}, follow=True)
    record = Record.objects.unscoped("a test looks").get()
    assert record.state == "draft" and slip_on(answer)

    station.post("/undo/", {"slip": slip_on(answer)})
    record.refresh_from_db()
    assert record.category == "void"


def test_a_removed_view_comes_back(signed_in: SignIn) -> None:
    station = signed_in("station_coordinator")
    station.post("/queue/views/", {"name": "最急的", "query": "breached=1"})
    view = SavedView.objects.get()

    answer = station.post(f"/queue/views/{view.pk}/remove/", {"query": ""}, follow=True)
    assert not SavedView.objects.exists()
    station.post("/undo/", {"slip": slip_on(answer)})
    assert (SavedView.objects.get().name, SavedView.objects.get().query) == ("最急的", "breached=1")


def test_notices_that_were_opened_by_mistake_count_as_unread_again(signed_in: SignIn) -> None:
    a_report(now=datetime.now(UTC))
    station = signed_in("station_coordinator")
    answer = station.get("/notices/")
    assert "恢复为未读" in answer.content.decode()
    assert not slip_on(station.get("/notices/"))  # nothing new: nothing to take back

    station.post("/undo/", {"slip": slip_on(answer)})
    assert "通知，1 条未读" in station.get("/queue/").content.decode()
