"""Finding orders: who sees what, what comes first, what happens when it takes too long."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection, transaction

from mendline.access.actors import Actor
from mendline.kernel.errors import ScopeMissing
from mendline.orders.models import RepairOrder
from mendline.orders.store import Loaded
from mendline.search import finding
from mendline.search.finding import Found, find, record_of
from mendline.search.models import Current
from tests.make import MONDAY_NINE, a_network, a_report, an_actor, do
from tests.search.conftest import a_second_connection, indexed

AGENT = an_actor("cc_agent")
LONG_AGO = MONDAY_NINE - timedelta(days=500)
CANCELLING = {"cancel_reason": "user_solved", "requested_by": "user", "cancel_detail": "用户自行解决"}


def reports(number: int) -> list[Loaded]:
    """Take reports, a minute after each other."""
    minutes = [(MONDAY_NINE + timedelta(minutes=n), f"139000{n}5555") for n in range(number)]
    return [a_report(now=now, customer={"name": "王先生", "phone": phone}) for now, phone in minutes]


def refs(found: Found) -> list[str]:
    return [order.ref for order in found.orders]


@pytest.mark.parametrize(
    "typed",
    [
        "上地", "信息路", "王先生", "王", "wxs", "wangx", "5678", "45678", "1381234", "上地 5678", "海淀 王", "LNV0",
        "lnv012", "上地信息路2号",
    ],
)  # fmt: skip
def test_an_order_is_found_by_what_people_type(network: None, typed: str) -> None:
    wanted = a_report(customer={"name": "王先生", "phone": "13812345678"}, serial_no="LNV0123456")
    a_report(
        customer={"name": "李女士", "phone": "13900001111"},
        address="中关村大街1号",
        area="110106",
        serial_no="HP998877",
    )
    indexed()

    expected = [] if typed == "1381234" else [wanted.ref]  # a telephone number is known by its end
    assert refs(find(AGENT, typed)) == expected


def test_a_new_order_is_found_by_its_number_telephone_and_device_before_the_worker_has_seen_it(network: None) -> None:
    order = a_report(serial_no="LNV0123456")

    for typed in (
        order.ref,
        order.ref.lower(),
        "13800000001",
        "138 0000 0001",
        "+86 138-0000-0001",
        "LNV0123456",
        "lnv0123456",
    ):
        found = find(AGENT, typed)
        assert (refs(found), found.exact) == ([order.ref], True), typed


def test_the_beginning_of_a_number_finds_the_orders_of_that_day(network: None) -> None:
    order = a_report()

    assert refs(find(AGENT, order.ref[:8])) == [order.ref]
    assert refs(find(AGENT, order.ref[:11])) == [order.ref]


def test_the_end_of_a_number_is_compared_whole(network: None) -> None:
    order, other = a_report(), a_report(customer={"name": "李女士", "phone": "13900001111"})
    indexed()

    assert refs(find(AGENT, order.ref[-5:])) == [order.ref]
    assert other.ref not in refs(find(AGENT, "9" + order.ref[-4:]))
    assert refs(find(AGENT, "90001")) == []  # ends …0001 as the first telephone does, but is longer


@pytest.mark.parametrize(
    ("role", "place", "seen"),
    [
        ("station_coordinator", {"station_no": "000001"}, True),
        ("station_coordinator", {"station_no": "000003"}, False),
        ("region_interface", {"region": "north"}, True),
        ("region_interface", {"region": "east"}, False),
        ("cc_agent", {}, True),
    ],
)
def test_out_of_scope_is_as_if_it_were_not_there(network: None, role: str, place: dict[str, str], seen: bool) -> None:
    order = a_report(serial_no="LNV0123456")
    indexed()

    for typed in ("上地", "王先生", "wxs", "0001", order.ref, "13800000001", "LNV0123456", order.ref[-5:]):
        assert bool(refs(find(an_actor(role, **place), typed))) is seen, typed


def test_an_order_that_moved_on_is_found_where_it_is_now(network: None) -> None:
    """The index may be a second behind; the scope never is."""
    a_report()
    indexed()
    Current.objects.unscoped("as it was before").update(station_no="000003", region="east")

    assert refs(find(an_actor("station_coordinator", station_no="000003"), "上地")) == []


def test_reading_the_index_without_a_scope_is_refused(network: None) -> None:
    with pytest.raises(ScopeMissing):
        list(Current.objects.filter(order_id=1))


def test_open_orders_come_first_then_the_newest(network: None) -> None:
    made = reports(4)
    do(made[3], "cancel", "cc_agent", now=MONDAY_NINE + timedelta(minutes=9), **CANCELLING)
    indexed()

    assert refs(find(AGENT, "王先生")) == [made[i].ref for i in (2, 1, 0, 3)]


def test_more_than_fits_is_said(network: None) -> None:
    for number in range(4):
        a_report(customer={"name": "王先生", "phone": f"1390000{number:04}"})
    indexed()

    found = find(AGENT, "王先生", limit=3)
    assert (len(found.orders), found.more) == (3, True)
    assert find(AGENT, "王先生", limit=4).more is False


def an_old_order(ended: bool) -> Loaded:
    order = a_report(now=LONG_AGO)
    return do(order, "cancel", "cc_agent", now=LONG_AGO + timedelta(hours=1), **CANCELLING) if ended else order


def test_what_ended_more_than_a_year_ago_is_found_when_everything_is_asked_for(network: None) -> None:
    old = an_old_order(ended=True)
    indexed()

    assert refs(find(AGENT, "上地")) == []
    assert refs(find(AGENT, "上地", everything=True)) == [old.ref]
    assert refs(find(AGENT, old.ref)) == [old.ref]  # its number is enough


def test_what_is_open_is_found_however_old(network: None) -> None:
    old = an_old_order(ended=False)
    indexed()

    assert refs(find(AGENT, "上地")) == [old.ref]


@pytest.mark.parametrize("actor", [AGENT, an_actor("station_coordinator"), an_actor("region_interface")])
@pytest.mark.parametrize("typed", ["信息路", "0001", "wxs", "王 上地", "LNV0"])
def test_a_rare_word_is_found_behind_many_newer_orders(
    network: None, monkeypatch: pytest.MonkeyPatch, actor: Actor, typed: str
) -> None:
    """Past the newest that are looked through one by one, the index answers; with the scope as one of its words."""
    wanted = a_report(serial_no="LNV0123456")
    for number in range(6):
        customer = {"name": "李女士", "phone": f"139000{number}5555"}
        a_report(now=MONDAY_NINE + timedelta(minutes=number + 1), customer=customer, address="中关村大街1号")
    indexed()
    monkeypatch.setattr(finding, "LOOKED_THROUGH", 3)

    assert refs(find(actor, typed)) == [wanted.ref]


def test_a_frequent_word_needs_only_the_newest(network: None, monkeypatch: pytest.MonkeyPatch) -> None:
    made = reports(6)
    indexed()
    monkeypatch.setattr(finding, "LOOKED_THROUGH", 3)

    assert refs(find(AGENT, "海淀", limit=2)) == [made[5].ref, made[4].ref]


@pytest.mark.parametrize(
    "typed",
    ["", " ", "😀", "%", "_", "%%%%", "____", "'", "''';--", "\\", "a", "\u202e\u200f", "\x00", "王\x00先",
     "上" * 10_000, "1" * 10_000, "QZ" + "%" * 30, "WX260302\ud7ff", "WX260302\U0010ffff", "1380000000_",
     "+++++", "((((", "ext", "转", "1 转 2", "١٢٣٤٥", "²³¹¹", "Ⅳ①⑳㍿"],
)  # fmt: skip
def test_whatever_is_typed_gets_an_answer(network: None, typed: str) -> None:
    a_report(serial_no="LNV0123456")
    indexed()

    for everything in (False, True):
        found = find(AGENT, typed, everything=everything)
        assert len(found.orders) <= finding.SHOWN and not found.stopped
    if "%" in typed or "_" in typed:
        assert found.orders == []


def test_a_record_is_found_by_its_whole_number_within_the_scope(network: None) -> None:
    from mendline.orders.transitions import begin

    order = a_report()
    request = begin(
        "cancellation_request", "submit", actor=an_actor("station_coordinator"), now=MONDAY_NINE, order_ref=order.ref,
        given={"cancel_reason": "user_solved", "cancel_detail": "用户自行解决，不再需要上门服务"},
    )  # fmt: skip

    found = record_of(an_actor("region_interface"), f" {request.ref.lower()} ")
    assert found is not None and found.ref == request.ref
    assert record_of(an_actor("region_interface", region="east"), request.ref) is None
    assert record_of(AGENT, "没有") is None


@pytest.mark.django_db(transaction=True)
def test_a_search_that_takes_too_long_is_cut_off_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody holds the table of the past: the years before cannot be read in time, the rest can."""
    a_network()
    order = a_report()
    indexed()
    monkeypatch.setattr(finding, "WAIT_FOR_ALL_MS", 200)
    with a_second_connection() as other:
        other.execute("LOCK TABLE search_past IN ACCESS EXCLUSIVE MODE")
        found = find(AGENT, "上地", everything=True)
        other.rollback()

    assert (refs(found), found.stopped) == ([order.ref], True)
    assert find(AGENT, "上地", everything=True).stopped is False


def test_the_limit_of_time_ends_with_the_search(network: None) -> None:
    def limit() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            return str(cursor.fetchone()[0])

    before = limit()
    with transaction.atomic():
        find(AGENT, "上地")
        assert limit() == before
    with pytest.raises(finding.TookTooLong), finding.time_limit(50), connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(60)")
    assert limit() == before
    assert RepairOrder.objects.unscoped("the connection still works").count() == 0
