"""Holes, overlaps and the map: the same answer as dispatching gives, for all areas at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from mendline.dispatch.choice import Wanted, choose
from mendline.dispatch.current import current_index
from mendline.dispatch.gaps import condensed, demand_of, holes, overlaps
from mendline.dispatch.served_areas import ServedAreas, parts_of, served_areas, smallest_areas, sums_of
from mendline.network import areas
from mendline.network.models import Station

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
TODAY = date(2026, 3, 2)
AStation = Callable[..., Station]


def served(day: date = TODAY) -> ServedAreas:
    return served_areas(current_index(NOW), "desktop", day)


def test_com_05_the_map_answers_as_dispatching_does(a_station: AStation) -> None:
    a_station("000001"), a_station("000002", areas=("1101",)), a_station("000003", areas=("11",), per_day=0)
    index, found = current_index(NOW), served()
    for area in ("110108", "110105", "120101"):
        ranked = choose(index, Wanted(area, "desktop", TODAY), {}).ranked
        assert found[area].stations == ranked
    assert found["110108"].first == ("000001",) and found["110105"].first == ("000002",)


def test_a_new_network_makes_a_new_map(a_station: AStation) -> None:
    a_station("000001")
    assert not served()["110105"].first
    a_station("000002", areas=("110105",))
    assert served()["110105"].first == ("000002",)


def test_looking_at_the_map_keeps_nothing_that_dispatching_has_to_drop(a_station: AStation) -> None:
    a_station("000001")
    kept = len(current_index(NOW).fields)
    served(TODAY + timedelta(days=7))
    assert len(current_index(NOW).fields) == kept


def test_com_05_a_sum_counts_stations_once_and_areas_that_nobody_serves(a_station: AStation) -> None:
    a_station("000001"), a_station("000002", areas=("110108", "110105"))
    [beijing] = sums_of(served(), ["11"])
    assert (beijing.stations, beijing.parts, beijing.unserved) == (2, 16, 14)


def test_holes_with_demand_come_first_and_say_what_came_closest(a_station: AStation) -> None:
    a_station("000001"), a_station("000002", areas=("120101",), per_day=None)
    found = holes(served(), {"310115": 3, "120101": 1})
    assert [(hole.area, hole.demand) for hole in found[:2]] == [("310115", 3), ("120101", 1)]
    assert found[0].nearest is None
    assert found[1].nearest is not None and found[1].nearest.outcome == "no_capacity"
    assert "110108" not in {hole.area for hole in found}


def test_overlaps_of_one_covered_area_are_one_entry(a_station: AStation) -> None:
    a_station("000001", areas=("1101",)), a_station("000002", areas=("1101",)), a_station("000003", areas=("110108",))
    [found] = overlaps(served(), {"110105": 2, "110108": 5})
    assert (found.area, found.stations, found.parts, found.demand) == ("1101", ("000001", "000002"), 15, 2)


def test_nobody_reported_means_no_demand(a_station: AStation) -> None:
    a_station("000001")
    assert demand_of("desktop", NOW) == {}


def test_every_smallest_area_is_in_exactly_one_part_of_what_people_see() -> None:
    provinces = parts_of("")
    assert len(provinces) == 34
    for province in provinces:
        parts = parts_of(province) or (province,)
        inside = [area for part in parts for area in smallest_areas(part)]
        assert sorted(inside) == list(smallest_areas(province))
        assert all(areas.name_of(part) != areas.name_of(province) for part in parts if part != province)


def test_whole_cities_and_provinces_without_anybody_are_one_entry(a_station: AStation) -> None:
    a_station("000001", areas=("110108",)), a_station("000002", areas=("12",))
    found = condensed(holes(served(), {"310115": 3, "110105": 1}))
    entries = {hole.area: (hole.parts, hole.demand) for hole in found}
    assert [hole.area for hole in found[:2]] == ["310115", "110105"]
    assert entries["31"] == (15, 0)  # the other fifteen of Shanghai
    assert entries["110101"] == (1, 0)  # Beijing has somebody, so its districts stand alone
    assert not any(area.startswith("12") for area in entries)
    assert sum(hole.parts for hole in found) == len(holes(served(), {}))
