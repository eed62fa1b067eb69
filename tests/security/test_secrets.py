"""P17: a day of work with secrets that are known; afterwards they are where they belong and nowhere else.

Looked through are every line of the log, every answer, every mail and every row of every table.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.totp.internal import auth as totp
from django.core import mail
from django.core.cache import cache
from django.db import IntegrityError, connection, transaction
from django.test import Client
from pytest_django import Settings

from config.log_lines import MaskedLines
from mendline.access import tokens
from mendline.access.models import Person
from mendline.channels.webhook.actions import add_webhook
from mendline.channels.webhook.models import Webhook
from tests.api.conftest import Machine, Machines
from tests.make import MONDAY_NINE
from tests.security.planted import HOLDS_NUMBERS, tables_with

pytestmark = pytest.mark.django_db
PASSWORD, WRONG = "canary-password-right", "canary-password-wrong"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
PHONES = [f"138{number:08d}" for number in range(77_000_000, 77_000_050)]


@pytest.fixture(autouse=True)
def _empty_counts() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def test_after_a_day_of_work_every_secret_is_only_where_it_belongs(
    machine: Machines, people: dict[str, Person], caplog: pytest.LogCaptureFixture, settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    answers: list[bytes] = []
    with caplog.at_level(logging.DEBUG):
        for logger in ("django.db.backends", "asyncio"):
            logging.getLogger(logger).setLevel(logging.WARNING)  # statements are logged in DEBUG mode only
        secret = tokens.issue(people["cc"], "canary")
        person = people["station1"]
        person.set_password(PASSWORD)
        person.email = "station1@example.com"
        person.save()
        totp.TOTP.activate(person, SECRET)
        hook = add_webhook("https://hooks.example.com/canary", ["order.report"], now=MONDAY_NINE)
        answers += _signing_in()
        answers += _reporting(Machine(secret))
        answers += _failing(Machine(secret), monkeypatch)
        monkeypatch.undo()

    hook_secret = Webhook.objects.get(pk=hook.pk).secret
    secrets = [secret, PASSWORD, WRONG, SECRET, hook_secret, settings.SECRET_KEY, "canary-of-a-fault"]
    told = b"\n".join(answers).decode(errors="replace") + "\n".join(str(one.message()) for one in mail.outbox)
    written = MaskedLines("%(asctime)s %(levelname)s %(name)s %(message)s")
    lines = "\n".join(written.format(record) for record in caplog.records)
    assert "Failing row contains" in lines, "control: the database named a row"
    assert [one for one in secrets[:-1] if one in lines] == [], "a secret is in the log"
    assert [one for one in PHONES if one in lines] == [], "a telephone number is in the log"
    assert [one for one in [*secrets, *PHONES] if one in told] == [], "a secret is in an answer or a mail"

    kept = tables_with([*secrets, *PHONES])
    assert kept.pop("channels_webhook") == {hook_secret}, "it signs with it"
    phones_in = {table for table, words in kept.items() if words & set(PHONES)}
    assert phones_in <= HOLDS_NUMBERS, f"telephone numbers in {phones_in - HOLDS_NUMBERS}"
    assert {table for table, words in kept.items() if words - set(PHONES)} == set()
    assert phones_in, "control: where they belong they are found"


def _signing_in() -> Iterator[bytes]:
    client = Client(raise_request_exception=False)
    for password in (WRONG, PASSWORD):
        sent = {"login": "station1", "password": password, "next": "/queue/"}
        yield client.post("/accounts/login/", sent).content
    yield client.post("/accounts/2fa/authenticate/", {"code": "canary-code"}).content
    yield client.post("/accounts/password/reset/", {"email": "station1@example.com"}).content
    yield client.post("/accounts/login/", {"login": "station1"}).content
    yield client.get("/accounts/login/?next=/queue/").content


def _reporting(cc: Machine) -> Iterator[bytes]:
    refs = []
    for phone in PHONES[:8]:
        made = cc.report(customer={"name": "王先生", "phone": phone}, fault="电话里有杂音")
        yield made.content
        refs.append(made.json()["ref"])
    for ref in refs[:2]:
        for path in (f"/orders/{ref}", f"/orders/{ref}/history", "/orders", "/notices"):
            yield cc.get(path).content
        yield cc.step(ref, "urge", urge_note="请尽快").content
        yield cc.step(ref, "promise", promised_at="x").content
    for phone in PHONES[20:24]:
        yield cc.post("/duplicates", {"phone": phone}).content
    for phone in PHONES[30:34]:
        yield cc.report(customer={"name": "王先生", "phone": phone + "0"}).content.replace(phone.encode(), b"")
        yield cc.report(customer={"phone": phone}).content
    yield cc.post("/orders", raw=b'{"given": {"customer": ' + PHONES[41].encode()).content


def _failing(cc: Machine, monkeypatch: pytest.MonkeyPatch) -> Iterator[bytes]:
    """Fault after fault in the middle of things: what is told then is told by nobody's choice."""

    def broken(*_: Any, **__: Any) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            try:
                cursor.execute("INSERT INTO access_person (username, phone) VALUES ('x', %s)", [PHONES[47]])
            except IntegrityError as refused:
                raise RuntimeError("canary-of-a-fault") from refused

    for place in (
        "mendline.orders.transitions.store.load", "mendline.orders.queries.duplicates",
        "mendline.orders.queries.subject_page", "mendline.web.api.shown.receipt",
    ):  # fmt: skip
        with monkeypatch.context() as patched:
            patched.setattr(place, broken)
            made = cc.report(customer={"name": "王先生", "phone": PHONES[45]})
            yield made.content
            yield cc.post("/duplicates", {"phone": PHONES[46]}).content
            yield cc.get("/orders/WX990101-222222222").content
            yield cc.post("/orders/WX990101-222222222/reveal", {"reason": "call_user"}).content


def test_a_line_break_in_a_message_begins_no_line_and_a_line_says_its_offset() -> None:
    record = logging.LogRecord("x", logging.ERROR, "", 0, "%s", ("a\r\n2026-01-01T00:00:00+0800 ERROR forged",), None)
    record.exc_text = "Traceback\n  of ours"

    line, *rest = MaskedLines("%(asctime)s %(message)s").format(record).splitlines()

    assert line.endswith("forged") and rest == ["Traceback", "  of ours"]
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} a", line)


@pytest.mark.parametrize("path", ["/", "/queue/", "/no/such/page", "/api/v1/no/such"])
def test_a_page_that_fails_or_is_not_there_tells_nothing_of_the_inside(
    people: dict[str, Person], path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("canary-of-a-fault")

    monkeypatch.setattr("mendline.web.console.account_pages.home_of", broken)
    client = Client(raise_request_exception=False)
    client.force_login(people["cc"], backend="allauth.account.auth_backends.AuthenticationBackend")
    answer = client.get(path)

    said = answer.content.decode()
    for inside in ("canary", "Traceback", "mendline/", "RuntimeError", "Django", "SELECT", "site-packages"):
        assert inside not in said, inside
    assert "Server" not in answer and "X-Powered-By" not in answer


@pytest.mark.django_db
def test_p17_the_database_server_of_ones_own_writes_no_rows_into_its_log() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW log_error_verbosity")

        assert cursor.fetchone() == ("terse",)
