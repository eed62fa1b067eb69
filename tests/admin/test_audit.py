"""Who did what, and who saw whose number and why: found by time, person and kind; never counted, never changed."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from python_calamine import CalamineWorkbook

from mendline.access.models import Person
from mendline.access.traces import note_change
from mendline.journal.models import Entry
from mendline.orders.reveal import reveal_phone
from mendline.web.admin import audit_pages
from tests.console.conftest import SignIn
from tests.make import MONDAY_NINE, a_report

pytestmark = pytest.mark.django_db
MARCH = "since=2026-03-01&until=2026-03-31"


@pytest.fixture
def auditor(signed_in: SignIn) -> Client:
    return signed_in("process_owner")


def seen_by(name: str) -> str:
    """Somebody looks at an order's telephone number; returns the order's number."""
    order = a_report(address=f"{name}路1号")
    person = Person.objects.create(username=f"u{Person.objects.count()}", name=name, role="cc_agent")
    reveal_phone(order.ref, "call_user", actor=person.as_actor(), now=MONDAY_NINE)
    return order.ref


def rows_of(client: Client, query: str) -> str:
    return client.get(f"/admin/audit/?{query}").content.decode().split("<tbody", 1)[-1]


def test_who_saw_whose_number_and_why(auditor: Client) -> None:
    ref = seen_by("周芳")

    said = rows_of(auditor, f"{MARCH}&kind=reveals")

    assert "周芳" in said and ref in said and "查看完整电话" in said
    assert said.count("<tbody") == 0  # nothing but the one look, and not the report itself


def test_it_is_narrowed_by_person_number_and_time(auditor: Client) -> None:
    zhou, wu = seen_by("周芳"), seen_by("吴刚")
    assert wu not in rows_of(auditor, f"{MARCH}&kind=reveals&who=周芳")
    said = rows_of(auditor, f"subject={zhou}")
    assert zhou in said and wu not in said
    assert zhou not in rows_of(auditor, "since=2026-04-01&until=2026-04-30&kind=reveals")


def test_the_administration_alone(auditor: Client) -> None:
    ref = seen_by("周芳")
    chief = Person.objects.create(username="chief", name="主管", role="admin").as_actor("admin")
    note_change("token:7", "token.revoke", actor=chief, now=MONDAY_NINE, after={"name": "旧接口"})

    said = rows_of(auditor, f"{MARCH}&kind=administration")

    assert "吊销密钥" in said and "旧接口" in said and ref not in said


def test_pages_follow_each_other_without_a_gap_even_within_one_moment(auditor: Client) -> None:
    chief = Person.objects.create(username="chief", name="主管", role="admin").as_actor("admin")
    for number in range(120):
        at = MONDAY_NINE - timedelta(minutes=number // 40)
        note_change(f"token:{number}", "token.revoke", actor=chief, now=at, after={"name": f"接口{number}号"})
    found: list[str] = []
    address: str | None = f"/admin/audit/?{MARCH}&kind=administration"
    pages = 0
    while address:
        answer = auditor.get(address)
        parts = answer.context["parts"][0]["table"]["rows"]
        found += [str(row[4]) for row in parts]
        after = answer.context["next_after"]
        address = f"/admin/audit/?{MARCH}&kind=administration&after={after}" if after else None
        pages += 1

    assert pages == 3
    assert len(found) == len(set(found)) == 120


@pytest.mark.parametrize(
    "query", ["since=tomorrow", "since=2026-13-40", "until=0001-01-01", "until=9999-12-31", "after=x", "after=9" * 3,
              "kind=everything", "since=2026-03-31&until=2026-03-01", "subject=%00", "who=" + "长" * 500],
)  # fmt: skip
def test_an_address_edited_by_hand_is_no_error(auditor: Client, query: str) -> None:
    assert auditor.get(f"/admin/audit/?{query}").status_code == 200


def test_a_long_list_asks_no_more_than_a_short_one(
    auditor: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    chief = Person.objects.create(username="chief", name="主管", role="admin").as_actor("admin")
    for number in range(60):
        note_change(f"token:{number}", "token.revoke", actor=chief, now=MONDAY_NINE, after={"name": "接口"})
    auditor.get(f"/admin/audit/?{MARCH}")

    with django_assert_max_num_queries(14) as asked:
        auditor.get(f"/admin/audit/?{MARCH}")

    journal = [query["sql"] for query in asked.captured_queries if "journal_entry" in query["sql"]]
    assert len(journal) == 1 and "COUNT" not in journal[0].upper()


def test_the_sheet_holds_what_the_page_shows_and_carries_nothing_out(auditor: Client) -> None:
    ref = seen_by("=HYPERLINK(1)")

    answer = auditor.get(f"/admin/audit/?{MARCH}&kind=reveals&excel=1")

    assert answer["Content-Disposition"].endswith('.xlsx"')
    rows = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python()
    assert rows[0][:3] == ["时间", "谁", "角色"]
    assert rows[1][0] == "2026-03-02 09:00:00"
    assert rows[1][1] == "=HYPERLINK(1)" and rows[1][4] == ref  # as text


def test_a_question_that_takes_too_long_says_so(auditor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    seen_by("周芳")
    monkeypatch.setattr(audit_pages, "PATIENCE_MS", 1)
    monkeypatch.setattr(audit_pages, "entries", lambda asked: Entry.objects.extra(where=["pg_sleep(0.05) IS NOT NULL"]))

    answer = auditor.get(f"/admin/audit/?{MARCH}")

    assert answer.status_code == 200 and "五秒内没有查完" in answer.content.decode()
