"""The demo shows every state with a true history, whatever hour it is loaded at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from django.contrib.auth import SESSION_KEY
from django.db import connection, transaction
from django.db.models import Max
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoDbBlocker

from mendline.access.models import Person, Role
from mendline.dispatch.current import forget_index
from mendline.journal.models import Entry, Outgoing
from mendline.network.models import DayLoad, Station
from mendline.network.revision import CHECK_EVERY, check_every
from mendline.orders.models import Record, RepairOrder
from mendline.orders.queries import OrderFilters, inbox_of_records, page_of_orders
from mendline.process import calendar_table
from mendline.process.loading import forget_in_force, process_for
from mendline.process.models import Timer
from mendline.sim.demo import NotEmpty, Played, load_demo, logins
from mendline.sim.demo_calls import a_call
from mendline.sim.demo_stage import Stage, Story
from mendline.sim.worlds import load

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)  # Monday 09:00 in Shanghai
OPEN = ("open", "waiting")


@contextmanager
def a_demo(now: datetime) -> Iterator[Played]:
    """Load the demo and forget it afterwards, with everything this process kept of it."""
    check_every(0)
    try:
        with transaction.atomic():
            yield load_demo(now)
            transaction.set_rollback(True)
    finally:
        check_every(CHECK_EVERY.total_seconds())
        forget_index()
        forget_in_force()
        calendar_table.forget()


@pytest.fixture(scope="class")
def played(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Played]:
    with django_db_blocker.unblock(), a_demo(NOW) as found:
        yield found


def orders() -> list[RepairOrder]:
    return list(RepairOrder.objects.unscoped("a test looks at everything"))


def records() -> list[Record]:
    return list(Record.objects.unscoped("a test looks at everything"))


def states_now() -> dict[str, set[str]]:
    """Return the states that occur, by process."""
    found: dict[str, set[str]] = {}
    for row in (*orders(), *records()):
        found.setdefault(row.process, set()).add(row.state)
    return found


@pytest.mark.usefixtures("played", "db")
class TestDemo:
    def test_nothing_was_refused_on_the_way(self, played: Played) -> None:
        assert played.refusals == ()
        assert 120 <= played.orders <= 200

    def test_every_state_of_an_order_occurs(self) -> None:
        assert states_now()["unified_repair"] == set(process_for("unified_repair", 3).states)

    def test_requests_of_every_kind_are_there(self) -> None:
        states = states_now()

        assert {"submitted", "approved", "executed", "refused"} <= states["cancellation_request"]
        assert {"submitted", "agreed"} <= states["special_situation"]
        assert {"ordered", "shipped", "returned"} <= states["part_order"]
        assert {"draft", "submitted", "approved", "refused"} <= states["coverage_change"]
        assert {"due", "done", "reopened"} <= states["callback"]
        assert {"draft", "reviewed"} <= states["procedure_document"]

    def test_every_open_order_has_an_owner(self) -> None:
        stations = set(Station.objects.filter(head=None, works_in_cc_web=True).values_list("number", flat=True))

        for order in orders():
            assert order.station_no in stations or (order.state == "undispatched" and order.region), order.ref

    def test_com_10_seats_and_day_loads_agree(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT load_id, count(*) FROM network_seat GROUP BY load_id")
            seats = dict(cursor.fetchall())

        assert {load.pk: load.taken for load in DayLoad.objects.filter(taken__gt=0)} == seats
        assert all(load.taken <= load.capacity for load in DayLoad.objects.all())

    def test_nothing_happened_in_the_future(self) -> None:
        assert (Entry.objects.aggregate(last=Max("at"))["last"] or NOW) <= NOW
        assert (Outgoing.objects.aggregate(last=Max("at"))["last"] or NOW) <= NOW
        assert all(row.updated_at <= NOW for row in (*orders(), *records()))

    def test_no_timer_is_left_that_was_due(self) -> None:
        assert not Timer.objects.filter(state="open", due_at__lte=NOW).exists()

    def test_timers_took_effect_when_they_were_due(self) -> None:
        late = [
            t
            for t in Timer.objects.filter(state="fired")
            if t.fired_at and t.fired_at - t.due_at > timedelta(minutes=1)
        ]

        assert late == []
        assert Timer.objects.filter(state="fired", step="breach").count() > 10

    def test_some_limits_are_broken_and_some_are_near(self) -> None:
        running = [
            (name, clock)
            for order in orders()
            if order.category in OPEN
            for name, clock in order.clocks.items()
            if clock["run"] == "running"
        ]
        breached = Counter(name for name, clock in running if "breached" in clock)
        near = [
            name for name, clock in running if NOW < datetime.fromisoformat(clock["due"]) < NOW + timedelta(hours=1)
        ]

        assert breached["contact"] >= 3 and breached["visit"] >= 2 and breached["dispatching"] >= 1
        assert near.count("contact") >= 4

    def test_histories_are_whole(self) -> None:
        """Every revision of every order and record has its entry, and each entry begins where the one before ended."""
        entries: dict[str, list[Entry]] = {}
        for entry in Entry.objects.order_by("id"):
            entries.setdefault(entry.subject, []).append(entry)

        for row in (*orders(), *records()):
            history = entries[row.ref]
            assert [entry.revision for entry in history] == list(range(row.revision + 1)), row.ref
            assert history[0].from_state == "new" and history[-1].to_state == row.state
            assert all(b.from_state == a.to_state and a.at <= b.at for a, b in zip(history, history[1:], strict=False))

    def test_every_region_has_requests_to_judge(self) -> None:
        world = load("small")
        for region in world.contents.regions:
            actor = world.actor(f"region_interface@{region}")
            waiting = inbox_of_records(actor, ["cancellation_request", "special_situation", "coverage_change"])

            assert {record.process for record in waiting} == {
                "cancellation_request",
                "special_situation",
                "coverage_change",
            }

    def test_the_engineer_wang_has_work(self) -> None:
        page = page_of_orders(load("small").actor("wang"), filters=OrderFilters())

        assert any(row.assignee_name == "王强" for row in page.rows)

    def test_every_listed_login_can_sign_in(self) -> None:
        assert {login.role.zh for login in logins()} == {role.label for role in Role}
        for login in logins():
            client = Client()
            client.post(reverse("account_login"), {"login": login.username, "password": login.password})

            assert SESSION_KEY in client.session, login.username

    def test_a_second_demo_is_refused_and_changes_nothing(self, played: Played) -> None:
        with pytest.raises(NotEmpty, match="orders"):
            load_demo(NOW)

        assert len(orders()) == played.orders


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize(
    "now",
    [
        datetime(2026, 11, 21, 19, 10, tzinfo=UTC),  # Sunday 03:10
        datetime(2026, 10, 7, 3, 0, tzinfo=UTC),  # the last day of the National Day holidays
    ],
)
def test_the_demo_fits_any_hour(now: datetime) -> None:
    with a_demo(now) as played:
        assert played.refusals == ()
        assert states_now()["unified_repair"] == set(process_for("unified_repair", 3).states)
        assert (Entry.objects.aggregate(last=Max("at"))["last"] or now) <= now


@pytest.mark.django_db
def test_a_story_that_the_procedure_refuses_ends_and_is_told() -> None:
    world = load("small")
    world.build()
    stage = Stage(world, NOW, Random(1))

    def hasty() -> Story:
        ref = stage.report(a_call(stage.rng, place=("110108", "上地信息路"), line="desktop"))
        yield stage.after(10)
        stage.do(ref, "mark_unreachable")
        yield stage.after(10)

    stage.play([(NOW - timedelta(hours=1), hasty())], lambda share: None)

    assert [refusal.rule for refusal in stage.refusals] == ["STN-24"]
    assert [order.state for order in orders()] == ["dispatched"]


@pytest.mark.django_db
def test_the_demo_leaves_a_database_with_people_alone() -> None:
    Person.objects.create_user("owner", name="店主", role="admin")

    with pytest.raises(NotEmpty, match="1 people"):
        load_demo(NOW)
    assert not Station.objects.exists()


@pytest.mark.django_db
def test_no_login_of_the_demo_is_shown_where_its_people_are_not() -> None:
    Person.objects.create_user("liufang", name="刘芳", role="station_coordinator", email="liufang@shop.test")

    assert logins() == []


@pytest.mark.django_db
def test_the_logins_name_one_person_of_each_role() -> None:
    load("small").build()

    lines = [str(login) for login in logins()]

    assert len(lines) == len(Role)
    assert any("liufang" in line and "维修站协调员" in line and "000001" in line for line in lines)
