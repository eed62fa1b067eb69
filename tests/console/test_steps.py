"""Steps by form: drawn from the process file, mended beside the field, never done twice, never over a newer state."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.template.loader import render_to_string

from mendline.journal.models import Entry
from mendline.kernel.text import Text
from mendline.orders.models import Record, RepairOrder
from mendline.orders.store import Loaded
from mendline.process import loading
from mendline.process.definition import FACT_TYPES, Fact, Process
from mendline.web.console.fields import fields_of
from mendline.web.console.given import given_from
from tests.console.conftest import SignIn
from tests.make import a_report, do

HTMX = {"HX-Request": "true"}
REPORT = {
    "customer.name": "王先生", "customer.phone": "138 1234 5678", "product": "desktop", "area": "110108",
    "address": "上地信息路2号", "fault": "开机黑屏", "service_mode": "on_site",
}  # fmt: skip


def a_fresh_report(**changed: str) -> Loaded:
    return a_report(now=datetime.now(UTC), **changed)


def ticket_on(page: bytes) -> str:
    found = re.search(r'name="ticket" value="([^"]+)"', page.decode())
    assert found
    return found[1]


def state_of(order: Loaded) -> str:
    return str(RepairOrder.objects.unscoped("a test looks").get(ref=order.ref).state)


# --- taking a report -------------------------------------------------------------------------------


def test_a_report_leads_to_its_order(signed_in: SignIn) -> None:
    agent = signed_in("cc_agent")
    ticket = ticket_on(agent.get("/intake/").content)

    answer = agent.post("/intake/", {**REPORT, "ticket": ticket})
    order = RepairOrder.objects.unscoped("a test looks").get()
    assert answer["Location"] == f"/orders/{order.ref}/"
    assert (order.phone, order.station_no, order.state) == ("+8613812345678", "000001", "dispatched")


def test_the_same_form_sent_twice_makes_one_order(signed_in: SignIn) -> None:
    agent = signed_in("cc_agent")
    ticket = ticket_on(agent.get("/intake/").content)

    first = agent.post("/intake/", {**REPORT, "ticket": ticket})
    second = agent.post("/intake/", {**REPORT, "ticket": ticket})
    assert first["Location"] == second["Location"]
    assert RepairOrder.objects.unscoped("a test looks").count() == 1


@pytest.mark.parametrize("ticket", ["", "forged", "WyJXWDI2IiwgMV0:1abc:nonsense"])
def test_a_form_without_a_good_ticket_makes_nothing(signed_in: SignIn, ticket: str) -> None:
    answer = signed_in("cc_agent").post("/intake/", {**REPORT, "ticket": ticket})

    assert answer.status_code == 422
    assert not RepairOrder.objects.unscoped("a test looks").exists()


def test_what_is_missing_is_named_beside_its_field_and_the_rest_stays(signed_in: SignIn) -> None:
    agent = signed_in("cc_agent")
    ticket = ticket_on(agent.get("/intake/").content)

    answer = agent.post("/intake/", {**REPORT, "fault": "", "customer.phone": "12345", "ticket": ticket})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'id="field-fault-error"' in page
    assert 'id="field-customer-error"' in page
    assert "上地信息路2号" in page


def test_a_known_caller_and_a_double_report_show_while_typing(signed_in: SignIn) -> None:
    order = a_fresh_report()
    agent = signed_in("cc_agent")

    caller = agent.post("/intake/caller/", {"customer.phone": "13800000001"}).content.decode()
    proposal = agent.post("/intake/proposal/", {**REPORT, "customer.phone": "138-0000-0001"}).content.decode()
    assert order.ref in caller and "王先生" in caller
    assert order.ref in proposal and "电话相同" in proposal
    assert "000001" in proposal and "派给" in proposal


# --- steps of an order -------------------------------------------------------------------------------


def test_a_step_is_taken_and_the_page_shows_where_it_stands(signed_in: SignIn) -> None:
    order = a_fresh_report()
    station = signed_in("station_coordinator")

    form = {"within": order.ref, "revision": "0"}
    answer = station.post(f"/steps/{order.ref}/download/", form, headers=HTMX)
    assert answer.status_code == 200
    assert "已下载" in answer.content.decode()
    assert state_of(order) == "downloaded"


def test_stn_24_a_step_too_early_is_refused_with_its_rule_and_nothing_changes(signed_in: SignIn) -> None:
    order = a_fresh_report()

    answer = signed_in("station_coordinator").post(
        f"/steps/{order.ref}/mark_unreachable/", {"within": order.ref}, headers=HTMX
    )
    page = answer.content.decode()
    assert answer.status_code == 422 and "STN-24" in page
    assert answer["HX-Retarget"] == f"#step-{order.ref}"
    assert state_of(order) == "dispatched"


def test_a_step_of_another_role_is_forbidden_on_its_form_and_told_to_the_log(
    signed_in: SignIn, caplog: pytest.LogCaptureFixture
) -> None:
    order = a_fresh_report()

    answer = signed_in("station_engineer").post(
        f"/steps/{order.ref}/promise/", {"within": order.ref, "promise_reason": "用户要求"}, headers=HTMX
    )
    page = answer.content.decode()
    assert answer.status_code == 403 and "您的角色不能执行" in page and 'value="用户要求"' in page
    assert answer["HX-Retarget"] == f"#step-{order.ref}"  # by which the page knows that it has a place there
    assert state_of(order) == "dispatched"
    (line,) = [record.getMessage() for record in caplog.records if record.name == "mendline.refused"]
    assert "status=403 code=wrong_role rule=STN" in line


def test_a_stale_screen_sees_who_was_faster_and_keeps_what_was_typed(signed_in: SignIn) -> None:
    order = a_fresh_report()
    do(order, "download", now=datetime.now(UTC))

    form = {"within": order.ref, "revision": "0", "contact_outcome": "busy", "contact_note": "下午再打"}
    answer = signed_in("station_coordinator").post(f"/steps/{order.ref}/log_contact/", form, headers=HTMX)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "已下载" in page and "下午再打" in page
    assert 'name="revision" value="1"' in page
    assert state_of(order) == "downloaded"


def test_another_stations_order_looks_absent_by_every_address(signed_in: SignIn) -> None:
    order = a_fresh_report()
    neighbour = signed_in("station_coordinator", station_no="000002")
    absent = neighbour.get("/orders/WX261122-NOTHERE1/").content

    for path in (f"/orders/{order.ref}/", f"/orders/{order.ref}/phone/", f"/orders/{order.ref}/print/",
                 f"/steps/{order.ref}/download/", f"/go/{order.ref}/", f"/records/{order.ref}/"):  # fmt: skip
        answer = neighbour.get(path)
        assert answer.status_code == 404, path
        assert _without_tokens(answer.content) == _without_tokens(absent).replace(
            b"WX261122-NOTHERE1", order.ref.encode()
        ), path
    assert neighbour.post(f"/steps/{order.ref}/download/", {}).status_code == 404


def test_a_step_without_script_leads_back_to_the_order(signed_in: SignIn) -> None:
    order = a_fresh_report()
    station = signed_in("station_coordinator")

    assert "step-form" in station.get(f"/steps/{order.ref}/log_contact/").content.decode()
    answer = station.post(f"/steps/{order.ref}/log_contact/", {"contact_outcome": "busy"}, follow=True)
    assert answer.redirect_chain[-1][0] == f"/orders/{order.ref}/"
    assert state_of(order) == "contacting"


def test_can_08_the_station_asks_the_region_by_a_form_of_its_own(signed_in: SignIn) -> None:
    order = a_fresh_report()
    station = signed_in("station_coordinator")
    address = f"/begin/cancellation_request/submit/?order={order.ref}"
    ticket = ticket_on(station.get(address).content)

    for _ in range(2):
        answer = station.post(
            address, {"ticket": ticket, "cancel_reason": "user_solved", "cancel_detail": "自行解决"}, headers=HTMX
        )
        assert answer.status_code == 200
    assert Record.objects.unscoped("a test looks").count() == 1
    assert order.ref in signed_in("region_interface").get("/inbox/").content.decode()


# --- personal data -----------------------------------------------------------------------------------


def test_the_whole_number_is_shown_for_a_reason_only_and_leaves_a_trace(signed_in: SignIn) -> None:
    order = a_fresh_report()
    station = signed_in("station_coordinator")
    for path in (f"/orders/{order.ref}/", "/queue/", "/search/?q=王先生", f"/orders/{order.ref}/phone/"):
        assert "13800000001" not in station.get(path).content.decode(), path

    assert "13800000001" not in station.post(f"/orders/{order.ref}/phone/", {"reason": "curious"}).content.decode()
    assert not Entry.objects.filter(kind="order.reveal_phone").exists()
    shown = station.post(f"/orders/{order.ref}/phone/", {"reason": "call_user"}).content.decode()
    assert "13800000001" in shown
    seen = Entry.objects.get(kind="order.reveal_phone")
    assert (seen.subject, seen.actor_name) == (order.ref, "李明")
    assert "查看完整电话：联系用户" in station.get(f"/orders/{order.ref}/").content.decode()


# --- the paper ---------------------------------------------------------------------------------------


def test_stn_50_there_is_no_paper_before_the_order_was_printed(signed_in: SignIn) -> None:
    order = a_fresh_report()

    answer = signed_in("station_coordinator").get(f"/orders/{order.ref}/print/")
    assert answer.status_code == 422
    assert "STN-50" in answer.content.decode()


def test_stn_41_the_printed_order_is_a_pdf_with_chinese_type(signed_in: SignIn) -> None:
    order = a_fresh_report()
    now = datetime.now(UTC)
    do(order, "promise", now=now, promised_at=(now + timedelta(hours=20)).isoformat())
    station = signed_in("station_coordinator")
    station.post(f"/steps/{order.ref}/print_order/", {"within": order.ref})

    answer = station.get(f"/orders/{order.ref}/print/")
    assert answer.status_code == 200
    assert answer.content.startswith(b"%PDF") and b"CJK" in _unpacked(answer.content)


# --- forms from facts --------------------------------------------------------------------------------


@pytest.fixture
def every_type() -> Iterator[Process]:
    """A process whose one step asks for a fact of every type there is."""
    base = loading.latest("unified_repair")
    facts = {
        kind: Fact(
            kind, kind, Text(f"项目{kind}", f"Item {kind}"),
            of={"a": Text("甲", "A")} if kind == "choice" else {},
            fields={"name": Fact("name", "text", Text("姓名", "Name"))} if kind == "record" else {},
        )
        for kind in FACT_TYPES
    }  # fmt: skip
    step = replace(base.transitions["write_back"], requires=tuple(FACT_TYPES), accepts=())
    yield replace(base, facts=facts, transitions={"write_back": step})


def test_a_fact_of_every_type_has_a_field_without_new_code(every_type: Process) -> None:
    fields = fields_of(every_type, every_type.transitions["write_back"], options=lambda fact: ())
    for field in fields:
        page = render_to_string("console/field.html", {"field": field})
        assert f"项目{field.name}" in page, field.name
        assert f'name="{field.name}' in page, field.name


def test_what_people_type_becomes_what_the_engine_takes(every_type: Process) -> None:
    posted = {
        "moment": "2026-03-02T15:00", "money": "1,200.50", "duration": "4", "duration.unit": "h", "record.name": "王",
        "yes_no": "yes", "number": "3", "text": "  ",
    }  # fmt: skip
    given = given_from(posted, every_type, every_type.transitions["write_back"])

    assert given == {
        "moment": "2026-03-02T07:00:00+00:00", "money": 120050, "duration": "4h", "record": {"name": "王"},
        "yes_no": "yes", "number": "3",
    }  # fmt: skip


def _unpacked(pdf: bytes) -> bytes:
    """The readable parts of a PDF, where the names of its typefaces stand."""
    found = b""
    for packed in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        with suppress(zlib.error):
            found += zlib.decompress(packed)
    return found


def _without_tokens(page: bytes) -> bytes:
    """A page without what differs on every request: the token of its forms, the moment, its own address."""
    page = re.sub(rb'(csrfmiddlewaretoken" value="|X-CSRFToken": ")[^"]+', b"", page)
    page = re.sub(rb'data-now="[^"]+"', b"", page)
    return re.sub(rb'name="next" value="[^"]*"', b"", page)
