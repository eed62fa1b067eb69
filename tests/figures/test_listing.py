"""The list behind a number shows nobody else's orders, not even for the second that the worker needs to count anew."""

from __future__ import annotations

from datetime import date

import pytest

from mendline.access.actors import Actor
from mendline.figures.asking import Question
from mendline.figures.listing import page_of
from mendline.figures.periods import Period
from mendline.orders.models import RepairOrder
from tests.figures.conftest import followed
from tests.make import MONDAY_NINE, a_network, a_report

NORTH = Actor(None, "大区", "region_interface", region="north")
THAT_DAY = Period(date(2026, 3, 2), date(2026, 3, 2))


@pytest.mark.django_db
def test_p11_an_order_that_moved_out_of_the_scope_since_it_was_counted_is_not_listed() -> None:
    a_network()
    order = a_report()
    followed(MONDAY_NINE)
    assert [one.ref for one in page_of(Question(NORTH, THAT_DAY), "reported").orders] == [order.ref]

    RepairOrder.objects.unscoped("another region takes it over").update(region="east")

    assert page_of(Question(NORTH, THAT_DAY), "reported").orders == []
