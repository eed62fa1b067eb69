"""The pages of the network: who sees what, what they say, what can be asked for from them."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from mendline.access.actors import Actor
from mendline.care.scorecards import refresh_scorecards
from mendline.dispatch.current import forget_index
from mendline.kernel.time import local_day
from mendline.network.models import Capacity, Coverage, DayLoad, No800Area, Region, Station
from mendline.network.revision import CHECK_EVERY, check_every
from mendline.orders.models import Record
from mendline.orders.transitions import begin, perform
from tests.make import LONG_AGO, a_station, an_actor

pytestmark = pytest.mark.django_db
SignIn = Callable[..., Client]
NORTH = Actor(1, "赵敏", "region_interface", region="north", via="test")
TODAY = local_day(timezone.now())
TOMORROW = TODAY + timedelta(days=1)

SEE_ALL = ("cc_agent", "channel_management", "hq_interface", "service_support_dept", "info_support_dept",
           "process_owner", "admin")  # fmt: skip
OF_REGION = ("region_interface", "region_channel_specialist")
OF_STATION = ("station_coordinator", "station_engineer")
PAGES = ("/network/", "/network/map/", "/network/gaps/", "/network/no800/", "/network/capacity/", "/network/changes/")


@pytest.fixture(autouse=True)
def _always_fresh() -> Iterator[None]:
    check_every(0)
    yield
    check_every(CHECK_EVERY.total_seconds())
    forget_index()


def text_of(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, (path, answer.status_code)
    return answer.content.decode()


def a_request(**given: object) -> str:
    wanted = {"change_kind": "add_area", "product_line": "desktop", "area": "110105", "station_no": "000001",
              "effective_from": TOMORROW.isoformat(), **given}  # fmt: skip
    return begin("coverage_change", "submit", actor=NORTH, now=timezone.now(), given=wanted).ref


# --- who sees what ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [*SEE_ALL, *OF_REGION])
def test_whoever_looks_after_the_network_sees_every_page_of_it(signed_in: SignIn, role: str) -> None:
    client = signed_in(role)
    for path in PAGES:
        assert "network-tabs" in text_of(client, path)


@pytest.mark.parametrize("role", OF_STATION)
def test_a_station_sees_its_own_page_and_seats_and_nobody_elses(signed_in: SignIn, role: str) -> None:
    client = signed_in(role)
    assert "维修站000001" in text_of(client, "/network/")
    own = text_of(client, "/network/capacity/")
    assert "台式机" in own and "000002" not in own
    for path in ("/network/map/", "/network/gaps/", "/network/no800/", "/network/stations/000002/",
                 "/network/stations/000002/coverage.xlsx", "/network/stations.xlsx", "/network/import/"):  # fmt: skip
        text_of(client, path, 404)


def test_a_region_sees_its_own_stations_and_areas_only(signed_in: SignIn) -> None:
    client = signed_in("region_interface")
    page = text_of(client, "/network/")
    assert "维修站000001" in page and "维修站000003" not in page
    text_of(client, "/network/stations/000003/", 404)
    text_of(client, "/network/map/?area=31", 404)
    assert "东城区" in text_of(client, "/network/map/?area=11")
    assert "上海" not in text_of(client, "/network/gaps/")
    assert "000003" not in text_of(client, "/network/capacity/")


def test_only_who_keeps_the_tables_imports_them(signed_in: SignIn) -> None:
    for role in (*SEE_ALL, *OF_REGION, *OF_STATION):
        status = 200 if role in ("channel_management", "admin") else 404
        for path in ("/network/import/", "/network/export.xlsx", "/network/template.xlsx"):
            assert signed_in(role).get(path).status_code == status, (role, path)


def test_an_address_edited_by_hand_is_no_fault_of_ours(signed_in: SignIn) -> None:
    client = signed_in("admin")
    for query in ("line=%27&day=2026-02-30&after=%00&first=-5&province=%25&region=%00&kind=x&state=x&station=%00",
                  "day=0001-01-01&first=٣&show=x&q=%00", "day=9999-12-31&status=y&line=z"):  # fmt: skip
        for path in PAGES:
            assert client.get(f"{path}?{query}").status_code == 200, (path, query)
    text_of(client, "/network/map/?area=999999", 404)
    text_of(client, "/network/changes/FG260302-NOBODY/", 404)
    text_of(client, "/network/import/4711/", 404)


# --- stations ---------------------------------------------------------------------------------------------------


def test_the_list_of_stations_goes_on_page_by_page_without_losing_one(signed_in: SignIn) -> None:
    north = Region.objects.get(code="north")
    Station.objects.bulk_create(
        Station(number=f"1{n:05}", name=f"站{n}", region=north, area="110108", active_from=LONG_AGO) for n in range(230)
    )
    client, path, seen = signed_in("admin"), "/network/", []
    for _ in range(10):
        page = text_of(client, path)
        seen += re.findall(r'href="/network/stations/(\w+)/"', page)
        following = re.search(r'rel="next" href="(\?[^"]+)"', page)
        if following is None:
            break
        path = "/network/" + following[1].replace("&amp;", "&")
    assert seen == sorted(Station.objects.values_list("number", flat=True))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=00000", {"000001", "000002", "000003"}), ("q=000003", {"000003"}), ("q=上海", {"000003"}),
        ("q=海淀", {"000001"}), ("region=east", {"000003"}), ("province=11", {"000001", "000002"}),
        ("line=desktop&status=active", {"000001", "000002", "000003"}), ("status=ended", set()), ("kind=points", set()),
    ],
)  # fmt: skip
def test_stations_are_found_by_what_people_know_of_them(signed_in: SignIn, query: str, found: set[str]) -> None:
    page = text_of(signed_in("admin"), f"/network/?{query}")
    assert set(re.findall(r'href="/network/stations/(\w+)/"', page)) == found


def test_com_07_a_stations_page_tells_what_held_and_what_changes_from_when(signed_in: SignIn) -> None:
    station = Station.objects.get(number="000001")
    Coverage.objects.create(station=station, area="110109", product_line="desktop", effective_from=LONG_AGO,
                            effective_until=date(2021, 5, 1))  # fmt: skip
    Coverage.objects.create(station=station, area="110114", product_line="desktop", effective_from=TOMORROW)
    page = text_of(signed_in("region_interface"), "/network/stations/000001/")
    assert "2021-05-01" in page and "已终止" in page
    assert "开始覆盖 北京市昌平区" in page and TOMORROW.isoformat() in page


def test_stn_18_a_point_leads_to_its_head_and_has_no_seats(signed_in: SignIn) -> None:
    north = Region.objects.get(code="north")
    Station.objects.create(number="000101", name="昌平维修点", region=north, area="110114", active_from=LONG_AGO,
                           head=Station.objects.get(number="000001"))  # fmt: skip
    page = text_of(signed_in("station_coordinator"), "/network/stations/000101/")
    assert "维修点没有单独的产能" in page and "/network/stations/000001/" in page
    assert "昌平维修点" in text_of(signed_in("station_coordinator"), "/network/")


@pytest.mark.parametrize(
    "path",
    ["/network/stations.xlsx", "/network/stations/000001/coverage.xlsx", "/network/gaps.xlsx",
     "/network/gaps.xlsx?show=overlaps", "/network/no800.xlsx", "/network/export.xlsx", "/network/template.xlsx"],
)  # fmt: skip
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_list_is_an_excel_file_as_well(signed_in: SignIn, path: str, language: str) -> None:
    answer = signed_in("admin", language=language).get(path)
    assert answer.status_code == 200 and answer.content.startswith(b"PK")
    assert answer["Content-Disposition"].endswith('.xlsx"')


def test_the_printed_table_says_what_the_page_says(signed_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    printed: list[str] = []

    def kept(page: str, styles: object) -> bytes:
        printed.append(page)
        return b"%PDF"

    monkeypatch.setattr("mendline.web.print.coverage.pdf_of", kept)
    answer = signed_in("station_coordinator").get("/network/stations/000001/coverage.pdf")
    assert answer["Content-Type"] == "application/pdf"
    assert "海淀区" in printed[0] and "台式机" in printed[0]


# --- the map ----------------------------------------------------------------------------------------------------


def test_com_05_the_map_says_how_many_stations_serve_an_area(signed_in: SignIn) -> None:
    page = text_of(signed_in("admin"), "/network/map/?line=desktop&area=11")
    row = re.search(r'area=110108" >海淀区</a></td><td class="text-end">(\d)</td>', page)
    other = re.search(r'area=110101" >东城区</a></td><td class="text-end">(\d)</td>', page)
    assert row and other and (row[1], other[1]) == ("2", "1")
    assert "geo/11.json" in page and "16 个区县都有人服务" in page


def test_the_map_of_an_area_without_parts_says_who_gets_its_orders_and_why(signed_in: SignIn) -> None:
    page = text_of(signed_in("cc_agent"), "/network/map/?line=desktop&area=110108")
    assert "海淀区的报修派给谁" in page and "覆盖到区县级" in page
    assert "/network/stations/000001/" in page


def test_a_day_to_come_shows_the_network_of_that_day(signed_in: SignIn) -> None:
    Coverage.objects.filter(station_id="000001").update(effective_until=TOMORROW)
    asked = "/network/map/?line=desktop&area=110108&day="
    assert "覆盖到区县级" in text_of(signed_in("admin"), asked + TODAY.isoformat())
    assert "覆盖已经终止" in text_of(signed_in("admin"), asked + TOMORROW.isoformat())


# --- holes, overlaps, areas without 800 -------------------------------------------------------------------------


def test_holes_name_what_came_closest_and_overlaps_who_competes(signed_in: SignIn) -> None:
    a_station("000004", Region.objects.get(code="north"), "110108")
    client = signed_in("admin")
    holes = text_of(client, "/network/gaps/?line=desktop")
    assert "天津市" in holes and "全部 16 个区县" in holes and "北京市" not in holes.partition("queue-table")[2]
    overlapping = text_of(client, "/network/gaps/?line=desktop&show=overlaps")
    assert "北京市海淀区" in overlapping and "000004" in overlapping


def test_com_04_areas_without_800_are_listed_with_their_days(signed_in: SignIn) -> None:
    No800Area.objects.create(area="1101", filed_on=LONG_AGO, effective_from=LONG_AGO)
    No800Area.objects.create(area="31", filed_on=LONG_AGO, effective_from=LONG_AGO)
    assert "上海市" in text_of(signed_in("admin"), "/network/no800/")
    assert "上海市" not in text_of(signed_in("region_interface"), "/network/no800/")


# --- seats ------------------------------------------------------------------------------------------------------


def test_com_10_the_calendar_says_what_is_taken_and_what_is_full(signed_in: SignIn) -> None:
    DayLoad.objects.create(station_no="000001", product_line="desktop", day=TOMORROW, capacity=10, taken=10)
    page = text_of(signed_in("region_interface"), "/network/capacity/?line=desktop")
    assert "10/10" in page and "已满" in page and "0/10" in page


def test_com_06_a_region_changes_the_seats_of_two_days_and_they_come_back(signed_in: SignIn) -> None:
    client = signed_in("region_interface")
    after = TOMORROW + timedelta(days=1)
    form = {
        "per_day": "3",
        "first": TOMORROW.isoformat(),
        "last": after.isoformat(),
        "reason": "培训",
        "once": "a" * 32,
    }
    answer = client.post("/network/capacity/000001/desktop/", form)
    assert answer.status_code == 302
    rows = (
        Capacity.objects.filter(station_id="000001").order_by("effective_from").values_list("per_day", "effective_from")
    )
    assert list(rows) == [(10, LONG_AGO), (3, TOMORROW), (10, after + timedelta(days=1))]
    assert set(Record.objects.unscoped("a test looks").values_list("state", flat=True)) == {"approved"}


def test_com_06_a_station_only_asks(signed_in: SignIn) -> None:
    client = signed_in("station_coordinator")
    form = {
        "per_day": "0",
        "first": TOMORROW.isoformat(),
        "last": TOMORROW.isoformat(),
        "reason": "盘点",
        "once": "b" * 32,
    }
    assert client.post("/network/capacity/000001/desktop/", form).status_code == 302
    assert client.post("/network/capacity/000001/desktop/", form).status_code == 302  # a double click
    states = list(Record.objects.unscoped("a test looks").values_list("state", flat=True))
    assert states == ["submitted", "submitted"]  # there and back
    assert Capacity.objects.filter(station_id="000001").count() == 1


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"per_day": "-1"}, "请填 0 到"), ({"per_day": "九"}, "请填 0 到"), ({"per_day": "999999999999"}, "请填 0 到"),
        ({"first": ""}, "请选择第一天"), ({"first": "2020-01-01", "last": ""}, "不能早于今天"),
        ({"last": "2020-01-01"}, "最后一天不能早于第一天"), ({"last": "9999-12-31"}, "一次最多改一年"),
        ({"reason": ""}, "请写明原因"), ({"reason": "很" * 301}, "请写明原因"), ({"per_day": "10"}, "已经是这个数"),
    ],
)  # fmt: skip
def test_a_form_that_cannot_be_says_what_to_mend(signed_in: SignIn, changed: dict[str, str], said: str) -> None:
    form = {"per_day": "3", "first": TOMORROW.isoformat(), "last": TOMORROW.isoformat(), "reason": "培训", **changed}
    answer = signed_in("region_interface").post("/network/capacity/000001/desktop/", form)
    assert answer.status_code == 422 and said in answer.content.decode()
    assert Capacity.objects.filter(station_id="000001").count() == 1


def test_who_may_not_ask_has_no_form_and_no_way_to_it(signed_in: SignIn) -> None:
    client = signed_in("channel_management")
    text_of(client, "/network/capacity/000001/desktop/", 404)
    assert "/network/capacity/000001/" not in text_of(client, "/network/capacity/")
    text_of(signed_in("region_interface"), "/network/capacity/000003/desktop/", 404)


# --- change requests --------------------------------------------------------------------------------------------


def test_com_06_a_request_shows_what_it_would_do_before_it_is_judged(signed_in: SignIn) -> None:
    for number in range(3):
        report_from("110105", number)
    ref = a_request()
    client = signed_in("region_interface")
    assert ref in text_of(client, "/network/changes/")
    page = text_of(client, f"/network/changes/{ref}/")
    assert "近30天涉及的 3 单中，3 单会派往别处" in page
    assert "000002" in page and "000001" in page
    assert 'href="/network/" aria-current="page"' in page  # the navigation is there as on every page
    english = text_of(signed_in("region_interface", language="en"), f"/network/changes/{ref}/")
    assert "3 of 3 orders of the last 30 days would have gone elsewhere" in english


def report_from(area: str, number: int) -> None:
    from tests.make import REPORT

    given = {**REPORT, "area": area, "customer": {"name": "王先生", "phone": f"1380000{number:04}"}}
    at = timezone.now() - timedelta(days=2, minutes=number)
    begin("unified_repair", "report", actor=an_actor("cc_agent"), now=at, given=given)


def test_com_06_machines_read_the_effect_of_a_request_until_it_is_judged(signed_in: SignIn) -> None:
    for number in range(3):
        report_from("110105", number)
    ref = a_request()
    client, path = signed_in("region_interface"), f"/api/v1/coverage-changes/{ref}/effect"
    found = client.get(path).json()
    assert (found["orders"], found["orders_moved"], found["is_sample"]) == (3, 3, False)
    assert found["moved"] == [{"before": "000002", "after": "000001", "orders": 3}]
    assert [one["station"] for one in found["after"]] == ["000001", "000002"]
    assert signed_in("region_interface", region="east").get(path).status_code == 404
    perform(ref, "withdraw", actor=NORTH, now=timezone.now())
    assert client.get(path).json()["rule"] == "COM-06"


def test_a_station_learns_nothing_of_its_neighbours_from_its_request(signed_in: SignIn) -> None:
    ref = a_request()
    page = text_of(signed_in("station_coordinator"), f"/network/changes/{ref}/")
    assert "000002" not in page and "由大区审批时查看" in page
    told = signed_in("station_coordinator").get(f"/api/v1/coverage-changes/{ref}/effect").json()
    own = {name: told.pop(name) for name in ("ref", "state", "effective_from")}
    assert own["ref"] == ref and own["effective_from"] in page
    assert set(told.values()) == {None} and len(told) == 8
    text_of(signed_in("station_coordinator", station_no="000002"), f"/network/changes/{ref}/", 404)
    text_of(signed_in("region_interface", region="east"), f"/network/changes/{ref}/", 404)


def test_the_pages_of_a_request_bring_its_effect(signed_in: SignIn) -> None:
    ref = a_request()
    client = signed_in("region_interface")
    for path in (f"/inbox/{ref}/", f"/records/{ref}/"):
        page = text_of(client, path)
        assert f"/network/changes/{ref}/" in page
        assert re.search(r"<dd[^>]*>(?:<[^>]+>)*台式机", page)  # the line's name, not its code
    part = client.get(f"/network/changes/{ref}/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part and "变更后的派单顺序" in part


# --- import -----------------------------------------------------------------------------------------------------

GOOD = "维修站编号,名称,大区,所在区划,启用日期\n000009,密云维修站,north,110118,2026-01-01\n"
BAD = "维修站编号,名称,大区,所在区划,启用日期\n9,密云维修站,nowhere,999999,去年\n"


def send(client: Client, text: str, name: str = "网点.csv") -> str:
    answer = client.post("/network/import/", {"table": SimpleUploadedFile(name, text.encode())})
    assert answer.status_code == 302, answer.content.decode()
    return str(answer["Location"])


def test_a_table_is_checked_first_and_imported_only_when_told_to(signed_in: SignIn) -> None:
    client = signed_in("channel_management")
    address = send(client, GOOD)
    assert "没有问题，可以导入" in text_of(client, address)
    assert not Station.objects.filter(number="000009").exists()
    assert client.post(address).status_code == 302
    assert Station.objects.filter(number="000009").exists()
    assert "与现有数据一致" in text_of(client, address)
    assert "1 行" in text_of(client, "/network/import/")


def test_every_faulty_row_is_listed_and_nothing_is_written(signed_in: SignIn) -> None:
    client = signed_in("admin")
    address = send(client, BAD)
    page = text_of(client, address)
    assert "有 4 处问题" in page and "没有大区" in page and "前面的零可能已丢失" in page
    assert client.post(address).status_code == 422
    faults = client.get(address + "faults.xlsx")
    assert faults.content.startswith(b"PK") and io.BytesIO(faults.content)
    assert Station.objects.count() == 3


@pytest.mark.parametrize(
    ("content", "said"), [(b"PK\x03\x04nonsense", "已损坏"), (b"", "没有数据行"), (b"\xff\x00\x01" * 9, "不是 Excel")]
)
def test_a_file_that_is_no_table_says_so(signed_in: SignIn, content: bytes, said: str) -> None:
    answer = signed_in("admin").post("/network/import/", {"table": SimpleUploadedFile("x.xlsx", content)})
    page = answer.content.decode()
    assert answer.status_code == 422 and (said in page or "编码" in page)


def test_somebody_elses_table_does_not_exist(signed_in: SignIn) -> None:
    address = send(signed_in("admin"), GOOD)
    text_of(signed_in("channel_management"), address, 404)


def test_the_scorecards_go_on_beyond_one_page(signed_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mendline.web.console.station_pages.MOST", 2)
    refresh_scorecards(timezone.now())
    client = signed_in("admin")
    first = text_of(client, "/stations/?sort=number")
    following = re.search(r'rel="next" href="(\?[^"]+)"', first)
    assert following
    rest = text_of(client, "/stations/" + following[1].replace("&amp;", "&"))
    seen = [re.findall(r'href="/stations/(\w+)/"', page) for page in (first, rest)]
    assert [len(numbers) for numbers in seen] == [2, 1] and len({*seen[0], *seen[1]}) == 3


@pytest.mark.parametrize(("language", "name"), [("zh-hans", "台式机"), ("en", "Desktop")])
def test_whoever_asks_for_a_change_chooses_the_product_line_by_its_name(
    signed_in: SignIn, language: str, name: str
) -> None:
    page = signed_in("station_coordinator", language=language).get("/begin/coverage_change/submit/").content.decode()

    asked = re.search(r'<select[^>]*name="product_line".*?</select>', page, re.S)
    assert asked
    assert re.search(rf'<option value="desktop" *>{name}</option>', asked[0])
