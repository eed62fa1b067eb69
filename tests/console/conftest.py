"""People who sign in to the console, in a small network."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from mendline.access.models import Person
from tests.make import a_network

PLACES = {
    "cc_agent": {},
    "region_interface": {"region": "north"},
    "region_channel_specialist": {"region": "north"},
    "station_coordinator": {"station_no": "000001"},
    "station_engineer": {"station_no": "000001"},
    "service_support_dept": {},
    "info_support_dept": {},
    "channel_management": {},
    "hq_interface": {},
    "process_owner": {},
    "admin": {},
}
SignIn = Callable[..., Client]


@pytest.fixture
def network(db: None) -> None:
    a_network()


@pytest.fixture
def signed_in(network: None) -> SignIn:
    """Return a client that is signed in as somebody of a role; `station_no` and `region` may differ from the usual."""

    def sign_in(role: str, *, language: str = "zh-hans", **place: str) -> Client:
        names = {**PLACES[role], **place}
        username = "-".join([role, *names.values()])
        person, _ = Person.objects.get_or_create(username=username, defaults={"name": "李明", "role": role, **names})
        client = Client(headers={"accept-language": language})
        client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    return sign_in
