"""The same key means the same operation: stored answers, reused keys, two at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier, Event
from typing import TypeVar

import pytest
from django.db import connection, transaction

from mendline.access import tokens
from mendline.access.models import Person
from mendline.journal.models import Entry
from mendline.orders.models import IdempotencyKey, RepairOrder
from mendline.web.api import callers, calls
from tests.api.conftest import Machine, Machines, Reply, make_people
from tests.make import REPORT, a_network

T = TypeVar("T")


def orders() -> int:
    return RepairOrder.objects.unscoped("a test counts").count()


@pytest.mark.django_db
def test_the_same_key_with_the_same_body_gets_the_stored_answer_byte_for_byte(machine: Machines) -> None:
    cc = machine("cc")

    first = cc.post("/orders", {"given": REPORT}, key="one")
    again = cc.post("/orders", {"given": REPORT}, key="one")

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again["Idempotency-Replayed"] == "true" and "Idempotency-Replayed" not in first
    assert orders() == 1


@pytest.mark.django_db
def test_the_stored_answer_stays_when_the_order_has_moved_on(machine: Machines) -> None:
    cc, station = machine("cc"), machine("station1")
    first = cc.post("/orders", {"given": REPORT}, key="one")
    station.step(first.json()["ref"], "download")

    assert cc.post("/orders", {"given": REPORT}, key="one").content == first.content


@pytest.mark.django_db
def test_a_used_key_with_another_body_is_refused(machine: Machines) -> None:
    cc = machine("cc")
    cc.post("/orders", {"given": REPORT}, key="one")

    other = cc.post("/orders", {"given": {**REPORT, "fault": "蓝屏"}}, key="one")

    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert orders() == 1


@pytest.mark.django_db
def test_a_used_key_on_another_address_is_refused(machine: Machines) -> None:
    station, ref = machine("station1"), machine("cc").report().json()["ref"]
    station.post(f"/orders/{ref}/transitions/download", {}, key="one")

    other = station.post("/notices/seen", {}, key="one")

    assert other.json()["code"] == "idempotency_key_reused"


@pytest.mark.django_db
def test_a_key_belongs_to_the_one_who_used_it(machine: Machines) -> None:
    machine("cc").post("/orders", {"given": REPORT}, key="one")

    assert machine("north").post("/orders", {"given": REPORT}, key="one").status_code == 201
    assert orders() == 2


@pytest.mark.django_db
def test_a_refusal_is_not_stored_so_that_the_mended_call_may_use_the_key(machine: Machines) -> None:
    cc = machine("cc")
    assert cc.post("/orders", {"given": {**REPORT, "area": "99"}}, key="one").status_code == 422

    assert cc.post("/orders", {"given": REPORT}, key="one").status_code == 201


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["", "k" * 81, "with space", "汉字"])
def test_a_missing_or_unusable_key_is_a_clear_400(machine: Machines, key: str) -> None:
    cc = machine("cc")
    headers = {**cc.headers, **({"Idempotency-Key": key} if key else {})}

    answer = cc.client.post("/api/v1/orders", {"given": REPORT}, content_type="application/json", headers=headers)

    assert answer.status_code == 400
    assert answer.json()["code"] == ("idempotency_key_unusable" if key else "idempotency_key_missing")
    assert orders() == 0


@pytest.mark.django_db
def test_a_revealed_telephone_number_is_never_kept_as_an_answer(machine: Machines) -> None:
    cc = machine("cc")
    ref = cc.report().json()["ref"]

    seen = cc.post(f"/orders/{ref}/reveal", {"reason": "call_user"}, key="look")

    assert seen.json()["phone"] == "+8613800000001"
    assert not IdempotencyKey.objects.filter(key="look").exists()
    assert not IdempotencyKey.objects.filter(body__contains="13800000001").exists()


def closing(job: Callable[[], T]) -> T:
    """Do a job of a thread and close the connection that it opened."""
    try:
        return job()
    finally:
        connection.close()


def in_threads(*jobs: Callable[[], Reply]) -> list[Reply]:
    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(closing, jobs))


@pytest.fixture
def secret(transactional_db: None) -> str:
    a_network()
    return tokens.issue(make_people()["cc"], "test")


def test_a_key_whose_call_is_under_way_is_in_flight(secret: str) -> None:
    """Somebody is inside the statement that keeps the key's answer; once that is over, the key may be used."""
    held, done = Event(), Event()

    def first() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{agent}:one"])
            held.set()
            assert done.wait(120)

    agent = Person.objects.get(username="cc").pk
    with ThreadPoolExecutor(1) as pool:
        under_way = pool.submit(closing, first)
        assert held.wait(120)
        meanwhile = Machine(secret).post("/orders", {"given": REPORT}, key="one")
        done.set()
        under_way.result()

    assert (meanwhile.status_code, meanwhile.json()["code"]) == (409, "in_flight")
    assert orders() == 0
    assert Machine(secret).post("/orders", {"given": REPORT}, key="one").status_code == 201


def test_the_same_key_sixteen_times_at_the_same_moment_creates_one_order(secret: str) -> None:
    """Whoever does not come first hears that it is under way, or gets the answer of who did."""
    gate = Barrier(16, timeout=120)

    def report() -> Reply:
        gate.wait()
        return Machine(secret).post("/orders", {"given": REPORT}, key="one")

    answers = in_threads(*[report] * 16)

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {"in_flight"}
    assert orders() == 1 and Entry.objects.filter(kind="order.report").count() == 1


def test_without_the_key_two_at_the_same_moment_create_two_orders(secret: str) -> None:
    """The control: it is the key that makes the difference, and nothing else."""
    both = Barrier(2, timeout=120)

    def report(key: str) -> Reply:
        both.wait()
        return Machine(secret).post("/orders", {"given": REPORT}, key=key)

    answers = in_threads(lambda: report("one"), lambda: report("two"))

    assert [answer.status_code for answer in answers] == [201, 201]
    assert len({answer.json()["ref"] for answer in answers}) == 2
    assert orders() == 2


def test_an_answer_kept_between_look_up_and_write_is_found_on_the_second_look(
    secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first call is committed after the second one looked and before it writes."""
    first = Machine(secret).post("/orders", {"given": REPORT}, key="one")
    look = callers.stepping_caller
    looks: list[bool] = []

    def too_early(*arguments: object) -> object:
        found = look(*arguments)  # type: ignore[arg-type]
        looks.append(found.stored is not None)
        return replace(found, stored=None) if len(looks) == 1 else found

    monkeypatch.setattr(calls, "stepping_caller", too_early)
    second = Machine(secret).post("/orders", {"given": REPORT}, key="one")

    assert second.content == first.content
    assert looks == [True, True]
    assert orders() == 1 and Entry.objects.filter(kind="order.report").count() == 1
