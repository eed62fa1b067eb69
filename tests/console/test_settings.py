"""A person's own settings: language, light or dark, the clock, and what to be told by which channel."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from mendline.access.models import Person
from mendline.contact.notice_kinds import kinds_for
from mendline.journal.models import Outgoing
from mendline.orders.models import RepairOrder
from tests.console.conftest import SignIn
from tests.make import a_report

pytestmark = pytest.mark.django_db


def looks(client: Client, **chosen: str) -> Any:
    return client.post("/settings/", {"part": "looks", **chosen})


def notices(client: Client, **chosen: Any) -> Any:
    return client.post("/settings/", {"part": "notices", **chosen})


def me(role: str) -> Person:
    return Person.objects.get(role=role)


def test_the_language_goes_with_the_person_to_another_machine(signed_in: SignIn) -> None:
    looks(signed_in("cc_agent"), language="en")

    elsewhere = signed_in("cc_agent", language="zh-hans")

    assert "My settings" in elsewhere.get("/settings/").content.decode()


def test_switching_the_language_on_a_page_is_kept_as_well(signed_in: SignIn) -> None:
    client = signed_in("cc_agent")
    client.post("/i18n/setlang/", {"language": "en", "next": "/settings/"})

    assert me("cc_agent").language == "en"
    assert "My settings" in signed_in("cc_agent", language="zh-hans").get("/settings/").content.decode()


def test_a_language_nobody_speaks_is_not_kept(signed_in: SignIn) -> None:
    client = signed_in("cc_agent")
    client.post("/i18n/setlang/", {"language": "xx", "next": "/settings/"})
    looks(client, language="xx", theme="pink", zone="Mars/Olympus")

    person = me("cc_agent")
    assert (person.language, person.theme, person.zone) == ("", "", "")


def test_light_or_dark_comes_with_the_page(signed_in: SignIn) -> None:
    client = signed_in("cc_agent")
    assert "data-theme" not in client.get("/settings/").content.decode().split("<head>")[0]

    assert client.post("/settings/theme/", {"theme": "dark"}).status_code == 204

    assert 'data-theme="dark"' in signed_in("cc_agent").get("/settings/").content.decode().split("<head>")[0]
    assert signed_in("cc_agent").get("/settings/theme/").status_code == 405


@pytest.mark.parametrize("zone", ["", "Asia/Urumqi", "Europe/London"])
def test_a_promise_typed_on_ones_own_clock_is_the_same_moment_for_all(signed_in: SignIn, zone: str) -> None:
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    wanted = now + timedelta(hours=30)
    order = a_report(now=now - timedelta(hours=1))
    client = signed_in("station_coordinator")
    looks(client, zone=zone)
    person_zone = me("station_coordinator").zone or "Asia/Shanghai"
    with timezone.override(person_zone):
        local = f"{timezone.localtime(wanted):%Y-%m-%dT%H:%M}"

    answer = client.post(f"/steps/{order.ref}/promise/", {"promised_at": local, "revision": "0"})

    assert answer.status_code in (200, 204, 302), answer.content.decode()[:800]
    kept = RepairOrder.objects.unscoped("a test looks").get(ref=order.ref)
    assert datetime.fromisoformat(kept.facts["t3_promises"][0]["at"]) == wanted


def test_times_are_shown_on_the_persons_clock_and_the_page_says_so(signed_in: SignIn) -> None:
    order = a_report(now=datetime(2026, 3, 2, 1, 0, tzinfo=UTC))  # nine in Shanghai, one in the night in London
    client = signed_in("station_coordinator")
    assert "09:00" in client.get(f"/orders/{order.ref}/").content.decode()

    looks(client, zone="Europe/London")

    said = client.get(f"/orders/{order.ref}/").content.decode()
    assert "01:00" in said and "伦敦时间（UTC+0）" in said
    neighbour = signed_in("cc_agent").get(f"/orders/{order.ref}/").content.decode()
    assert "09:00" in neighbour and "伦敦" not in neighbour


def test_limits_stay_those_of_the_station_whoever_looks(signed_in: SignIn) -> None:
    order = a_report(now=datetime(2026, 3, 2, 1, 0, tzinfo=UTC))
    due = RepairOrder.objects.unscoped("a test looks").get(ref=order.ref).due_at
    client = signed_in("station_coordinator")
    looks(client, zone="America/New_York")
    client.get(f"/orders/{order.ref}/")

    again = a_report(now=datetime(2026, 3, 2, 1, 0, tzinfo=UTC), address="上地信息路3号")
    assert RepairOrder.objects.unscoped("a test looks").get(ref=again.ref).due_at == due


def test_a_chosen_zone_ends_with_the_request(signed_in: SignIn) -> None:
    looks(signed_in("cc_agent"), zone="Europe/London")
    signed_in("cc_agent").get("/settings/")
    assert timezone.get_current_timezone_name() == "Asia/Shanghai"


def test_what_one_answers_for_cannot_be_switched_off_and_the_page_says_why(signed_in: SignIn) -> None:
    client = signed_in("station_coordinator")
    assert "由您负责" in client.get("/settings/").content.decode()

    notices(client)  # nothing ticked

    hidden = me("station_coordinator").notice_choices["hidden"]
    assert "urged" in hidden and "contact_overdue" not in hidden


def test_a_hidden_notice_is_gone_from_the_list_and_from_the_count(signed_in: SignIn) -> None:
    order = a_report()
    client = signed_in("station_coordinator")
    assert order.ref in client.get("/notices/").content.decode()
    Person.objects.update(notices_seen_id=0)
    others = [kind.name for kind in kinds_for("station_coordinator") if kind.name != "new_order"]

    notices(client, shown=others)

    said = client.get("/notices/").content.decode()
    assert order.ref not in said and "没有通知" in said
    assert Outgoing.objects.filter(notice="new_order").exists()  # it was told, and stays in the history of the order


def test_quiet_hours_and_the_summary_are_kept_as_typed(signed_in: SignIn) -> None:
    client = signed_in("station_coordinator")
    notices(client, mailed=["urged"], quiet_from="22:00", quiet_until="07:30", digest_at="08:00")

    person = me("station_coordinator")
    assert (person.quiet_from, person.quiet_until, person.digest_at) == (time(22), time(7, 30), time(8))
    assert person.notice_choices["mailed"] == ["urged"]
    said = client.get("/settings/").content.decode()
    assert 'value="22:00"' in said and 'value="08:00"' in said


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"quiet_from": "25:00"}, "quiet_from"),
        ({"digest_at": "soon"}, "digest_at"),
        ({"quiet_until": "07:00"}, "quiet_from"),
    ],
)
def test_a_wrong_time_is_named_and_nothing_is_kept(signed_in: SignIn, typed: dict[str, str], field: str) -> None:
    client = signed_in("station_coordinator")

    answer = notices(client, mailed=["urged"], **typed)

    assert answer.status_code == 422
    assert list(answer.context["wrong"]) == [field]
    assert me("station_coordinator").notice_choices == {}


def test_settings_are_the_persons_own(signed_in: SignIn) -> None:
    signed_in("station_coordinator", station_no="000002")
    looks(signed_in("station_coordinator"), zone="Europe/London")
    assert sorted(Person.objects.values_list("zone", flat=True)) == ["", "Europe/London"]


@pytest.mark.parametrize("role", ["cc_agent", "admin", "station_engineer", "hq_interface"])
def test_every_role_has_settings(signed_in: SignIn, role: str) -> None:
    assert signed_in(role).get("/settings/").status_code == 200
