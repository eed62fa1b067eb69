"""16.3.2, 4.1.2: what was refused to whom is in the log, without a word of what it was about; so is a key in clear."""

from __future__ import annotations

import logging
import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from mendline.access.models import Person, Token
from mendline.web import refusals
from tests.api.conftest import Machine, Machines
from tests.make import a_report

pytestmark = pytest.mark.django_db
LINE = re.compile(
    r"^refused status=\d{3} code=\w+ rule=[A-Z0-9-]+ (key=(\d+|unknown)( person=\d+)?|person=\d+) method=[A-Z]+"
    r" route=\S+( name=\S+)?( code=\S+)?( untold=\d+)?$"
)


@pytest.fixture(autouse=True)
def _hear(caplog: pytest.LogCaptureFixture) -> None:
    cache.clear()
    caplog.set_level(logging.WARNING, logger="mendline.refused")


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "mendline.refused"]


def browser(person: Person) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def test_a_step_of_another_role_says_who_which_step_and_which_rule(
    machine: Machines, people: dict[str, Person], caplog: pytest.LogCaptureFixture
) -> None:
    ref = a_report().ref

    machine("engineer1").post(f"/orders/{ref}/transitions/promise", {"given": {}, "revision": 0})

    (line,) = told(caplog)
    key = Token.objects.get(person=people["engineer1"])
    assert LINE.match(line), line
    assert "status=403 code=wrong_role" in line and f"key={key.pk} person={people['engineer1'].pk} " in line
    assert "name=promise" in line and "rule=-" not in line
    assert ref not in line


def test_a_page_that_is_not_for_this_role_and_an_order_of_another_station_are_told_alike(
    people: dict[str, Person], caplog: pytest.LogCaptureFixture
) -> None:
    order = a_report()
    neighbour = people["station2"]

    browser(neighbour).get("/admin/people/")
    browser(neighbour).get(f"/orders/{order.ref}/")

    page, foreign = told(caplog)
    assert f"status=404 code=not_found rule=- person={neighbour.pk} method=GET route=admin/people/" in page
    assert f"person={neighbour.pk}" in foreign and "route=orders/<str:ref>/" in foreign and order.ref not in foreign


def test_a_key_that_was_revoked_is_named_and_a_stranger_is_not_told_of(
    machine: Machines, people: dict[str, Person], caplog: pytest.LogCaptureFixture
) -> None:
    client = machine("cc")
    Token.objects.filter(person=people["cc"]).update(revoked_at="2026-01-01T00:00Z")

    client.get("/orders")
    Machine("ml_" + "x" * 43).get("/orders")
    Client().get("/api/v1/orders")
    Client().get("/queue/")

    assert [re.search(r"key=\w+", line)[0] for line in told(caplog)] == [  # type: ignore[index]
        f"key={Token.objects.get(person=people['cc']).pk}", "key=unknown",
    ]  # fmt: skip


def test_a_thousand_refusals_are_ten_lines(
    people: dict[str, Person], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "MINUTE", timedelta(hours=1))  # as long as this machine takes
    client = browser(people["station2"])

    for _ in range(30):
        client.get("/admin/people/")

    assert len(told(caplog)) == 10


def test_the_next_minute_says_how_many_were_not_told(
    people: dict[str, Person], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "MINUTE", timedelta(hours=1))
    client = browser(people["station2"])
    for _ in range(13):
        client.get("/admin/people/")
    monkeypatch.setattr(refusals, "MINUTE", timedelta(0))
    client.get("/admin/people/")

    assert told(caplog)[-1].endswith(" untold=3")


def test_what_somebody_typed_is_in_no_line(people: dict[str, Person], caplog: pytest.LogCaptureFixture) -> None:
    client = browser(people["station2"])

    client.get("/orders/13800000001/?q=13800000001")
    client.get("/steps/WX1/13800000001 王先生/")
    client.get("/procedures/王先生/1/")

    assert told(caplog) and all(LINE.match(line) for line in told(caplog)), told(caplog)
    assert not re.search(r"王先生|WX1\b", "".join(told(caplog)))


def test_good_answers_are_not_told(machine: Machines, caplog: pytest.LogCaptureFixture) -> None:
    assert machine("cc").get("/orders").status_code == 200

    assert told(caplog) == []


class TestInClear:
    """The interface over http, where pages are led to https."""

    @pytest.fixture(autouse=True)
    def _production(self, settings: Settings) -> None:
        settings.SECURE_SSL_REDIRECT = True
        settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

    def test_a_call_in_clear_is_refused_and_not_led_on(
        self, machine: Machines, people: dict[str, Person], caplog: pytest.LogCaptureFixture
    ) -> None:
        refused = machine("cc").get("/orders")

        assert (refused.status_code, refused.json()["code"]) == (403, "https_only")
        assert "Location" not in refused and "吊销" in refused.json()["texts"]["zh"]
        token = Token.objects.get(person=people["cc"])
        assert token.revoked_at is None
        assert told(caplog) == [f"a key travelled in clear: key={token.pk}; issue another and revoke it"]

    def test_nothing_is_done_by_it(self, machine: Machines) -> None:
        from mendline.orders.models import RepairOrder

        assert machine("cc").post("/orders", {"given": {}}).status_code == 403
        assert not RepairOrder.objects.unscoped("everybody's: there is none").exists()

    def test_a_key_that_nobody_has_and_a_call_without_one_are_refused_as_well(
        self, db: None, caplog: pytest.LogCaptureFixture
    ) -> None:
        assert Machine("ml_" + "x" * 43).get("/orders").status_code == 403
        assert Client().get("/api/v1/orders").json()["code"] == "https_only"
        assert told(caplog) == ["a key travelled in clear: key=unknown; issue another and revoke it"]

    def test_pages_are_led_to_https_and_calls_by_https_work(self, machine: Machines) -> None:
        page = Client().get("/queue/")
        assert (page.status_code, page["Location"]) == (301, "https://testserver/queue/")
        client = machine("cc")
        client.headers["X-Forwarded-Proto"] = "https"
        assert client.get("/orders").status_code == 200
