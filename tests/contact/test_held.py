"""After a restore nothing goes out until a person lets it; what may have been sent before is told from what is new."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from mendline.contact import condition
from mendline.contact.held import NOT_SENT, Waiting, release, waiting
from mendline.contact.outbox import deliver_next
from mendline.journal import holds
from mendline.journal.models import Entry, Outgoing
from mendline.kernel.errors import Refused
from mendline.process.models import Timer
from tests.contact.conftest import ARow, Noting
from tests.make import MONDAY_NINE, an_actor

RESTORED = MONDAY_NINE + timedelta(hours=3)  # … to nine o'clock
STRUCK = RESTORED + timedelta(minutes=5)
LATER = RESTORED + timedelta(hours=1)


@pytest.fixture
def held(a_row: ARow) -> None:
    """One message from before the moment, one from a clock that struck late, one new."""
    a_row("before", at=MONDAY_NINE - timedelta(minutes=1))
    Timer.objects.create(
        subject="WX2", clock="contact", step="breach", generation=1, due_at=MONDAY_NINE + timedelta(hours=1),
        state="fired", fired_at=STRUCK,
    )  # fmt: skip
    a_row("again", subject="WX2", at=STRUCK, next_try_at=STRUCK)
    a_row("new", subject="WX2", at=STRUCK + timedelta(minutes=1), next_try_at=STRUCK)
    with connection.cursor() as cursor:
        assert holds.begin(cursor, since=RESTORED, as_of=MONDAY_NINE, why="restore")


def sent(channel: Noting) -> list[str]:
    while deliver_next("email", channel, now=LATER):
        pass
    return sorted(message.key for message in channel.got)


def test_p7_while_held_nothing_goes_out_and_the_status_page_says_why(held: None) -> None:
    assert sent(Noting()) == []

    hold = holds.standing()
    assert hold is not None and (hold.since, hold.as_of) == (RESTORED, MONDAY_NINE)
    assert waiting(hold) == [Waiting("again", "email", 1), Waiting("before", "email", 1), Waiting("new", "email", 1)]
    [found] = [one for one in condition.findings(LATER) if one.code == "held"]
    assert not found.ok and "outbox status" in found.todo.en


def test_p7_only_what_is_new_goes_out_and_the_rest_says_why_not(held: None) -> None:
    ended = release(everything=False, actor=an_actor("administrator"), now=LATER)

    assert ended == 2 and sent(Noting()) == ["new"]
    assert set(Outgoing.objects.filter(state="failed").values_list("key", "error")) == {
        ("before", NOT_SENT), ("again", NOT_SENT),
    }  # fmt: skip
    entry = Entry.objects.get(kind="outbox.release")
    assert entry.data["after"]["not_sent"] == 2 and holds.standing() is None
    assert not [one for one in condition.findings(LATER) if one.code == "held"]


def test_p7_everything_goes_out_for_whoever_wants_that(held: None) -> None:
    release(everything=True, actor=an_actor("administrator"), now=LATER)

    assert sent(Noting()) == ["again", "before", "new"]


def test_nothing_can_be_released_that_is_not_held(db: None) -> None:
    with pytest.raises(Refused):
        release(everything=True, actor=an_actor("administrator"), now=LATER)


def test_a_restore_of_a_restore_reaches_back_as_far_as_the_first(held: None) -> None:
    with connection.cursor() as cursor:
        holds.begin(cursor, since=LATER, as_of=RESTORED, why="restore")

    hold = holds.standing()
    assert hold is not None and (hold.since, hold.as_of) == (LATER, MONDAY_NINE)
