"""What a station's assessed fee rests on (STN-15), and how it stands for the ranking."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from mendline.access.actors import Actor
from mendline.care.assessment import Assessment, assess, start_of_day
from mendline.care.standing import refresh_standings
from mendline.network.models import StationStanding
from mendline.orders.models import Record
from mendline.orders.store import Loaded
from mendline.orders.sweep import sweep
from mendline.orders.transitions import perform
from tests.make import MONDAY_NINE, a_network, a_report, an_actor, do

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
SINCE, UNTIL = start_of_day("2026-03-01"), start_of_day("2026-04-01")


@pytest.fixture(autouse=True)
def _network(db: None) -> None:
    a_network(per_day=50)


def of_station(number: str = "000001", since: datetime = SINCE, until: datetime = UNTIL) -> Assessment:
    found = {one.station_no: one for one in assess(an_actor("admin"), since=since, until=until)}
    return found.get(number, Assessment(number))


def sweep_all(now: datetime) -> None:
    while sweep(now):
        pass


def promised(at: datetime = MONDAY_NINE + HOUR, visit: datetime = MONDAY_NINE + 6 * HOUR) -> Loaded:
    order = do(a_report(), "download", now=at)
    return do(order, "promise", now=at, promised_at=visit.isoformat())


def started(order: Loaded, at: datetime) -> Loaded:
    order = do(order, "print_order", now=at)
    return do(order, "start_service", "station_engineer", now=at, user_agrees=True)


def resolved(order: Loaded, at: datetime) -> Loaded:
    return do(order, "resolve", "station_engineer", now=at, user_signature="王", work_done="更换", part_returned=True)


def solved_by_telephone(at: datetime = MONDAY_NINE + HOUR) -> Loaded:
    return do(do(a_report(), "download", now=at), "resolve_remotely", now=at, promise_reason="软件问题,电话解决")


def call_back(order: Loaded, at: datetime, name: str = "complete", **given: object) -> None:
    callback = Record.objects.unscoped("test").filter(order_ref=order.ref, process="callback").latest("id")
    perform(callback.ref, name, actor=an_actor("cc_agent"), now=at, given=given)


def test_stn_15_orders_closed_in_the_period_are_counted_once() -> None:
    resolved(started(promised(), MONDAY_NINE + 2 * HOUR), MONDAY_NINE + 3 * HOUR)
    solved_by_telephone()
    a_report()

    assert of_station().orders_closed == 2


def test_stn_15_a_closing_that_did_not_stand_is_not_counted_until_the_order_is_closed_again() -> None:
    order = solved_by_telephone()
    call_back(order, MONDAY_NINE + DAY, "reopen_order", reopen_reason="仍然黑屏")
    assert (of_station().orders_closed, of_station().callbacks_unsolved) == (0, 1)

    do(order, "resolve_remotely", now=MONDAY_NINE + 2 * DAY, promise_reason="其他问题,电话解决")

    assert of_station().orders_closed == 1


@pytest.mark.parametrize(("minutes", "late"), [(240, 0), (241, 1)])
@pytest.mark.parametrize("swept", [True, False])
def test_stn_15_stn_19_a_contact_counts_as_in_time_up_to_four_hours(minutes: int, late: int, swept: bool) -> None:
    order = do(a_report(), "download")
    at = MONDAY_NINE + timedelta(minutes=minutes)
    if swept:
        sweep_all(at - timedelta(seconds=1))
    do(order, "promise", now=at, promised_at=(at + DAY).isoformat())
    sweep_all(at)

    found = of_station()
    assert (found.contacts_in_time, found.contacts_late) == (1 - late, late)


def test_stn_15_a_contact_that_was_never_made_is_late_once() -> None:
    a_report()
    for hours in (3, 4, 5, 24):
        sweep_all(MONDAY_NINE + hours * HOUR)

    assert of_station().contact_percent == 0 and of_station().contacts_late == 1


def test_stn_15_an_order_cancelled_before_its_limit_is_neither_in_time_nor_late() -> None:
    do(a_report(), "cancel", "cc_agent", now=MONDAY_NINE + HOUR, cancel_reason="user_solved", requested_by="user")

    found = of_station()
    assert (found.contacts_in_time, found.contacts_late, found.contact_percent) == (0, 0, None)
    assert found.cancellations == {"user_solved": 1}


def test_stn_15_a_promise_is_kept_by_the_engineer_who_begins_in_time() -> None:
    started(promised(), MONDAY_NINE + 5 * HOUR)
    broken = promised()
    sweep_all(MONDAY_NINE + 7 * HOUR)
    started(broken, MONDAY_NINE + 8 * HOUR)

    found = of_station()
    assert (found.promises_kept, found.promises_broken, found.promise_percent) == (1, 1, 50)


def test_stn_15_a_promise_moved_before_its_time_is_neither_kept_nor_broken() -> None:
    order = promised()
    do(
        order, "promise", now=MONDAY_NINE + 2 * HOUR, promised_at=(MONDAY_NINE + DAY).isoformat(),
        promise_kind="user_reason", promise_reason="用户外出",
    )  # fmt: skip

    found = of_station()
    assert (found.promises_kept, found.promises_broken) == (0, 0)


def test_stn_15_callbacks_are_made_satisfied_unsolved_or_not_reached() -> None:
    at = MONDAY_NINE + DAY
    for outcome in ("satisfied", "satisfied", "dissatisfied"):
        call_back(solved_by_telephone(), at, callback_outcome=outcome, solved=True)
    call_back(solved_by_telephone(), at, "reopen_order", reopen_reason="仍然黑屏")
    silent = solved_by_telephone()
    for _ in range(3):
        call_back(silent, at, "log_attempt")
    call_back(silent, at, "give_up")

    found = of_station()
    assert (found.callbacks_made, found.callbacks_satisfied, found.callbacks_unsolved) == (4, 2, 1)
    assert (found.callbacks_not_reached, found.satisfied_percent) == (1, 50)


def test_stn_15_parts_received_and_those_that_went_back() -> None:
    at = MONDAY_NINE + HOUR
    for goes_back in (True, False, False):
        order = do(a_report(), "download", now=at)
        do(order, "order_part", now=at, part_code="P1", told_user_why=True, borrowing="not_available")
        part = Record.objects.unscoped("test").filter(order_ref=order.ref, process="part_order").get()
        perform(part.ref, "receive", actor=an_actor("station_coordinator"), now=at + DAY)
        if goes_back:
            back = at + 40 * DAY  # after the period, but of a part that came in it
            desk = an_actor("service_support_dept")
            perform(part.ref, "take_back", actor=desk, now=back, given={"return_condition": "defective"})

    found = of_station()
    assert (found.parts_received, found.parts_returned, found.return_percent) == (3, 1, 33)


def test_stn_15_only_the_period_and_only_the_scope_count() -> None:
    solved_by_telephone()
    at = MONDAY_NINE + HOUR
    east = a_report(area="310104")
    there = an_actor("station_engineer", station_no="000003")
    perform(east.ref, "download", actor=an_actor("station_coordinator", station_no="000003"), now=at)
    perform(east.ref, "resolve_remotely", actor=there, now=at, given={"promise_reason": "软件问题,电话解决"})

    def stations(actor: Actor, since: datetime = SINCE, until: datetime = UNTIL) -> list[str]:
        return [one.station_no for one in assess(actor, since=since, until=until)]

    assert stations(an_actor("service_support_dept")) == ["000001", "000003"]
    assert stations(an_actor("region_interface")) == ["000001"]
    assert stations(an_actor("station_coordinator", station_no="000003")) == ["000003"]
    assert stations(Actor(None, "x", "station_coordinator")) == []
    assert stations(an_actor("admin"), since=at + timedelta(seconds=1)) == []
    assert stations(an_actor("admin"), until=MONDAY_NINE) == []


def test_stn_15_the_command_prints_words_or_json(capsys: pytest.CaptureFixture[str]) -> None:
    solved_by_telephone()
    period = ["--from", "2026-03-02", "--to", "2026-03-02"]

    call_command("assess", "--station", "000001", "--json", *period)
    [station] = json.loads(capsys.readouterr().out)["stations"]
    assert (station["station_no"], station["orders_closed"], station["contact_percent"]) == ("000001", 1, 100)

    call_command("assess", *period)
    assert "关单 orders closed: 1" in capsys.readouterr().out
    call_command("assess", "--from", "2026-03-03", "--to", "2026-03-03")
    assert "Nothing" in capsys.readouterr().out
    with pytest.raises(CommandError, match="no day"):
        call_command("assess", "--from", "yesterday", "--to", "2026-03-02")
    with pytest.raises(CommandError, match="before"):
        call_command("assess", "--from", "2026-03-03", "--to", "2026-03-02")


def standing(number: str = "000001") -> tuple[int, int, int]:
    kept = StationStanding.objects.get(station_no=number)
    return kept.on_time_percent, kept.contacts, kept.open_orders


def test_standings_count_contacts_of_thirty_days_and_what_is_open() -> None:
    solved_by_telephone()
    for _ in range(2):
        a_report()  # the limit passes, whether or not anybody has noticed yet
    do(a_report(), "cancel", "cc_agent", now=MONDAY_NINE + HOUR, cancel_reason="user_solved", requested_by="user")

    assert refresh_standings(MONDAY_NINE + 2 * HOUR) == 3
    assert standing() == (100, 1, 2)
    refresh_standings(MONDAY_NINE + 5 * HOUR)
    assert standing() == (33, 3, 2)
    assert standing("000003") == (100, 0, 0)

    refresh_standings(MONDAY_NINE + 31 * DAY)
    assert standing() == (100, 0, 2)
