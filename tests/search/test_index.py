"""The index follows the orders: within a second, after a crash, whoever commits first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection

from mendline.contact.worker import loops
from mendline.journal import following
from mendline.search import index
from mendline.search.finding import find
from mendline.search.models import Current, Past, Reading
from tests.make import MONDAY_NINE, a_network, a_report, an_actor, do
from tests.search.conftest import a_second_connection, indexed

AGENT = an_actor("cc_agent")
WHY = "the test looks at everything"


def catch_up() -> None:
    while index.catch_up(MONDAY_NINE):
        pass


def found(text: str, **options: Any) -> list[str]:
    return [order.ref for order in find(AGENT, text, **options).orders]


def test_the_worker_follows_at_least_twice_a_second() -> None:
    (loop,) = [loop for loop in loops() if loop.name == "search"]

    assert loop.every <= 0.5


def test_new_orders_and_changed_ones_are_taken_up(network: None) -> None:
    catch_up()
    order = a_report()
    assert found("上地") == []
    catch_up()
    assert found("上地") == [order.ref]

    do(order, "download")
    before = Current.objects.unscoped(WHY).get()
    catch_up()
    assert Current.objects.unscoped(WHY).get().source == before.source
    with connection.cursor() as cursor:  # as a correction of the address does, with its entry in the history
        cursor.execute("UPDATE orders_repairorder SET address = '中关村大街1号' WHERE ref = %s", [order.ref])
    do(order, "log_contact", contact_outcome="reached", now=MONDAY_NINE)
    catch_up()

    assert (found("上地"), found("中关村")) == ([], [order.ref])


def test_an_order_that_changed_in_nothing_it_is_found_by_is_not_written_again(network: None) -> None:
    order = a_report()
    indexed()
    before = row_version()
    do(order, "download")
    catch_up()
    indexed()

    assert row_version() == before


def row_version() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT xmin::text || ctid::text FROM search_current")
        return str(cursor.fetchone()[0])


def test_creating_an_order_writes_nothing_to_the_index(network: None) -> None:
    a_report()

    assert not Current.objects.unscoped(WHY).exists() and not Past.objects.unscoped(WHY).exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_trigger WHERE tgfoid::regproc::text LIKE '%search%'")
        assert cursor.fetchone()[0] == 0


def test_a_whole_batch_and_one_more_are_taken_up(network: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "BATCH", 3)
    catch_up()
    made = {a_report(customer={"name": "王先生", "phone": f"1390000{n:04}"}).ref for n in range(7)}
    catch_up()
    assert set(found("上地")) == made

    Current.objects.unscoped(WHY).delete()
    indexed()
    assert set(found("上地")) == made


def test_what_ends_and_grows_old_is_put_away_and_comes_back_when_it_opens(network: None) -> None:
    ended, still_open = a_report(), a_report(customer={"name": "李女士", "phone": "13900001111"})
    do(ended, "cancel", "cc_agent", cancel_reason="user_solved", requested_by="user", cancel_detail="用户自行解决")
    indexed()
    index.catch_up(MONDAY_NINE + index.CURRENT_FOR)
    assert Past.objects.unscoped(WHY).count() == 0  # to the day is not yet older

    index.catch_up(MONDAY_NINE + index.CURRENT_FOR + timedelta(days=1))
    assert set(found("上地")) == {still_open.ref}
    assert set(found("上地", everything=True)) == {still_open.ref, ended.ref}

    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE orders_repairorder DISABLE TRIGGER guard_state")
        cursor.execute("UPDATE orders_repairorder SET category = 'open' WHERE ref = %s", [ended.ref])
        cursor.execute("ALTER TABLE orders_repairorder ENABLE TRIGGER guard_state")
    indexed(MONDAY_NINE + index.CURRENT_FOR + timedelta(days=1))
    assert set(found("上地")) == {still_open.ref, ended.ref}
    assert Past.objects.unscoped(WHY).count() == 0


@pytest.fixture
def other(transactional_db: None) -> Iterator[psycopg.Connection[Any]]:
    """A second connection, for what is still under way elsewhere."""
    a_network()
    with a_second_connection() as opened:
        yield opened
        opened.rollback()


def correct_elsewhere(other: psycopg.Connection[Any], ref: str) -> None:
    """Change an order's address with its entry in the history, and leave it uncommitted."""
    other.execute("UPDATE orders_repairorder SET address = '中关村大街1号' WHERE ref = %s", [ref])
    other.execute(
        "INSERT INTO journal_entry (at, subject, kind, process, from_state, to_state, revision, actor_name, actor_role,"
        " station_no, region, data) SELECT now(), subject, 'order.test', process, '', '', 9, '', '', '', '', '{}'"
        " FROM journal_entry WHERE subject = %s LIMIT 1",
        [ref],
    )


def test_an_order_whose_entry_has_a_lower_number_and_commits_later_is_not_missed(
    other: psycopg.Connection[Any],
) -> None:
    catch_up()
    first = a_report()
    indexed()
    correct_elsewhere(other, first.ref)  # its entry gets its number now, and commits last
    second = a_report(customer={"name": "李女士", "phone": "13900001111"})
    catch_up()
    catch_up()
    assert set(found("上地")) == {first.ref, second.ref}

    other.commit()
    catch_up()
    catch_up()
    assert (found("中关村"), found("上地")) == ([first.ref], [second.ref])
    reading = Reading.objects.get()
    assert (reading.seen_to, reading.read_to) == (None, reading.done_to)


def test_what_was_under_way_when_the_first_worker_came_is_not_missed(other: psycopg.Connection[Any]) -> None:
    order = a_report()
    correct_elsewhere(other, order.ref)
    catch_up()
    assert found("上地") == []  # the walk through the orders waits for what is under way

    other.commit()
    catch_up()
    assert found("中关村") == [order.ref]


def test_a_worker_that_dies_leaves_what_it_had_in_hand_to_the_next(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_network()
    catch_up()
    order = a_report()

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(following.Follower, "_read_again", die)
        index.catch_up(MONDAY_NINE)
    assert found("上地") == []
    catch_up()

    assert found("上地") == [order.ref]


def test_two_workers_do_not_wait_for_each_other(other: psycopg.Connection[Any]) -> None:
    catch_up()
    order = a_report()
    other.execute("SELECT * FROM search_reading FOR UPDATE")
    assert index.catch_up(MONDAY_NINE) is False
    assert found("上地") == []

    other.rollback()
    catch_up()
    assert found("上地") == [order.ref]


def test_the_index_is_made_anew_by_a_command(network: None, capsys: pytest.CaptureFixture[str]) -> None:
    order = a_report()
    Current.objects.unscoped(WHY).delete()
    call_command("search", "rebuild")

    assert "1" in capsys.readouterr().out
    assert found("上地") == [order.ref] or found("上地", everything=True) == [order.ref]


@pytest.mark.parametrize("table", ["search_current", "search_past"])
def test_the_auditor_does_not_read_what_orders_are_found_by(db: None, table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege('mendline_auditor', %s, 'SELECT')", [table])
        assert cursor.fetchone()[0] is False
        cursor.execute("SELECT has_table_privilege('mendline_app', %s, 'SELECT, INSERT, UPDATE, DELETE')", [table])
        assert cursor.fetchone()[0] is True
