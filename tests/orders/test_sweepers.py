"""P3: two sweepers at one time never carry out the same timer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from django.db import connection

from mendline.journal.models import Entry
from mendline.orders import sweep as sweeping
from tests.make import MONDAY_NINE, a_network, a_report

pytestmark = pytest.mark.django_db(transaction=True)
LATE = MONDAY_NINE + timedelta(hours=5)


@contextmanager
def another_sweeper(now: datetime) -> Iterator[list[int]]:
    """Somebody else who has just taken up what is due; yields those timers."""
    other = connection.copy()
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute(sweeping._DUE, {"now": now, "aside": [], "only": None, "limit": sweeping.BATCH})
            yield [row[0] for row in cursor.fetchall()]
        other.rollback()
    finally:
        other.close()


def test_p3_a_timer_in_the_hands_of_another_sweeper_is_left_to_it() -> None:
    a_network()
    order = a_report()
    happened = Entry.objects.filter(subject=order.ref, kind__startswith="clock.")

    with another_sweeper(LATE) as taken:
        assert len(taken) == 3
        assert sweeping.sweep(LATE) == 0
        assert not happened.exists()

    assert sweeping.sweep(LATE) == 3
    assert sweeping.sweep(LATE) == 0
    assert happened.count() == 1  # of three steps of one ladder only the last speaks
