"""The demo world with its figures, loaded once for the tests that only read it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.db import transaction
from pytest_django import DjangoDbBlocker

from mendline.dispatch.current import forget_index
from mendline.figures import facts
from mendline.network.revision import CHECK_EVERY, check_every
from mendline.process import calendar_table
from mendline.process.loading import forget_in_force
from mendline.sim.demo import load_demo

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)  # Monday 09:00 in Shanghai


def followed(now: datetime) -> None:
    """Do what the worker does until nothing is left."""
    while facts.catch_up(now):
        pass


@pytest.fixture(scope="class")
def demo(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Everything is undone at the end, with what this process kept of it."""
    with django_db_blocker.unblock():
        check_every(0)
        try:
            with transaction.atomic():
                load_demo(NOW)
                followed(NOW)
                yield
                transaction.set_rollback(True)
        finally:
            check_every(CHECK_EVERY.total_seconds())
            forget_index()
            forget_in_force()
            calendar_table.forget()


@pytest.fixture
def at_now(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """The pages' own moment is that of the demo."""
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    return NOW
