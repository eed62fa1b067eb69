"""Who may call: keys, sessions, and how soon a change of them counts."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from mendline.access import tokens
from mendline.access.models import Person, Token
from mendline.orders.models import RepairOrder
from tests.api.conftest import Machine, Machines
from tests.make import REPORT

pytestmark = pytest.mark.django_db
People = dict[str, Person]


def test_nobody_is_told_to_sign_in(people: People) -> None:
    answer = Client().get("/api/v1/me")

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("sent", ["Bearer", "Bearer x", "Basic eDp4", "Bearer ml_" + "a" * 43, "Bearer \x00", "ml_"])
def test_a_key_that_is_none_is_a_401(people: People, sent: str) -> None:
    assert Client().get("/api/v1/me", headers={"Authorization": sent}).status_code == 401
    made = Client().post("/api/v1/orders", headers={"Authorization": sent, "Idempotency-Key": "one"})
    assert made.status_code == 401


def test_only_a_digest_of_a_key_is_kept(people: People) -> None:
    secret = tokens.issue(people["cc"], "bridge")

    kept = Token.objects.get()
    assert secret.startswith("ml_") and len(secret) == 46
    assert secret not in str(kept.__dict__) and kept.digest == tokens.digest_of(secret)


def test_a_revoked_key_is_useless_from_the_next_call_on(people: People) -> None:
    caller = Machine(tokens.issue(people["cc"], "bridge"))
    assert caller.get("/me").status_code == 200

    tokens.revoke(Token.objects.get(), timezone.now())

    assert caller.get("/me").status_code == 401
    assert caller.report().status_code == 401


@pytest.mark.parametrize(("minutes", "status"), [(-1, 401), (1, 200)])
def test_a_key_ends_at_its_time(people: People, minutes: int, status: int) -> None:
    secret = tokens.issue(people["cc"], "bridge", expires_at=timezone.now() + timedelta(minutes=minutes))

    assert Machine(secret).get("/me").status_code == status


def test_a_deactivated_person_takes_the_keys_along(people: People, machine: Machines) -> None:
    caller = machine("cc")
    Person.objects.filter(username="cc").update(is_active=False)

    assert caller.get("/me").status_code == 401


def test_a_changed_role_counts_from_the_very_next_call(people: People, machine: Machines) -> None:
    caller = machine("station1")
    ref = machine("cc").report().json()["ref"]
    assert caller.get(f"/orders/{ref}").status_code == 200

    Person.objects.filter(username="station1").update(station_no="000002")

    assert caller.get(f"/orders/{ref}").status_code == 404
    assert caller.step(ref, "download").status_code == 404


@pytest.mark.parametrize("change", [{"is_active": False}, {"role": "station_engineer", "station_no": "000001"}])
def test_who_is_remembered_is_asked_for_again_before_anything_is_written(
    people: People, machine: Machines, change: dict[str, object]
) -> None:
    caller = machine("cc")
    assert caller.report().status_code == 201  # from here on the key is remembered

    Person.objects.filter(username="cc").update(**change)

    assert caller.report().status_code == (401 if "is_active" in change else 403)
    assert RepairOrder.objects.unscoped("a test").count() == 1


def test_a_remembered_key_that_was_revoked_is_told_nothing_but_that(people: People) -> None:
    caller = Machine(tokens.issue(people["cc"], "bridge"))
    ref = caller.report().json()["ref"]

    tokens.revoke(Token.objects.get(), timezone.now())

    assert caller.report().status_code == 401
    assert caller.step(ref, "no_such_step").status_code == 401  # and not what is wrong with the step
    assert caller.post("/orders", raw=b"{").status_code == 401


def test_a_remembered_caller_costs_no_statement_of_his_own(people: People, machine: Machines) -> None:
    caller = machine("cc")
    with CaptureQueriesContext(connection) as first:
        assert caller.report().status_code == 201
    with CaptureQueriesContext(connection) as second:
        assert caller.report().status_code == 201

    assert sum("FROM access_token" in one["sql"] for one in first) == 1
    assert len(second) < len(first) and sum("FROM access_token" in one["sql"] for one in second) == 1


def test_the_same_key_is_answered_alike_whether_its_caller_is_remembered_or_not(machine: Machines) -> None:
    caller = machine("cc")
    body = {"given": REPORT}
    first, again = caller.post("/orders", body, key="one"), caller.post("/orders", body, key="one")
    other, replayed = caller.post("/orders", body, key="two"), caller.post("/orders", body, key="two")

    assert (first.status_code, first.content, other.content) == (201, again.content, replayed.content)
    assert again["Idempotency-Replayed"] == replayed["Idempotency-Replayed"] == "true"


def test_a_key_that_may_only_read_writes_nothing(people: People) -> None:
    caller = Machine(tokens.issue(people["cc"], "reports", scopes=["read"]))

    answer = caller.report()

    assert (answer.status_code, answer.json()["code"]) == (403, "token_scope")
    assert caller.get("/orders").json()["items"] == []


def test_a_key_that_may_only_write_reads_nothing(people: People) -> None:
    caller = Machine(tokens.issue(people["cc"], "web form", scopes=["write"]))

    assert caller.report().status_code == 201
    assert caller.get("/orders").status_code == 403


def test_a_session_works_and_needs_its_csrf_token_to_write(people: People) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(people["cc"], backend="allauth.account.auth_backends.AuthenticationBackend")
    body, key = {"given": REPORT}, {"Idempotency-Key": "one"}
    assert browser.get("/api/v1/me").json()["name"] == "cc"

    without = browser.post("/api/v1/orders", body, content_type="application/json", headers=key)
    token = "x" * 32
    browser.cookies["csrftoken"] = token
    foreign = browser.post(
        "/api/v1/orders", body, content_type="application/json", headers={**key, "X-CSRFToken": "y" * 32}
    )
    right = browser.post("/api/v1/orders", body, content_type="application/json", headers={**key, "X-CSRFToken": token})

    assert (without.status_code, without.json()["code"]) == (403, "csrf")
    assert foreign.status_code == 403
    assert right.status_code == 201


def test_the_command_issues_lists_and_revokes(people: People) -> None:
    out, said = StringIO(), StringIO()
    call_command("token", "issue", "bridge", "--person", "cc", "--days", "7", stdout=out, stderr=said)
    secret = out.getvalue().strip()
    assert Machine(secret).get("/me").status_code == 200

    listed = StringIO()
    call_command("token", "list", stdout=listed)
    assert "bridge" in listed.getvalue() and secret not in listed.getvalue()

    call_command("token", "revoke", str(Token.objects.get().pk), stdout=StringIO())
    assert Machine(secret).get("/me").status_code == 401
