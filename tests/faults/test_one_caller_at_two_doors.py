"""The station writes an order of its own while an agent takes the same caller's report for the same station.

Both use a seat of the station's day and write the user's row. The statement that writes an order takes
the seat first, whoever sends it; the control takes it last, and must see the database break the circle.
"""

from __future__ import annotations

from functools import partial
from threading import Event

import pytest
from django.db import OperationalError, connection, transaction

from mendline.orders.store import Loaded
from mendline.process.registry import LOOKUPS
from mendline.sim.faults.patience import wait_for
from tests.faults.deaths import everything
from tests.faults.together import both
from tests.make import a_network, a_report

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 10
WAITING = """
    SELECT EXISTS (SELECT 1 FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
                   WHERE NOT l.granted AND a.datname = current_database())
"""
TAKE_SEAT = "SELECT network_take_seat(%s, %s, 'desktop', '2026-03-02')"

the_stations_own = partial(a_report, role="station_coordinator")


def test_com_01_both_orders_of_one_caller_come_about() -> None:
    a_network(per_day=2 * ROUNDS)
    for _ in range(ROUNDS):
        answers = both(the_stations_own, a_report)
        assert all(isinstance(answer, Loaded) for answer in answers), answers

    rows = everything()
    assert len(rows["network_seat"]) == 2 * ROUNDS == sum(day["taken"] for day in rows["network_dayload"])


def test_com_01_control_a_seat_taken_after_the_order_ends_in_a_deadlock(monkeypatch: pytest.MonkeyPatch) -> None:
    a_network()
    a_report()  # the user is known and the station's day is open
    monkeypatch.setitem(LOOKUPS, "own_seat", lambda *_: None)
    the_user_is_written = Event()

    def seated_last() -> Loaded:
        with transaction.atomic():
            order = the_stations_own()
            the_user_is_written.set()
            wait_for(somebody_waits, "the agent's order waits for the user's row", 120)
            with connection.cursor() as cursor:
                cursor.execute(TAKE_SEAT, [order.ref, order.station_no])
        return order

    def by_the_agent() -> Loaded:
        assert the_user_is_written.wait(120)
        return a_report()

    answers = both(seated_last, by_the_agent)

    assert any(isinstance(answer, OperationalError) and "deadlock" in str(answer) for answer in answers), answers


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(WAITING)
        return bool(cursor.fetchone() == (True,))
