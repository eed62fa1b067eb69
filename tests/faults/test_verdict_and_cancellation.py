"""The region executes a request while the call centre cancels the same order: one of them does it, the other is told.

Both touch the order and the request. Everybody locks the order first, so neither waits for the other
in a circle; the control takes that away and must see the database break the circle.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import pytest
from django.db import OperationalError

from mendline.journal.models import Entry
from mendline.kernel.errors import Refused
from mendline.orders import store
from mendline.orders.store import Loaded
from mendline.process.models import Timer
from tests.faults.deaths import everything
from tests.faults.stories import a_request, order_now, records_of
from tests.faults.together import both
from tests.make import a_network, a_report, do

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 10
LOCKED = "FOR UPDATE"
BY_THE_USER: dict[str, Any] = {"cancel_reason": "user_solved", "requested_by": "user"}


def the_verdict(request: Loaded, name: str) -> Loaded:
    return do(request, name, "region_interface")


def the_cancellation(order: Loaded) -> Loaded:
    return do(order, "cancel", "cc_agent", **BY_THE_USER)


def assert_one_won(order: Loaded, answers: Iterable[Loaded | Exception]) -> str:
    """Check that the order ended exactly once, with everything of it, and return who ended it."""
    verdict, cancellation = answers
    kinds = sorted("won" if isinstance(answer, Loaded) else type(answer).__name__ for answer in (verdict, cancellation))
    assert kinds == ["Refused", "won"], (verdict, cancellation)
    refusal = cancellation if isinstance(cancellation, Refused) else verdict
    assert isinstance(refusal, Refused) and refusal.code == "wrong_state", refusal
    ended = order_now(order.ref)
    assert ended.category == "void"
    assert Entry.objects.filter(subject=order.ref, kind__startswith="order.cancel").count() == 1
    [request] = records_of(order.ref, "cancellation_request")
    assert request.state == ("executed" if isinstance(verdict, Loaded) else "lapsed")
    assert not Timer.objects.filter(subject__in=[order.ref, request.ref], state="open").exists()
    rows = everything()
    holders = [seat["order_ref"] for seat in rows["network_seat"]]
    assert order.ref not in holders
    assert sum(load["taken"] for load in rows["network_dayload"]) == len(holders), "a seat was given back twice"
    return request.state


def test_can_22_verdict_and_cancellation_at_once_end_the_order_exactly_once() -> None:
    a_network(per_day=3 * ROUNDS)
    for round_no in range(ROUNDS):
        order = a_report()
        request = a_request(order)
        verdict = ("cancel_order", "reassign_order")[round_no % 2]

        answers = both(partial(the_verdict, request, verdict), partial(the_cancellation, order))

        assert_one_won(order, answers)


def test_can_22_the_worst_moment_is_harmless_too() -> None:
    a_network()
    order = a_report()
    request = a_request(order)

    answers = both(
        partial(the_verdict, request, "cancel_order"),
        partial(the_cancellation, order),
        meet_after=(LOCKED, LOCKED),
        seconds=0.3,
    )

    assert_one_won(order, answers)


def test_can_22_control_locking_the_request_first_ends_in_a_deadlock(monkeypatch: pytest.MonkeyPatch) -> None:
    a_network()
    order = a_report()
    request = a_request(order)
    monkeypatch.setattr(store, "_LOCK_ORDER_OF", "SELECT 1 WHERE %s::text IS NULL")

    answers = both(
        partial(the_verdict, request, "cancel_order"), partial(the_cancellation, order), meet_after=(LOCKED, LOCKED)
    )

    assert any(isinstance(answer, OperationalError) and "deadlock" in str(answer) for answer in answers), answers
