"""A small network, and the index brought up to date when a test says so."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import psycopg
import pytest
from django.db import connection

from mendline.search import index
from tests.make import MONDAY_NINE, a_network


@pytest.fixture
def network(db: None) -> None:
    a_network()


def indexed(now: datetime = MONDAY_NINE) -> None:
    """Take up everything there is, as the worker does within a second."""
    index.start_over(now, lambda done: None)


def a_second_connection() -> psycopg.Connection[Any]:
    """What another process would have; only for tests whose own writes are committed."""
    return psycopg.connect(**connection.get_connection_params())
