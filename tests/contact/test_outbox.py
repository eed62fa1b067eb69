"""What the outbox owes to the world is delivered at least once, and trouble with one receiver stays with that one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mendline.contact.outbox import CLAIM, deliver_next
from mendline.contact.pauses import FIRST_PAUSE
from mendline.contact.ports import LONGEST_REASON, DeliveryFailed
from mendline.journal.models import Outgoing
from tests.contact.conftest import ARow, Noting
from tests.make import MONDAY_NINE

MINUTE = timedelta(minutes=1)
REFUSED_FOR_GOOD = DeliveryFailed("550 no such person", permanent=True)
NOT_NOW = DeliveryFailed("421 later")


def deliver(channel: Noting, minutes: float = 0) -> bool:
    return deliver_next("email", channel, now=MONDAY_NINE + minutes * MINUTE)


def test_a_due_message_is_sent_once_and_marked(a_row: ARow) -> None:
    row, channel = a_row(), Noting()

    assert deliver(channel) and not deliver(channel, 500)

    row.refresh_from_db()
    assert [message.text.zh for message in channel.got] == ["WX1 已撤单：区域错。"]
    assert (row.state, row.sent_at, row.next_try_at, row.error) == ("sent", MONDAY_NINE, None, "")


def test_nothing_is_sent_before_its_time_or_without_an_address_or_by_another_channel(a_row: ARow) -> None:
    a_row("later", next_try_at=MONDAY_NINE + MINUTE)
    a_row("nobody yet", address="")
    a_row("elsewhere", channel="webhook")
    a_row("done", state="sent")

    assert not deliver(Noting())


def test_a_failure_is_tried_again_after_one_two_four_minutes(a_row: ARow) -> None:
    row, channel = a_row(), Noting(NOT_NOW)
    tried = []
    for minutes in range(16):
        if deliver(channel, minutes):
            tried.append(minutes)

    row.refresh_from_db()
    assert tried == [0, 1, 3, 7, 15]
    assert (row.state, row.attempts, row.error) == ("pending", 5, "421 later")


def test_after_three_days_it_is_given_up_and_says_why(a_row: ARow) -> None:
    row = a_row(attempts=20)

    deliver(Noting(NOT_NOW), 3 * 24 * 60)
    row.refresh_from_db()
    assert row.state == "pending"

    deliver(Noting(NOT_NOW), 3 * 24 * 60 + 6 * 60)
    row.refresh_from_db()
    assert (row.state, row.next_try_at, row.error) == ("failed", None, "421 later")


def test_a_message_that_waited_out_a_long_stop_of_the_worker_is_still_tried(a_row: ARow) -> None:
    row, channel = a_row(), Noting()

    assert deliver(channel, 30 * 24 * 60)

    row.refresh_from_db()
    assert row.state == "sent"


def test_a_refusal_for_good_is_not_tried_again(a_row: ARow) -> None:
    row = a_row()

    deliver(Noting(REFUSED_FOR_GOOD))

    row.refresh_from_db()
    assert (row.state, row.attempts) == ("failed", 1)
    assert not deliver(Noting(), 10_000)


def test_a_receiver_in_trouble_keeps_only_its_own_messages_waiting(a_row: ARow) -> None:
    for number in range(3):
        a_row(f"bad {number}", address="bad@example.com")
    good = a_row("good", address="good@example.com", next_try_at=MONDAY_NINE + timedelta(seconds=1))
    failing, fine = Noting(NOT_NOW), Noting()

    deliver(failing)
    assert deliver_next("email", fine, now=MONDAY_NINE + timedelta(seconds=2))

    assert [message.id for message in fine.got] == [good.pk]
    waiting = Outgoing.objects.filter(address="bad@example.com")
    assert {row.next_try_at for row in waiting} == {MONDAY_NINE + FIRST_PAUSE}
    assert sorted(row.attempts for row in waiting) == [0, 0, 1]


def test_a_fault_of_ours_in_one_message_does_not_show_its_inside(a_row: ARow) -> None:
    row = a_row()

    deliver(Noting(RuntimeError("password=hunter2")))

    row.refresh_from_db()
    assert row.state == "pending" and "RuntimeError" in row.error and "hunter2" not in row.error


def test_a_long_reason_is_cut_to_what_fits(a_row: ARow) -> None:
    row = a_row()

    deliver(Noting(DeliveryFailed("x\n" * 500)))

    row.refresh_from_db()
    assert len(row.error) == LONGEST_REASON and "\n" not in row.error


def test_a_message_in_somebodys_hands_is_left_alone_until_the_claim_runs_out(a_row: ARow) -> None:
    """The second worker comes while the first is still talking to the mail server."""
    a_row()
    second = Noting()

    class Slow(Noting):
        def send(self, message: object) -> str:
            assert not deliver(second, CLAIM / MINUTE - 0.1)
            return "sent slowly"

    deliver(Slow())

    assert second.got == []


def test_a_slow_failure_does_not_undo_what_the_next_worker_did(a_row: ARow) -> None:
    row = a_row()
    second = Noting()

    class VerySlow(Noting):
        def send(self, message: object) -> str:
            assert deliver(second, CLAIM / MINUTE)
            raise REFUSED_FOR_GOOD

    deliver(VerySlow())

    row.refresh_from_db()
    assert (row.state, row.error) == ("sent", "")


@pytest.mark.parametrize("state", ["sent", "failed", "shown"])
def test_what_is_settled_is_never_taken_up_again(a_row: ARow, state: str) -> None:
    a_row(state=state)

    assert not deliver(Noting(), 10_000)
