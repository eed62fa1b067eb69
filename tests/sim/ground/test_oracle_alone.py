"""The oracle's second reading of the rules, held against cases that were worked out by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mendline.sim.ground.oracle import cancelling, clocks, days
from mendline.sim.ground.oracle.effects import do_step
from mendline.sim.ground.oracle.model import Order
from mendline.sim.ground.oracle.objections import to_step
from mendline.sim.ground.oracle.plain import CHINA, Call, Network, Station
from mendline.sim.ground.oracle.stations import Seats

NETWORK = Network(
    stations={
        "1": Station("1", "north", "", True, 3, (("110108", "desktop"),), {"desktop": 1}),
        "2": Station("2", "north", "", True, 3, (("1101", "desktop"),), {"desktop": 1}),
        "3": Station("3", "north", "1", True, 3, (("110114", "desktop"),), {}),
        "4": Station("4", "north", "", False, 3, (("12", "desktop"),), {"desktop": 9}),
    },
    people={}, lines={"desktop": "desktop"}, served=frozenset(("desktop",)), region_of={"11": "north"},
    areas=("110108",),
)  # fmt: skip


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CHINA)


@pytest.mark.parametrize(
    ("start", "count", "due"),
    [
        ("2026-04-01T10:00", 1, "2026-04-02T10:00"),
        ("2026-04-03T10:00", 1, "2026-04-07T10:00"),  # Qingming: Saturday to Monday
        ("2026-04-05T10:00", 1, "2026-04-08T00:00"),  # a start on a day off counts from the next working day
        ("2026-04-30T10:00", 3, "2026-05-08T10:00"),
        ("2026-05-08T10:00", 1, "2026-05-09T10:00"),  # the Saturday is worked
    ],
)
def test_stn_26_working_days_are_those_of_the_notice(start: str, count: int, due: str) -> None:
    assert days.plus_working_days(at(start), count) == at(due)


@pytest.mark.parametrize(
    ("start", "due"),
    [
        ("2026-04-01T10:00", "2026-04-01T14:00"),
        ("2026-04-01T16:00", "2026-04-02T11:00"),
        ("2026-04-03T17:00", "2026-04-07T12:00"),
        ("2026-04-01T05:00", "2026-04-01T13:00"),
    ],
)
def test_can_39_a_verdict_is_due_in_working_hours(start: str, due: str) -> None:
    assert days.plus_working_hours(at(start), timedelta(hours=4)) == at(due)


def test_a_day_beyond_the_table_is_not_guessed() -> None:
    with pytest.raises(days.BeyondTheTable):
        days.works(datetime(2027, 1, 4, tzinfo=UTC).date())


@pytest.mark.parametrize(
    ("origin", "role", "asked_by", "reason", "rules"),
    [
        ("cc", "cc_agent", "user", "user_postponed", set()),
        ("cc", "cc_agent", "station", "wrong_area", {"CAN-07"}),
        ("cc", "station_coordinator", "station", "wrong_area", {"CAN-08"}),
        ("cc", "region_interface", "station", "wrong_area", set()),
        ("cc", "region_interface", "user", "user_postponed", {"CAN-31"}),
        ("station", "station_coordinator", "station", "filled_in_wrongly", set()),
        ("cc", "region_interface", "station", "filled_in_wrongly", {"CAN-17"}),
        ("cc", "cc_agent", "user", "software", {"CAN-18"}),
        ("cc", "cc_agent", "user", "capacity_error", {"CAN-07"}),
    ],
)  # fmt: skip
def test_can_the_matrix_objects_where_it_must(
    origin: str, role: str, asked_by: str, reason: str, rules: set[str]
) -> None:
    found = cancelling.objections(
        origin=origin, role=role, asked_by=asked_by, reason=reason, line="", arrived=False, agreed=False
    )
    assert found == rules


def test_stn_43_after_arrival_a_refusal_needs_the_form() -> None:
    wish = {"origin": "cc", "role": "region_interface", "asked_by": "station", "reason": "user_refuses", "line": ""}
    assert cancelling.objections(**wish, arrived=True, agreed=False) == {"STN-43"}
    assert cancelling.objections(**wish, arrived=True, agreed=True) == set()


def test_i5_the_finest_coverage_with_a_seat_left_gets_the_order() -> None:
    seats, day = Seats(NETWORK), at("2026-04-01T10:00").date()

    assert seats.best("110108", "desktop", day) == {"1"}
    assert seats.best("110114", "desktop", day) == {"1"}  # the point's coverage counts for its head
    assert seats.best("120101", "desktop", day) == set()  # not in CC-WEB
    seats.take(("1", "desktop", day))
    assert seats.best("110108", "desktop", day) == {"2"}
    seats.take(("2", "desktop", day))
    assert seats.best("110108", "desktop", day) == set()
    assert seats.oversold() == []
    seats.take(("2", "desktop", day))
    assert seats.oversold() == [("2", "desktop", day)]


def an_order() -> Order:
    order = Order("o1", "cc", "desktop", "110108", "on_site", "downloaded", "1", "north")
    order.t1 = order.created_at = at("2026-04-01T09:00")
    return order


def a_call(name: str, when: str, **given: object) -> Call:
    return Call(1, at(when), "somebody", "step", name, "o1", given)


def test_stn_08_a_fourth_promise_meets_an_objection() -> None:
    order, seats = an_order(), Seats(NETWORK)
    for day in (2, 3, 4):
        promise = a_call("promise", "2026-04-01T10:00", promised_at=f"2026-04-0{day}T10:00+08:00",
                         promise_kind="user_reason", promise_reason="改期")  # fmt: skip
        assert to_step(order, promise, "station_coordinator", NETWORK) == set()
        do_step(order, promise, NETWORK, seats)

    assert to_step(order, promise, "station_coordinator", NETWORK) == {"STN-08"}


@pytest.mark.parametrize(("when", "rules"), [("12:29", {"STN-24", "STN-23"}), ("12:30", set())])
def test_stn_24_unreachable_only_after_three_and_a_half_hours(when: str, rules: set[str]) -> None:
    call = a_call("mark_unreachable", f"2026-04-01T{when}")
    assert to_step(an_order(), call, "station_coordinator", NETWORK) == rules


@pytest.mark.parametrize(("when", "late"), [("13:00", False), ("13:01", True)])
def test_stn_19_a_contact_after_four_hours_is_late_whether_or_not_anybody_swept(when: str, late: bool) -> None:
    order = an_order()
    order.state = "dispatched"
    clocks.move(order, "report", "new", at("2026-04-01T09:00"))
    do_step(order, a_call("promise", f"2026-04-01T{when}", promised_at="2026-04-02T10:00+08:00"), NETWORK,
            Seats(NETWORK))  # fmt: skip

    assert order.clocks["contact"].shows_breach is late


def test_i11_a_clock_breaches_once_and_a_stopped_one_never() -> None:
    order = an_order()
    order.state = "dispatched"
    clocks.move(order, "report", "new", at("2026-04-01T09:00"))
    for hour in ("12:59", "13:00", "19:00"):
        clocks.sweep(order, at(f"2026-04-01T{hour}"))
    assert [clock for _, clock, _ in order.breaches] == ["contact"]
