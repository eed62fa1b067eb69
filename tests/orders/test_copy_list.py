"""The copy list of a procedure document: whom it means, and that a copy reaches its person and nobody else (UDS-04)."""

from __future__ import annotations

import pytest

from mendline.access.models import Person
from mendline.contact.recipients import address_due
from mendline.journal.models import Outgoing
from mendline.orders import messages, queries
from mendline.orders.copy_list import read_copies
from mendline.orders.store import Loaded, load
from mendline.process.loading import latest
from tests.make import MONDAY_NINE, a_network, a_report, an_actor

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def people() -> dict[str, Person]:
    a_network()
    rows = [
        ("li", "李明", "cc_agent", "li@example.com"),
        ("zhao", "赵敏", "cc_agent", ""),
        ("zhao2", "赵敏", "admin", ""),
    ]
    return {
        login: Person.objects.create(username=login, name=name, role=role, email=email)
        for login, name, role, email in rows
    }


def test_uds_04_departments_stations_persons_and_addresses_are_understood(people: dict[str, Person]) -> None:
    found = read_copies("各部门经理以上；客户信息支持部, 000001、li\nLI@example.com、legal@example.com、赵敏")

    li = {"person": people["li"].pk}
    departments = [{"role": "service_support_dept"}, {"role": "info_support_dept"}]
    assert list(found.to) == [*departments, {"station_no": "000001"}, li, {"address": "legal@example.com"}]
    assert found.unknown == ("赵敏",), "two people have that name; which one is meant must be written"


@pytest.mark.parametrize("entry", ["张三", "000999", "1", "li@", "some body", "经理以上"])
def test_uds_04_what_nobody_knows_is_named(entry: str) -> None:
    assert read_copies(f"li、{entry}").unknown == (entry,)


def test_uds_04_nobody_who_left_is_on_the_list(people: dict[str, Person]) -> None:
    Person.objects.filter(username="li").update(is_active=False)

    assert read_copies("li").unknown == ("li",)


def test_uds_04_a_copy_is_its_persons_alone_and_goes_to_her_own_address(people: dict[str, Person]) -> None:
    rows = list(messages.copied(latest("procedure_document"), "version_published", _document(), _to("li"), MONDAY_NINE))
    Outgoing.objects.bulk_create(rows)

    address_due(MONDAY_NINE)

    sent = Outgoing.objects.get(channel="email", notice="version_published")
    assert (sent.person_id, sent.address) == (people["li"].pk, "li@example.com")
    li, zhao = people["li"].as_actor(), people["zhao"].as_actor()
    assert (queries.count_unseen_notices(li), queries.count_unseen_notices(zhao)) == (1, 0)


def test_uds_04_whom_the_notice_reaches_by_role_gets_no_second_copy() -> None:
    Person.objects.create(username="yao", name="姚兰", role="service_support_dept", email="yao@example.com")

    rows = messages.copied(latest("procedure_document"), "version_published", _document(), _to("yao"), MONDAY_NINE)

    assert list(rows) == []


def _to(entry: str) -> tuple[dict[str, str | int], ...]:
    return read_copies(entry).to


def _document() -> Loaded:
    """Any record will do: a copy asks only for its number and revision."""
    return load(a_report().ref, actor=an_actor("admin"))
