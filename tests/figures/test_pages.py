"""The pages of figures: every number opens its orders, everybody sees what is his, wrong words are said to be wrong."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from python_calamine import CalamineWorkbook

from mendline.access import tokens
from mendline.access.models import Person
from mendline.figures.asking import MAY_SEE, Question
from mendline.figures.measures import MEASURES
from mendline.figures.models import OrderFact
from mendline.figures.periods import Period
from mendline.figures.reckoning import overview
from mendline.orders.models import RepairOrder
from mendline.web.console.shell import PLACES
from tests.figures.conftest import NOW, followed
from tests.make import a_network

DAYS = "from=2026-02-16&to=2026-03-02"
PERIOD = Period(date(2026, 2, 16), date(2026, 3, 2))
PAGES = ("", "cancellations/", "handovers/", "paths/", "load/")
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
NUMBER = re.compile(r'<a class="figure-link[^"]*" href="(/figures/orders/[^"]+)">(\d+)</a>')
HEADING = re.compile(r'<h1 class="page-title">[^<]*?(\d+)[^<\d]*</h1>')
ROLES = ("hq_interface", "process_owner", "info_support_dept", "region_interface", "station_coordinator")


def client_of(role: str, language: str = "zh-hans") -> Client:
    client = Client(headers={"accept-language": language})
    person = Person.objects.filter(role=role).order_by("station_no", "region", "id")[0]
    client.force_login(person, backend=BACKEND)
    return client


def text_of(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, path
    return answer.content.decode()


class Machine:
    """Calls the interface as the first person of a role."""

    def __init__(self, role: str) -> None:
        self.person = Person.objects.filter(role=role).order_by("station_no", "region", "id")[0]
        self._headers = {"Authorization": f"Bearer {tokens.issue(self.person, 'test')}"}

    def get(self, path: str, *, status: int = 200, **query: Any) -> Any:
        answer = Client().get(f"/api/v1{path}", query, headers=self._headers)
        assert answer.status_code == status, answer.content
        return answer.json()


class PagesOfDemo:
    """Collected with the other tests of the demo (`test_demo.py`)."""

    @pytest.mark.parametrize("role", ROLES)
    @pytest.mark.parametrize("language", ["zh-hans", "en"])
    def test_every_page_of_every_role_has_figures(self, role: str, language: str) -> None:
        client = client_of(role, language)
        for page in (*PAGES, "daily/", "orders/"):
            shown = text_of(client, f"/figures/{page}?{DAYS}")
            assert "正在统计" not in shown and "still being counted" not in shown
            assert 'class="table' in shown or "没有改派" in shown or "No order was handed over" in shown, page

    @pytest.mark.parametrize("page", PAGES)
    def test_every_number_opens_as_many_orders(self, page: str) -> None:
        client = client_of("hq_interface")
        by = {"cancellations/": "canceller", "load/": "station"}.get(page, "region")
        links = set(NUMBER.findall(text_of(client, f"/figures/{page}?from=2026-02-25&to=2026-03-01&by={by}")))
        assert len(links) > 3 or page == "handovers/"
        for href, number in links:
            listed = text_of(client, html.unescape(href))
            heading = HEADING.search(listed)
            assert heading is not None and heading[1] == number, href
            assert listed.count('class="order-no"') == min(int(number), 50), href

    def test_a_long_list_is_leafed_through(self) -> None:
        client = client_of("hq_interface")
        path, found = f"/figures/orders/?{DAYS}", []
        while True:
            listed = text_of(client, path)
            found += re.findall(r'class="order-no" href="/orders/([^/]+)/"', listed)
            more = re.search(r'<a class="btn" href="(\?[^"]*after=[^"]+)"', listed)
            if more is None:
                break
            path = f"/figures/orders/{html.unescape(more[1])}"
        assert len(found) == len(set(found)) == overview(Question(_hq(), PERIOD), "region").now["reported"] > 100

    def test_a_coordinator_sees_his_station_alone(self) -> None:
        mine = Person.objects.filter(role="station_coordinator").order_by("station_no")[0].station_no
        client = client_of("station_coordinator")
        listed = text_of(client, f"/figures/orders/?{DAYS}")
        refs = re.findall(r'class="order-no" href="/orders/([^/]+)/"', listed)

        stations = set(RepairOrder.objects.unscoped("a test looks").filter(ref__in=refs).values_list("station_no"))
        assert stations == {(mine,)}
        assert text_of(client, f"/figures/?{DAYS}&station={mine}")
        for theirs in ("station=000002", "region=east", "station=999999"):
            text_of(client, f"/figures/?{DAYS}&{theirs}", 404)

    def test_a_coordinator_who_tries_numbers_learns_no_names(self) -> None:
        """Who cancelled an order of his station has a name; whoever did not is a number, as one that there is not."""
        client = client_of("station_coordinator")
        mine = Person.objects.filter(role="station_coordinator").order_by("station_no")[0].station_no
        facts = OrderFact.objects.unscoped("a test looks").filter(station_no=mine).exclude(cancelled_by=None)
        here = {pk for pk in facts.values_list("cancelled_by", flat=True) if pk is not None}
        known = Person.objects.filter(pk__in=here)[0]
        unknown = Person.objects.exclude(pk__in=here)[0]

        assert f"撤单人：{known.name}" in text_of(client, f"/figures/?canceller={known.pk}")
        assert f"撤单人：{unknown.pk}" in text_of(client, f"/figures/?canceller={unknown.pk}")
        assert f"撤单人：{unknown.name}" in text_of(client_of("hq_interface"), f"/figures/?canceller={unknown.pk}")

    @pytest.mark.parametrize("role", ["cc_agent", "station_engineer"])
    def test_other_roles_find_nothing_there(self, role: str) -> None:
        client = client_of(role)
        for page in (*PAGES, "daily/", "orders/", "overview.xlsx", "daily/report.pdf"):
            text_of(client, f"/figures/{page}", 404)
        assert "/figures/" not in text_of(client, "/queue/")
        assert Machine(role).get("/figures", status=403)["code"] == "wrong_role"

    @pytest.mark.parametrize(
        ("query", "said"),
        [("from=2026-03-02&to=2026-03-01", "开始日期晚于结束日期"), ("from=3/2/2026", "请写成 2026-03-02"),
         ("period=forever", "没有这个时间段"), ("person=x", "应为编号"), ("path=1e9", "应为编号")],
    )  # fmt: skip
    def test_what_is_wrong_in_an_address_is_said(self, query: str, said: str) -> None:
        shown = text_of(client_of("hq_interface"), f"/figures/?{query}", 422)

        assert said in shown and "下面是近 30 天" in shown

    @pytest.mark.parametrize("query", ["which=nothing", "basis=later", "after=yesterday"])
    def test_a_list_edited_by_hand_says_what_is_wrong(self, query: str) -> None:
        assert 'role="alert"' in text_of(client_of("hq_interface"), f"/figures/orders/?{query}", 422)

    def test_markup_in_an_address_stays_text(self) -> None:
        shown = text_of(client_of("hq_interface"), f"/figures/?{DAYS}&reason=<script>alert(1)</script>&route=<b>")

        assert "<script>alert(1)" not in shown and "<b>" not in shown.replace("<b>＋</b>", "").replace("<b>↺</b>", "")

    def test_the_spreadsheet_has_what_the_page_shows(self) -> None:
        client = client_of("hq_interface")
        book = CalamineWorkbook.from_filelike(io.BytesIO(client.get(f"/figures/overview.xlsx?{DAYS}").content))
        rows = book.get_sheet_by_name("按大区").to_python()
        found = overview(Question(_hq(), PERIOD), "region")

        assert rows[0][:3] == ["大区", "报修", "比上期"] and len(rows) - 1 == len(found.groups)
        assert sum(row[1] for row in rows[1:]) == found.now["reported"]  # type: ignore[misc]
        place = rows[0].index("按时联系 %")
        assert rows[0][place + 1 : place + 3] == ["按时联系 单数", "共"]
        assert sum(row[place + 1] for row in rows[1:]) == found.now["contacts_in_time"]  # type: ignore[misc]
        for page in PAGES[1:]:
            name = page.rstrip("/")
            assert client.get(f"/figures/{name}.xlsx?{DAYS}").content.startswith(b"PK")
        assert client.get("/figures/nothing.xlsx").status_code == 404

    def test_the_daily_report_is_of_yesterday_and_of_any_day(self) -> None:
        client = client_of("region_interface")
        assert "2026年3月1日" in text_of(client, "/figures/daily/")
        assert "2026年2月27日" in text_of(client, "/figures/daily/?day=2026-02-27")
        assert 'role="alert"' in text_of(client, "/figures/daily/?day=27.2.2026", 422)

    def test_the_daily_report_is_printed(self) -> None:
        answer = client_of("hq_interface").get("/figures/daily/report.pdf?day=2026-02-27")

        assert answer.status_code == 200 and answer["Content-Type"] == "application/pdf"
        assert answer.content.startswith(b"%PDF")

    def test_the_interface_gives_the_same_numbers(self) -> None:
        machine = Machine("hq_interface")
        days: dict[str, Any] = {"from": "2026-02-16", "to": "2026-03-02"}
        found = overview(Question(_hq(), PERIOD), "station")

        answer = machine.get("/figures", **days, by="station")
        assert answer["now"]["counts"] == dict(found.now) and answer["before"]["counts"] == dict(found.before)
        assert {group["key"]: group["now"]["counts"] for group in answer["groups"]} == {
            group.key: dict(group.now) for group in found.groups
        }
        contact = answer["now"]["shares"]["contact"]
        assert contact["whole"] == found.now[MEASURES["contact"].whole]
        assert (
            sum(row["now"] for row in machine.get("/figures/cancellations", **days)["reasons"])
            == (found.now["cancelled"])
        )
        assert machine.get("/figures/handovers", **days)["handed_over"] == found.now["handed_over"]
        assert sum(way["orders"] for way in machine.get("/figures/paths", **days)["paths"]) == found.now["ended"]
        assert machine.get("/figures/load", **days)["total"]["reported"] == found.now["reported"]
        assert answer["as_of"] == NOW.isoformat() and answer["is_complete"]

    def test_the_interface_lists_the_orders_behind_a_number(self) -> None:
        machine = Machine("hq_interface")
        query: dict[str, Any] = {"from": "2026-02-16", "to": "2026-03-02", "which": "promises_broken", "limit": 5}
        found: list[str] = []
        while True:
            page = machine.get("/figures/orders", **query)
            found += [row["ref"] for row in page["items"]]
            if page["next"] is None:
                break
            query["after"] = page["next"]
        assert len(set(found)) == len(found) == page["count"] > 5

    def test_the_interface_counts_what_is_the_callers(self) -> None:
        coordinator, hq = Machine("station_coordinator"), Machine("hq_interface")
        days: dict[str, Any] = {"from": "2026-02-16", "to": "2026-03-02"}
        mine = coordinator.get("/figures", **days)["now"]["counts"]
        station = coordinator.person.station_no

        assert mine == hq.get("/figures", **days, station=station)["now"]["counts"] and mine["reported"] > 0
        theirs = coordinator.get("/figures", **days, station="000002")
        assert theirs["now"]["counts"]["reported"] == 0 and theirs["groups"] == []
        assert theirs["now"] == coordinator.get("/figures", **days, station="999999")["now"]

    def test_the_interface_names_the_wrong_field(self) -> None:
        machine = Machine("hq_interface")

        backwards: dict[str, Any] = {"from": "2026-03-02", "to": "2026-03-01"}
        assert list(machine.get("/figures", status=422, **backwards)["fields"]) == ["from"]
        assert list(machine.get("/figures/orders", status=422, which="nothing")["fields"]) == ["which"]
        assert list(machine.get("/figures/orders", status=422, after="x")["fields"]) == ["after"]


def _hq() -> Any:
    return Person.objects.filter(role="hq_interface")[0].as_actor()


@pytest.fixture
def empty(db: None) -> Iterator[Client]:
    a_network()
    Person.objects.create(username="hq", name="任平", role="hq_interface")
    yield client_of("hq_interface")


def test_pages_without_any_order_say_what_to_do(empty: Client) -> None:
    for page in (*PAGES, "daily/", "orders/"):
        assert "正在统计全部维修单" in text_of(empty, f"/figures/{page}"), page
    assert "换一个时间段" in text_of(empty, "/figures/cancellations/")


def test_old_figures_say_so(empty: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    followed(NOW)
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW + timedelta(minutes=4))
    assert "没有更新" not in text_of(empty, "/figures/")
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW + timedelta(minutes=6))
    assert "超过五分钟没有更新" in text_of(empty, "/figures/")


def test_every_role_that_may_see_figures_finds_them_in_the_navigation() -> None:
    place = next(place for place in PLACES if place.route == "console:figures")
    assert place.roles == MAY_SEE
