"""The coverage change request, through the one door (COM-05, COM-06, COM-07)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from mendline.access.actors import Actor
from mendline.kernel.errors import Forbidden, NotVisible, Refused
from mendline.network.models import Capacity, Coverage, DayLoad, Region, Station
from mendline.orders.store import Loaded
from mendline.orders.sweep import sweep
from mendline.orders.transitions import begin, perform
from mendline.process import loading

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
AStation = Callable[..., Station]
COORDINATOR = Actor(1, "协调员", "station_coordinator", station_no="000001", via="test")
NEIGHBOUR = Actor(2, "邻站", "station_coordinator", station_no="000002", via="test")
NORTH = Actor(3, "华北接口人", "region_interface", region="north", via="test")
EAST = Actor(4, "华东接口人", "region_interface", region="east", via="test")

ADD: dict[str, Any] = {
    "change_kind": "add_area",
    "product_line": "desktop",
    "area": "110105",
    "effective_from": "2026-03-10",
}


@pytest.fixture(autouse=True)
def _two_stations(db: None, a_station: AStation) -> None:
    loading.load_all()
    a_station("000001"), a_station("000002")
    Region.objects.create(code="east", name="华东区", provinces=["31"])


def submitted(actor: Actor = COORDINATOR, **changed: Any) -> Loaded:
    return begin("coverage_change", "submit", actor=actor, now=NOW, given={**ADD, **changed})


def approve(request: Loaded, actor: Actor = NORTH, *, now: datetime = NOW) -> Loaded:
    return perform(request.ref, "approve", actor=actor, now=now)


def served() -> list[tuple[str, date, date | None, str]]:
    rows = Coverage.objects.filter(station_id="000001").order_by("effective_from", "area")
    return [(row.area, row.effective_from, row.effective_until, row.request) for row in rows]


OWN = ("110108", date(2026, 1, 1), None, "")


def test_com_06_nothing_changes_before_the_approval() -> None:
    request = submitted()
    assert (request.state, request.station_no, request.region) == ("submitted", "000001", "north")
    assert served() == [OWN]


def test_com_06_what_is_approved_holds_from_its_day_and_names_the_request() -> None:
    request = approve(submitted())
    assert request.state == "approved"
    assert served() == [OWN, ("110105", date(2026, 3, 10), None, request.ref)]


def test_com_06_the_clock_makes_it_effective_at_the_beginning_of_its_day() -> None:
    request = approve(submitted())
    midnight = datetime(2026, 3, 9, 16, 0, tzinfo=UTC)  # 00:00 in Shanghai
    assert request.due_at == midnight
    sweep(midnight)
    assert perform_state(request) == "effective"


def perform_state(request: Loaded) -> str:
    from mendline.orders import store

    return store.load(request.ref, actor=NORTH).state


def test_com_06_a_change_of_today_takes_effect_with_its_approval() -> None:
    request = approve(submitted(effective_from="2026-03-02"))
    assert request.state == "effective"
    assert served()[-1][:2] == ("110105", date(2026, 3, 2))


def test_com_07_an_approval_after_the_day_asked_for_does_not_change_the_past() -> None:
    request = approve(submitted(effective_from="2026-03-03"), now=NOW + timedelta(days=5))
    assert request.state == "effective"
    assert served()[-1][:2] == ("110105", date(2026, 3, 7))


@pytest.mark.parametrize(("day", "refused"), [("2026-03-02", False), ("2026-03-01", True)])
def test_com_07_a_change_cannot_begin_before_today(day: str, refused: bool) -> None:
    if not refused:
        assert submitted(effective_from=day).state == "submitted"
        return
    with pytest.raises(Refused, match="COM-07"):
        submitted(effective_from=day)


def test_com_07_an_ended_area_stays_readable() -> None:
    approve(submitted(change_kind="end_area", area="110108"))
    assert served() == [("110108", date(2026, 1, 1), date(2026, 3, 10), "")]


def test_com_10_a_lower_capacity_holds_for_the_day_already_open() -> None:
    DayLoad.objects.create(station_no="000001", product_line="desktop", day=date(2026, 3, 2), capacity=10, taken=6)
    approve(submitted(change_kind="set_capacity", area=None, per_day=4, effective_from="2026-03-02"))
    assert DayLoad.objects.values_list("capacity", "taken").get() == (4, 6)
    rows = Capacity.objects.filter(station_id="000001").order_by("effective_from")
    assert [(row.per_day, row.effective_until) for row in rows] == [(10, date(2026, 3, 2)), (4, None)]


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"area": None}, "COM-05"),
        ({"area": "110199"}, "COM-05"),
        ({"product_line": "toaster"}, "COM-05"),
        ({"change_kind": "set_capacity"}, "COM-05"),
        ({"change_kind": "set_capacity", "per_day": -1}, "COM-05"),
        ({"change_kind": "set_capacity", "per_day": 1.5}, "COM-05"),
        ({"station_no": "000099"}, "COM-06"),
        ({"station_no": "000002"}, "COM-06"),
    ],
)
def test_com_05_an_incomplete_change_says_what_is_missing(changed: dict[str, Any], rule: str) -> None:
    with pytest.raises(Refused, match=rule) as refused:
        submitted(**changed)
    assert refused.value.detail.zh and refused.value.detail.en


def test_stn_18_a_point_has_no_capacity_of_its_own(a_station: AStation) -> None:
    a_station("000005", head=Station.objects.get(number="000001"), per_day=None)
    with pytest.raises(Refused, match="STN-18"):
        submitted(station_no="000005", change_kind="set_capacity", per_day=3)
    assert submitted(station_no="000005").station_no == "000005"


def test_com_06_a_station_cannot_approve_what_it_asked_for() -> None:
    request = submitted()
    with pytest.raises(Forbidden, match="COM-06"):
        approve(request, COORDINATOR)
    with pytest.raises(NotVisible):
        approve(request, NEIGHBOUR)
    with pytest.raises(NotVisible):
        approve(request, EAST)


def test_com_06_another_regions_station_looks_as_if_it_did_not_exist() -> None:
    with pytest.raises(Refused) as absent:
        submitted(NORTH, station_no="000099")
    with pytest.raises(Refused) as foreign:
        submitted(EAST, station_no="000001")
    assert absent.value.detail == foreign.value.detail


def test_com_06_a_refusal_needs_its_note_and_changes_nothing() -> None:
    request = submitted()
    with pytest.raises(Refused):
        perform(request.ref, "refuse", actor=NORTH, now=NOW)
    refused = perform(request.ref, "refuse", actor=NORTH, now=NOW, given={"verdict_note": "距离过远"})
    assert (refused.state, served()) == ("refused", [OWN])


def test_com_06_a_draft_is_judged_only_after_it_was_handed_in() -> None:
    draft = begin("coverage_change", "save_draft", actor=COORDINATOR, now=NOW, given=ADD)
    with pytest.raises(Refused):
        approve(draft)
    handed_in = perform(draft.ref, "hand_in", actor=COORDINATOR, now=NOW)
    assert approve(handed_in).state == "approved"
