"""Dispatching as orders meet it: through the one door."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from mendline.access.actors import Actor
from mendline.dispatch import seats
from mendline.dispatch.choosing import preview
from mendline.kernel.errors import Refused
from mendline.network.models import No800Area, Seat, Station
from mendline.orders.store import Loaded
from mendline.orders.transitions import begin, perform
from mendline.process import loading

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
TODAY = date(2026, 3, 2)
AStation = Callable[..., Station]
AGENT = Actor(1, "座席", "cc_agent", via="test")
NORTH = Actor(3, "华北接口人", "region_interface", region="north", via="test")
COORDINATOR = Actor(2, "协调员", "station_coordinator", station_no="000001", via="test")

REPORT: dict[str, Any] = {
    "customer": {"name": "王先生", "phone": "13800000001"},
    "product": "desktop-x1",
    "area": "110108",
    "address": "上地信息路2号",
    "fault": "开机黑屏",
    "service_mode": "on_site",
}


@pytest.fixture(autouse=True)
def _procedures(db: None) -> None:
    loading.load_all()


def report(actor: Actor = AGENT, name: str = "report", **changed: Any) -> Loaded:
    return begin("unified_repair", name, actor=actor, now=NOW, given={**REPORT, **changed})


def left(station: str) -> int:
    return seats.seats_left(station, "desktop", TODAY)


def test_stn_18_a_report_in_a_points_area_reaches_the_head(a_station: AStation) -> None:
    head = a_station("000001", areas=(), per_day=3)
    a_station("000002", head=head, per_day=None)
    order = report()
    assert (order.state, order.station_no, order.region) == ("dispatched", "000001", "north")
    assert left("000001") == 2


def test_com_10_a_full_day_leaves_the_order_with_the_region(a_station: AStation) -> None:
    a_station("000001", per_day=1)
    assert report().state == "dispatched"
    second = report(fault="另一台")
    assert (second.state, second.station_no, second.region) == ("undispatched", "", "north")
    with pytest.raises(Refused, match="COM-10"):
        perform(second.ref, "dispatch", actor=NORTH, now=NOW)


def test_com_10_the_region_dispatches_once_there_is_room(a_station: AStation) -> None:
    a_station("000001", per_day=0)
    order = report()
    a_station("000002", per_day=1)
    assert perform(order.ref, "dispatch", actor=NORTH, now=NOW).station_no == "000002"
    assert left("000002") == 0


def test_can_01_a_cancelled_order_gives_its_seat_back(a_station: AStation) -> None:
    a_station("000001", per_day=1)
    order = report()
    assert left("000001") == 0
    given = {"cancel_reason": "user_solved", "requested_by": "user"}
    perform(order.ref, "cancel", actor=AGENT, now=NOW, given=given)
    assert (left("000001"), Seat.objects.count()) == (1, 0)


def test_can_02_a_reassigned_order_moves_its_seat_to_another_station(a_station: AStation) -> None:
    a_station("000001", per_day=1)
    order = report()
    a_station("000002", per_day=1)
    given = {"cancel_reason": "wrong_area", "requested_by": "user"}
    old = perform(order.ref, "cancel_and_reassign", actor=AGENT, now=NOW, given=given)
    seat = Seat.objects.select_related("load").get()
    assert (seat.order_ref, seat.load.station_no) == (old.facts["replaced_by"], "000002")
    assert (left("000001"), left("000002")) == (1, 0)


def test_com_01_a_stations_own_order_uses_a_seat_but_is_never_refused_for_want_of_one(a_station: AStation) -> None:
    a_station("000001", per_day=1)
    orders = [report(COORDINATOR, "self_order", fault=f"第{number}台") for number in range(2)]
    assert [order.station_no for order in orders] == ["000001", "000001"]
    assert (left("000001"), Seat.objects.count()) == (0, 1)


@pytest.mark.parametrize(("area", "refused"), [("110108", True), ("120101", False)])
def test_com_04_users_report_to_the_station_only_in_filed_areas(a_station: AStation, area: str, refused: bool) -> None:
    a_station("000001")
    No800Area.objects.create(area="12", filed_on=TODAY, effective_from=TODAY)
    if refused:
        with pytest.raises(Refused, match="COM-04"):
            report(COORDINATOR, "self_order", area=area, direct_report=True)
    else:
        assert report(COORDINATOR, "self_order", area=area, direct_report=True).state == "dispatched"


def test_a_refused_report_takes_no_seat(a_station: AStation) -> None:
    a_station("000001", per_day=1)
    with pytest.raises(Refused):
        report(customer=None)
    assert left("000001") == 1


@pytest.mark.parametrize("area", [["110108"], {"a": 1}, True, 110108, "1101080", "", None])
def test_a_report_with_a_strange_area_is_answered_not_broken(a_station: AStation, area: object) -> None:
    a_station("000001")
    if area == 110108:
        assert report(area=area).station_no == "000001"
    else:
        with pytest.raises(Refused):
            report(area=area)


def test_a_preview_names_the_station_and_the_others_with_reasons(a_station: AStation) -> None:
    a_station("000001", per_day=0), a_station("000002", per_day=5)
    entries = preview("110108", "desktop", NOW)
    assert [(entry["station"], entry["chosen"]) for entry in entries] == [("000002", True), ("000001", False)]
    assert entries[1]["rule"] == "COM-10" and "产能" in entries[1]["why"]["zh"]
    assert Seat.objects.count() == 0
