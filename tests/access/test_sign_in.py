"""Signing in: each with an identity and password of their own, kept secret, and throttled when guessed at."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from mendline.access.models import Person

LIUFANG, CHENHAO = "pass-of-liufang-7", "pass-of-chenhao-7"

pytestmark = pytest.mark.django_db


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


def test_guessing_a_password_locks_the_door_even_for_the_right_one() -> None:
    a_coordinator("liufang", "000001", LIUFANG)
    client = Client()
    for guess in range(12):
        assert not signed_in(client, "liufang", f"guess-{guess}-of-many")

    assert not signed_in(client, "liufang", LIUFANG)
