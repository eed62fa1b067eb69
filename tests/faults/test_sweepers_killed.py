"""Sweepers are killed again and again while timers are due: each timer takes effect once and none is lost (P3)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models import Count

from mendline.journal.models import Entry, Outgoing
from mendline.orders.store import Loaded
from mendline.orders.sweep import sweep
from mendline.process.models import Timer
from mendline.sim.faults.crew import on_the_test_database, run_job
from tests.faults.stories import PART_DUE_AT, an_order_waiting_for_a_part
from tests.make import MONDAY_NINE, a_network, a_report

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

ORDERS = 100  # with three timers each: two warnings that the breach makes needless, and the breach
WITH_A_LATE_PART = 10
A_MINUTE_BEFORE_THE_BREACH = MONDAY_NINE + timedelta(hours=3, minutes=59)
LATE = PART_DUE_AT + timedelta(minutes=1)
SEED = 20260302


def many_due() -> tuple[list[Loaded], list[Loaded]]:
    """Return orders that nobody contacted in time, and orders whose part does not come."""
    a_network(per_day=ORDERS + WITH_A_LATE_PART)
    with transaction.atomic():
        forgotten = [a_report() for _ in range(ORDERS)]
        waiting = [an_order_waiting_for_a_part() for _ in range(WITH_A_LATE_PART)]
    assert Timer.objects.filter(state="open", due_at__lte=LATE).count() == 3 * ORDERS + WITH_A_LATE_PART
    return forgotten, waiting


def effects(orders: list[Loaded], kind: str) -> dict[str, int]:
    """Return for each order how often `kind` happened to it."""
    refs = [order.ref for order in orders]
    rows = Entry.objects.filter(subject__in=refs, kind=kind).values_list("subject").annotate(Count("id"))
    return dict.fromkeys(refs, 0) | dict(rows)


def messages(orders: list[Loaded], notice: str) -> dict[str, int]:
    refs = [order.ref for order in orders]
    rows = Outgoing.objects.filter(subject__in=refs, notice=notice).values_list("subject").annotate(Count("id"))
    return dict.fromkeys(refs, 0) | dict(rows)


def under_fire(*, careless: bool) -> int:
    """Carry out what is due in processes that are killed; return how many were."""
    found = run_job(
        "tests.faults.sweepers:sweep_under_fire",
        on_the_test_database(),
        now=LATE.isoformat(),
        seed=SEED,
        careless=careless,
    )
    return int(found["kills"])


def test_p3_every_timer_takes_effect_once_however_often_the_sweepers_are_killed() -> None:
    forgotten, waiting = many_due()

    kills = under_fire(careless=False)

    assert kills >= 10
    assert not Timer.objects.filter(state="open", due_at__lte=LATE).exists()
    assert set(effects(forgotten, "clock.breach").values()) == {1}
    assert set(messages(forgotten, "contact_overdue").values()) == {2}  # the station and the region
    assert set(messages(forgotten, "contact_due").values()) == {0}, "a step of the ladder spoke after its time"
    assert set(effects(waiting, "order.note_part_late").values()) == {1}
    assert set(messages(waiting, "part_late").values()) == {1}


def test_p3_control_sweepers_that_mark_before_they_act_lose_effects() -> None:
    a_network(per_day=ORDERS)
    with transaction.atomic():
        forgotten = [a_report() for _ in range(ORDERS // 2)]
    # Only breaches are left, and each has an effect: whoever dies after it marked a batch loses some.
    while sweep(A_MINUTE_BEFORE_THE_BREACH):
        pass
    assert Timer.objects.filter(state="open", due_at__lte=LATE).count() == len(forgotten)

    under_fire(careless=True)

    assert not Timer.objects.filter(state="open", due_at__lte=LATE).exists()
    happened = list(effects(forgotten, "clock.breach").values())
    assert happened.count(0) > 0, "nothing was lost: this test would not see a lost timer"
    assert max(happened) == 1
