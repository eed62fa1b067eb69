"""What the application's account cannot do, whatever the code says."""

import psycopg
import pytest
from django.db import ProgrammingError, connection, transaction

from mendline.database import grants
from mendline.database.grants import Revoked, apply_grants

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def a_guarded_table(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = (Revoked("guarded", "UPDATE", ("state",)), Revoked("guarded", "DELETE"), Revoked("not_there_yet", "DELETE"))
    monkeypatch.setattr(grants, "REVOKED", rules)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE guarded (id int, state text, note text)")
        cursor.execute("INSERT INTO guarded VALUES (1, 'open', '')")
    apply_grants()


def test_a_guarded_column_cannot_be_written_but_its_neighbours_can() -> None:
    _as("mendline_app", "UPDATE guarded SET note = 'called' WHERE id = 1")
    _as("mendline_app", "SELECT id FROM guarded WHERE id = 1 FOR UPDATE")  # perform locks rows

    _refused("mendline_app", "UPDATE guarded SET state = 'done' WHERE id = 1")
    _refused("mendline_app", "DELETE FROM guarded")


def test_the_application_makes_no_tables_and_rewrites_no_history_of_migrations() -> None:
    _refused("mendline_app", "CREATE TABLE mine (x int)")
    _refused("mendline_app", "TRUNCATE guarded")
    _refused("mendline_app", "DELETE FROM django_migrations")


def test_the_auditor_only_reads() -> None:
    _as("mendline_auditor", "SELECT * FROM guarded")

    _refused("mendline_auditor", "UPDATE guarded SET note = 'x'")
    _refused("mendline_auditor", "INSERT INTO guarded VALUES (2, 'open', '')")


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT password FROM access_person",
        "SELECT digest FROM access_token",
        "SELECT secret FROM channels_webhook",
        "SELECT * FROM mfa_authenticator",
        "SELECT * FROM django_session",
    ],
)
def test_the_auditor_reads_no_secret(statement: str) -> None:
    _refused("mendline_auditor", statement)
    _as("mendline_auditor", "SELECT username, role FROM access_person")
    _as("mendline_auditor", "SELECT url FROM channels_webhook")


def test_rights_set_twice_are_the_same_rights() -> None:
    apply_grants()

    _refused("mendline_app", "UPDATE guarded SET state = 'done'")
    _as("mendline_app", "UPDATE guarded SET note = 'x'")


def _as(role: str, statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {role}")
        cursor.execute(statement)
        cursor.execute("RESET ROLE")


def _refused(role: str, statement: str) -> None:
    with pytest.raises(ProgrammingError) as refused:
        _as(role, statement)
    assert isinstance(refused.value.__cause__, psycopg.errors.InsufficientPrivilege)
