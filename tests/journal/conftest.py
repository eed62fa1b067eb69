from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection
from pytest_django.fixtures import Settings


@pytest.fixture
def heads(settings: Settings, tmp_path: Path) -> Path:
    """The folder outside of the database."""
    settings.SEALS_FOLDER = tmp_path / "seals"
    return tmp_path / "seals"


@pytest.fixture
def triggers_on(db: None) -> None:
    """The append-only triggers as an installation has them; other tests empty tables and do without."""
    with connection.cursor() as cursor:
        for table in ("journal_entry", "journal_seal"):
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER append_only_whole")


@pytest.fixture
def triggers_off(db: None) -> None:
    """What the owner of the tables can do, and an intruder with that account."""
    with connection.cursor() as cursor:
        for table in ("journal_entry", "journal_seal"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
