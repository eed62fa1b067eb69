"""Entering and changing people: every change is in the history, and somebody can always undo it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from mendline.access import people, tokens
from mendline.access.actors import Actor
from mendline.access.models import Person, Token
from mendline.access.people import PersonData, add_person, change_person, switch_off, switch_on
from mendline.journal.models import Entry
from mendline.kernel.errors import Invalid, NotVisible
from tests.make import MONDAY_NINE

pytestmark = pytest.mark.django_db

LI = PersonData(
    "li", "李明", "station_coordinator", station_no="000001", phone="+8613800000001", email="li@example.com"
)


@pytest.fixture
def chief() -> Actor:
    return Person.objects.create(username="chief", name="主管", role="admin").as_actor("admin")


def last_entry() -> Entry:
    entry = Entry.objects.order_by("id").last()
    assert entry is not None
    return entry


def test_who_was_entered_by_whom_is_in_the_history_with_a_masked_number(chief: Actor) -> None:
    person = add_person(LI, actor=chief, now=MONDAY_NINE)

    entry = last_entry()
    assert (entry.subject, entry.kind, entry.actor_name, entry.at) == (
        f"person:{person.pk}", "person.add", "主管", MONDAY_NINE,
    )  # fmt: skip
    assert entry.data["after"]["phone"] == "138****0001"
    assert "li@example.com" not in str(entry.data)
    assert not person.has_usable_password()


def test_a_change_keeps_what_it_was_and_what_it_is(chief: Actor) -> None:
    person = add_person(LI, actor=chief, now=MONDAY_NINE)

    change_person(person.pk, replace(LI, role="station_engineer", phone="+8613855550001"), actor=chief, now=MONDAY_NINE)

    data = last_entry().data
    assert data["before"] == {"role": "station_coordinator", "phone": "138****0001"}
    assert data["after"] == {"role": "station_engineer", "phone": "138****0001 *"}
    person.refresh_from_db()
    assert (person.role, person.phone) == ("station_engineer", "+8613855550001")


def test_changing_nothing_leaves_no_line(chief: Actor) -> None:
    person = add_person(LI, actor=chief, now=MONDAY_NINE)
    change_person(person.pk, LI, actor=chief, now=MONDAY_NINE)
    assert Entry.objects.count() == 1


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"username": "李明"}, "username"),
        ({"username": "chief"}, "username"),
        ({"name": ""}, "name"),
        ({"name": "长" * 41}, "name"),
        ({"role": "king"}, "role"),
        ({"station_no": ""}, "station_no"),
        ({"region": "north"}, "region"),
        ({"role": "region_interface", "station_no": ""}, "region"),
        ({"email": "nobody"}, "email"),
    ],
)
def test_each_wrong_field_is_named(chief: Actor, changed: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        add_person(replace(LI, **changed), actor=chief, now=MONDAY_NINE)
    assert list(refused.value.fields) == [field]
    assert not Entry.objects.exists()


def test_the_last_administrator_stays(chief: Actor) -> None:
    assert chief.person_id is not None
    with pytest.raises(Invalid) as refused:
        change_person(chief.person_id, PersonData("chief", "主管", "process_owner"), actor=chief, now=MONDAY_NINE)
    assert list(refused.value.fields) == ["role"]

    deputy = Person.objects.create(username="deputy", name="副手", role="admin")
    switch_off(chief.person_id, actor=deputy.as_actor("admin"), now=MONDAY_NINE)
    with pytest.raises(Invalid) as refused:
        switch_off(deputy.pk, actor=chief, now=MONDAY_NINE)
    assert refused.value.fields["is_active"] == people.LAST_ADMIN


def test_nobody_locks_themselves_out(chief: Actor) -> None:
    Person.objects.create(username="deputy", name="副手", role="admin")
    assert chief.person_id is not None
    with pytest.raises(Invalid) as refused:
        switch_off(chief.person_id, actor=chief, now=MONDAY_NINE)
    assert refused.value.fields["is_active"] == people.YOURSELF


def test_switching_off_and_on_counts_once(chief: Actor) -> None:
    person = add_person(LI, actor=chief, now=MONDAY_NINE)
    assert [switch_off(person.pk, actor=chief, now=MONDAY_NINE) for _ in range(2)] == [True, False]
    assert [switch_on(person.pk, actor=chief, now=MONDAY_NINE) for _ in range(2)] == [True, False]
    kinds = list(Entry.objects.order_by("id").values_list("kind", flat=True))
    assert kinds == ["person.add", "person.switch_off", "person.switch_on"]
    with pytest.raises(NotVisible):
        switch_off(0, actor=chief, now=MONDAY_NINE)


def test_a_lost_second_factor_is_forgotten_with_a_trace(chief: Actor) -> None:
    from allauth.mfa.models import Authenticator

    person = add_person(LI, actor=chief, now=MONDAY_NINE)
    assert people.reset_second_factor(person.pk, actor=chief, now=MONDAY_NINE) == 0
    Authenticator.objects.create(user_id=person.pk, type="totp", data={"secret": "x"})

    assert people.reset_second_factor(person.pk, actor=chief, now=MONDAY_NINE) == 1

    assert not Authenticator.objects.exists()
    assert [entry.kind for entry in Entry.objects.order_by("id")] == ["person.add", "person.reset_second_factor"]


def test_a_keys_life_is_in_the_history_and_its_secret_is_not(chief: Actor) -> None:
    person = add_person(LI, actor=chief, now=MONDAY_NINE)
    secret = tokens.issue(person, "bridge", scopes=["read"], actor=chief, now=MONDAY_NINE)
    token = Token.objects.get()
    assert [tokens.revoke(token, MONDAY_NINE, actor=chief) for _ in range(2)] == [True, False]

    entries = list(Entry.objects.filter(subject=f"token:{token.pk}").order_by("id"))
    assert [entry.kind for entry in entries] == ["token.issue", "token.revoke"]
    assert entries[0].data["after"]["scopes"] == ["read"]
    assert not any(secret in str(entry.data) or token.digest in str(entry.data) for entry in entries)


def test_the_use_of_a_key_is_noted_at_most_every_five_minutes(chief: Actor) -> None:
    secret = tokens.issue(add_person(LI, actor=chief, now=MONDAY_NINE), "bridge")
    moments = [MONDAY_NINE, MONDAY_NINE + timedelta(minutes=4), MONDAY_NINE + timedelta(minutes=6)]
    noted = []
    for moment in moments:
        tokens.note_use(secret, moment)
        noted.append(Token.objects.get().last_used_at)
    assert noted == [moments[0], moments[0], moments[2]]
