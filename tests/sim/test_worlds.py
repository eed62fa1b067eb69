"""World files say what is wrong with them, and what they say is in the database afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from django.contrib.auth.hashers import check_password

from mendline.access.models import Person, Role
from mendline.dispatch.choice import Wanted
from mendline.dispatch.choosing import look_for_station
from mendline.dispatch.current import forget_index
from mendline.kernel.errors import Refused
from mendline.network.directory import current_directory
from mendline.network.models import Capacity, Station
from mendline.network.revision import CHECK_EVERY, check_every
from mendline.orders.transitions import begin
from mendline.process import calendar_table
from mendline.process.calendar_table import calendar
from mendline.process.loading import in_force
from mendline.sim import worlds
from mendline.sim.worlds import NoSuchPerson, WorldFaults, load

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)  # Monday 09:00 in Shanghai
TODAY = date(2026, 3, 2)
LEAST = """
regions: [{code: north, name: 华北区, provinces: [11]}]
product_lines: [{code: desktop, zh: 台式机, en: Desktop, channel: desktop_repair}]
stations:
  - {number: 000001, name: 一站, region: north, area: 110108,
     coverage: [{areas: [110108], lines: [desktop]}], capacity: {desktop: 3}}
people: [{username: wang, name: 王强, role: station_engineer, station: 000001}]
"""


@pytest.fixture(autouse=True)
def _always_fresh() -> Iterator[None]:
    check_every(0)
    yield
    check_every(CHECK_EVERY.total_seconds())
    forget_index()
    calendar_table.forget()


def a_world_file(folder: Path, text: str, name: str = "own.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def station_for(area: str, line: str) -> str:
    return look_for_station(Wanted(area, line, TODAY), NOW).station_no


def test_every_fault_is_reported_with_its_line(tmp_path: Path) -> None:
    text = LEAST.replace("number: 000001", "number: 1").replace("area: 110108", "area: 999999") + "colour: red\n"

    with pytest.raises(WorldFaults) as caught:
        load(a_world_file(tmp_path, text))

    told = [str(fault) for fault in caught.value.faults]
    assert any(line.startswith("own.yaml:5: ") and "CAN-29" in line for line in told)
    assert any(line.startswith("own.yaml:5: ") and "999999" in line for line in told)
    assert any(line.startswith("own.yaml:8: unknown key 'colour'") for line in told)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("region: north", "region: west", "no region 'west'"),
        ("lines: [desktop]", "lines: [server]", "no product line 'server'"),
        ("capacity: {desktop: 3}", "capacity: {}", "needs a capacity for desktop"),
        ("capacity: {desktop: 3}", "capacity: {desktop: -1}", "zero or more"),
        ("role: station_engineer", "role: king", "unknown role 'king'"),
        (", station: 000001}", "}", "station is missing"),
        ("role: station_engineer", "role: hq_interface", "not bound to a station"),
        ("username: wang", "username: cc_agent", "name of another role"),
        ("regions:", "regions: north\nold:", "regions must be a list"),
        ("provinces: [11]", "provinces: [11], rank: 1", "unknown key 'rank'"),
        ("stations:", "since: yesterday\nstations:", "must be a day"),
        ("stations:", "procedures: [{process: unified_repair, version: 99}]\nstations:", "no process file"),
        ("people: [", "people: [{username: wang, name: 另一人, role: cc_agent}, ", "stands twice"),
    ],
)
def test_a_fault_is_named(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    with pytest.raises(WorldFaults, match=complaint):
        load(a_world_file(tmp_path, LEAST.replace(old, new, 1)))


def test_two_regions_cannot_share_a_province(tmp_path: Path) -> None:
    text = LEAST.replace("regions: [", "regions: [{code: east, name: 华东区, provinces: [11]}, ")

    with pytest.raises(WorldFaults, match="province 11 belongs to"):
        load(a_world_file(tmp_path, text))


def test_stn_18_a_point_has_no_capacity_and_no_points(tmp_path: Path) -> None:
    point = "  - {number: 000101, name: 一点, region: north, area: 110114, head: 000001, capacity: {desktop: 1}}\n"
    deeper = "  - {number: 000102, name: 二点, region: north, area: 110114, head: 000101}\n"

    with pytest.raises(WorldFaults) as caught:
        load(a_world_file(tmp_path, LEAST.replace("people:", point + deeper + "people:")))

    assert "STN-18" in str(caught.value) and "000101 is a point itself" in str(caught.value)


def test_a_world_like_another_adds_and_replaces(tmp_path: Path) -> None:
    a_world_file(tmp_path, LEAST, "base.yaml")
    person = "people: [{username: wang, name: 王刚, role: cc_agent}]"
    own = f"like: {tmp_path / 'base.yaml'}\n{person}\ncapacity_per_day: 1\n"

    world = load(a_world_file(tmp_path, own)).contents

    assert (world.people["wang"].name, world.people["wang"].station_no) == ("王刚", "")
    assert world.stations["000001"].capacity == {"desktop": 1}


def test_worlds_cannot_be_like_each_other_in_a_circle(tmp_path: Path) -> None:
    a_world_file(tmp_path, f"like: {tmp_path / 'own.yaml'}\n", "other.yaml")

    with pytest.raises(WorldFaults, match="like itself"):
        load(a_world_file(tmp_path, f"like: {tmp_path / 'other.yaml'}\n"))


def test_an_unknown_world_names_its_file() -> None:
    with pytest.raises(WorldFaults, match="nowhere.yaml"):
        load("nowhere")


def test_the_small_world_has_every_role_and_sixty_people() -> None:
    people = load("small").contents.people.values()

    assert {person.role for person in people} == set(Role.values)
    assert len(people) == 60


def test_an_actor_is_found_by_name_role_station_and_region() -> None:
    world = load("small")

    assert world.actor("wang").station_no == "000001"
    assert world.actor("cc_agent").name == "张敏"
    assert world.actor("station_coordinator@000002").name == "郑凯"
    assert world.actor("region_interface@east").region == "east"
    assert world.actor("timer").role == "timer"


@pytest.mark.parametrize("who", ["nobody", "cc_agent@north", "station_coordinator@999999", "region_interface@west", ""])
def test_nobody_is_found_by_a_wrong_name(who: str) -> None:
    with pytest.raises(NoSuchPerson):
        load("small").actor(who)


@pytest.mark.django_db
def test_a_built_world_dispatches_as_it_is_written() -> None:
    world = load("small")
    world.build()

    assert station_for("110108", "desktop") == "000001"
    assert station_for("110108", "server") == "000002"
    assert station_for("110114", "desktop") == "000001"  # a point covers, its head gets the order (STN-18)
    assert station_for("340104", "desktop") == ""  # the only station there does not work in CC-WEB (STN-01)
    assert station_for("150102", "desktop") == ""
    assert current_directory().region_of("150102") == "north"
    assert not current_directory().has_800("310151", TODAY)
    assert current_directory().has_800("110108", TODAY)


@pytest.mark.django_db
def test_every_area_of_the_country_has_a_region_in_charge() -> None:
    from mendline.network import areas

    load("small").build()

    assert [place.code for place in areas.children() if not current_directory().region_of(place.code)] == []


@pytest.mark.django_db
def test_people_of_a_built_world_can_sign_in_and_act() -> None:
    world = load("small")
    world.build()

    wang = Person.objects.get(username="wang")
    assert wang.as_actor("scenario") == world.actor("wang")
    assert check_password(worlds.DEMO_PASSWORD, wang.password)
    assert Person.objects.get(username="admin").is_superuser


@pytest.mark.django_db
def test_can_34_a_product_of_another_channel_is_refused() -> None:
    world = load("small")
    world.build()
    given = {
        "customer": {"name": "王先生", "phone": "13800000001"}, "product": "television", "area": "110108",
        "address": "上地信息路2号", "fault": "无图像", "service_mode": "on_site",
    }  # fmt: skip

    with pytest.raises(Refused, match="CAN-34"):
        begin("unified_repair", "report", actor=world.actor("cc_agent"), now=NOW, given=given)


@pytest.mark.django_db
def test_the_tight_world_takes_one_order_per_day_and_line() -> None:
    load("tight").build()

    assert set(Capacity.objects.values_list("per_day", flat=True)) == {1}
    assert Station.objects.filter(head=None).count() == 12


@pytest.mark.django_db
def test_uds_07_two_versions_are_in_force_side_by_side() -> None:
    load("two_versions").build()

    assert (in_force("unified_repair", "notebook", NOW), in_force("unified_repair", "desktop", NOW)) == (2, 3)


@pytest.mark.django_db
def test_a_world_can_rest_on_a_day_of_its_own(tmp_path: Path) -> None:
    text = LEAST + "calendar: [{day: 2026-03-03, works: no, name: 盘点}]\n"
    load(a_world_file(tmp_path, text)).build()

    assert not calendar("working_days").days.is_working(date(2026, 3, 3))
