"""The checks over a whole database: silent on one that the product wrote, and each names the row broken by hand.

A check that has never been seen to object proves nothing. So every one of them has a statement here, sent as the
owner past all guards of the product, after which exactly that check must object, and name the row.
"""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import connection, transaction

from mendline.cli import doctor
from mendline.orders.sweep import sweep
from mendline.sim import invariants
from mendline.sim.faults.beyond_rows import ASKED_ELSEWHERE, NOTHING_TO_ASK
from mendline.sim.faults.crew import on_the_test_database
from mendline.sim.invariants import Broken, broken, checks, unquiet
from tests.faults.stories import PART_DUE_AT, WRONG_AREA, a_request, an_order_waiting_for_a_part
from tests.make import a_network, a_report, do

pytestmark = pytest.mark.django_db

NOW = PART_DUE_AT + timedelta(minutes=1)
AN_ANSWER = """
    INSERT INTO orders_idempotencykey (person_id, key, request_digest, status, body, created_at)
    SELECT 1, 'k', 'd', 201, '{{"ref":"' || {ref} || '"}}', now() FROM orders_repairorder LIMIT 1
"""
A_TIMER = """
    INSERT INTO process_timer (subject, clock, step, generation, due_at, state, fired_at)
    SELECT subject, clock, step, generation + {later}, due_at, {state}, {fired} FROM process_timer
    WHERE {where} ORDER BY id LIMIT 1
"""
A_MESSAGE = """
    INSERT INTO journal_outgoing (key, at, subject, notice, channel, role, station_no, region, address, data, state,
                                  attempts, error)
    SELECT {key}, at, {subject}, notice, channel, role, station_no, region, '', data, 'shown', 0, ''
    FROM journal_outgoing LIMIT 1
"""
AN_ENTRY = """
    INSERT INTO journal_entry (at, subject, kind, process, from_state, to_state, revision, actor_id, actor_name,
                               actor_role, station_no, region, data)
    SELECT at, subject, {kind}, process, {from_state}, {to_state}, revision, actor_id, {name}, actor_role, station_no,
           region, data FROM journal_entry WHERE {where} ORDER BY id DESC LIMIT 1
"""
DROP_UNIQUE = "ALTER TABLE {table} DROP CONSTRAINT {name}"
# check → statements that break one row so that it must object; where several object, they are named as well
DAMAGES: dict[str, tuple[str, ...]] = {
    "one_answer_per_key": (
        DROP_UNIQUE.format(table="orders_idempotencykey", name="one_answer_per_key"),
        AN_ANSWER.format(ref="ref"),
        AN_ANSWER.format(ref="ref"),
    ),
    "answer_names_what_exists": (AN_ANSWER.format(ref="'WX000'"),),
    "history_replays": ("UPDATE orders_repairorder SET state = 'called_back' WHERE category = 'waiting'",),
    "every_revision_has_one_entry": (
        AN_ENTRY.format(kind="kind", from_state="to_state", to_state="to_state", name="actor_name",
                        where="data ? 'rules' AND kind = 'order.download'"),
    ),
    "history_has_no_gap": ("UPDATE journal_entry SET from_state = 'printed' WHERE kind = 'order.order_part'",),
    "only_listed_changes": (
        "UPDATE journal_entry SET from_state = 'called_back' WHERE kind = 'order.order_part'",
        "UPDATE journal_entry SET to_state = 'called_back' WHERE kind = 'order.download'",
    ),
    "entries_name_somebody": ("UPDATE journal_entry SET actor_name = '' WHERE kind = 'order.download'",),
    "history_is_append_only": ("DROP TRIGGER append_only ON journal_entry",),
    "seats_are_counted": ("UPDATE network_dayload SET taken = taken + 1 WHERE taken > 0",),
    "never_oversold": ("UPDATE network_dayload SET capacity = 0",
                       "UPDATE network_capacity SET per_day = 0"),
    "seats_belong_to_standing_orders": (
        "UPDATE network_seat SET order_ref = 'WX000' WHERE id = (SELECT max(id) FROM network_seat)",
    ),
    "somebody_owns_every_open_order": ("UPDATE orders_repairorder SET station_no = '' WHERE category = 'waiting'",),
    "due_is_the_next_deadline": ("UPDATE orders_repairorder SET due_at = NULL WHERE due_at IS NOT NULL",),
    "nothing_of_a_void_order_is_open": (
        "UPDATE orders_record SET category = 'open' WHERE process = 'cancellation_request'",
    ),
    "replacements_name_each_other": ("UPDATE orders_repairorder SET replaced_by = '' WHERE replaced_by <> ''",),
    "one_timer_per_step": (
        DROP_UNIQUE.format(table="process_timer", name="one_timer_per_step"),
        A_TIMER.format(later=0, state="'void'", fired="NULL", where="state = 'void'"),
    ),
    "timers_run_with_their_clock": (A_TIMER.format(later=1, state="'open'", fired="NULL", where="state = 'open'"),),
    "clocks_have_their_alarm": ("UPDATE process_timer SET state = 'void' WHERE state = 'open'",),
    "a_timer_takes_effect_once": ("UPDATE process_timer SET state = 'void' WHERE state = 'fired'",),
    "no_timer_before_its_time": (
        "UPDATE process_timer SET fired_at = due_at - interval '1 second' WHERE state = 'fired'",
    ),
    "approved_by_somebody_else": (
        """UPDATE orders_record SET facts = facts || '{"drafted_by": 7, "approved_by_id": 7}'
           WHERE process = 'cancellation_request'""",
    ),
    "one_message_per_key": (
        DROP_UNIQUE.format(table="journal_outgoing", name="journal_outgoing_key_key"),
        A_MESSAGE.format(key="key", subject="subject"),
    ),
    "messages_say_how_they_went": ("UPDATE journal_outgoing SET sent_at = at WHERE state <> 'sent'",),
    "messages_tell_of_what_happened": (A_MESSAGE.format(key="'k'", subject="'WX20260302000'"),),
    "nothing_due_is_left": ("UPDATE process_timer SET due_at = '2020-01-01' WHERE state = 'open'",),
    "nothing_waits_to_be_sent": (
        "UPDATE journal_outgoing SET state = 'pending', address = 'a@b', next_try_at = at WHERE id % 2 = 0",
    ),
}  # fmt: skip
GUARDED = ("journal_entry", "orders_repairorder", "orders_record", "network_capacity", "network_dayload")
ELSEWHERE = {"nobody_holds_a_transaction"}  # needs a second connection: below


def a_lived_in_database() -> None:
    """Orders that wait, were reassigned and cancelled, a request that lapsed, and timers that fired."""
    a_network()
    waiting = an_order_waiting_for_a_part()
    moved = a_report(customer={"name": "李女士", "phone": "13800000002"})
    a_request(moved)
    do(moved, "cancel_and_reassign", "cc_agent", **WRONG_AREA)
    gone = a_report(customer={"name": "赵先生", "phone": "13800000003"})
    do(gone, "cancel", "cc_agent", cancel_reason="user_solved", requested_by="user")
    assert waiting.state == "awaiting_part"
    while sweep(NOW):
        pass
    a_report(now=NOW, customer={"name": "周女士", "phone": "13800000004"})  # whose clock still runs


def asked(which: str = "broken") -> list[Broken]:
    with connection.cursor() as cursor:
        question = broken if which == "broken" else unquiet
        return question(cursor.connection, NOW)


def test_every_invariant_is_asked_somewhere_or_it_is_said_why_not() -> None:
    of_rows = {check.invariant for check in checks()}
    numbers = [*of_rows, *ASKED_ELSEWHERE, *NOTHING_TO_ASK]

    assert sorted(numbers, key=lambda one: int(one[1:])) == [f"I{number}" for number in range(1, 23)]


def test_a_database_that_the_product_wrote_breaks_nothing() -> None:
    a_lived_in_database()

    assert asked() == []
    assert asked("unquiet") == []


@pytest.mark.parametrize("check", sorted(DAMAGES))
def test_each_check_objects_to_the_row_that_is_broken_by_hand(check: str) -> None:
    a_lived_in_database()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in GUARDED:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for statement in DAMAGES[check]:
            cursor.execute(statement)
            assert statement.startswith(("ALTER", "DROP")) or cursor.rowcount > 0, f"nothing was broken by {statement}"
        for table in GUARDED:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")

    found = [*asked(), *asked("unquiet")]

    assert check in {one.check for one in found}, [str(one) for one in found]
    assert all(one.subject and one.detail for one in found if one.check == check)


def test_every_check_has_a_control() -> None:
    assert {check.name for check in invariants.checks()} == DAMAGES.keys() | ELSEWHERE


@pytest.mark.django_db(transaction=True)
def test_i20_somebody_who_holds_a_transaction_is_named() -> None:
    a_lived_in_database()
    other = connection.copy()
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("SELECT 1")
        assert {one.check for one in asked("unquiet")} == {"nobody_holds_a_transaction"}
    finally:
        other.close()
    assert asked("unquiet") == []


@pytest.mark.django_db(transaction=True)
def test_the_doctor_names_what_does_not_hold_of_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    a_lived_in_database()
    here = SimpleNamespace(url=lambda role: on_the_test_database()["DATABASE_URL"])
    monkeypatch.setattr(doctor, "ensure_running", lambda home: here)

    assert [one.ok for one in doctor._rows()] == [True]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE orders_repairorder SET replaced_by = '' WHERE replaced_by <> ''")
    [found] = doctor._rows()
    assert (found.ok, "replacements_name_each_other" in found.detail) == (False, True)
