"""What every test may rely on. Builders and worlds are in tests/."""

import pytest
from pytest_django import DjangoDbBlocker

from mendline.database.grants import apply_grants


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """The test database has the same rights as a real one, so that a test may `SET ROLE mendline_app`."""
    with django_db_blocker.unblock():
        apply_grants()
