"""The station writes an order of its own while an agent takes the same caller's report for the same station.

Both use a seat of the station's day and write the user's row. Everybody takes the seat first; the
control takes it last, as an effect would, and must see the database break the circle.
"""

from __future__ import annotations

from functools import partial

import pytest
from django.db import OperationalError, transaction

from mendline.dispatch import seats
from mendline.kernel.time import local_day
from mendline.orders.store import Loaded
from mendline.process.registry import LOOKUPS
from tests.faults.deaths import everything
from tests.faults.together import both
from tests.make import MONDAY_NINE, a_network, a_report

pytestmark = pytest.mark.django_db(transaction=True)

the_stations_own = partial(a_report, role="station_coordinator")
SEATED, WRITTEN = "network_take_seat", "mendline_write"


def test_com_01_both_orders_of_one_caller_come_about() -> None:
    a_network()
    a_report()  # the user is known and the station's day is open

    answers = both(the_stations_own, a_report, meet_after=(WRITTEN, SEATED), seconds=0.3)

    assert all(isinstance(answer, Loaded) for answer in answers), answers
    rows = everything()
    assert len(rows["network_seat"]) == 3 == sum(day["taken"] for day in rows["network_dayload"])


def test_com_01_control_a_seat_taken_after_the_order_ends_in_a_deadlock(monkeypatch: pytest.MonkeyPatch) -> None:
    a_network()
    a_report()
    monkeypatch.setitem(LOOKUPS, "own_seat", lambda *_: False)

    def seated_last() -> Loaded:
        with transaction.atomic():
            order = the_stations_own()
            seats.take_first(order.ref, order.product_line, local_day(MONDAY_NINE), [order.station_no])
        return order

    answers = both(seated_last, a_report, meet_after=(WRITTEN, SEATED))

    assert any(isinstance(answer, OperationalError) and "deadlock" in str(answer) for answer in answers), answers
