"""A published document reaches its readers, who has read it is known, and whoever has not is reminded (UDS-04)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from mendline.access.actors import Actor
from mendline.access.models import Person
from mendline.contact.recipients import address_due
from mendline.journal.models import Entry, Outgoing
from mendline.orders import readings
from mendline.orders.store import Loaded
from mendline.orders.transitions import begin, perform
from tests.console.conftest import PLACES, SignIn

COMPONENTS = (
    "站端接CC派单、站端自行生成维修单、撤单、特殊情况处理、渠道产能及区域覆盖信息变更、站端操作规范、T1-T4填写规范、"
    "未开通800地区备案表、渠道覆盖区域变更申请表"
)
DRAFT: dict[str, Any] = {
    "document_number": "LGL-CSSD-03-QDZC-B1023", "title": "关于发布统一报修V3.0的通知", "category": "通知",
    "drafted_on": "2003-05-30", "drafter": "孟林", "recipients": "维修站", "recipient_departments": "客户服务支持部",
    "pages": 36, "publishes_process": "unified_repair", "publishes_version": 3, "components": COMPONENTS,
    "change_list": "修改附件二",
}  # fmt: skip


def somebody(role: str) -> Actor:
    person, _ = Person.objects.get_or_create(username=f"the-{role}", defaults={"name": "高峰", "role": role})
    return person.as_actor("test")


@pytest.fixture
def published(signed_in: SignIn) -> Loaded:
    """Everybody of the small network has an account; the document goes to its audience and to one outside address."""
    for role in PLACES:
        signed_in(role)
    now = datetime.now(UTC)
    given = {**DRAFT, "copies": "legal@example.com、cc_agent"}
    draft = begin("procedure_document", "draft_document", actor=somebody("channel_management"), now=now, given=given)
    perform(draft.ref, "review", actor=somebody("service_support_dept"), now=now)
    perform(draft.ref, "approve", actor=somebody("hq_interface"), now=now)
    return perform(draft.ref, "publish", actor=somebody("channel_management"), now=now)


def test_uds_04_a_coordinator_finds_the_document_and_opening_it_is_kept_once(
    signed_in: SignIn, published: Loaded
) -> None:
    client = signed_in("station_coordinator")
    assert DRAFT["title"] in client.get("/reading/").content.decode()
    answer = client.get(f"/go/{published.ref}/")
    assert answer.status_code == 302 and answer["Location"] == f"/reading/{published.ref}/"

    for _ in range(3):
        assert client.get(f"/reading/{published.ref}/").status_code == 200

    assert Entry.objects.filter(subject=published.ref, kind=readings.OPENED).count() == 1


def test_uds_04_saying_to_have_read_it_is_kept_once_and_shown_to_the_publisher(
    signed_in: SignIn, published: Loaded
) -> None:
    client = signed_in("region_interface")
    for _ in range(2):
        client.post(f"/reading/{published.ref}/read/")

    entries = Entry.objects.filter(subject=published.ref, kind=readings.ACKNOWLEDGED)
    assert entries.count() == 1
    page = signed_in("channel_management").get(f"/reading/{published.ref}/?role=region_interface").content.decode()
    assert "已阅读" in page and "大区接口人 1/1" in page


def test_uds_04_the_page_says_who_was_told_how_and_who_has_not_read(signed_in: SignIn, published: Loaded) -> None:
    Person.objects.filter(username="station_coordinator-000001").update(email="li@example.com")
    address_due(datetime.now(UTC) + timedelta(minutes=1))

    everybody = readings.readers_of(published.ref)

    by_role = {reader.role: reader for reader in everybody if reader.name == "李明"}
    coordinator, agent = by_role["station_coordinator"], by_role["cc_agent"]
    assert {one.channel: one.state for one in coordinator.deliveries} == {"inbox": "shown", "email": "pending"}
    assert {one.channel: one.state for one in agent.deliveries} == {"inbox": "shown", "email": "no_address"}
    assert [reader.name for reader in everybody if reader.person_id is None] == ["legal@example.com"]
    assert "station_engineer" not in by_role, "engineers are on neither list"


def test_uds_04_one_click_reminds_whoever_has_not_read_and_nobody_twice_a_day(
    signed_in: SignIn, published: Loaded
) -> None:
    reader = Person.objects.get(username="station_coordinator-000001")
    signed_in("station_coordinator").get(f"/reading/{published.ref}/")
    owner = signed_in("process_owner")

    first = owner.post(f"/reading/{published.ref}/remind/", follow=True).content.decode()
    again = owner.post(f"/reading/{published.ref}/remind/", follow=True).content.decode()

    reminded = Outgoing.objects.filter(subject=published.ref, notice=readings.REMINDER)
    assert reminded.filter(channel="inbox").count() == reminded.filter(channel="email").count() > 3
    assert not reminded.filter(person_id=reader.pk).exists()
    assert f"已提醒 {reminded.filter(channel='inbox').count()} 人" in first
    assert "没有需要提醒的人" in again
    assert Entry.objects.filter(subject=published.ref, kind=readings.REMINDED).count() == 1


def test_a_reminder_is_in_the_inbox_of_its_person_and_nobody_elses(signed_in: SignIn, published: Loaded) -> None:
    signed_in("station_coordinator", station_no="000002").get(f"/reading/{published.ref}/")
    readings.remind(published.ref, actor=somebody("process_owner"), now=datetime.now(UTC))

    assert "提醒）" in signed_in("station_coordinator").get("/notices/").content.decode()
    assert "提醒）" not in signed_in("station_coordinator", station_no="000002").get("/notices/").content.decode()


def test_whoever_takes_up_the_role_later_is_to_read_it_as_well(signed_in: SignIn, published: Loaded) -> None:
    newcomer = signed_in("station_coordinator", station_no="000003")

    assert DRAFT["title"] in newcomer.get("/reading/").content.decode()
    assert any(reader.station_no == "000003" for reader in readings.readers_of(published.ref))


def test_a_document_that_was_not_sent_to_somebody_is_absent(signed_in: SignIn, published: Loaded) -> None:
    engineer = signed_in("station_engineer")

    assert engineer.get(f"/reading/{published.ref}/").status_code == 404
    assert engineer.post(f"/reading/{published.ref}/read/").status_code == 404
    assert DRAFT["title"] not in engineer.get("/reading/").content.decode()
    assert not Entry.objects.filter(subject=published.ref, kind__startswith="document.").exists()


def test_looking_at_a_document_out_of_curiosity_counts_for_nobody(signed_in: SignIn, published: Loaded) -> None:
    """The administrator sees every record and is on no list: no reader, and nothing to confirm."""
    client = signed_in("admin")

    assert client.get(f"/reading/{published.ref}/").status_code == 200
    assert client.post(f"/reading/{published.ref}/read/").status_code == 422
    assert not Entry.objects.filter(subject=published.ref, kind__startswith="document.").exists()


@pytest.mark.parametrize("role", ["cc_agent", "station_coordinator", "region_interface"])
def test_only_those_who_publish_see_who_has_read(signed_in: SignIn, published: Loaded, role: str) -> None:
    client = signed_in(role)

    assert "谁已阅读" not in client.get(f"/reading/{published.ref}/").content.decode()
    assert client.post(f"/reading/{published.ref}/remind/").status_code == 404


def test_what_ended_need_not_be_read_any_more(signed_in: SignIn, published: Loaded) -> None:
    now = datetime.now(UTC)
    given = {**DRAFT, "title": "关于V2.0的通知", "publishes_version": 2, "copies": "cc_agent"}
    draft = begin("procedure_document", "draft_document", actor=somebody("channel_management"), now=now, given=given)
    perform(draft.ref, "review", actor=somebody("service_support_dept"), now=now)
    perform(draft.ref, "approve", actor=somebody("hq_interface"), now=now)
    perform(draft.ref, "publish", actor=somebody("channel_management"), now=now)

    page = signed_in("station_coordinator").get("/reading/").content.decode()

    assert "关于V2.0的通知" in page and str(DRAFT["title"]) not in page


def test_reads_do_not_fill_the_history_of_the_document(signed_in: SignIn, published: Loaded) -> None:
    client = signed_in("channel_management")
    client.get(f"/reading/{published.ref}/")
    client.post(f"/reading/{published.ref}/remind/")

    page = client.get(f"/records/{published.ref}/").content.decode()

    assert ">opened<" not in page and "reminds" not in page and "提醒）" not in page


def test_nobody_reads_without_signing_in(published: Loaded) -> None:
    assert Client().get(f"/reading/{published.ref}/").status_code == 302
