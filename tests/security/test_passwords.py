"""P15: guesses count for whoever guesses, nobody learns whose name exists, no session outlives its reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from smtplib import SMTPAuthenticationError
from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings

from mendline.access.models import Person
from mendline.web.jobs import send_password_link

LOGIN, LOGOUT, CHANGE = "/accounts/login/", "/accounts/logout/", "/accounts/password/change/"
RESET = "/accounts/password/reset/"
PASSWORD, ANOTHER = "a-long-enough-one", "quite-another-one-7"
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="[^"]+"|"X-CSRFToken": "[^"]+"|&quot;[A-Za-z0-9]{64}&quot;')

pytestmark = pytest.mark.django_db


class CountingHasher(MD5PasswordHasher):
    """Quick, and it knows how often it was asked: what a stranger could measure with a watch."""

    asked = 0

    def encode(self, password: str, salt: str) -> str:
        type(self).asked += 1
        return super().encode(password, salt)


@pytest.fixture(autouse=True)
def _nobody_failed_yet(settings: Settings) -> Iterator[None]:
    cache.clear()
    CountingHasher.asked = 0
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]
    yield
    cache.clear()


@pytest.fixture
def person() -> Person:
    return Person.objects.create_user("liming", PASSWORD, name="李明", role="cc_agent", email="li@example.com")


def signed_in(password: str = PASSWORD, **extra: str) -> Client:
    client = Client(**extra)  # type: ignore[arg-type]  # headers and addresses
    client.post(LOGIN, {"login": "liming", "password": password})
    return client


def is_in(client: Client) -> bool:
    return client.get("/settings/").status_code == 200


def behind_proxy(settings: Settings, count: int = 1) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = count


def from_address(address: str) -> dict[str, str]:
    return {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": address}


def test_a_stranger_behind_the_proxy_locks_himself_out_and_nobody_else(person: Person, settings: Settings) -> None:
    behind_proxy(settings)
    for _ in range(12):
        signed_in("wrong", **from_address("203.0.113.9"))

    assert not is_in(signed_in(**from_address("203.0.113.9")))
    assert is_in(signed_in(**from_address("198.51.100.7")))


def test_control_without_the_proxys_word_one_stranger_locks_everybody_out(person: Person, settings: Settings) -> None:
    behind_proxy(settings, 0)
    for _ in range(12):
        signed_in("wrong", **from_address("203.0.113.9"))

    assert not is_in(signed_in(**from_address("198.51.100.7")))


def test_what_a_caller_says_of_his_own_address_is_not_believed(person: Person, settings: Settings) -> None:
    """A proxy that appends puts the real address last; where there is no proxy the header counts for nothing."""
    behind_proxy(settings)
    for number in range(12):
        signed_in("wrong", **from_address(f"192.0.2.{number}, 203.0.113.9"))
    assert not is_in(signed_in(**from_address("192.0.2.99, 203.0.113.9")))

    behind_proxy(settings, 0)
    for number in range(12):
        signed_in("wrong", REMOTE_ADDR="203.0.113.77", HTTP_X_FORWARDED_FOR=f"192.0.2.{number}")
    assert not is_in(signed_in(REMOTE_ADDR="203.0.113.77", HTTP_X_FORWARDED_FOR="192.0.2.200"))


def test_one_word_tried_on_many_names_is_stopped_at_sixty_a_minute(person: Person) -> None:
    for number in range(61):
        Client().post(LOGIN, {"login": f"name{number}", "password": "spring2026"})

    assert not is_in(signed_in())


@pytest.mark.parametrize("name", ["nobody", "liming ", "LIMING", "liming\u200b", "' OR 1=1 --", "李明"])
def test_a_name_that_exists_and_one_that_does_not_are_answered_alike(person: Person, name: str) -> None:
    CountingHasher.asked = 0
    known = Client().post(LOGIN, {"login": "liming", "password": "wrong"})
    asked = CountingHasher.asked
    unknown = Client().post(LOGIN, {"login": name, "password": "wrong"})

    assert unknown.status_code == known.status_code == 200
    assert _said(unknown.content.decode(), name) == _said(known.content.decode(), "liming")
    assert CountingHasher.asked == 2 * asked > 0, "as much work for one as for the other"


def _said(page: str, name: str) -> str:
    """Return a page without its form tokens and the name that was typed."""
    return re.sub(r'value="[^"]*"', 'value=""', _TOKEN.sub("", page))


def asked_for(email: str) -> tuple[list[str], Any]:
    """Ask for a new password; returns the kinds of statement that this took and the answer."""
    with CaptureQueriesContext(connection) as asked:
        answer = Client(raise_request_exception=False).post(RESET, {"email": email})
    return [re.sub(r"'[^']*'|\d+", "?", one["sql"]) for one in asked.captured_queries], answer


def test_asking_for_a_new_password_does_not_tell_who_is_known(person: Person) -> None:
    """P15: what a stranger could measure with a watch is counted: statements and mails. The rest is the worker's."""
    asked_for("first@example.com")  # of a process that has just begun
    known, said = asked_for("li@example.com")
    unknown, said_too = asked_for("no@example.com")

    assert known == unknown and any("procrastinate" in one for one in known)
    assert (said.status_code, said["Location"]) == (said_too.status_code, said_too["Location"])
    shown, shown_too = (Client().get(one["Location"]).content.decode() for one in (said, said_too))
    assert _said(shown, "") == _said(shown_too, "")
    assert mail.outbox == []


def test_p15_control_a_look_at_who_it_is_would_be_seen(person: Person, settings: Settings) -> None:
    settings.ACCOUNT_FORMS = {}

    assert asked_for("li@example.com")[0] != asked_for("no@example.com")[0]


@pytest.mark.django_db(transaction=True)
def test_the_worker_sends_the_link_to_whoever_is_known_and_to_nobody_else() -> None:
    Person.objects.create_user("liming", PASSWORD, name="李明", role="cc_agent", email="Li@example.com")
    gone = Person.objects.create_user("gone", PASSWORD, name="王强", role="cc_agent", email="gone@example.com")
    Person.objects.filter(pk=gone.pk).update(is_active=False)
    for email in ("LI@example.com", "no@example.com", "gone@example.com"):
        asked_for(email)

    call_command("worker", "--once")

    assert [one.to for one in mail.outbox] == [["Li@example.com"]]
    link = re.search(r"http://testserver(/\S+)", str(mail.outbox[0].body))
    assert link
    client = Client()
    form = client.get(link[1], follow=True)
    client.post(form.request["PATH_INFO"], {"password1": ANOTHER, "password2": ANOTHER})
    assert is_in(signed_in(ANOTHER)) and not is_in(signed_in())


@pytest.mark.django_db(transaction=True)
def test_a_request_that_waited_for_more_than_an_hour_is_not_answered() -> None:
    Person.objects.create_user("liming", PASSWORD, name="李明", role="cc_agent", email="li@example.com")
    for minutes in (59, 61):
        asked_at = timezone.now() - timedelta(minutes=minutes)
        send_password_link.defer(email="li@example.com", server=f"http://{minutes}", asked_at=asked_at.isoformat())

    call_command("worker", "--once")

    (sent,) = mail.outbox
    assert "http://59/accounts/" in sent.body


@pytest.mark.django_db(transaction=True)
def test_a_mail_server_that_refuses_is_asked_again_and_its_words_stay_out_of_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    Person.objects.create_user("liming", PASSWORD, name="李明", role="cc_agent", email="li@example.com")

    def refused(*_: object, **__: object) -> None:
        raise SMTPAuthenticationError(535, b"no such login: mendline")

    monkeypatch.setattr(EmailMessage, "send", refused)
    asked_for("li@example.com")
    call_command("worker", "--once")

    job = ProcrastinateJob.objects.get(task_name="mendline.web.jobs.send_password_link")
    assert (job.status, job.attempts) == ("todo", 1)
    assert "SMTPAuthenticationError" in caplog.text and "no such login" not in caplog.text


def test_signing_in_begins_a_new_session_and_ends_the_one_before(person: Person) -> None:
    client = Client()
    client.get(LOGIN)
    client.cookies["sessionid"] = "a" * 32  # set by somebody else, who waits for it to become worth something
    client.post(LOGIN, {"login": "liming", "password": PASSWORD})

    key = client.cookies["sessionid"].value
    assert len(key) == 32 and key != "a" * 32
    stranger = Client()
    stranger.cookies["sessionid"] = "a" * 32
    assert not is_in(stranger) and is_in(client)


def test_signing_out_ends_the_session_here_and_not_only_in_the_browser(person: Person) -> None:
    client = signed_in()
    kept = client.cookies["sessionid"].value
    client.post(LOGOUT)
    thief = Client()
    thief.cookies["sessionid"] = kept

    assert not is_in(thief)


def test_a_new_password_ends_all_other_sessions_and_keeps_this_one(person: Person) -> None:
    here, there = signed_in(), signed_in()
    assert is_in(there)

    changed = here.post(CHANGE, {"oldpassword": PASSWORD, "password1": ANOTHER, "password2": ANOTHER})

    assert changed.status_code == 302
    assert (is_in(here), is_in(there)) == (True, False)
    assert not is_in(signed_in()) and is_in(signed_in(ANOTHER))


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        ({"oldpassword": "wrong"}, "the old one is wrong"),
        ({"password1": "short1!", "password2": "short1!"}, "seven signs"),
        ({"password1": "password1", "password2": "password1"}, "among the best known"),
        ({"password1": "Liming.99", "password2": "Liming.99"}, "one's own name"),
        ({"password1": "8264719305", "password2": "8264719305"}, "digits only"),
        ({"password1": "Mendline2026!", "password2": "Mendline2026!"}, "the name of the house and a year"),
        ({"password1": "统修维修站密码888", "password2": "统修维修站密码888"}, "words of the house"),
    ],
)
def test_a_password_that_is_easy_to_guess_is_not_taken(person: Person, wish: dict[str, str], why: str) -> None:
    client = signed_in()
    answer = client.post(CHANGE, {"oldpassword": PASSWORD, "password1": ANOTHER, "password2": ANOTHER, **wish})

    assert answer.status_code == 200, why
    assert is_in(signed_in())


@pytest.mark.parametrize(
    "password", ["x" * 64 + " 和一些中文 ", "　全角空格也算　密码　", "correct horse battery staple"]
)
def test_a_long_password_with_any_signs_is_taken_whole(person: Person, password: str) -> None:
    client = signed_in()
    client.post(CHANGE, {"oldpassword": PASSWORD, "password1": password, "password2": password})

    assert is_in(signed_in(password))
    assert not is_in(signed_in(password[:-1])) and not is_in(signed_in(password.strip() + "!"))


def test_the_page_lets_password_managers_fill_it_in() -> None:
    page = Client().get(LOGIN).content.decode()

    assert re.search(r'<input[^>]*type="password"[^>]*>', page)
    assert 'autocomplete="current-password"' in page and "onpaste" not in page


@pytest.mark.parametrize(
    "there",
    ["https://evil.example/", "//evil.example/", "/\\evil.example", "https:evil.example", "javascript:alert(1)",
     "/%09/evil.example", "\t//evil.example", "http://testserver@evil.example/"],
)  # fmt: skip
def test_after_signing_in_nobody_is_sent_to_another_host(person: Person, there: str) -> None:
    answer = Client().post(LOGIN, {"login": "liming", "password": PASSWORD, "next": there})

    assert answer.status_code == 302
    assert answer["Location"].startswith("/") and not re.match(r"/[\\/\t]", answer["Location"])
