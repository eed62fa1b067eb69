"""Row-level security, tried with raw SQL as the application's account: rows of one person are nobody else's.

The pages that use these rows are gone through under that account as well, because a policy that nothing can work with
would be taken away again.
"""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from mendline.access import people, signins
from mendline.access.models import Person, SignIn
from mendline.access.own_rows import factor_kinds, has_factor, rows_of
from tests.security.test_second_factor_due import CODE, LOGIN, PASSWORD, code_of, set_up

pytestmark = pytest.mark.django_db
SIGNINS, FACTORS = "SELECT person_id FROM access_signin", "SELECT user_id FROM mfa_authenticator"
APP, AUDITOR = "mendline_app", "mendline_auditor"


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Settings) -> None:
    cache.clear()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the subject is another
    settings.MFA_TOTP_TOLERANCE = 1


@pytest.fixture
def two() -> tuple[Person, Person]:
    """Two people with a second factor and a sign-in each."""
    made = []
    for username in ("liming", "zhaomin"):
        person = Person.objects.create_user(username, PASSWORD, name=username, role="cc_agent")
        totp.TOTP.activate(person, "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
        now = timezone.now()
        Session.objects.create(session_key=f"key-of-{username}", session_data="", expire_date=now)
        SignIn.objects.create(session_key=f"key-of-{username}", person=person, began_at=now, seen_at=now)
        made.append(person)
    return made[0], made[1]


@pytest.fixture
def as_the_application() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {APP}")
        yield
        cursor.execute("RESET ROLE")


def seen(statement: str, *, role: str = APP, person: int | None = None) -> list[int]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {role}")
        if person is not None:
            cursor.execute("SELECT set_config('mendline.person', %s, true)", [str(person)])
        cursor.execute(statement)
        found = [row[0] for row in cursor.fetchall()]
        cursor.execute("RESET ROLE")
        cursor.execute("SELECT set_config('mendline.person', '', true)")
    return found


def refused(statement: str, *, role: str = APP, person: int | None = None) -> str:
    with pytest.raises(DatabaseError) as problem:
        seen(statement, role=role, person=person)
    assert isinstance(problem.value.__cause__, psycopg.errors.InsufficientPrivilege)
    return str(problem.value)


def test_without_saying_for_whom_there_is_no_sign_in_and_a_factor_is_refused(two: tuple[Person, Person]) -> None:
    assert seen(SIGNINS) == []
    assert "mendline.person" in refused(FACTORS)


def test_for_one_person_there_are_the_rows_of_that_person_only(two: tuple[Person, Person]) -> None:
    mine, theirs = two
    for statement in (SIGNINS, FACTORS):
        assert seen(statement, person=mine.pk) == [mine.pk]
        assert seen(statement, person=theirs.pk) == [theirs.pk]
        assert seen(statement, person=0) == []


@pytest.mark.parametrize("table", ["access_signin", "mfa_authenticator"])
def test_nobody_changes_deletes_or_adds_a_row_of_another(two: tuple[Person, Person], table: str) -> None:
    mine, theirs = two
    column = "person_id" if table == "access_signin" else "user_id"
    assert seen(f"DELETE FROM {table} WHERE {column} = {theirs.pk} RETURNING 1", person=mine.pk) == []
    assert seen(f"UPDATE {table} SET {column} = {column} RETURNING {column}", person=mine.pk) == [mine.pk]
    refused(f"UPDATE {table} SET {column} = {theirs.pk} RETURNING 1", person=mine.pk)


def test_the_auditor_reads_neither(two: tuple[Person, Person]) -> None:
    for statement in (SIGNINS, FACTORS, f"SELECT person_id FROM mendline_factors(ARRAY[{two[0].pk}])"):
        refused(statement, role=AUDITOR, person=two[0].pk)


def test_the_policies_hold_for_the_auditor_even_with_the_right_to_read(two: tuple[Person, Person]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"GRANT SELECT ON access_signin TO {AUDITOR}")

    assert seen(SIGNINS, role=AUDITOR) == []


def test_the_narrow_door_tells_the_kinds_and_no_secret(two: tuple[Person, Person], as_the_application: None) -> None:
    mine, theirs = two

    assert factor_kinds([mine.pk, theirs.pk, 0]) == {mine.pk: {"totp"}, theirs.pk: {"totp"}}
    assert has_factor(mine.pk) and not has_factor(0)


def test_recovery_codes_alone_are_no_second_factor(two: tuple[Person, Person]) -> None:
    RecoveryCodes.activate(two[0])
    Authenticator.objects.filter(type="totp").delete()

    assert not has_factor(two[0].pk)


def test_afterwards_it_is_as_before(two: tuple[Person, Person], as_the_application: None) -> None:
    mine, theirs = two
    with rows_of(mine.pk):
        with rows_of(theirs.pk):
            assert list(SignIn.objects.values_list("person_id", flat=True)) == [theirs.pk]
        assert list(SignIn.objects.values_list("person_id", flat=True)) == [mine.pk]
    assert not SignIn.objects.exists()


def test_after_an_error_it_is_as_before_too(two: tuple[Person, Person], as_the_application: None) -> None:
    with pytest.raises(LookupError), rows_of(two[0].pk):
        raise LookupError
    assert not SignIn.objects.exists()


def test_the_owner_migrates_and_sees_all(two: tuple[Person, Person]) -> None:
    assert SignIn.objects.count() == Authenticator.objects.count() == 2


def test_a_day_of_somebody_with_a_second_factor_works_under_the_policies(
    settings: Settings, as_the_application: None
) -> None:
    """Set up, sign out, a wrong code, the right one, recovery codes, the list of sign-ins, switched off again."""
    settings.SECOND_FACTOR_ROLES = frozenset({"admin"})
    chief = Person.objects.create_user("chief", PASSWORD, name="周敏", role="admin")
    client = Client()
    client.post(LOGIN, {"login": "chief", "password": PASSWORD})
    secret = set_up(client)
    assert client.get("/admin/").status_code == 200
    assert client.get("/accounts/2fa/").status_code == 200
    assert client.get("/accounts/2fa/recovery-codes/").status_code == 200
    assert "Chrome" not in client.get("/settings/signins/").content.decode()
    page = client.get("/admin/people/").content.decode()
    assert "已开启" in page
    client.post("/accounts/logout/")

    client.post(LOGIN, {"login": "chief", "password": PASSWORD})
    assert client.get("/admin/").status_code == 302
    assert "验证码不对" in client.post(CODE, {"code": "000000"}).content.decode()
    client.post(CODE, {"code": code_of(secret)})
    assert client.get("/admin/").status_code == 200
    with rows_of(chief.pk):
        recovery = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()[0]

    client.post("/accounts/logout/")
    cache.clear()
    client.post(LOGIN, {"login": "chief", "password": PASSWORD})
    client.post(CODE, {"code": recovery})
    assert client.get("/admin/").status_code == 200

    settings.SECOND_FACTOR_ROLES = frozenset()
    client.post("/accounts/reauthenticate/?next=/accounts/2fa/", {"password": PASSWORD})
    client.post("/accounts/2fa/totp/deactivate/")
    assert not has_factor(chief.pk)


def test_an_administrator_resets_and_signs_out_under_the_policies(
    two: tuple[Person, Person], as_the_application: None
) -> None:
    mine, theirs = two

    assert people.reset_second_factor(mine.pk, actor=theirs.as_actor(), now=timezone.now()) == 1
    assert people.end_signins(theirs.pk, actor=mine.as_actor(), now=timezone.now()) == 1
    assert not has_factor(mine.pk) and has_factor(theirs.pk)
    assert signins.of_person(mine.pk) == signins.of_person(theirs.pk) == []


def test_control_without_the_policy_everybody_sees_everybody(two: tuple[Person, Person]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in ("access_signin", "mfa_authenticator"):
            cursor.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")

    assert len(seen(SIGNINS)) == len(seen(FACTORS)) == 2


def test_the_release_before_takes_nobody_with_a_factor_for_one_without(two: tuple[Person, Person]) -> None:
    """It asks the table itself: an error for whoever has one, and an answer for whoever has none (P8)."""
    nobody = Person.objects.create_user("wangfang", PASSWORD, name="王芳", role="cc_agent")

    asked = "SELECT 1 FROM mfa_authenticator WHERE user_id = {} AND type IN ('totp')"
    refused(asked.format(two[0].pk))
    assert seen(asked.format(nobody.pk)) == []
