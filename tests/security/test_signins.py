"""7.3.1, 7.5.2: a sign-in ends when nothing is done, and everybody sees and ends their own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from mendline.access import people, signins
from mendline.access.models import Person, SignIn
from mendline.journal.models import Entry
from mendline.web import signed_in as signed_in_pages
from mendline.web.signed_in import SignedIn
from tests.security.test_second_factor_due import set_up

LOGIN, PAGE = "/accounts/login/", "/settings/signins/"
PASSWORD = "a-long-enough-one"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36"
PHONE = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36 MicroMessenger/8.0"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _an_hour_at_most(settings: Settings) -> None:
    cache.clear()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the subject is another
    settings.SESSION_IDLE_MINUTES = 60


@pytest.fixture
def person() -> Person:
    return Person.objects.create_user("liming", PASSWORD, name="李明", role="cc_agent")


def signed_in(agent: str = WINDOWS, address: str = "203.0.113.77", username: str = "liming") -> Client:
    cache.clear()
    client = Client(headers={"User-Agent": agent}, REMOTE_ADDR=address)
    client.post(LOGIN, {"login": username, "password": PASSWORD})
    client.get("/queue/")
    return client


def proved_once_more(client: Client) -> None:
    client.post(f"/accounts/reauthenticate/?next={PAGE}", {"password": PASSWORD})


def minutes_pass(client: Client, minutes: int) -> None:
    """Let the sign-in be that much older, for the database and for the process that remembers it."""
    key = client.session.session_key
    for row in SignIn.objects.filter(pk=key):
        earlier = timedelta(minutes=minutes)
        SignIn.objects.filter(pk=key).update(began_at=row.began_at - earlier, seen_at=row.seen_at - earlier)
    client.handler.load_middleware()  # another web process, which remembers nothing


def is_in(client: Client) -> bool:
    return client.get("/queue/").status_code == 200


def test_after_an_hour_without_doing_anything_one_signs_in_again_and_is_told_why(person: Person) -> None:
    client = signed_in()
    minutes_pass(client, 50)
    assert is_in(client)
    minutes_pass(client, 60)

    away = client.get("/queue/?q=1")

    assert away["Location"] == "/accounts/login/?next=/queue/%3Fq%3D1"
    assert "没有提交的内容还在" in client.get(away["Location"]).content.decode()
    assert not Session.objects.exists()


def test_a_page_that_asks_for_changes_by_itself_keeps_nobody_signed_in(person: Person) -> None:
    client = signed_in()
    for _ in range(6):
        minutes_pass(client, 10)
        client.get("/changes/?since=0", headers={"HX-Request": "true"})
        client.get("/changes/ticket/", headers={"HX-Request": "true"})
        client.get("/queue/rows/?ref=WX1", headers={"HX-Request": "true"})

    assert client.get("/changes/ticket/", headers={"HX-Request": "true"}).status_code == 401
    assert not is_in(client)


def test_who_does_something_every_half_hour_stays(person: Person) -> None:
    client = signed_in()
    for _ in range(4):
        minutes_pass(client, 30)
        assert is_in(client)


def test_a_process_that_remembers_does_not_let_an_idle_page_live_on(person: Person) -> None:
    """What is remembered of a session saves questions to the database and lengthens nothing."""
    client = signed_in()
    middleware = _signed_in_of(client)
    key = client.session.session_key or ""
    minutes_pass(client, 60)
    old = timezone.now() - timedelta(minutes=60)
    _signed_in_of(client)._seen[key] = signins.Lasting(old, old)
    assert middleware is not _signed_in_of(client)

    assert not is_in(client)


def test_a_form_sent_too_late_is_answered_401_so_that_the_browser_keeps_it(person: Person) -> None:
    client = signed_in()
    minutes_pass(client, 61)

    refused = client.post("/steps/WX1/promise/", {"note": "x"}, headers={"HX-Request": "true"})

    assert (refused.status_code, refused.content) == (401, b"")
    assert "没有提交的内容还在" in client.get(LOGIN).content.decode()


def test_the_interface_answers_a_session_that_ended_like_any_stranger(person: Person) -> None:
    client = signed_in()
    minutes_pass(client, 61)

    assert client.get("/api/v1/orders").json()["code"] == "unauthenticated"


def test_where_nothing_is_set_only_twelve_hours_end_it(person: Person, settings: Settings) -> None:
    settings.SESSION_IDLE_MINUTES = 0
    client = signed_in()
    minutes_pass(client, 11 * 60 + 30)
    assert is_in(client)
    minutes_pass(client, 30)

    assert not is_in(client)


def test_in_the_same_minute_the_database_is_asked_once(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signed_in_pages, "NOTED_EVERY", timedelta(hours=1))  # as long as this machine takes
    client = signed_in()
    asked: list[object] = []
    monkeypatch.setattr(signins, "look", lambda *args, **named: asked.append(args))

    for _ in range(3):
        assert is_in(client)

    assert asked == []


def test_the_page_says_from_where_since_when_and_no_key(person: Person) -> None:
    there = signed_in(PHONE, "2001:db8:1:2::5")
    here = signed_in()

    page = here.get(PAGE).content.decode()

    assert "Chrome · Windows" in page and "203.0.113.*" in page and "正在使用" in page
    assert "微信 · Android" in page and "2001:db8:1:*" in page
    assert "203.0.113.77" not in page and "2::5" not in page
    for client in (here, there):
        assert str(client.session.session_key) not in page


def test_one_is_ended_and_the_others_stay(person: Person) -> None:
    here, there, third = signed_in(), signed_in(PHONE), signed_in(PHONE, "198.51.100.4")

    proved_once_more(here)
    here.post(PAGE, {"signin": signins.public_name(str(there.session.session_key))})

    assert (is_in(here), is_in(there), is_in(third)) == (True, False, True)
    assert Entry.objects.get(kind="person.end_signins").actor_id == person.pk


def test_all_others_are_ended_after_the_password_and_this_one_stays(person: Person) -> None:
    here, there, third = signed_in(), signed_in(PHONE), signed_in(PHONE, "198.51.100.4")

    asked = here.post(PAGE, {"signin": "others"})
    assert (asked["Location"], is_in(there)) == ("/accounts/reauthenticate/?next=%2Fsettings%2Fsignins%2F", True)
    said = here.post(asked["Location"], {"password": PASSWORD}, follow=True).content.decode()

    assert (is_in(here), is_in(there), is_in(third)) == (True, False, False)
    assert "已结束 2 处登录" in said


def test_nobody_ends_a_strangers_sign_in_or_sees_it(person: Person) -> None:
    Person.objects.create_user("zhaomin", PASSWORD, name="赵敏", role="cc_agent")
    theirs, mine = signed_in(PHONE, "198.51.100.4", "zhaomin"), signed_in()

    proved_once_more(mine)
    mine.post(PAGE, {"signin": signins.public_name(str(theirs.session.session_key))})
    mine.post(PAGE, {"signin": "others"})

    assert is_in(theirs)
    assert "198.51.100" not in mine.get(PAGE).content.decode()


def test_an_administrator_ends_all_of_somebody(person: Person) -> None:
    client = signed_in()
    chief = Person.objects.create_user("chief", PASSWORD, name="周敏", role="admin")
    desk = signed_in(username="chief")

    desk.post(f"/admin/people/{person.pk}/signins/")

    assert (is_in(client), desk.get("/admin/").status_code) == (False, 200)
    assert Entry.objects.get(kind="person.end_signins").actor_id == chief.pk


def test_a_change_of_the_second_factor_ends_the_others(person: Person) -> None:
    there, here = signed_in(PHONE), signed_in()

    set_up(here)

    assert (is_in(here), is_in(there)) == (True, False)


def test_a_sign_in_goes_with_its_session(person: Person) -> None:
    client = signed_in()
    assert SignIn.objects.count() == 1

    client.post("/accounts/logout/")

    assert not SignIn.objects.exists()


def test_a_sign_in_that_ends_at_this_very_moment_is_over(person: Person) -> None:
    client = signed_in()
    key = str(client.session.session_key)
    Session.objects.all().delete()

    came, limits = signins.Came("", ""), signins.Limits(timedelta(hours=12))
    assert signins.look(person.pk, key, came=came, limits=limits, now=timezone.now(), is_active=True) is None


def test_ending_what_is_not_there_leaves_no_entry(person: Person) -> None:
    assert people.end_own_signins(person.as_actor(), now=timezone.now(), but=None, only="x" * 24) == 0
    assert not Entry.objects.filter(kind="person.end_signins").exists()


def _signed_in_of(client: Client) -> SignedIn:
    """Return the middleware of the process that answers this client."""
    layer: Any = client.handler._middleware_chain  # type: ignore[attr-defined]
    while not isinstance(layer, SignedIn):
        layer = layer.__wrapped__ if hasattr(layer, "__wrapped__") else layer.get_response
    return layer
