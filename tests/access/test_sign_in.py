"""Signing in: each with an identity and password of their own, kept secret, and throttled when guessed at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from mendline.access.models import Person

LIUFANG, CHENHAO = "pass-of-liufang-7", "pass-of-chenhao-7"

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("an_empty_count")]


@pytest.fixture
def an_empty_count() -> Iterator[None]:
    """Failed sign-ins are counted per address in the cache; each test begins and leaves it empty."""
    cache.clear()
    yield
    cache.clear()


def a_coordinator(username: str, station_no: str, password: str) -> Person:
    return Person.objects.create_user(
        username, password, name=username, role="station_coordinator", station_no=station_no
    )


def signed_in(client: Client, username: str, password: str) -> bool:
    client.post(reverse("account_login"), {"login": username, "password": password})
    return "_auth_user_id" in client.session


def test_stn_16_each_stations_coordinator_signs_in_with_the_stations_own_identity() -> None:
    a_coordinator("liufang", "000001", LIUFANG)
    a_coordinator("chenhao", "000002", CHENHAO)

    assert signed_in(Client(), "liufang", LIUFANG)
    assert not signed_in(Client(), "liufang", CHENHAO), "the neighbour's password opens no other station"
    actor = Person.objects.get(username="liufang").as_actor()
    assert (actor.role, actor.station_no) == ("station_coordinator", "000001")


def test_stn_16_a_password_is_kept_as_a_salted_hash_and_nowhere_in_clear() -> None:
    first, second = a_coordinator("liufang", "000001", LIUFANG), a_coordinator("chenhao", "000002", LIUFANG)

    assert LIUFANG not in first.password
    assert first.password != second.password, "the same password leaves two different hashes"


def test_stn_16_a_person_who_left_cannot_sign_in() -> None:
    person = a_coordinator("liufang", "000001", LIUFANG)
    Person.objects.filter(pk=person.pk).update(is_active=False)

    assert not signed_in(Client(), "liufang", LIUFANG)


def test_a_shift_that_starts_behind_one_address_gets_in() -> None:
    a_coordinator("liufang", "000001", LIUFANG)

    assert all(signed_in(Client(), "liufang", LIUFANG) for _ in range(35))


def test_guessing_a_password_locks_the_door_even_for_the_right_one() -> None:
    a_coordinator("liufang", "000001", LIUFANG)
    client = Client()
    for guess in range(12):
        assert not signed_in(client, "liufang", f"guess-{guess}-of-many")

    assert not signed_in(client, "liufang", LIUFANG)


def test_p15_nobody_changes_where_his_mail_goes_from_a_desk_that_was_left_open(client: Client) -> None:
    """The link for a new password goes there, and the desk asks for none."""
    person = Person.objects.create_user("left", name="李明", role="station_engineer", email="li@example.com")
    client.force_login(person)

    answers = [client.get("/accounts/email/").status_code]
    for wish in ("action_add", "action_primary"):
        answers.append(client.post("/accounts/email/", {wish: "", "email": "other@example.com"}).status_code)

    person.refresh_from_db()
    assert answers == [404, 404, 404]
    assert person.email == "li@example.com"
