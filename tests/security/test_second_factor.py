"""P15: the second factor holds against guesses from many addresses, and a code that was used is used up."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from django.core.cache import cache
from django.db import connection
from django.test import Client
from pytest_django import Settings

from mendline.access.models import Person
from mendline.web.console.second_factor import NOTES

LOGIN, CODE = "/accounts/login/", "/accounts/2fa/authenticate/"
PASSWORD = "a-long-enough-one"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture(autouse=True)
def _nobody_failed_yet(settings: Settings) -> None:
    cache.clear()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the subject is another
    settings.MFA_TOTP_TOLERANCE = 1  # the half minute may end between making a code and sending it


@pytest.fixture
def person(db: None) -> Person:
    return _with_factor("liming")


def _with_factor(username: str) -> Person:
    person = Person.objects.create_user(username, PASSWORD, name="李明", role="cc_agent")
    totp.TOTP.activate(person, SECRET)
    return person


def _right_code() -> str:
    counters = list(totp.yield_hotp_counters_from_time())
    code: str = totp.format_hotp_value(totp.hotp_value(SECRET, counters[len(counters) // 2]))
    return code


def _wrong_code() -> str:
    right = {totp.format_hotp_value(totp.hotp_value(SECRET, one)) for one in totp.yield_hotp_counters_from_time()}
    return next(code for code in ("000000", "111111", "222222", "333333") if code not in right)


def _at_the_second_door(address: str = "192.0.2.1", username: str = "liming") -> Client:
    cache.clear()  # as another web process would find it
    client = Client(REMOTE_ADDR=address)
    client.post(LOGIN, {"login": username, "password": PASSWORD})
    return client


def _is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def _guess_ten_times() -> None:
    for number in range(10):
        _at_the_second_door(f"192.0.2.{number}").post(CODE, {"code": _wrong_code()})


def test_ten_wrong_codes_from_ten_addresses_close_the_door_for_the_right_one(person: Person) -> None:
    _guess_ten_times()
    client = _at_the_second_door("198.51.100.1")

    refused = client.post(CODE, {"code": _right_code()})

    assert not _is_in(client)
    assert "输错次数太多" in refused.content.decode()


def test_control_a_count_in_the_cache_alone_lets_the_eleventh_in(person: Person, settings: Settings) -> None:
    settings.MFA_FORMS = {}
    _guess_ten_times()
    client = _at_the_second_door("198.51.100.1")

    client.post(CODE, {"code": _right_code()})

    assert _is_in(client)


def test_nine_wrong_codes_and_the_right_one_are_an_ordinary_morning(person: Person) -> None:
    for _ in range(9):
        _at_the_second_door().post(CODE, {"code": _wrong_code()})
    client = _at_the_second_door()

    client.post(CODE, {"code": _right_code()})

    assert _is_in(client)
    assert Authenticator.objects.get(user=person).data[NOTES]["failures"] == []


def test_the_door_opens_again_fifteen_minutes_after_the_guesses(person: Person) -> None:
    _guess_ten_times()
    row = Authenticator.objects.get(user=person)
    row.data[NOTES]["failures"] = [at - 15 * 60 for at in row.data[NOTES]["failures"]]
    row.save()
    client = _at_the_second_door()

    client.post(CODE, {"code": _right_code()})

    assert _is_in(client)


def test_a_code_opens_the_door_once_in_all_web_processes(person: Person) -> None:
    code, first, second = _right_code(), _at_the_second_door(), _at_the_second_door()
    first.post(CODE, {"code": code})
    cache.clear()

    second.post(CODE, {"code": code})

    assert (_is_in(first), _is_in(second)) == (True, False)


def test_control_a_cache_forgets_that_a_code_was_used(person: Person, settings: Settings) -> None:
    settings.MFA_FORMS = {}
    code, first, second = _right_code(), _at_the_second_door(), _at_the_second_door()
    first.post(CODE, {"code": code})
    cache.clear()

    second.post(CODE, {"code": code})

    assert (_is_in(first), _is_in(second)) == (True, True)


def test_a_recovery_code_is_used_up_and_the_notes_beside_it_stay(person: Person) -> None:
    codes = RecoveryCodes.activate(person)
    code = codes.get_unused_codes()[0]
    _at_the_second_door().post(CODE, {"code": _wrong_code()})
    first, second = _at_the_second_door(), _at_the_second_door()

    first.post(CODE, {"code": code})
    second.post(CODE, {"code": code})

    assert (_is_in(first), _is_in(second)) == (True, False)
    kept = Authenticator.objects.get(user=person, type="recovery_codes")
    assert kept.data["used_mask"] == 1


def test_a_copy_of_the_database_makes_no_codes(person: Person, settings: Settings) -> None:
    """The secret is sealed with SECRET_KEY, which may be replaced while the earlier one still opens."""
    kept = Authenticator.objects.get(user=person)
    assert SECRET not in str(kept.data) and kept.data["secret"].startswith("sealed:")

    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another-one" * 5, [settings.SECRET_KEY]
    client = _at_the_second_door()
    client.post(CODE, {"code": _right_code()})
    assert _is_in(client)


def test_a_secret_that_no_key_opens_is_nobodys_and_not_empty(person: Person) -> None:
    row = Authenticator.objects.get(user=person)
    row.data["secret"] = "sealed:" + row.data["secret"][10:]
    row.save()
    client = _at_the_second_door()
    counter = int(time.time()) // 30
    for guess in (totp.hotp_value("", counter), totp.hotp_value(SECRET, counter)):
        client.post(CODE, {"code": totp.format_hotp_value(guess)})

    assert not _is_in(client)


def test_a_secret_from_before_they_were_sealed_still_opens(person: Person) -> None:
    Authenticator.objects.filter(user=person).update(data={"secret": SECRET})
    client = _at_the_second_door()

    client.post(CODE, {"code": _right_code()})

    assert _is_in(client)


def test_a_code_in_four_browsers_at_the_same_moment_lets_one_in(transactional_db: None) -> None:
    _with_factor("zhaomin")
    clients = [_at_the_second_door(username="zhaomin") for _ in range(4)]
    code, together = _right_code(), Barrier(4, timeout=20)

    def enter(client: Client) -> bool:
        try:
            together.wait()
            client.post(CODE, {"code": code})
            return _is_in(client)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(enter, clients)) == [False, False, False, True]


def test_proving_once_more_who_one_is_counts_the_guesses_as_well(person: Person) -> None:
    client = _at_the_second_door()
    client.post(CODE, {"code": _right_code()})
    for _ in range(10):
        cache.clear()
        client.post("/accounts/2fa/reauthenticate/", {"code": _wrong_code()})
    assert len(Authenticator.objects.get(user=person).data[NOTES]["failures"]) == 10
