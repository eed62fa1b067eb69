"""What the door in memory keeps is what the engine writes: the same stories, played through both, row by row."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from django.db import connection, transaction

from mendline.dispatch.current import forget_index
from mendline.kernel.errors import Refused
from mendline.kernel.time import local_day
from mendline.network.revision import CHECK_EVERY, check_every
from mendline.sim import demo, demo_standing
from mendline.sim.demo_calls import a_call
from mendline.sim.demo_stage import EngineDoor, Stage, Story
from mendline.sim.national_door import MemoryDoor
from mendline.sim.national_lookups import country_of
from mendline.sim.national_refs import Refs
from mendline.sim.national_rows import part_of, write_parts
from mendline.sim.worlds import World, load

NOW = datetime(2026, 3, 6, 4, 0, tzinfo=UTC)  # Friday noon in Shanghai
OUTGOING = "key, at, subject, notice, channel, role, station_no, region, data, address, error"
TABLES = {
    "orders": "SELECT to_jsonb(o) - 'id' FROM orders_repairorder o ORDER BY ref",
    "records": "SELECT to_jsonb(r) - 'id' FROM orders_record r ORDER BY ref",
    "history": "SELECT to_jsonb(e) - 'id' FROM journal_entry e ORDER BY id",
    "timers": "SELECT to_jsonb(t) - 'id' FROM process_timer t ORDER BY subject, clock, generation, step",
    "notices": f"SELECT to_jsonb(o) FROM (SELECT {OUTGOING} FROM journal_outgoing ORDER BY id) o",
    "customers": "SELECT to_jsonb(c) - 'id' FROM customers_customer c ORDER BY phone",
    "days": "SELECT to_jsonb(d) - 'id' FROM network_dayload d ORDER BY station_no, product_line, day",
    "seats": "SELECT s.order_ref, d.station_no, d.product_line, d.day FROM network_seat s"
    " JOIN network_dayload d ON d.id = s.load_id ORDER BY s.order_ref",
}


@pytest.fixture
def every_look_is_fresh() -> Iterator[None]:
    check_every(0)
    yield
    check_every(CHECK_EVERY.total_seconds())
    forget_index()


def rows() -> dict[str, list[Any]]:
    found = {}
    with connection.cursor() as cursor:
        for name, statement in TABLES.items():
            cursor.execute(statement)
            found[name] = [row[0] if len(row) == 1 else row for row in cursor.fetchall()]
    return found


def stories(stage: Stage) -> list[tuple[datetime, Story]]:
    """Return orders in every course and state; documents and coverage changes are not the memory's business."""
    return [*demo._business(stage, 70), *demo_standing.of_orders(stage)]


def by_the_engine(world: World, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Any]]:
    refs = Refs(5)
    with monkeypatch.context() as patched, transaction.atomic():
        patched.setattr("mendline.orders.transitions.new_ref", refs.new)
        patched.setattr("mendline.orders.lookups.new_ref", refs.new)
        stage = Stage(world, NOW, Random(5), EngineDoor())
        stage.play(stories(stage), lambda share: None)
        assert stage.refusals == []
        found = rows()
        transaction.set_rollback(True)
    return found


def in_memory(world: World) -> dict[str, list[Any]]:
    door = MemoryDoor(country_of(world, local_day(NOW) - timedelta(days=40)), Refs(5))
    stage = Stage(world, NOW, Random(5), door)
    stage.play(stories(stage), lambda share: None)
    write_parts([part_of(door)], lambda share: None)
    return rows()


@pytest.mark.django_db
@pytest.mark.usefixtures("every_look_is_fresh")
def test_a_step_whose_effect_is_refused_leaves_nothing_behind() -> None:
    """The region names a station that cannot take the order: request, order, seat and notices stay as they were."""
    world = load("small")
    world.build()
    door = MemoryDoor(country_of(world, local_day(NOW)), Refs(1))
    stage = Stage(world, NOW, Random(1), door)
    stage.at = NOW
    ref = stage.report(a_call(stage.rng, place=("110108", "上地信息路"), line="desktop"))
    by = stage.of_order(ref, "station_coordinator")
    request = stage.open_record(
        "cancellation_request", "submit", by, order_ref=ref, cancel_reason="wrong_area", cancel_detail="区域不符"
    )
    before, seats = deepcopy(door.memory.kept), dict(door.country.seats)

    with pytest.raises(Refused):
        stage.do(request, "reassign_order", "region_interface", station_wish="000012")

    assert door.memory.kept == before and door.country.seats == seats != {}


@pytest.mark.django_db
@pytest.mark.usefixtures("every_look_is_fresh")
def test_both_doors_leave_the_same_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    world = load("small")
    world.build()

    wanted = by_the_engine(world, monkeypatch)
    found = in_memory(world)

    assert len(wanted["orders"]) > 110 and len(wanted["history"]) > 900
    for table, expected in wanted.items():
        differing = [(one, other) for one, other in zip(expected, found[table], strict=False) if one != other]
        assert differing[:1] == [], table
        assert len(found[table]) == len(expected), table
