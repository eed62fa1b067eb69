"""What every test may rely on. Builders and worlds are in tests/."""

from collections.abc import Iterator

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

from mendline.database.grants import apply_grants

END_OTHER_SESSIONS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename = current_user
"""


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The test database has the same rights as a real one, so that a test may `SET ROLE mendline_app`.

    A thread of the web server may still hold its connection at the end; without it the database can go.
    """
    with django_db_blocker.unblock():
        apply_grants()
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(END_OTHER_SESSIONS)
