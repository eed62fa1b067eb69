"""The queue's two statements: order, pages, scope, and counting that stops at what people work through."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from mendline.access.actors import Actor
from mendline.orders import queue
from mendline.orders.models import RepairOrder
from mendline.orders.queries import OrderFilters, page_of_orders
from mendline.orders.queue import queue_page, rows_of, standing
from mendline.orders.store import Loaded
from tests.make import MONDAY_NINE, a_network, a_report, an_actor, do

EVERYWHERE = an_actor("cc_agent")
STATION = an_actor("station_coordinator")


@pytest.fixture
def seven(db: None) -> list[Loaded]:
    """Five orders with a deadline at station 000001, two without a running clock."""
    a_network(per_day=20)
    made = [a_report(now=MONDAY_NINE + timedelta(minutes=n), fault=f"故障{n}") for n in range(7)]
    without = [order.ref for order in made[:2]]
    RepairOrder.objects.unscoped("a test sets them back").filter(ref__in=without).update(due_at=None)
    return made


Reading = Callable[[OrderFilters, queue.Key | None, int], tuple[list[str], queue.Key | None]]


def as_the_console_does(
    filters: OrderFilters, after: queue.Key | None, limit: int
) -> tuple[list[str], queue.Key | None]:
    page = queue_page(STATION, filters, after=after, limit=limit)
    return [row.ref for row in page.rows], page.next_after


def as_the_interface_does(
    filters: OrderFilters, after: queue.Key | None, limit: int
) -> tuple[list[str], queue.Key | None]:
    page = page_of_orders(STATION, filters=filters, after=after, limit=limit)
    return [row.ref for row in page.rows], page.next_after


def all_pages(read: Reading, filters: OrderFilters, limit: int) -> list[str]:
    found, after = read(filters, None, limit)
    for _ in range(8):
        if after is None:
            return found
        more, after = read(filters, after, limit)
        found += more
    raise AssertionError("the pages do not end")


@pytest.mark.parametrize("read", [as_the_console_does, as_the_interface_does])
@pytest.mark.parametrize("limit", [1, 2, 3, 5, 7, 20])
def test_pages_one_after_another_are_the_whole_list_by_deadline(seven: list[Loaded], read: Reading, limit: int) -> None:
    found = all_pages(read, OrderFilters(), limit)

    assert found == [order.ref for order in (*seven[2:], *seven[:2])]  # no clock runs: at the end


@pytest.mark.parametrize("read", [as_the_console_does, as_the_interface_does])
@pytest.mark.parametrize("limit", [1, 2, 3, 20])
def test_orders_with_the_same_deadline_are_all_there_once(seven: list[Loaded], read: Reading, limit: int) -> None:
    RepairOrder.objects.unscoped("a test sets them").update(due_at=MONDAY_NINE)

    assert all_pages(read, OrderFilters(), limit) == [order.ref for order in seven]


@pytest.mark.parametrize("read", [as_the_console_does, as_the_interface_does])
@pytest.mark.parametrize("limit", [1, 2, 20])
def test_ended_orders_come_newest_first(seven: list[Loaded], read: Reading, limit: int) -> None:
    for order in seven[:3]:
        do(order, "cancel", "cc_agent", cancel_reason="user_solved", requested_by="user")

    found = all_pages(read, OrderFilters(category="ended"), limit)
    assert found == [seven[2].ref, seven[1].ref, seven[0].ref]


@pytest.mark.parametrize(
    ("actor", "sees"),
    [
        (EVERYWHERE, True),
        (STATION, True),
        (an_actor("region_interface"), True),
        (an_actor("station_coordinator", station_no="000002"), False),
        (an_actor("region_interface", region="east"), False),
        (Actor(None, "nobody", "station_coordinator"), False),
        (Actor(None, "nobody", "region_interface"), False),
    ],
)
def test_out_of_scope_is_like_absent_in_the_list_the_counts_and_by_number(
    seven: list[Loaded], actor: Actor, sees: bool
) -> None:
    refs = [order.ref for order in seven]

    assert len(queue_page(actor, OrderFilters()).rows) == (7 if sees else 0)
    assert standing(actor, MONDAY_NINE).open == (7 if sees else 0)
    assert len(rows_of(actor, refs)) == (7 if sees else 0)


def test_every_filter_narrows(seven: list[Loaded]) -> None:
    do(seven[3], "download")
    late = MONDAY_NINE + timedelta(hours=4, minutes=4, seconds=1)

    def refs(filters: OrderFilters) -> list[str]:
        return [row.ref for row in queue_page(EVERYWHERE, filters).rows]

    assert refs(OrderFilters(states=("downloaded",))) == [seven[3].ref]
    assert refs(OrderFilters(states=("undispatched",))) == []
    assert refs(OrderFilters(station_no="000002")) == []
    assert refs(OrderFilters(assignee_id=4711)) == []
    assert refs(OrderFilters(overdue_at=late)) == [order.ref for order in seven[2:5]]
    assert len(refs(OrderFilters(category="all"))) == 7


def test_an_undispatched_order_is_found_by_its_state(seven: list[Loaded]) -> None:
    nobody_covers = a_report(area="440106")

    page = queue_page(EVERYWHERE, OrderFilters(states=("undispatched",)))
    assert [row.ref for row in page.rows] == [nobody_covers.ref]


def test_counts_are_exact_below_the_limit(seven: list[Loaded]) -> None:
    do(seven[3], "download")

    found = standing(STATION, MONDAY_NINE + timedelta(hours=4, minutes=3, seconds=1))
    assert (found.open, found.late, found.is_more) == (7, 2, False)
    assert found.by_state == {"dispatched": 6, "downloaded": 1}


def test_beyond_the_limit_people_are_told_that_there_are_more(
    seven: list[Loaded], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "COUNTED", 7)
    assert standing(STATION, MONDAY_NINE) == queue.Standing(7, 0, {"dispatched": 7}, is_more=False)

    monkeypatch.setattr(queue, "COUNTED", 6)
    assert standing(STATION, MONDAY_NINE) == queue.Standing(6, 0, {}, is_more=True)
    assert standing(STATION, MONDAY_NINE + timedelta(days=1)).late == 5
