"""What a station's record says of its last 30 days, and that each figure and its list agree."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from mendline.care.models import StationScorecard
from mendline.care.scorecards import (
    CONDITIONS,
    GOOD_FOR,
    WINDOW,
    orders_behind,
    refresh_old_scorecards,
    refresh_scorecards,
    requests_of,
    share,
    stations_of,
    without_callback,
)
from mendline.orders.models import Record
from mendline.orders.store import Loaded
from mendline.orders.sweep import sweep
from mendline.orders.transitions import begin, perform
from tests.make import MONDAY_NINE, a_network, a_report, an_actor, do

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _network(db: None) -> None:
    a_network(per_day=50)


def card(now: datetime = MONDAY_NINE + 10 * DAY, number: str = "000001") -> StationScorecard:
    refresh_scorecards(now)
    return StationScorecard.objects.get(pk=number)


def promised(visit: datetime, *, at: datetime = MONDAY_NINE + HOUR) -> Loaded:
    return do(do(a_report(), "download", now=at), "promise", now=at, promised_at=visit.isoformat())


def started(order: Loaded, at: datetime) -> Loaded:
    return do(do(order, "print_order", now=at), "start_service", "station_engineer", now=at, user_agrees=True)


def closed(order: Loaded, at: datetime) -> Loaded:
    return do(order, "resolve", "station_engineer", now=at, user_signature="王", work_done="更换", part_returned=True)


def call_back(order: Loaded, name: str, **given: object) -> None:
    callback = Record.objects.unscoped("test").filter(order_ref=order.ref, process="callback").latest("id")
    perform(callback.ref, name, actor=an_actor("cc_agent"), now=MONDAY_NINE + 2 * DAY, given=given)


@pytest.mark.parametrize(("minutes", "late", "in_time"), [(240, 0, 1), (241, 1, 0)])
def test_stn_19_contacts_in_time_on_both_sides_of_the_limit(minutes: int, late: int, in_time: int) -> None:
    at = MONDAY_NINE + timedelta(minutes=minutes)
    promised(MONDAY_NINE + DAY, at=at)

    found = card()
    assert (found.contacts_late, found.contacts_in_time) == (late, in_time)


def test_stn_19_a_contact_that_is_still_awaited_counts_once_its_limit_has_passed() -> None:
    a_report()

    assert card(MONDAY_NINE + 4 * HOUR).contacts_late == 0
    assert card(MONDAY_NINE + 4 * HOUR + timedelta(seconds=1)).contacts_late == 1


@pytest.mark.parametrize(("minutes", "kept", "broken"), [(0, 1, 0), (1, 0, 1)])
def test_stn_33_the_first_promise_is_kept_until_its_minute(minutes: int, kept: int, broken: int) -> None:
    visit = MONDAY_NINE + 6 * HOUR
    started(promised(visit), visit + timedelta(minutes=minutes))

    found = card()
    assert (found.promises_kept, found.promises_broken) == (kept, broken)


def test_stn_33_a_second_promise_does_not_mend_the_first_and_an_open_one_is_judged_by_its_time() -> None:
    visit = MONDAY_NINE + 6 * HOUR
    order = promised(visit)
    assert card(visit).promises_broken == 0

    again = visit + DAY
    started(do(order, "promise", now=visit + HOUR, promised_at=again.isoformat(), promise_kind="user_reason",
               promise_reason="用户改期"), again)  # fmt: skip
    found = card()
    assert (found.promises_kept, found.promises_broken) == (0, 1)


def test_stn_22_an_unreachable_user_was_promised_nothing() -> None:
    do(a_report(), "mark_unreachable", now=MONDAY_NINE + 3.6 * HOUR)

    found = card()
    assert (found.promises_kept, found.promises_broken) == (0, 0)


def test_stn_45_repeat_visits_are_counted_among_those_visited() -> None:
    visit = MONDAY_NINE + 6 * HOUR
    started(promised(visit), visit)
    order = do(started(promised(visit), visit), "leave_unresolved", "station_engineer", now=visit + HOUR,
               findings="缺件", promised_at=(visit + DAY).isoformat())  # fmt: skip
    started(order, visit + DAY)

    found = card()
    assert (found.serviced, found.repeat_visits) == (2, 1)


def test_can_27_cancellations_are_counted_by_their_reason() -> None:
    for reason in ("user_solved", "user_solved", "user_postponed"):
        do(a_report(), "cancel", "cc_agent", cancel_reason=reason, requested_by="user", request_line="line_800")

    found = card()
    assert (found.reported, found.cancelled, found.reasons) == (3, 3, {"user_solved": 2, "user_postponed": 1})
    assert len(orders_behind(an_actor("admin"), found, "cancelled", reason="user_solved")) == 2


def test_stn_48_every_closed_order_is_on_the_list_or_named_as_missing() -> None:
    visit = MONDAY_NINE + 6 * HOUR
    orders = [closed(started(promised(visit), visit), visit + HOUR) for _ in range(4)]
    call_back(orders[0], "complete", callback_outcome="satisfied", solved="yes")
    call_back(orders[1], "complete", callback_outcome="dissatisfied", solved="yes")
    Record.objects.unscoped("as if it had been lost").filter(order_ref=orders[3].ref).delete()

    found = card()
    assert (found.closed, found.callbacks_satisfied, found.callbacks_dissatisfied) == (4, 1, 1)
    assert (found.callbacks_waiting, found.callbacks_missing) == (1, 1)
    missing = without_callback(an_actor("cc_agent"), MONDAY_NINE + 10 * DAY)
    assert [order.ref for order in missing] == [orders[3].ref]


def test_the_window_is_thirty_days_on_both_sides() -> None:
    a_report()

    assert card(MONDAY_NINE + WINDOW).reported == 1
    assert card(MONDAY_NINE + WINDOW + timedelta(seconds=1)).reported == 0
    assert card(MONDAY_NINE + WINDOW + timedelta(seconds=1)).open_orders == 1  # still open, however old


def test_every_figure_is_as_long_as_its_list() -> None:
    visit = MONDAY_NINE + 6 * HOUR
    a_report()
    call_back(
        closed(started(promised(visit), visit), visit + HOUR), "complete", callback_outcome="satisfied", solved="yes"
    )
    started(promised(visit), visit + HOUR)
    do(a_report(), "cancel", "cc_agent", cancel_reason="user_solved", requested_by="user", request_line="line_800")

    found = card()
    admin = an_actor("admin")
    assert found.reported == 4
    for figure in CONDITIONS:
        assert len(orders_behind(admin, found, figure)) == getattr(found, figure), figure


def test_a_neighbour_sees_neither_the_station_nor_the_orders_behind_its_figures() -> None:
    a_report()
    stranger = an_actor("station_coordinator", station_no="000002")
    of_the_east = an_actor("region_interface", region="east")

    assert orders_behind(stranger, card(), "reported") == []
    assert [station.number for station in stations_of(stranger)] == ["000002"]
    assert [station.number for station in stations_of(of_the_east)] == ["000003"]
    assert {station.number for station in stations_of(an_actor("region_interface"))} == {"000001", "000002"}


def test_cards_are_reckoned_anew_after_ten_minutes_and_not_before() -> None:
    assert refresh_old_scorecards(MONDAY_NINE)
    assert not refresh_old_scorecards(MONDAY_NINE + GOOD_FOR - timedelta(seconds=1))
    assert refresh_old_scorecards(MONDAY_NINE + GOOD_FOR)


def test_can_25_a_verdict_is_given_in_knowledge_of_the_earlier_ones() -> None:
    for verdict in ("refuse", "cancel_order", ""):
        order = a_report()
        request = begin("cancellation_request", "submit", actor=an_actor("station_coordinator"), now=MONDAY_NINE,
                        order_ref=order.ref, given={"cancel_reason": "user_solved"})  # fmt: skip
        if verdict:
            perform(request.ref, verdict, actor=an_actor("region_interface"), now=MONDAY_NINE + HOUR,
                    given={"verdict_note": "已核实"})  # fmt: skip

    assert requests_of("000001", MONDAY_NINE + DAY) == {"refused": 1, "executed": 1, "submitted": 1}


def test_a_swept_breach_counts_as_late_even_if_the_contact_came_afterwards() -> None:
    order = a_report()
    while sweep(MONDAY_NINE + 4 * HOUR):
        pass
    do(order, "promise", now=MONDAY_NINE + 5 * HOUR, promised_at=(MONDAY_NINE + DAY).isoformat())

    found = card()
    assert (found.contacts_late, found.contacts_in_time) == (1, 0)


def test_a_share_is_whole_only_if_nothing_is_missing() -> None:
    assert (share(999, 1000), share(1000, 1000), share(0, 0)) == (99, 100, None)
