"""What a coverage change would have done: the real choice, with the change and without (COM-05, COM-06)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from mendline.dispatch.choice import Wanted, choose
from mendline.dispatch.current import current_index
from mendline.dispatch.effect_of_change import MOST_ORDERS, Effect, Planned, effect_of, standing_of, with_change
from mendline.network.history import serve_area, set_capacity, stop_serving
from mendline.network.models import Station
from mendline.orders.models import RepairOrder
from mendline.process import loading

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
DAY = date(2026, 3, 10)
AStation = Callable[..., Station]


@pytest.fixture(autouse=True)
def _processes(db: None) -> None:
    loading.load_all()  # the database knows which changes of state there are


def reported(
    count: int,
    area: str = "110105",
    *,
    station: str = "000002",
    days_ago: int = 3,
    origin: str = "cc",
    replaces: str = "",
) -> None:
    """Put orders into the past, one a minute; the calculation reads their area, day, origin and station only."""
    known = RepairOrder.objects.unscoped("a test counts").count()
    RepairOrder.objects.bulk_create(
        RepairOrder(
            ref=f"WX260228-{known + number:09}", process="unified_repair", process_version=3, state="dispatched",
            category="open", region="north", station_no=station, updated_at=NOW,
            created_at=NOW - timedelta(days=days_ago, minutes=-number), origin=origin,
            product_line="desktop", product="desktop", service_mode="on_site", area=area,
            customer_name="王先生", phone="13800000001", fault="开机黑屏", replaces=replaces,
        )
        for number in range(count)
    )  # fmt: skip


def effect(
    kind: str, station: str = "000001", *, area: str = "110105", per_day: int = 0, most: int = MOST_ORDERS
) -> Effect:
    planned = Planned(kind, station, "desktop", DAY, "" if kind == "set_capacity" else area, per_day)
    return effect_of(planned, NOW, most=most)


def flows(found: Effect) -> dict[tuple[str, str], int]:
    return {(one.station_before, one.station_after): one.orders for one in found.moved}


def test_com_06_a_finer_coverage_takes_the_orders_of_a_coarser_one(a_station: AStation) -> None:
    a_station("000001"), a_station("000002", areas=("1101",))
    reported(4)
    found = effect("add_area")
    assert (found.orders, found.orders_moved, found.knock_on) == (4, 4, 0)
    assert flows(found) == {("000002", "000001"): 4}
    assert found.since == date(2026, 2, 27) and not found.is_sample


def test_com_10_what_does_not_fit_into_the_day_stays_where_it_was(a_station: AStation) -> None:
    a_station("000001", per_day=3), a_station("000002", areas=("1101",))
    reported(5)
    assert flows(effect("add_area")) == {("000002", "000001"): 3}


def test_com_10_orders_of_its_other_areas_take_seats_as_they_did(a_station: AStation) -> None:
    a_station("000001", per_day=3), a_station("000002", areas=("1101",))
    reported(2, "110108", station="000001", days_ago=3)
    reported(5)
    assert flows(effect("add_area"))[("000002", "000001")] < 3 + 1
    RepairOrder.objects.unscoped("a test moves").filter(area="110108").update(
        created_at=NOW - timedelta(days=3, hours=1)
    )
    assert flows(effect("add_area")) == {("000002", "000001"): 1}


def test_com_06_an_area_that_ends_without_another_station_goes_to_nobody(a_station: AStation) -> None:
    a_station("000001")
    reported(2, "110108", station="000001")
    assert flows(effect("end_area", area="110108")) == {("000001", ""): 2}


def test_com_06_an_area_that_nobody_served_comes_from_nobody(a_station: AStation) -> None:
    a_station("000001")
    reported(2, "110105", station="")
    assert flows(effect("add_area")) == {("", "000001"): 2}


def test_com_06_fewer_seats_send_what_no_longer_fits_to_the_next(a_station: AStation) -> None:
    a_station("000001"), a_station("000002", areas=("1101",))
    reported(4, "110108", station="000001")
    assert flows(effect("set_capacity", per_day=1)) == {("000001", "000002"): 3}
    assert flows(effect("set_capacity", per_day=0)) == {("000001", "000002"): 4}


def test_com_06_more_seats_than_were_needed_move_nothing(a_station: AStation) -> None:
    a_station("000001"), a_station("000002", areas=("1101",))
    reported(4, "110108", station="000001")
    found = effect("set_capacity", per_day=99)
    assert (found.orders, found.orders_moved) == (4, 0)


def test_stn_18_a_points_area_is_its_heads(a_station: AStation) -> None:
    head = a_station("000001")
    a_station("000101", per_day=None, areas=(), head=head), a_station("000002", areas=("1101",))
    reported(2)
    assert flows(effect("add_area", "000101")) == {("000002", "000001"): 2}


def test_orders_that_only_change_places_between_others_are_counted_apart(a_station: AStation) -> None:
    for number in ("000001", "000002", "000003"):
        a_station(number, per_day=6, areas=("110105",) if number != "000001" else ("110108",))
    reported(9)
    found = effect("add_area")
    assert all("000001" in flow for flow in flows(found))
    assert found.orders == 9 and 0 < found.orders_moved < 9


def test_a_stations_own_orders_and_replacements_are_not_chosen_for_again(a_station: AStation) -> None:
    a_station("000001"), a_station("000002", areas=("1101",))
    reported(1)
    reported(1, origin="station")
    reported(1, replaces="WX260227-1")
    assert effect("add_area").orders == 1


def test_older_orders_other_lines_and_other_areas_do_not_count(a_station: AStation) -> None:
    a_station("000001"), a_station("000002", areas=("1101",))
    reported(1, days_ago=31)
    reported(1, "120101")
    assert effect("add_area") == Effect()


def test_a_sample_is_made_of_whole_days_and_says_so(a_station: AStation) -> None:
    a_station("000001"), a_station("000002", areas=("1101",))
    for days_ago in (5, 4, 3):
        reported(3, days_ago=days_ago)
    found = effect("add_area", most=7)
    assert found.is_sample and found.orders == 6 and found.since == date(2026, 2, 26)


@pytest.mark.parametrize("kind", ["add_area", "end_area", "set_capacity"])
def test_com_06_the_network_as_it_would_be_is_the_network_after_the_approval(a_station: AStation, kind: str) -> None:
    """What was predicted and what is written answer alike, before the day, on it and after it."""
    a_station("000001"), a_station("000002", areas=("1101",))
    area = "110108" if kind != "add_area" else "110105"
    planned = Planned(kind, "000001", "desktop", DAY, "" if kind == "set_capacity" else area, 4)
    predicted = with_change(current_index(NOW), planned)
    if kind == "add_area":
        serve_area("000001", area, "desktop", since=DAY)
    elif kind == "end_area":
        stop_serving("000001", area, "desktop", since=DAY)
    else:
        set_capacity("000001", "desktop", 4, since=DAY, today=NOW.date())
    for day in (DAY - timedelta(days=1), DAY, DAY + timedelta(days=200)):
        wanted = Wanted(area, "desktop", day)
        assert choose(predicted, wanted, {}) == choose(current_index(NOW), wanted, {})


def test_before_and_after_name_who_is_tried_first(a_station: AStation) -> None:
    a_station("000001"), a_station("000002", areas=("1101",))
    found = standing_of(Planned("add_area", "000001", "desktop", DAY, "110105"), NOW)
    assert found is not None
    assert [one.station for one in found.before] == ["000002"]
    assert [(one.station, one.outcome) for one in found.after] == [("000001", "chosen"), ("000002", "less_specific")]
    assert standing_of(Planned("set_capacity", "000001", "desktop", DAY, "", 3), NOW) is None
