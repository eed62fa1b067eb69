"""What every test may rely on. Builders and worlds are in tests/."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import connection
from django.test import TransactionTestCase, override_settings
from hypothesis import HealthCheck, settings
from pytest_django import DjangoDbBlocker
from whitenoise.middleware import WhiteNoiseMiddleware

from mendline.database.grants import apply_grants
from mendline.process import loading
from mendline.process.models import AllowedChange, CalendarDay, ProcedureVersion

# A machine that does ten things at once is slow and not wrong: no example fails for the time that it took.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

END_OTHER_SESSIONS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename = current_user
"""
# Without what Django itself puts there after a migration, which it would put back after every test.
TABLES = """
    SELECT oid::regclass::text FROM pg_class
    WHERE relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace
    AND relname NOT IN ('django_migrations', 'django_content_type', 'auth_permission')
"""

# What mirrors the procedures' files is there from the beginning, as on every machine, and again after a test that
# commits; `load_all` then finds nothing to write. A third of the tests would begin by filling them.
MIRRORS = tuple(model._meta.db_table for model in (AllowedChange, CalendarDay, ProcedureVersion))


def empty_what_was_filled(case: TransactionTestCase) -> None:
    """Leave the tables as empty as Django's own flush does, in an eighth of its time.

    That one makes new files for every table and each of its indexes, sixty tables for the five that a test wrote to.
    """
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        names = [name for (name,) in cursor.fetchall()]
        cursor.execute(" UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in names))
        if filled := [name for (name,) in cursor.fetchall()]:
            cursor.execute(f"TRUNCATE {', '.join(filled)} CASCADE")
        for table in MIRRORS:
            cursor.execute(f"INSERT INTO {table} TABLE as_loaded.{table}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first: with two processes, whoever begins the longest last leaves the other idle."""
    long = {item.path for item in items if _is_long(item)}
    items.sort(key=lambda item: item.path not in long)


def _is_long(item: pytest.Item) -> bool:
    marked = item.get_closest_marker("slow") or item.get_closest_marker("browser")
    return marked is not None or item.path.parent.name == "faults"


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The test database has the same rights as a real one, so that a test may `SET ROLE mendline_app`.

    A thread of the web server may still hold its connection at the end; without it the database can go.
    """
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        apply_grants()
        # What a killed machine would lose is no test's concern, except where a test brings a server of its own.
        name = connection.ops.quote_name(connection.settings_dict["NAME"])
        cursor.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
        cursor.execute("SET synchronous_commit = off")
        # Tests empty tables; what is refused is tried in tests/journal, with the trigger on again.
        for table in ("journal_entry", "journal_seal"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER append_only_whole")
        loading.load_all()
        cursor.execute("CREATE SCHEMA as_loaded")
        for table in MIRRORS:
            cursor.execute(f"CREATE TABLE as_loaded.{table} AS TABLE {table}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty_what_was_filled)
        yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(END_OTHER_SESSIONS)


@pytest.fixture(scope="session", autouse=True)
def _passwords_are_quickly_hashed() -> Iterator[None]:
    """The same algorithm with one round: what a million of them cost is Django's promise and not ours to test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PBKDF2PasswordHasher, "iterations", 1)
        yield


@pytest.fixture(scope="session", autouse=True)
def _files_are_nobodys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Uploads go to a folder of the tests: a nightly chore would put aside the files of whoever runs them."""
    heads = tmp_path_factory.mktemp("seals")
    with override_settings(MEDIA_ROOT=tmp_path_factory.mktemp("files"), SEALS_FOLDER=heads):
        yield


@pytest.fixture(scope="session", autouse=True)
def _static_files_are_found_once() -> Iterator[None]:
    """Every client of a test makes the middleware anew, and each of them would look through every folder again."""
    found: dict[str, dict[str, Any]] = {}
    find = WhiteNoiseMiddleware.add_files_from_finders

    def find_once(whitenoise: WhiteNoiseMiddleware) -> None:
        prefix = whitenoise.static_prefix
        if prefix not in found:
            find(whitenoise)
            found[prefix] = dict(whitenoise.files)
        whitenoise.files.update(found[prefix])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WhiteNoiseMiddleware, "add_files_from_finders", find_once)
        yield
