"""Whatever is sent ends in an answer that says what to mend; nothing ends in a 500, and nothing is half done."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from threading import Barrier
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.db import connection

from mendline.access import tokens
from mendline.journal.models import Entry
from mendline.orders.models import IdempotencyKey, RepairOrder
from mendline.web.api.bodies import raw_body
from mendline.web.api.problems import EdgeError
from tests.api.conftest import Machine, Machines, make_people
from tests.make import REPORT, a_network

NAME, PHONE = "王先生", "13800000001"


def orders() -> int:
    return RepairOrder.objects.unscoped("a test counts").count()


@pytest.fixture
def cc(machine: Machines) -> Iterator[Machine]:
    """A call-centre machine; after the test, no refusal may have left a row behind."""
    yield machine("cc")
    assert Entry.objects.filter(kind="order.report").count() == orders() == IdempotencyKey.objects.count()


def fields_of(machine: Machine, /, **changed: Any) -> list[str]:
    answer = machine.report(**changed)
    assert answer.status_code == 422, answer.content.decode()
    return sorted(answer.json().get("fields", {}))


class TestFacts:
    pytestmark = pytest.mark.django_db

    @pytest.mark.parametrize(
        ("changed", "field"),
        [
            ({"area": "999999"}, None),
            ({"area": "11010"}, "area"),
            ({"area": "一一"}, "area"),
            ({"product": "toaster"}, None),
            ({"service_mode": "by_drone"}, "service_mode"),
            ({"fault": "x" * 100_000}, "fault"),
            ({"address": "x" * 100_000}, "address"),
            ({"customer": {"name": "x" * 100_000, "phone": PHONE}}, "customer"),
            ({"fault": "a\x07b"}, "fault"),
            ({"fault": "a\u202eb"}, "fault"),
            ({"address": "上地\n信息路"}, "address"),
            ({"colour": "red"}, "colour"),
            ({"state": "resolved"}, "state"),
            ({"station_no": "000002"}, "station_no"),
            ({"region": "east"}, "region"),
            ({"origin": "station"}, "origin"),
            ({"ref": "WX260302-7KQ2M4XWA"}, "ref"),
            ({"customer": None}, "customer"),
            ({"fault": "  "}, "fault"),
            ({"serial_no": "' OR 1=1 --"}, "serial_no"),
            ({"caller": "station"}, None),
        ],
    )
    def test_a_fact_that_cannot_be_is_refused_by_name(
        self, cc: Machine, changed: dict[str, Any], field: str | None
    ) -> None:
        found = fields_of(cc, **changed)

        assert field is None or field in found

    @pytest.mark.parametrize(
        ("changed", "field", "rule"),
        [
            ({"area": "999999"}, "area", "COM-05"),
            ({"product": "toaster"}, "product", "UDS-07"),
            ({"served_already": True}, "served_already", "STN-42"),
            ({"caller": "station"}, "caller", "STN-42"),
            ({"station_wish": "999999"}, "station_wish", "COM-10"),
            ({"colour": "red"}, "colour", "STN-17"),
            ({"fault": "x" * 100_000}, "fault", "STN-17"),
        ],
    )
    def test_a_refusal_names_the_field_and_the_rule_whoever_finds_the_fault(
        self, cc: Machine, changed: dict[str, Any], field: str, rule: str
    ) -> None:
        problem = cc.report(**changed).json()

        assert list(problem["fields"]) == [field]
        assert rule in problem["rules"]
        assert problem["fields"][field]["zh"] and problem["fields"][field]["en"]

    @pytest.mark.parametrize(
        ("process", "given", "field", "rule"),
        [
            (
                "coverage_change",
                {
                    "change_kind": "add_area",
                    "product_line": "toasters",
                    "area": "110108",
                    "effective_from": "2099-01-01",
                },
                "product_line",
                "COM-05",
            ),
            (
                "coverage_change",
                {
                    "change_kind": "add_area",
                    "product_line": "desktop",
                    "area": "999999",
                    "effective_from": "2099-01-01",
                },
                "area",
                "COM-05",
            ),
            ("coverage_change", {"change_kind": "add_area", "line": "desktop"}, "line", "COM-06"),
        ],
    )
    def test_an_unknown_line_area_or_fact_of_a_record_is_named_with_its_rule(
        self, machine: Machines, process: str, given: dict[str, Any], field: str, rule: str
    ) -> None:
        answer = machine("station1").post(f"/records/{process}", {"given": given, "transition": "submit"})

        assert answer.status_code == 422, answer.content.decode()
        assert field in answer.json()["fields"] and rule in answer.json()["rules"]

    def test_a_record_of_an_unknown_process_is_begun_by_nobody(self, machine: Machines) -> None:
        answer = machine("station1").post("/records/errand", {"given": {}})

        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    @pytest.mark.parametrize("name", [*REPORT, "serial_no", "wished_at", "station_wish", "served_already"])
    @pytest.mark.parametrize("value", [[], ["x"], {"a": 1}, {"name": {}}, True, -1, 1.5, [[[]]], {"": ""}])
    def test_a_value_of_another_type_is_no_fault_of_ours(self, cc: Machine, name: str, value: Any) -> None:
        answer = cc.report(**{name: value})

        if answer.status_code != 201:  # a number may be a text, and 是 may be true
            assert answer.status_code == 422
            assert name in answer.json().get("fields", {name: ""})

    @pytest.mark.parametrize("name", ["李😀", "𠮷野", "O’Brien-Şahin", "阿里木·买买提", "x"])
    def test_names_of_all_kinds_are_kept_as_they_are(self, cc: Machine, name: str) -> None:
        made = cc.report(customer={"name": name, "phone": PHONE})

        shown = cc.get(f"/orders/{made.json()['ref']}").json()["facts"]["customer"]
        assert shown == {"name": name, "phone": "138****0001"}

    @pytest.mark.parametrize(
        ("written", "kept"),
        [
            ("138 0000 0001", "+8613800000001"),
            ("+86-138-0000-0001", "+8613800000001"),
            ("008613800000001", "+8613800000001"),
            ("１３８００００００01", "+8613800000001"),
            ("010-62981234", "+861062981234"),
            ("(021) 6298 1234", "+862162981234"),
            (13800000001, "+8613800000001"),
        ],
    )
    def test_telephone_numbers_are_understood_as_people_write_them(self, cc: Machine, written: Any, kept: str) -> None:
        assert cc.report(customer={"name": NAME, "phone": written}).status_code == 201
        assert RepairOrder.objects.unscoped("a test").get().phone == kept

    @pytest.mark.parametrize("written", ["一三八", "phone", "12345", "1380000000", "138000000011", "+", "62981234", ""])
    def test_what_is_no_telephone_number_is_refused(self, cc: Machine, written: str) -> None:
        assert fields_of(cc, customer={"name": NAME, "phone": written}) == ["customer"]

    @pytest.mark.parametrize(
        "moment",
        [
            "2026-03-02T15:00",
            "2026-02-29T15:00+08:00",
            "2026-03-02",
            "0001-01-01T00:00+08:00",
            "9999-12-31T23:59Z",
            "明天",
            0,
        ],
    )
    def test_moments_need_a_zone_and_must_exist(self, cc: Machine, moment: Any) -> None:
        assert fields_of(cc, wished_at=moment) == ["wished_at"]

    def test_the_29th_of_february_exists_in_a_leap_year(self, cc: Machine) -> None:
        assert cc.report(wished_at="2028-02-29T15:00+08:00").status_code == 201

    def test_stn_33_a_promise_in_the_past_is_refused(self, machine: Machines) -> None:
        ref = machine("cc").report().json()["ref"]
        station = machine("station1")
        station.step(ref, "log_contact", contact_outcome="reached")

        answer = station.step(ref, "promise", promised_at="2020-03-02T15:00+08:00")

        assert answer.status_code == 422 and answer.json()["rule"].startswith("STN-")

    def test_a_hundred_thousand_characters_in_chinese_are_too_large_a_body(self, cc: Machine) -> None:
        assert cc.report(fault="坏" * 100_000).status_code == 413

    def test_every_missing_fact_is_named_at_once(self, cc: Machine) -> None:
        answer = cc.post("/orders", {"given": {}})

        assert sorted(answer.json()["fields"]) == sorted(REPORT)


class TestBodies:
    pytestmark = pytest.mark.django_db

    @pytest.mark.parametrize(
        ("raw", "status", "code"),
        [
            (b"{", 400, "not_json"),
            (b"[]", 400, "not_json"),
            (b'"x"', 400, "not_json"),
            (b"null", 400, "not_json"),
            (b"\xff\xfe{}", 400, "not_json"),
            (b'{"given": {"fault": NaN}}', 400, "not_json"),
            (b'{"given": {"fault": Infinity}}', 400, "not_json"),
            (b'{"given": {"fault": 1e999}}', 422, "invalid"),
            (b'{"given": {"fault": 99999999999999999999}}', 422, "invalid"),
            (b'{"given": {"fault": ' + b"9" * 5000 + b"}}", 422, "invalid"),
            (b'{"given": ' + b"[" * 10_000 + b"]" * 10_000 + b"}", 400, "too_deep"),
            (b'{"given": ' + b'{"a":' * 10_000 + b"1" + b"}" * 10_001, 400, "too_deep"),
            (b'{"given": ' + b"[" * 20 + b"]" * 20 + b"}", 400, "too_deep"),
            (b'{"given": {}, "given": {}}', 422, "invalid"),
            (b'{"given": {"fault": "a", "fault": "b"}}', 422, "invalid"),
            (b'{"given": []}', 422, "invalid"),
            (b'{"given": "x"}', 422, "invalid"),
            (b'{"given": {}, "trans": "report"}', 422, "invalid"),
            (b'{"given": {}, "transition": 5}', 422, "invalid"),
            (b'{"given": {}, "transition": "cancel"}', 422, "unknown_transition"),
            (b'{"given": {"fault": "a\\u0000b"}}', 422, "invalid"),
            (b'{"given": {"fault": "\\ud800"}}', 422, "invalid"),
            (b'{"given": {"\\udfff": 1}}', 422, "invalid"),
            (b'{"\\u0000": 1}', 422, "invalid"),
            (b'{"given": {"fault": "' + b"a" * 300_000 + b'"}}', 413, "too_large"),
            (b"", 422, "invalid"),
        ],
    )
    def test_a_body_that_cannot_be_read_says_why(self, cc: Machine, raw: bytes, status: int, code: str) -> None:
        answer = cc.post("/orders", raw=raw)

        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer["Content-Type"] == "application/problem+json"

    def test_a_body_of_another_kind_is_not_guessed_at(self, cc: Machine) -> None:
        answer = cc.client.post(
            "/api/v1/orders",
            data=json.dumps({"given": REPORT}),
            content_type="text/plain",
            headers={**cc.headers, "Idempotency-Key": "one"},
        )

        assert answer.status_code == 400

    @pytest.mark.parametrize("revision", [-1, 1.5, "0", True, [], 2**31])
    def test_a_revision_is_a_whole_number(self, cc: Machine, revision: Any) -> None:
        ref = cc.report().json()["ref"]

        answer = cc.post(f"/orders/{ref}/transitions/urge", {"given": {}, "revision": revision})

        assert list(answer.json()["fields"]) == ["revision"]

    @pytest.mark.parametrize(
        "name", ["no_such_step", "催单", "__class__", "x" * 5000, "%00", "report", "part_arrived", "..%2f.."]
    )
    def test_a_step_that_is_none_is_refused(self, cc: Machine, name: str) -> None:
        ref = cc.report().json()["ref"]

        assert cc.post(f"/orders/{ref}/transitions/{name}", {}).status_code in (403, 404, 422)
        assert cc.get(f"/orders/{ref}").json()["revision"] == 0

    def test_a_lookup_is_never_asked_with_an_unchecked_value(self, machine: Machines) -> None:
        ref = machine("cc").report().json()["ref"]

        for value in ({"a": 1}, ["x"], 5, True):
            answer = machine("station1").step(ref, "assign_engineer", engineer=value)
            assert answer.status_code == 422, value


class TestAddresses:
    pytestmark = pytest.mark.django_db

    @pytest.mark.parametrize(
        "path",
        [
            "/orders/%00", "/orders/' OR 1=1", "/orders/" + "W" * 5000, "/orders/WX", "/orders/CD990101-222222222",
            "/orders/%F0%9F%98%80", "/records/WX990101-222222222", "/records/%00", "/rules/CAN-999", "/rules/%00",
            "/processes/no_such", "/processes/%00", "/no/such/thing", "/orders/a/b/c/d", "/webhooks/x", "/a%0Ab", "/",
        ],
    )  # fmt: skip
    def test_what_is_not_there_is_the_same_404_everywhere(self, cc: Machine, path: str) -> None:
        answer = cc.get(path)

        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert answer.content == cc.get("/orders/WX990101-222222222").content

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ({"limit": "0"}, "limit"),
            ({"limit": "101"}, "limit"),
            ({"limit": "x"}, "limit"),
            ({"cursor": "x"}, "cursor"),
            ({"cursor": "WyJvcGVuIiwiIiwxZTk5XQ"}, "cursor"),
            ({"cursor": "WyJlbmRlZCIsIjIwMjYtMDMtMDJUMDE6MDA6MDArMDA6MDAiLDFd"}, "cursor"),
            ({"category": "x"}, "category"),
            ({"overdue": "maybe"}, "overdue"),
            ({"station": "a\x00b"}, "station"),
            ({"state": "a\x00b"}, None),
            ({"station": "0" * 500}, "station"),
        ],
    )
    def test_a_filter_that_is_not_understood_is_named(
        self, cc: Machine, query: dict[str, str], field: str | None
    ) -> None:
        answer = cc.get("/orders", query)

        assert answer.status_code == 422, answer.content
        assert field is None or field in answer.json()["fields"]

    @pytest.mark.parametrize("query", [{"station": "999999"}, {"state": "no_such_state"}, {"state": "' OR 1=1"}])
    def test_a_filter_that_fits_nothing_gives_an_empty_list(self, cc: Machine, query: dict[str, str]) -> None:
        cc.report()

        assert cc.get("/orders", query).json() == {"items": [], "next": None}

    def test_another_method_is_a_405_that_says_what_is_possible(self, cc: Machine) -> None:
        answer = cc.delete("/orders")

        assert answer.status_code == 405 and set(answer["Allow"].split(", ")) >= {"GET", "POST"}
        assert answer["Content-Type"] == "application/problem+json"

    def test_pages_follow_one_another_without_gaps_or_repeats(self, cc: Machine) -> None:
        made = {cc.report().json()["ref"] for _ in range(5)}

        for category in ("open", "all"):
            seen: list[str] = []
            query = {"limit": "2", "category": category}
            while True:
                page = cc.get("/orders", query).json()
                seen += [row["ref"] for row in page["items"]]
                if page["next"] is None:
                    break
                query["cursor"] = page["next"]
            assert len(seen) == 5 and set(seen) == made

    def test_english_is_spoken_to_whoever_asks_for_it(self, machine: Machines) -> None:
        zh, en = (machine("cc", language).get("/orders/x").json() for language in ("zh-CN,zh;q=0.9", "en-GB,en;q=0.8"))

        assert (zh["detail"], en["detail"]) == (zh["texts"]["zh"], zh["texts"]["en"])
        assert zh["texts"] == en["texts"]


def test_two_agents_for_the_same_caller_at_once_make_two_orders_and_each_is_told_of_the_other(
    transactional_db: None,
) -> None:
    a_network()
    cc = make_people()["cc"]
    secrets = [tokens.issue(cc, "one"), tokens.issue(cc, "two")]
    both = Barrier(2, timeout=20)

    def report(secret: str) -> int:
        try:
            both.wait()
            return Machine(secret).report().status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(report, secrets)) == [201, 201]

    known = Machine(secrets[0]).post("/duplicates", {"phone": PHONE}).json()["items"]
    assert len(known) == orders() == 2


@pytest.mark.parametrize("arrived", [b"", b'{"given": {'])
def test_a_call_that_was_cut_on_its_way_is_not_taken_for_an_empty_one(arrived: bytes) -> None:
    """P1: "all fields are missing" would make the caller give up on what it should send again."""
    announced = str(len(arrived) + 40)
    request = WSGIRequest({"REQUEST_METHOD": "POST", "wsgi.input": BytesIO(arrived), "CONTENT_LENGTH": announced})

    with pytest.raises(EdgeError) as refused:
        raw_body(request)

    assert (refused.value.status, refused.value.code) == (400, "unreadable_body")
