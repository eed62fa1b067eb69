"""What people chose about notices is kept to, and what nobody may do without comes anyway."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from mendline.access.models import Person
from mendline.contact.copies import copy_notices, send_digests
from mendline.contact.notice_kinds import kinds_for
from mendline.contact.recipients import address_due
from mendline.journal.models import Outgoing
from mendline.orders import queries
from tests.contact.conftest import ARow
from tests.make import MONDAY_NINE

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def somebody(name: str, role: str = "station_coordinator", **fields: Any) -> Person:
    values: dict[str, Any] = {"station_no": "000001", "email": f"{name}@example.com", **fields}
    return Person.objects.create_user(name, name=name, role=role, **values)


def a_notice(a_row: ARow, key: str, *, at: datetime = MONDAY_NINE, cause: str = "report", **changed: Any) -> Outgoing:
    data = {"zh": f"{key} 新派单。", "en": f"New order {key}.", "cause": cause}
    fields = {"role": "station_coordinator", "station_no": "000001", "notice": "new_order", **changed}
    return a_row(key, at=at, channel="inbox", address="", state="shown", next_try_at=None, data=data, **fields)


def mails() -> list[tuple[str, str]]:
    return list(Outgoing.objects.filter(channel="email").order_by("id").values_list("key", "address"))


def test_who_answers_for_a_limit_cannot_switch_its_warning_off() -> None:
    kinds = {kind.name: kind for kind in kinds_for("station_coordinator")}
    why = kinds["contact_overdue"].shown_anyway
    assert why is not None and "STN-19" in why.zh and "STN-19" in why.en
    assert kinds["urged"].shown_anyway is None
    watching = {kind.name: kind for kind in kinds_for("region_interface")}["contact_overdue"]
    assert watching.shown_anyway is None  # the station's clock, not the region's


def test_uds_04_a_procedure_document_reaches_everybody_by_mail() -> None:
    documents = [kind for kind in kinds_for("station_coordinator") if kind.mailed]
    assert documents
    assert all(kind.mailed_anyway is not None and "UDS" in kind.mailed_anyway.zh for kind in documents)


def test_a_chosen_notice_comes_by_mail_once(a_row: ARow) -> None:
    somebody("li", notice_choices={"mailed": ["new_order"]})
    somebody("neighbour", station_no="000002", notice_choices={"mailed": ["new_order"]})
    somebody("silent")
    copy_notices(MONDAY_NINE)  # the first look: what lay there before is nobody's
    a_notice(a_row, "WX1")
    a_notice(a_row, "WX2", notice="urged")

    copy_notices(MONDAY_NINE)
    copy_notices(MONDAY_NINE + HOUR)

    assert mails() == [(f"WX1:mail:{Person.objects.get(username='li').pk}", "li@example.com")]


def test_a_notice_with_a_lower_number_that_came_to_light_later_is_not_missed(a_row: ARow) -> None:
    somebody("li", notice_choices={"mailed": ["new_order"]})
    copy_notices(MONDAY_NINE)
    late = a_notice(a_row, "WX1", notice="urged")
    a_notice(a_row, "WX2")
    copy_notices(MONDAY_NINE)
    Outgoing.objects.filter(pk=late.pk).update(notice="new_order")  # as if it were committed only now

    copy_notices(MONDAY_NINE)

    assert sorted(key.partition(":")[0] for key, _ in mails()) == ["WX1", "WX2"]


def test_an_hour_of_quiet_puts_mail_off_and_a_breach_does_not_wait(a_row: ARow) -> None:
    at_night = MONDAY_NINE - 3 * HOUR  # six in the morning
    somebody("li", quiet_from=time(22), quiet_until=time(8), notice_choices={"mailed": ["new_order", "urged"]})
    copy_notices(at_night)
    a_notice(a_row, "WX1", at=at_night)
    a_notice(a_row, "WX2", at=at_night, cause="contact.breach", notice="urged")

    copy_notices(at_night)

    sent = Outgoing.objects.filter(channel="email").values_list("key", "next_try_at")
    due = {key.partition(":")[0]: moment for key, moment in sent}
    assert due == {"WX1": MONDAY_NINE - HOUR, "WX2": at_night}


def test_quiet_hours_are_read_on_the_persons_own_clock(a_row: ARow) -> None:
    noon = MONDAY_NINE + 3 * HOUR  # four in the morning in London
    somebody("li", zone="Europe/London", quiet_from=time(22), quiet_until=time(8), notice_choices={"mailed": ["urged"]})
    copy_notices(noon)
    a_notice(a_row, "WX1", at=noon, notice="urged")

    copy_notices(noon)

    assert Outgoing.objects.get(channel="email").next_try_at == noon + 4 * HOUR


def test_who_wants_no_mail_gets_none_and_the_others_do(a_row: ARow) -> None:
    without = {"unmailed": ["headquarters_informed"]}
    somebody("wu", "hq_interface", station_no="", notice_choices=without)
    zhao = somebody("zhao", "hq_interface", station_no="")
    a_row("k", role="hq_interface", notice="headquarters_informed", address="")

    address_due(MONDAY_NINE)

    assert list(Outgoing.objects.values_list("person_id", "state")) == [(zhao.pk, "pending")]


def test_a_mail_that_nobody_wants_is_not_called_a_failure(a_row: ARow) -> None:
    somebody("wu", "hq_interface", station_no="", notice_choices={"unmailed": ["headquarters_informed"]})
    a_row("k", role="hq_interface", notice="headquarters_informed", address="")

    address_due(MONDAY_NINE)

    row = Outgoing.objects.get()
    assert (row.state, row.next_try_at, row.error) == ("declined", None, "")


def test_a_choice_against_what_must_come_does_not_count(a_row: ARow) -> None:
    document = next(kind.name for kind in kinds_for("station_coordinator") if kind.mailed_anyway)
    li = somebody("li", notice_choices={"unmailed": [document]})
    a_row("k", role="station_coordinator", notice=document, address="")

    address_due(MONDAY_NINE)

    assert Outgoing.objects.get().person_id == li.pk


def test_one_mail_a_day_at_the_chosen_hour_instead_of_many(a_row: ARow) -> None:
    li = somebody("li", digest_at=time(8), notice_choices={"mailed": ["new_order"]})
    copy_notices(MONDAY_NINE)
    a_notice(a_row, "WX1")
    a_notice(a_row, "WX2")
    a_notice(a_row, "WX3", notice="urged")
    copy_notices(MONDAY_NINE)
    before_eight = MONDAY_NINE + 22 * HOUR  # Tuesday, seven

    send_digests(MONDAY_NINE - HOUR - timedelta(minutes=1))
    assert mails() == []
    li.digest_sent_on = date(2026, 3, 2)
    li.save()
    send_digests(before_eight)
    assert mails() == []
    for _ in range(2):
        send_digests(before_eight + HOUR)

    assert mails() == [(f"digest:{li.pk}:2026-03-03", "li@example.com")]
    text = Outgoing.objects.get(notice="digest").data["zh"]
    assert "WX1" in text and "WX2" in text and "WX3" not in text


def test_a_hidden_kind_is_neither_listed_nor_counted(a_row: ARow) -> None:
    li = somebody("li").as_actor()
    a_notice(a_row, "WX1")
    a_notice(a_row, "WX2", notice="urged")

    shown = queries.notices_for(li, hidden=["urged"])

    assert [row.key for row in shown] == ["WX1"]
    assert (queries.count_unseen_notices(li), queries.count_unseen_notices(li, hidden=["urged"])) == (2, 1)
