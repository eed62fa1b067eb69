"""Signing in: throttled, with a second factor where it is switched on, and nobody signs up."""

from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from mendline.access.models import Person

LOGIN = "/accounts/login/"
ACTIVATE = "/accounts/2fa/totp/activate/"


@pytest.fixture(autouse=True)
def _nobody_failed_yet(settings: Settings) -> None:
    cache.clear()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the subject is another


@pytest.fixture
def person(db: None) -> Person:
    return Person.objects.create_user("liming", "a-long-enough-one", name="李明", role="cc_agent")


def test_a_wrong_password_is_refused_in_chinese_and_the_name_stays(person: Person) -> None:
    answer = Client().post(LOGIN, {"login": "liming", "password": "wrong"})

    page = answer.content.decode()
    assert "用户名或密码不对" in page
    assert 'value="liming"' in page


def test_after_too_many_failures_even_the_right_password_waits(person: Person) -> None:
    client = Client()
    for _ in range(10):
        client.post(LOGIN, {"login": "liming", "password": "wrong"})

    refused = client.post(LOGIN, {"login": "liming", "password": "a-long-enough-one"})
    assert "输错次数太多" in refused.content.decode()
    assert client.get("/queue/").status_code == 302


def test_failures_are_counted_for_all_servers_together(person: Person) -> None:
    """The count is in the database: a server that was just started, with an empty cache, refuses as well."""
    for _ in range(10):
        cache.clear()
        Client().post(LOGIN, {"login": "liming", "password": "wrong"})
    cache.clear()

    locked = Client().post(LOGIN, {"login": "liming", "password": "a-long-enough-one"})
    assert locked.status_code == 429
    assert "暂时锁定" in locked.content.decode()
    colleague = Person.objects.create_user("zhaomin", "another-long-one", name="赵敏", role="cc_agent")
    answer = Client().post(LOGIN, {"login": colleague.username, "password": "another-long-one"})
    assert answer.status_code == 302  # the same office, the same address, another name


def test_the_second_factor_is_asked_for_before_any_page(person: Person) -> None:
    totp.TOTP.activate(person, totp.generate_totp_secret())
    client = Client()
    asked = client.post(LOGIN, {"login": "liming", "password": "a-long-enough-one"}, follow=True)
    assert "双重验证" in asked.content.decode()
    assert client.get("/queue/").status_code == 302

    wrong = client.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert "验证码不对" in wrong.content.decode()
    assert client.get("/queue/").status_code == 302


def test_a_person_switches_the_second_factor_on_after_the_password_again(person: Person) -> None:
    client = Client()
    client.post(LOGIN, {"login": "liming", "password": "a-long-enough-one"})
    asked = client.get(ACTIVATE)
    assert asked.status_code == 302 and "/reauthenticate/" in asked["Location"]

    page = client.post(asked["Location"], {"password": "a-long-enough-one"}, follow=True)
    assert "身份验证器" in page.content.decode()
    secret = page.context["form"].secret
    code = totp.format_hotp_value(totp.hotp_value(secret, next(totp.yield_hotp_counters_from_time())))
    client.post(ACTIVATE, {"code": code})
    assert Authenticator.objects.filter(user=person, type="totp").exists()


def test_nobody_signs_up(db: None) -> None:
    answer = Client().post(
        "/accounts/signup/", {"username": "stranger", "password1": "a-long-enough-1", "password2": "a-long-enough-1"}
    )

    assert not Person.objects.exists(), answer.status_code
