"""P15: guesses count for whoever guesses, nobody learns whose name exists, no session outlives its reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from smtplib import SMTPAuthenticationError

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.test import Client
from pytest_django import Settings

from mendline.access.models import Person

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


def test_asking_for_a_new_password_does_not_tell_who_is_known(person: Person) -> None:
    known = Client().post(RESET, {"email": "li@example.com"}, follow=True)
    unknown = Client().post(RESET, {"email": "nobody@example.com"}, follow=True)

    assert (known.status_code, known.redirect_chain) == (unknown.status_code, unknown.redirect_chain)
    assert _said(known.content.decode(), "") == _said(unknown.content.decode(), "")
    told = [address for one in mail.outbox for address in one.to]
    assert told.count("li@example.com") == 1


def test_a_mail_server_that_refuses_does_not_tell_who_is_known(
    person: Person, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise SMTPAuthenticationError(535, b"no such login: mendline")

    monkeypatch.setattr(EmailMessage, "send", refused)
    known = Client(raise_request_exception=False).post(RESET, {"email": "li@example.com"})
    unknown = Client(raise_request_exception=False).post(RESET, {"email": "nobody@example.com"})

    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
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
