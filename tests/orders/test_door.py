"""The one door, and every other way into a state that must stay shut (P1, P3, P5)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from mendline.journal.models import Entry, Outgoing
from mendline.kernel.errors import Conflict, Forbidden, Invalid, NotVisible, Refused, ScopeMissing
from mendline.network.revision import CHECK_EVERY, check_every
from mendline.orders import store
from mendline.orders import sweep as sweeping
from mendline.orders.models import Record, RepairOrder
from mendline.orders.store import Loaded
from mendline.orders.sweep import sweep
from mendline.orders.transitions import begin, perform
from mendline.process.models import AllowedChange, Timer
from tests.make import MONDAY_NINE, REPORT, a_network, a_report, an_actor, do

HOUR = timedelta(hours=1)


def orders() -> list[RepairOrder]:
    return list(RepairOrder.objects.unscoped("test").order_by("id"))


@pytest.mark.django_db
def test_stn_17_a_report_becomes_a_dispatched_order_with_history_clock_and_notice() -> None:
    a_network()

    order = a_report()

    assert (order.state, order.station_no, order.region, order.revision) == ("dispatched", "000001", "north", 0)
    entry = Entry.objects.get(subject=order.ref)
    assert (entry.kind, entry.from_state, entry.to_state) == ("order.report", "new", "dispatched")
    assert "13800000001" not in str(entry.data), "the history outlives an erasure and holds no telephone number"
    assert {timer.step for timer in Timer.objects.filter(subject=order.ref)} == {"warn75", "warn90", "breach"}
    assert Outgoing.objects.get(subject=order.ref).notice == "new_order"


@pytest.mark.django_db
def test_a_stale_screen_is_told_so_and_changes_nothing() -> None:
    a_network()
    order = a_report()
    do(order, "download")

    with pytest.raises(Conflict):
        perform(
            order.ref,
            "log_contact",
            actor=an_actor("station_coordinator"),
            now=MONDAY_NINE,
            given={"contact_outcome": "busy"},
            expected_revision=0,
        )

    assert orders()[0].revision == 1


@pytest.mark.django_db
def test_the_neighbour_station_sees_nothing_at_all() -> None:
    a_network()
    order = a_report()

    with pytest.raises(NotVisible):
        perform(order.ref, "download", actor=an_actor("station_coordinator", station_no="000002"), now=MONDAY_NINE)
    with pytest.raises(NotVisible):
        perform(order.ref, "cancel", actor=an_actor("region_interface", region="east"), now=MONDAY_NINE)


@pytest.mark.django_db
def test_a_read_that_names_no_scope_raises() -> None:
    for forgetful in (
        lambda: list(RepairOrder.objects.all()),
        lambda: RepairOrder.objects.filter(state="promised").count(),
        lambda: Record.objects.exists(),
        lambda: RepairOrder.objects.first(),
        lambda: RepairOrder.objects.values_list("ref")[0],
    ):
        with pytest.raises(ScopeMissing):
            forgetful()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "role", "kind"),
    [("download", "station_engineer", Forbidden), ("resolve", "cc_agent", Forbidden), ("fly", "cc_agent", Refused)],
)
def test_a_step_of_another_role_or_of_no_process_is_refused(name: str, role: str, kind: type[Refused]) -> None:
    a_network()
    order = a_report()

    with pytest.raises(kind):
        do(order, name, role)

    assert Entry.objects.filter(subject=order.ref).count() == 1


@pytest.mark.django_db
def test_everything_wrong_with_a_report_is_said_at_once() -> None:
    a_network()
    given = {**REPORT, "customer": {"name": "", "phone": "abc"}, "service_mode": "teleport", "colour": "red"}
    del given["fault"]

    with pytest.raises(Invalid) as refused:
        begin("unified_repair", "report", actor=an_actor("cc_agent"), now=MONDAY_NINE, given=given)

    assert set(refused.value.fields) == {"customer", "service_mode", "colour", "fault"}
    assert orders() == []


@pytest.mark.django_db
@pytest.mark.parametrize("table", ["orders_repairorder", "orders_record"])
def test_p5_sql_cannot_move_an_order_or_a_request_where_no_process_leads(table: str) -> None:
    a_network()
    order = a_report()
    do(order, "report_wrong_number", contact_note="空号")
    row = order if table == "orders_repairorder" else Record.objects.unscoped("a test").get(order_ref=order.ref)
    listed = AllowedChange.objects.filter(process=row.process, version=row.process_version)
    allowed = {change.to_state for change in listed.filter(from_state=row.state)} | {row.state}

    for state in sorted({change.to_state for change in listed} | {"invented"}):
        statement = f"UPDATE {table} SET state = %s WHERE ref = %s"
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement, [state, row.ref])
                moved = True
                transaction.set_rollback(True)
        except DatabaseError:
            moved = False
        assert moved == (state in allowed), state


@pytest.mark.django_db
def test_p5_the_application_may_not_touch_a_state_even_where_the_process_would_allow_it() -> None:
    a_network()
    order = a_report()

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE mendline_app")
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            cursor.execute("UPDATE orders_repairorder SET state = 'downloaded' WHERE ref = %s", [order.ref])
        cursor.execute("RESET ROLE")


@pytest.mark.django_db
@pytest.mark.parametrize("statement", ["UPDATE journal_entry SET kind = 'x'", "DELETE FROM journal_entry"])
def test_p6_the_history_is_never_rewritten(statement: str) -> None:
    a_network()
    a_report()

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db
def test_can_33_an_order_keeps_the_version_it_began_with() -> None:
    a_network()
    order = a_report()

    with (
        pytest.raises(DatabaseError, match="keeps the process version"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE orders_repairorder SET process_version = 2 WHERE ref = %s", [order.ref])


class StoppedHere(Exception):
    """The process died at this statement."""


def dying_at(n: int) -> Callable[..., Any]:
    """Return a wrapper that dies instead of sending the n-th statement."""
    sent = iter(range(10_000))

    def wrapper(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if next(sent) == n:
            raise StoppedHere(sql)
        return execute(sql, params, many, context)

    return wrapper


def deaths() -> Iterator[int]:
    yield from range(1, 40)


@pytest.mark.django_db(transaction=True)
def test_p1_a_report_cut_off_at_any_statement_leaves_nothing_or_everything() -> None:
    """What is read once in a process is read before: every report then sends the same statements, to the very last."""
    a_network()
    check_every(0)
    try:
        a_report()
        for n in range(40):
            before = (len(orders()), Entry.objects.count(), Timer.objects.count(), Outgoing.objects.count())
            try:
                with connection.execute_wrapper(dying_at(n)):
                    a_report()
                break
            except StoppedHere:
                after = (len(orders()), Entry.objects.count(), Timer.objects.count(), Outgoing.objects.count())
                assert after == before, f"cut off at statement {n}"
    finally:
        check_every(CHECK_EVERY.total_seconds())

    assert 2 <= n < 39, "the sweep over statements goes from the first of a report to its end"


@pytest.mark.django_db(transaction=True)
def test_p3_a_timer_whose_worker_dies_at_any_statement_takes_effect_exactly_once() -> None:
    a_network()
    order = a_report()
    late = MONDAY_NINE + 5 * HOUR
    died = 0
    for n in deaths():
        if not Timer.objects.filter(state="open").exists():
            break
        try:
            with connection.execute_wrapper(dying_at(n)):
                sweep(late)
        except StoppedHere:
            died += 1
            assert Entry.objects.filter(kind="clock.breach").count() == 0
    sweep(late)
    sweep(late)

    assert died >= 3
    assert Entry.objects.filter(subject=order.ref, kind="clock.breach").count() == 1
    assert Outgoing.objects.filter(notice="contact_overdue").count() == 2  # the station and the region, once each
    assert not Timer.objects.filter(state="open").exists()


@pytest.mark.django_db
def test_p3_after_a_long_pause_only_the_last_step_of_the_ladder_speaks() -> None:
    a_network()
    order = a_report()

    sweep(MONDAY_NINE + timedelta(days=3))

    kinds = list(Entry.objects.filter(subject=order.ref).order_by("id").values_list("kind", flat=True))
    assert kinds == ["order.report", "clock.breach"]


@pytest.mark.django_db
@pytest.mark.parametrize(("minutes", "breached"), [(240, False), (241, True)])
def test_stn_19_the_contact_limit_on_both_its_sides(minutes: int, breached: bool) -> None:
    a_network()
    order = a_report()
    at = MONDAY_NINE + timedelta(minutes=minutes)

    done = do(order, "promise", now=at, promised_at=(at + HOUR).isoformat())

    assert done.clocks["contact"].is_breached == breached


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("fault", [KeyError("facts"), IntegrityError("no such row")])
def test_p3_a_timer_that_cannot_be_carried_out_holds_up_no_other_one(
    monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    a_network()
    broken, *sound = [a_report() for _ in range(4)]
    late = MONDAY_NINE + 5 * HOUR
    change_of, write = sweeping._change, store.write

    def failing_change(subject: Loaded, *rest: Any) -> store.Change:
        if isinstance(fault, KeyError) and subject.ref == broken.ref:
            raise fault
        return change_of(subject, *rest)

    def failing_write(changes: list[store.Change]) -> list[int]:
        if isinstance(fault, IntegrityError) and any(change.after.ref == broken.ref for change in changes):
            raise fault
        return write(changes)

    with monkeypatch.context() as patched:
        patched.setattr(sweeping, "_change", failing_change)
        patched.setattr(store, "write", failing_write)
        sweep(late)
        sweep(late)
    breached = set(Entry.objects.filter(kind="clock.breach").values_list("subject", flat=True))
    assert breached == {order.ref for order in sound}

    sweep(late + sweeping.TRIED_AGAIN_AFTER)

    assert Entry.objects.filter(kind="clock.breach", subject=broken.ref).count() == 1


def together(*calls: Callable[[], Loaded]) -> list[Loaded | Exception]:
    """Run calls at the same time, each on a connection of its own."""
    gate = threading.Barrier(len(calls))
    answers: dict[int, Loaded | Exception] = {}

    def run(place: int, call: Callable[[], Loaded]) -> None:
        try:
            gate.wait(timeout=120)
            answers[place] = call()
        except Exception as error:
            answers[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=240)
    return [answers[place] for place in range(len(calls))]


def stale_step(ref: str, name: str, now: datetime) -> Loaded:
    """Act on what the order looked like right after it was reported."""
    return perform(ref, name, actor=an_actor("station_coordinator"), now=now, expected_revision=0)


@pytest.mark.django_db(transaction=True)
def test_two_people_at_once_on_one_order_leave_one_open_clock_and_a_conflict() -> None:
    a_network()
    for _ in range(5):
        order = a_report()
        answers = together(
            partial(stale_step, order.ref, "download", MONDAY_NINE),
            partial(stale_step, order.ref, "mark_unreachable", MONDAY_NINE + 4 * HOUR),
        )
        assert sorted(type(answer).__name__ for answer in answers) == ["Conflict", "Loaded"]
        open_breaches = Timer.objects.filter(subject=order.ref, clock="contact", step="breach", state="open")
        assert open_breaches.count() <= 1


@pytest.mark.django_db(transaction=True)
def test_two_agents_take_a_report_of_the_same_caller_at_once_and_neither_is_lost() -> None:
    a_network()
    answers = together(*[a_report for _ in range(6)])

    refs = {answer.ref for answer in answers if isinstance(answer, Loaded)}
    assert len(refs) == 6 == len(orders())
