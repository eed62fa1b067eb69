"""The prepared figures equal a slow count over the history: in step, after a second delivery, after a rebuild."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection

from mendline.access.actors import THE_CLOCK
from mendline.care.models import StationScorecard
from mendline.care.scorecards import refresh_scorecards
from mendline.figures import facts
from mendline.figures.models import OrderFact, Path, Reading
from mendline.orders import store
from mendline.orders.models import RepairOrder
from mendline.orders.store import Loaded
from tests.figures.conftest import NOW, followed
from tests.figures.plain import by, counted
from tests.make import MONDAY_NINE, a_network, a_report, do

WHY = "a test looks at everything"
TOMORROW = MONDAY_NINE + timedelta(days=1)


def prepared() -> dict[str, dict[str, Any]]:
    """Return the prepared rows by the number of their order, with the steps of their path."""
    refs = dict(RepairOrder.objects.unscoped(WHY).values_list("id", "ref"))
    paths = dict(Path.objects.values_list("id", "steps"))
    rows = OrderFact.objects.unscoped(WHY).values()
    return {refs[row["order_id"]]: {**row, "steps": paths.get(row["path_id"] or 0, "")} for row in rows}


def agree(now: datetime) -> None:
    """Compare everything that the plain count knows."""
    found, plain = prepared(), counted(now)
    assert found.keys() == plain.keys()
    for ref, fact in plain.items():
        assert {name: found[ref][name] for name in fact} == fact, ref


def row_versions() -> set[tuple[int, str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT order_id, xmin::text || ctid::text FROM figures_orderfact")
        return set(cursor.fetchall())


class FactsOfDemo:
    """Collected with the other tests of the demo (`test_demo.py`)."""

    def test_the_prepared_figures_equal_a_plain_count_over_the_history(self) -> None:
        agree(NOW)
        plain = counted(NOW)
        for name in ("contacts_late", "promises_kept", "promises_broken", "repeat_visits", "cancelled", "reopened"):
            assert by(plain, name)[True] > 0, name  # of each there is something to compare
        assert max(by(plain, "handovers")) >= 1 and len(by(plain, "steps")) > 10

    def test_what_is_delivered_twice_is_counted_once_and_not_even_written(self) -> None:
        before = row_versions()
        Reading.objects.update(read_to=0, done_to=0)
        followed(NOW)

        agree(NOW)
        assert row_versions() == before

    def test_a_rebuild_gives_the_same(self) -> None:
        OrderFact.objects.unscoped(WHY).delete()
        facts.start_over(NOW, lambda done: None)

        agree(NOW)

    def test_a_rebuild_mends_what_is_wrong(self) -> None:
        OrderFact.objects.unscoped(WHY).update(contacts_late=True, cancelled=True, stations="999999")
        facts.start_over(NOW, lambda done: None)

        agree(NOW)

    def test_a_stations_card_counts_the_same(self) -> None:
        refresh_scorecards(NOW)
        for card in StationScorecard.objects.all():
            mine = OrderFact.objects.unscoped(WHY).filter(station_no=card.station_no)
            assert card.reported == mine.count()
            for name in facts.MEASURED:
                assert getattr(card, name) == mine.filter(**{name: True}).count(), (card.station_no, name)


@pytest.fixture
def network(db: None) -> None:
    a_network()


def fact_of(ref: str) -> dict[str, Any]:
    return prepared()[ref]


def test_a_contact_becomes_late_by_time_alone(network: None) -> None:
    order = a_report()
    followed(MONDAY_NINE + timedelta(hours=4))
    assert not fact_of(order.ref)["contacts_late"]  # 240 minutes are within four hours (STN-19)

    followed(MONDAY_NINE + timedelta(hours=4, minutes=1))
    assert fact_of(order.ref)["contacts_late"]


def test_a_first_promise_is_broken_by_time_alone_even_where_a_second_one_stands(network: None) -> None:
    order = a_report()
    first, second = MONDAY_NINE + timedelta(hours=6), MONDAY_NINE + timedelta(days=2)
    do(order, "promise", promised_at=first.isoformat())
    do(order, "promise", promised_at=second.isoformat(), promise_kind="user_reason", promise_reason="用户改约")
    followed(first)
    assert not fact_of(order.ref)["promises_broken"]

    followed(first + timedelta(minutes=1))
    assert fact_of(order.ref)["promises_broken"]
    agree(first + timedelta(minutes=1))


def test_can_02_an_order_that_goes_back_and_forth_is_seen(network: None) -> None:
    order = a_report(area="110101")  # 000002 alone serves it
    refs = [order.ref]
    for station in ("000003", "000002"):
        moved = do(
            order, "cancel_and_reassign", "cc_agent", cancel_reason="wrong_area", requested_by="user",
            station_wish=station, corrected_area="310101" if station == "000003" else "110101",
        )  # fmt: skip
        order = a_loaded(str(moved.facts["replaced_by"]))
        refs.append(order.ref)
    followed(MONDAY_NINE)

    seen = [(fact_of(ref)["stations"], fact_of(ref)["handovers"], fact_of(ref)["came_back"]) for ref in refs]
    assert seen == [
        ("", 0, False), ("000002 > 000003", 1, False), ("000002 > 000003 > 000002", 2, True)
    ]  # fmt: skip
    agree(MONDAY_NINE)


def a_loaded(ref: str) -> Loaded:
    return store.load(ref, actor=THE_CLOCK)


def test_a_reopened_order_has_not_ended(network: None) -> None:
    order = a_report()
    do(order, "resolve_remotely", promise_reason="软件问题,电话解决")
    followed(MONDAY_NINE)
    assert fact_of(order.ref)["ended_on"] == MONDAY_NINE.date()

    do(order, "reopen", "cc_agent", reopen_reason="问题仍在", now=TOMORROW)
    followed(TOMORROW)
    assert (fact_of(order.ref)["ended_on"], fact_of(order.ref)["reopened"]) == (None, True)


def test_more_than_a_batch_is_taken_up(network: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mendline.journal.following.BATCH", 3)
    monkeypatch.setattr(facts, "BATCH", 3)
    followed(MONDAY_NINE)
    refs = {a_report(customer={"name": "王先生", "phone": f"1390000{n:04}"}).ref for n in range(7)}
    followed(MONDAY_NINE)
    assert prepared().keys() == refs

    OrderFact.objects.unscoped(WHY).delete()
    facts.start_over(MONDAY_NINE, lambda done: None)
    assert prepared().keys() == refs


def test_as_of_is_when_nothing_was_left_to_read(network: None) -> None:
    followed(MONDAY_NINE)
    assert Reading.objects.get().as_of == MONDAY_NINE

    a_report(now=TOMORROW)
    followed(TOMORROW)
    assert Reading.objects.get().as_of == TOMORROW


def test_the_command_says_how_far_the_figures_are(network: None, capsys: pytest.CaptureFixture[str]) -> None:
    a_report()
    call_command("figures", "status")
    assert "由后台任务继续" in capsys.readouterr().out

    call_command("figures", "rebuild")
    said = capsys.readouterr().out
    assert "as of" in said and "           1\n" in said


@pytest.fixture
def other(transactional_db: None) -> Iterator[psycopg.Connection[Any]]:
    """A second connection, for what is still under way elsewhere."""
    a_network()
    with psycopg.connect(**connection.get_connection_params()) as opened:
        yield opened
        opened.rollback()


def test_an_entry_with_a_lower_number_that_commits_later_is_not_missed(other: psycopg.Connection[Any]) -> None:
    followed(MONDAY_NINE)
    first = a_report()
    followed(MONDAY_NINE)
    other.execute("UPDATE orders_repairorder SET product = 'laptop' WHERE ref = %s", [first.ref])
    other.execute(
        "INSERT INTO journal_entry (at, subject, kind, process, from_state, to_state, revision, actor_name, actor_role,"
        " station_no, region, data) SELECT now(), subject, 'order.test', process, '', '', 9, '', '', '', '', '{}'"
        " FROM journal_entry WHERE subject = %s LIMIT 1",
        [first.ref],
    )  # its entry gets its number now, and commits last
    second = a_report(customer={"name": "李女士", "phone": "13900001111"})
    followed(MONDAY_NINE)
    assert fact_of(second.ref)["product"] == fact_of(first.ref)["product"] == "desktop"

    other.commit()
    followed(MONDAY_NINE)
    assert fact_of(first.ref)["product"] == "laptop"
    reading = Reading.objects.get()
    assert (reading.seen_to, reading.read_to) == (None, reading.done_to)
