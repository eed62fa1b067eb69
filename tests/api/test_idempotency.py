"""The same key means the same operation: stored answers, reused keys, two at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from mendline.access import tokens
from mendline.journal.models import Entry
from mendline.orders.models import IdempotencyKey, RepairOrder
from mendline.web.api import callers, calls
from tests.api.conftest import Machine, Machines, Reply, make_people
from tests.make import REPORT, a_network


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


def in_threads(*jobs: Callable[[], Reply]) -> list[Reply]:
    def run(job: Callable[[], Reply]) -> Reply:
        try:
            return job()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


@pytest.fixture
def secret(transactional_db: None) -> str:
    a_network()
    return tokens.issue(make_people()["cc"], "test")


def test_the_same_key_twice_at_the_same_moment_creates_one_order(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second call comes while the first is inside its transaction; a third, later, gets the stored answer."""
    both_are_in = Barrier(2, timeout=20)
    second_is_answered = Barrier(2, timeout=20)
    act = calls._store

    def slowly(*arguments: object) -> None:
        both_are_in.wait()
        second_is_answered.wait()
        act(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(calls, "_store", slowly)

    def first() -> Reply:
        return Machine(secret).post("/orders", {"given": REPORT}, key="one")

    def second() -> Reply:
        both_are_in.wait()
        answer = Machine(secret).post("/orders", {"given": REPORT}, key="one")
        second_is_answered.wait()
        return answer

    created, in_flight = in_threads(first, second)
    monkeypatch.setattr(calls, "_store", act)
    later = Machine(secret).post("/orders", {"given": REPORT}, key="one")

    assert (created.status_code, in_flight.status_code) == (201, 409)
    assert in_flight.json()["code"] == "in_flight"
    assert later.content == created.content
    assert orders() == 1


def test_without_the_key_two_at_the_same_moment_create_two_orders(secret: str) -> None:
    """The control: it is the key that makes the difference, and nothing else."""
    both = Barrier(2, timeout=20)

    def report(key: str) -> Reply:
        both.wait()
        return Machine(secret).post("/orders", {"given": REPORT}, key=key)

    answers = in_threads(lambda: report("one"), lambda: report("two"))

    assert [answer.status_code for answer in answers] == [201, 201]
    assert len({answer.json()["ref"] for answer in answers}) == 2
    assert orders() == 2


def test_an_answer_committed_between_look_up_and_lock_is_found_on_the_second_look(
    secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first call commits after the second one's snapshot and before its lock."""
    first = Machine(secret).post("/orders", {"given": REPORT}, key="one")
    look = callers.writing_caller
    looks: list[bool] = []

    def too_early(*arguments: object) -> object:
        found = look(*arguments)  # type: ignore[arg-type]
        looks.append(found.stored is not None)
        return type(found)(found.actor, found.person_id, True, None) if len(looks) == 1 else found

    monkeypatch.setattr(calls, "writing_caller", too_early)
    second = Machine(secret).post("/orders", {"given": REPORT}, key="one")

    assert second.content == first.content
    assert len(looks) == 2
    assert orders() == 1 and Entry.objects.filter(kind="order.report").count() == 1
