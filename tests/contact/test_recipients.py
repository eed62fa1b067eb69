"""An e-mail for a role reaches each person of that role and scope once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from mendline.access.models import Person
from mendline.contact.pauses import GIVE_UP_AFTER
from mendline.contact.recipients import address_due
from mendline.journal.models import Outgoing
from tests.contact.conftest import ARow
from tests.make import MONDAY_NINE

pytestmark = pytest.mark.django_db


def a_person(name: str, role: str = "region_interface", **fields: Any) -> Person:
    values: dict[str, Any] = {"region": "north", "email": f"{name}@example.com", **fields}
    return Person.objects.create_user(name, name=name, role=role, **values)


def test_each_person_of_the_role_and_region_gets_one_with_a_lasting_key(a_row: ARow) -> None:
    li, zhao = a_person("li"), a_person("zhao")
    a_person("sun", region="east")
    a_person("wu", role="cc_agent")
    a_person("left", is_active=False)
    a_person("silent", email="")
    a_row("k", role="region_interface", region="north", address="")

    assert address_due(MONDAY_NINE) == 1
    assert address_due(MONDAY_NINE) == 0

    rows = Outgoing.objects.order_by("id").values_list("key", "person_id", "address", "state")
    assert list(rows) == [
        ("k", li.pk, "li@example.com", "pending"),
        (f"k:{zhao.pk}", zhao.pk, "zhao@example.com", "pending"),
    ]


def test_a_stations_notice_stays_at_the_station(a_row: ARow) -> None:
    own = a_person("own", "station_coordinator", station_no="000001", region="")
    a_person("neighbour", "station_coordinator", station_no="000002", region="")
    a_row(role="station_coordinator", station_no="000001", address="")

    address_due(MONDAY_NINE)

    assert list(Outgoing.objects.values_list("person_id")) == [(own.pk,)]


def test_two_people_with_one_mailbox_get_one_mail(a_row: ARow) -> None:
    a_person("li", email="Desk@example.com")
    a_person("zhao", email="desk@example.com")
    a_row(role="region_interface", region="north", address="")

    address_due(MONDAY_NINE)

    assert list(Outgoing.objects.values_list("address")) == [("Desk@example.com",)]


def test_a_message_that_nobody_can_get_waits_and_then_says_so(a_row: ARow) -> None:
    row = a_row(role="hq_interface", address="")

    address_due(MONDAY_NINE)
    row.refresh_from_db()
    assert (row.state, row.next_try_at) == ("pending", MONDAY_NINE + timedelta(minutes=1))
    assert "nobody" in row.error

    address_due(MONDAY_NINE + GIVE_UP_AFTER + timedelta(minutes=1))
    row.refresh_from_db()
    assert (row.state, row.next_try_at) == ("failed", None)


def test_an_address_entered_meanwhile_is_used(a_row: ARow) -> None:
    row = a_row(role="hq_interface", address="")
    address_due(MONDAY_NINE)
    a_person("qian", "hq_interface", region="")

    address_due(MONDAY_NINE + timedelta(minutes=1))

    row.refresh_from_db()
    assert (row.address, row.error) == ("qian@example.com", "")
