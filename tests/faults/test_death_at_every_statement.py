"""A process dies at the first, second, third … statement of a step that changes several records: all or nothing.

The control of each kind takes the transaction away and must find a half.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from functools import partial
from itertools import count
from types import SimpleNamespace

import pytest

from mendline.journal.models import Entry, Outgoing
from mendline.orders import sweep as sweeping
from mendline.orders import transitions
from mendline.orders.store import Loaded
from mendline.orders.sweep import sweep
from mendline.process.models import Timer
from tests.faults.deaths import Rows, dying_at, everything
from tests.faults.stories import PART_DUE_AT, WRONG_AREA, a_request, an_order_waiting_for_a_part, order_now, records_of
from tests.make import a_network, a_report, do

pytestmark = pytest.mark.django_db(transaction=True)

LATE = PART_DUE_AT + timedelta(minutes=1)
# A sweep ends its first, empty-handed look with a commit before it acts; the others are one transaction.
MOST_STATEMENTS = 200


def die_until_done(step: Callable[[], object]) -> tuple[int, list[Rows]]:
    """Let `step` die one statement later each time until it lives; return the deaths and what each left behind."""
    left: list[Rows] = []
    for n in count(1):
        assert n < MOST_STATEMENTS, "the step never reached its end"
        with dying_at(n) as death:
            step()
        if not death.happened:
            return n - 1, left
        left.append(everything())
    raise AssertionError


def die_until_a_half(step: Callable[[], object]) -> int:
    """Return the first statement at which a death leaves neither nothing nor everything; 0 if there is none."""
    before = everything()
    for n in count(1):
        with dying_at(n) as death:
            step()
        if not death.happened:
            return 0
        if everything() != before:
            return n
    raise AssertionError


def test_p3_a_part_that_is_late_is_noted_once_wherever_the_worker_dies() -> None:
    a_network()
    order = an_order_waiting_for_a_part()
    before = everything()

    deaths, left = die_until_done(partial(sweep, LATE))

    assert deaths >= 15
    assert all(rows == before for rows in left), "a death left a part of the effect behind"
    [part] = records_of(order.ref, "part_order")
    once = {
        (order.ref, "order.note_part_late"): 1,
        (part.ref, "part_order.miss_delivery"): 1,
        (part.ref, "clock.breach"): 1,
    }
    assert {key: Entry.objects.filter(subject=key[0], kind=key[1]).count() for key in once} == once
    assert Outgoing.objects.filter(subject=order.ref, notice="part_late").count() == 1
    assert Timer.objects.get(subject=part.ref).state == "fired"
    assert [one["late"] for one in order_now(order.ref).facts["parts"]] == [True]

    done = everything()
    sweep(LATE)
    assert everything() == done, "a second sweep did it again"


def test_p3_control_without_the_transaction_a_death_leaves_a_half(monkeypatch: pytest.MonkeyPatch) -> None:
    a_network()
    an_order_waiting_for_a_part()
    monkeypatch.setattr(sweeping, "transaction", SimpleNamespace(atomic=nullcontext))

    assert die_until_a_half(partial(sweep, LATE)) > 0


def a_busy_order() -> tuple[Loaded, Loaded]:
    """An order with a seat, an open part order and the station's request to reassign it."""
    order = an_order_waiting_for_a_part()
    return order, a_request(order)


def by_the_agent(order: Loaded, request: Loaded) -> None:
    do(order, "cancel_and_reassign", "cc_agent", **WRONG_AREA)


def by_the_region(order: Loaded, request: Loaded) -> None:
    do(request, "reassign_order", "region_interface", station_wish="000002")


@pytest.mark.parametrize(("door", "request_ends"), [(by_the_agent, "lapsed"), (by_the_region, "executed")])
def test_can_02_a_reassignment_is_whole_wherever_the_process_dies(
    door: Callable[[Loaded, Loaded], None], request_ends: str
) -> None:
    a_network()
    order, request = a_busy_order()
    before = everything()

    deaths, left = die_until_done(partial(door, order, request))

    assert deaths >= 20
    assert all(rows == before for rows in left), "a death left a part of the reassignment behind"
    old = order_now(order.ref)
    new = order_now(old.replaced_by)
    assert (old.state, new.state, new.station_no) == ("cancelled_and_reassigned", "dispatched", "000002")
    assert new.replaces == old.ref
    assert [record.state for record in records_of(order.ref, "cancellation_request")] == [request_ends]
    assert [record.category for record in records_of(order.ref, "part_order")] == ["void"]
    assert taken() == {"000001": 0, "000002": 1}
    assert [row["order_ref"] for row in everything()["network_seat"]] == [new.ref]
    open_timers = set(Timer.objects.filter(state="open").values_list("subject", flat=True))
    assert open_timers == {new.ref}, "a clock of the voided order still runs"


def taken() -> dict[str, int]:
    """Return how many seats are counted as taken at each station whose day is open."""
    return {row["station_no"]: row["taken"] for row in everything()["network_dayload"]}


def test_can_02_control_without_the_transaction_the_old_order_ends_and_no_new_one_begins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    a_network()
    order = a_report()
    monkeypatch.setattr(transitions, "transaction", SimpleNamespace(atomic=nullcontext))

    assert die_until_a_half(partial(do, order, "cancel_and_reassign", "cc_agent", **WRONG_AREA)) > 0
