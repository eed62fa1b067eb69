"""6.3.3: a role that must have a second factor sets it up after the password, and reaches nothing else until then."""

from __future__ import annotations

import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from config.env import SettingError, env_some_of
from mendline.access import people
from mendline.access.actors import subject_of
from mendline.access.models import Person
from mendline.journal.models import Entry
from tests.access_matrix.addresses import Endpoint, endpoints
from tests.make import MONDAY_NINE

LOGIN, SET_UP, CODE = "/accounts/login/", "/accounts/2fa/totp/activate/", "/accounts/2fa/authenticate/"
PASSWORD = "a-long-enough-one"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _admins_must(settings: Settings) -> None:
    cache.clear()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the subject is another
    settings.MFA_TOTP_TOLERANCE = 1  # the half minute may end between making a code and sending it
    settings.SECOND_FACTOR_ROLES = frozenset({"admin"})


@pytest.fixture
def chief() -> Person:
    return Person.objects.create_user("chief", PASSWORD, name="周敏", role="admin")


def signed_in(username: str = "chief") -> Client:
    cache.clear()
    client = Client()
    client.post(LOGIN, {"login": username, "password": PASSWORD})
    return client


def code_of(secret: str) -> str:
    counters = list(totp.yield_hotp_counters_from_time())
    code: str = totp.format_hotp_value(totp.hotp_value(secret, counters[len(counters) // 2]))
    return code


def set_up(client: Client) -> str:
    """Go through the set-up as a person does; returns the secret that the app has now."""
    client.post(f"/accounts/reauthenticate/?next={SET_UP}", {"password": PASSWORD})
    secret: str = client.get(SET_UP).context["form"].secret
    client.post(SET_UP, {"code": code_of(secret)})
    return secret


def reached(client: Client, endpoint: Endpoint) -> bool:
    path = endpoint.path(dict.fromkeys(endpoint.names, "1"))
    if path in ("/accounts/logout/", "/accounts/login/"):
        return False
    answer = client.get(path)
    if answer.status_code == 302:
        return not re.search(r"^/accounts/(2fa/totp/activate|reauthenticate|login)/", answer["Location"])
    return answer.status_code not in (403, 404)


def test_until_it_is_set_up_every_address_leads_there(chief: Person, settings: Settings) -> None:
    client = signed_in()

    open_ones = {endpoint.route for endpoint in endpoints() if reached(client, endpoint)}

    assert open_ones <= {"status/", "accounts/reauthenticate/", "i18n/setlang/"}
    settings.SECOND_FACTOR_ROLES = frozenset()
    control = ("admin/people/", "settings/", "notices/", "api/v1/processes")
    assert all(reached(client, Endpoint(route)) for route in control)  # without the rule they open


@pytest.mark.parametrize("path", ["/", "/queue/", "/admin/", "/changes/ticket/", "/settings/"])
def test_by_direct_address_by_a_part_of_a_page_and_by_the_stream_it_is_the_same(chief: Person, path: str) -> None:
    client = signed_in()

    assert client.get(path)["Location"] == SET_UP
    part = client.get(path, headers={"HX-Request": "true"})
    assert (part.status_code, part["HX-Redirect"], part.content) == (403, SET_UP, b"")
    assert client.post(path).status_code in (302, 403)


def test_the_interface_says_so_to_a_session_without_it(chief: Person) -> None:
    refused = signed_in().get("/api/v1/orders")

    assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_due")
    assert "双重验证" in refused.json()["texts"]["zh"]


def test_who_has_set_it_up_goes_on_and_the_code_is_asked_for_next_time(chief: Person) -> None:
    client = signed_in()
    page = client.get("/", follow=True)
    assert "必须使用双重验证" in page.content.decode()

    secret = set_up(client)
    assert client.get("/admin/").status_code == 200

    again = signed_in()
    assert again.get("/admin/").status_code == 302
    cache.clear()
    Authenticator.objects.filter(type="totp").update(data=_without_used_codes(chief))
    again.post(CODE, {"code": code_of(secret)})
    assert again.get("/admin/").status_code == 200


def test_a_recovery_code_opens_it_as_well(chief: Person) -> None:
    totp.TOTP.activate(chief, totp.generate_totp_secret())
    code = RecoveryCodes.activate(chief).get_unused_codes()[0]
    client = signed_in()

    client.post(CODE, {"code": code})

    assert client.get("/admin/").status_code == 200


def test_who_waits_with_the_password_alone_does_not_slip_in_when_the_other_sets_it_up(chief: Person) -> None:
    waiting = signed_in()
    assert waiting.get("/admin/").status_code == 302

    set_up(signed_in())

    assert waiting.get("/admin/")["Location"].startswith(LOGIN)


def test_a_session_that_was_never_noted_does_not_slip_in_either(chief: Person) -> None:
    waiting = signed_in()  # made no request since, so nobody has noted it

    set_up(signed_in())

    assert waiting.get("/admin/")["Location"].startswith(LOGIN)


def test_who_must_have_one_cannot_switch_it_off(chief: Person) -> None:
    client = signed_in()
    set_up(client)

    client.post("/accounts/2fa/totp/deactivate/")

    assert Authenticator.objects.filter(user=chief, type="totp").exists()


def test_other_roles_work_with_a_password_as_before() -> None:
    Person.objects.create_user("liming", PASSWORD, name="李明", role="cc_agent")

    assert signed_in("liming").get("/queue/").status_code == 200


def test_an_administrator_resets_it_which_signs_out_and_leads_to_a_new_one(chief: Person) -> None:
    client = signed_in()
    set_up(client)
    client.get("/admin/")
    other = Person.objects.create_user("second", PASSWORD, name="王芳", role="admin")

    people.reset_second_factor(chief.pk, actor=other.as_actor(), now=MONDAY_NINE)

    assert client.get("/admin/")["Location"].startswith(LOGIN)
    assert signed_in().get("/admin/")["Location"] == SET_UP
    assert Entry.objects.filter(subject=subject_of(chief.pk), kind="person.reset_second_factor").exists()


def test_the_setting_names_roles_and_a_wrong_one_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"admin", "cc_agent"}
    for text, roles in {"all": known, "none": set(), "cc_agent": {"cc_agent"}}.items():
        monkeypatch.setenv("SECOND_FACTOR_ROLES", text)
        assert env_some_of("SECOND_FACTOR_ROLES", known) == roles
    monkeypatch.setenv("SECOND_FACTOR_ROLES", "admin,boss")
    with pytest.raises(SettingError, match="boss"):
        env_some_of("SECOND_FACTOR_ROLES", known)


def _without_used_codes(person: Person) -> dict[str, object]:
    data = dict(Authenticator.objects.get(user=person, type="totp").data)
    data.pop("mendline", None)
    return data


def test_where_the_only_administrator_lost_it_the_machine_resets_it_with_a_reason(chief: Person) -> None:
    totp.TOTP.activate(chief, totp.generate_totp_secret())
    with pytest.raises(CommandError, match="--reason"):
        call_command("reset_second_factor", "chief")
    with pytest.raises(CommandError, match="no such user name"):
        call_command("reset_second_factor", "nobody", reason="x")

    call_command("reset_second_factor", "chief", reason="手机丢失")

    assert not Authenticator.objects.exists()
    entry = Entry.objects.get(kind="person.reset_second_factor")
    assert (entry.actor_name, entry.data["after"]["reason"]) == ("命令行 command line", "手机丢失")
