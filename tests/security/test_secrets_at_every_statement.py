"""P17: whatever statement fails, and whatever the database then says of it, no secret and no number is told.

Each command is carried out with a failure at its first, second, third … statement. The failure says more than
anybody should read, as databases do: the whole row, the key that was taken, the address it was to be reached at.
Looked through afterwards are the lines of the log, the answers with their headers, the mails and every row.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from smtplib import SMTPAuthenticationError, SMTPServerDisconnected
from typing import Any, TypeAlias

import psycopg
import pytest
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.cache import cache
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client
from django.utils import timezone
from psycopg.errors import NotNullViolation, UniqueViolation
from pytest_django import Settings

import config.log_lines
from config.log_lines import MaskedLines
from mendline.access.models import Person
from mendline.channels.email.adapter import Email
from mendline.contact.outbox import deliver_next
from mendline.sim.faults.sending import Sending, heard_by
from tests.api.conftest import Machine, Reply
from tests.make import a_report
from tests.security.planted import HOLDS_NUMBERS, NUMBERS, SPELLED, Planted, plant, tables_with

WHOLE = os.environ.get("MENDLINE_HOSTILE") == "whole"
STRIDE = 1 if WHOLE else 4  # in the build the first statement, and every fourth after it
MOST_STATEMENTS = 400
pytestmark = pytest.mark.django_db(transaction=True)
Answer: TypeAlias = tuple[int, str]
Command: TypeAlias = Callable[[int], Answer]


@dataclass
class Spill:
    """Fails at one statement and says everything there is to say."""

    place: int
    words: list[str]
    sent: int = 0
    happened: bool = False

    def __call__(self, sending: Sending, carry_out: Callable[[], Any]) -> Any:
        if sending.what not in ("statement", "commit"):
            return carry_out()
        self.sent += 1
        if self.sent != self.place:
            return carry_out()
        self.happened = True
        raise self._fault()

    def _fault(self) -> psycopg.Error:
        values = ", ".join(self.words)
        if self.place % 3 == 0:
            there = "postgresql://app:canary-of-the-database@127.0.0.1/mendline"
            return psycopg.OperationalError(f"connection to {there} failed for {SPELLED[self.place % 50]}")
        if self.place % 3 == 1:
            return UniqueViolation(f"duplicate key\nDETAIL:  Key (a, b)=({values}) already exists.")
        return NotNullViolation(f"null value in column\nDETAIL:  Failing row contains ({values}).\nCONTEXT:  a")


class RefusingMail(EmailBackend):
    """A mail server that repeats in its refusal what it was told, and one that hangs up on it."""

    asked = count()

    def send_messages(self, messages: Any) -> int:
        words = f"canary-of-the-mail-server {SPELLED[3]}"
        if next(self.asked) % 2:
            raise SMTPServerDisconnected(words)
        raise SMTPAuthenticationError(535, words.encode())


@dataclass
class Desk:
    """Whoever carries the commands out, each time with another number to tell."""

    planted: Mapping[str, Planted]
    order: str
    sessions: list[Session]
    numbers: Iterator[str] = field(default_factory=lambda: iter(SPELLED * 100))
    steps: Iterator[int] = field(default_factory=lambda: count(1))

    def signed_in_again(self) -> None:
        """Put back sessions that a failure ended: whoever's sign-in cannot be looked at is signed out, rightly."""
        for one in self.sessions:
            one.save()

    def machine(self, what: str = "key of a machine") -> Machine:
        return Machine(self.planted[what].word)

    def as_session(self, what: str) -> Client:
        client = Client(raise_request_exception=False)
        client.cookies["sessionid"] = self.planted[what].word
        client.cookies["csrftoken"] = self.planted["cookie of forms"].word
        return client

    def word(self, what: str) -> str:
        return self.planted[what].word


def heard(response: Any) -> Answer:
    """Return an answer with its headers; what it sets as a cookie goes to one browser and is no telling."""
    headers = "\n".join(f"{name}: {value}" for name, value in response.headers.items())
    content = response.content if isinstance(response, Reply) or not response.streaming else b""
    return response.status_code, f"{headers}\n{content.decode(errors='replace')}"


def commands(desk: Desk) -> dict[str, Command]:
    """What is carried out; each says what it answered."""
    cc = desk.machine()

    def report(place: int) -> Answer:
        return heard(cc.report(customer={"name": "王先生", "phone": next(desk.numbers)}))

    def urge(place: int) -> Answer:
        return heard(cc.step(desk.order, "urge", urge_note=f"请尽快 {next(desk.steps)}"))

    def look(place: int) -> Answer:
        paths = (f"/orders/{desk.order}", f"/orders/{desk.order}/history", "/orders", "/notices", "/me")
        return heard(cc.get(paths[place % len(paths)]))

    def duplicates(place: int) -> Answer:
        return heard(cc.post("/duplicates", {"phone": next(desk.numbers)}))

    def useless_key(place: int) -> Answer:
        useless = ("revoked key", "expired key", "key of nobody")
        answer = heard(desk.machine(useless[place % 3]).get(f"/me?key={desk.word('key in an address')}"))
        basic = {"Authorization": f"Basic {desk.word('key as a password')}"}
        return answer[0], answer[1] + heard(Client(raise_request_exception=False).get("/api/v1/me", headers=basic))[1]

    def sign_in(place: int) -> Answer:
        cache.clear()
        client = Client(raise_request_exception=False)
        wrong = heard(client.post("/accounts/login/", {"login": "station1", "password": desk.word("wrong password")}))
        right = heard(client.post("/accounts/login/", {"login": "station1", "password": desk.word("password")}))
        codes = (desk.word("wrong code"), desk.word("code to be used"), desk.word("code kept"))
        third = heard(client.post("/accounts/2fa/authenticate/", {"code": codes[0]}))
        return right[0], wrong[1] + right[1] + third[1]

    def change_password(place: int) -> Answer:
        changed = {"oldpassword": desk.word("wrong password"), "password1": desk.word("refused password"),
                   "password2": desk.word("repeated password")}  # fmt: skip
        return heard(desk.as_session("session of the office").post("/accounts/password/change/", changed))

    def reset(place: int) -> Answer:
        cache.clear()
        return heard(Client(raise_request_exception=False).post(
            "/accounts/password/reset/", {"email": "station1@example.com"}
        ))  # fmt: skip

    def pages(place: int) -> Answer:
        paths = ("/queue/", f"/orders/{desk.order}/", "/intake/", "/search/?q=138", "/settings/signins/")
        status, page = heard(desk.as_session("session").get(paths[place % len(paths)]))
        for own in ("key of drafts", "ticket"):  # what its own reader's browser is given
            page = page.replace(desk.word(own), "")
        return status, page

    def office(place: int) -> Answer:
        paths = ("people/", "tokens/", "webhooks/", "outbox/", "audit/", "")
        return heard(desk.as_session("session of the office").get("/admin/" + paths[place % len(paths)]))

    def deliver(place: int) -> Answer:
        done = deliver_next("email", Email(), now=timezone.now() + timedelta(hours=next(desk.steps)))
        return 200 if done else 204, ""

    return {
        "report": report, "urge": urge, "look": look, "duplicates": duplicates, "useless key": useless_key,
        "sign in": sign_in, "change a password": change_password, "reset": reset, "pages": pages, "office": office,
        "deliver": deliver,
    }  # fmt: skip


@dataclass
class Told:
    """All that anybody or anything was told."""

    desk: Desk
    answers: list[str] = field(default_factory=list)
    failures: dict[str, int] = field(default_factory=dict)
    statuses: set[int] = field(default_factory=set)

    def carry_out(self, name: str, command: Command, words: list[str]) -> None:
        """Carry a command out with a failure at one statement after another, and at last without one."""
        for place in count(1, STRIDE):
            assert place < MOST_STATEMENTS, f"{name} never reached its end"
            self.desk.signed_in_again()
            spill = Spill(place, words)
            with heard_by(spill):
                try:
                    status, answer = command(place)
                except psycopg.Error:
                    raise AssertionError(f"{name}: the failure of statement {place} reached the caller") from None
                except Exception as fault:  # the worker's round ends; its loop logs it and goes on
                    logging.getLogger("worker").error("the round failed", exc_info=fault)
                    status, answer = 0, ""
            self.answers.append(answer)
            self.statuses.add(status)
            if not spill.happened:
                return
            self.failures[name] = self.failures.get(name, 0) + 1


@pytest.fixture
def desk(people: dict[str, Person], settings: Settings) -> Iterator[Desk]:
    cache.clear()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.EMAIL_BACKEND = f"{__name__}.RefusingMail"
    settings.ACCOUNT_RATE_LIMITS = {"login": None, "login_failed": None}
    settings.AXES_FAILURE_LIMIT = 10_000  # not how often one may guess, but what is written of a guess
    order = a_report(now=timezone.now())
    planted = plant(people, settings)
    yield Desk(planted, order.ref, [*Session.objects.all()])
    cache.clear()


@contextmanager
def listened(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.DEBUG):
        for name in ("django.db.backends", "asyncio"):
            logging.getLogger(name).setLevel(logging.WARNING)  # statements are logged in DEBUG mode only
        yield


def lines_of(caplog: pytest.LogCaptureFixture) -> str:
    written = MaskedLines("%(asctime)s %(levelname)s %(name)s %(message)s")
    return "\n".join(written.format(record) for record in caplog.records)


def test_p17_thirty_secrets_and_fifty_numbers_are_told_by_no_failure(
    desk: Desk, caplog: pytest.LogCaptureFixture, record_property: Callable[[str, object], None]
) -> None:
    secrets = {one.word: one.what for one in desk.planted.values()}
    assert len(secrets) >= 30 and len({*SPELLED}) == len({*NUMBERS}) == 50
    words, told = [*secrets, *SPELLED], Told(desk)
    with listened(caplog):
        for name, command in commands(desk).items():
            told.carry_out(name, command, words)

    record_property("secrets / 个机密", len(secrets))
    record_property("telephone numbers / 个电话", len({*NUMBERS}))
    lines = lines_of(caplog)
    assert {*told.failures} == {*commands(desk)}, "every command met a failure"
    assert {200, 500} <= told.statuses
    assert "DETAIL" in lines and "canary" not in lines.replace("***", ""), "control: the database said more"
    everything = "\n".join([*told.answers, *(str(one.message()) for one in mail.outbox)])
    assert _in(lines, secrets) == [], "a secret is in the log"
    assert [one for one in {*SPELLED, *NUMBERS} if one in lines] == [], "a number is in the log"
    assert _in(everything, secrets) == [], "a secret is in an answer or a mail"
    assert [one for one in {*SPELLED, *NUMBERS} if one in everything] == [], "a number is in an answer or a mail"
    _only_where_they_live(desk)


def _in(text: str, secrets: Mapping[str, str]) -> list[str]:
    return [what for word, what in secrets.items() if word in text]


def _only_where_they_live(desk: Desk) -> None:
    kept = tables_with([one.word for one in desk.planted.values()])
    astray = [
        f"{one.what} in {table}" for one in desk.planted.values()
        for table, words in kept.items() if one.word in words and table not in one.lives_in
    ]  # fmt: skip
    assert astray == []
    homes = {(table, one.what) for one in desk.planted.values() for table in one.lives_in if table in kept}
    assert {what for _, what in homes} >= {"hash of a password", "key of a webhook", "session"}, "control"
    numbers = tables_with([*SPELLED, *NUMBERS])
    assert numbers and {*numbers} <= HOLDS_NUMBERS, f"numbers in {numbers.keys() - HOLDS_NUMBERS}"


def test_p17_control_a_line_that_is_not_masked_tells_them(
    desk: Desk, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config.log_lines, "masked", lambda text: text)
    words, told = [one.word for one in desk.planted.values()], Told(desk)
    with listened(caplog):
        told.carry_out("duplicates", commands(desk)["duplicates"], [*words, *SPELLED])

    lines = lines_of(caplog)
    assert all(word in lines for word in [*words, *SPELLED])
