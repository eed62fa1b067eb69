"""What another way of choosing a station would change, worked out by hand on a few reports of one county."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from mendline.sim.ground.figures import Figures, merged
from mendline.sim.ground.oracle.model import Order
from mendline.sim.ground.oracle.oracle import Oracle
from mendline.sim.ground.oracle.plain import Network, Station
from mendline.sim.ground.policies import AS_PLAYED, LABELS, POLICIES, compared

NINE = datetime(2026, 4, 1, 1, tzinfo=UTC)


def a_station(number: str, area: str, seats: int) -> Station:
    return Station(number, "north", "", True, 3, ((area, "desktop"),), {"desktop": seats})


# Two stations of the county with two and four seats a day, one of the city with twenty.
NETWORK = Network(
    stations={
        "1": a_station("1", "110108", 2), "2": a_station("2", "110108", 4), "3": a_station("3", "1101", 20),
    },
    people={}, lines={"desktop": "desktop"}, served=frozenset(("desktop",)), region_of={"11": "north"},
    areas=("110108",),
)  # fmt: skip


def an_oracle(reports: int, *, to: str = "2", **changed: object) -> Oracle:
    """Return a world in which the product sent every report to one station, one each hour."""
    oracle = Oracle(NETWORK)
    for number in range(reports):
        at = NINE + timedelta(hours=number)
        order = Order(f"o{number}1", "cc", "desktop", "110108", "on_site", "dispatched", to, created_at=at, t1=at)
        for name, value in changed.items():
            setattr(order, name, value)
        oracle.orders[order.label] = order
    return oracle


def shown(one: Mapping[str, int]) -> tuple[int, int, int, int]:
    return one.get("level_6", 0), one.get("level_4", 0), one["nobody"], one["days_100"]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (AS_PLAYED, (3, 0, 0, 0)),  # three of four seats
        ("most_left", (3, 0, 0, 0)),  # one of two seats, then two of four
        ("in_turn", (3, 0, 0, 1)),  # to the first, the second, the first again
        ("fill_up", (3, 0, 0, 1)),
        ("any_coverage", (2, 1, 0, 0)),
    ],
)
def test_each_policy_gives_the_same_three_reports_to_others(policy: str, expected: tuple[int, int, int, int]) -> None:
    assert shown(compared(an_oracle(3))[policy]) == expected


def test_whom_nobody_near_can_take_goes_to_the_city() -> None:
    for name in POLICIES:
        found = compared(an_oracle(8))[name]
        assert found["dispatched"] == 8
        assert found.get("level_4", 0) >= 2


def test_a_cancelled_order_gives_its_seat_to_the_next_report() -> None:
    kept, gone = (
        compared(an_oracle(12, state=state, ended_at=NINE + timedelta(minutes=30)))["fill_up"]
        for state in ("dispatched", "cancelled")
    )
    assert (kept["level_6"], kept["level_4"]) == (6, 6)
    # From the second report on, what came before has gone again; the ends lie before the later reports.
    assert gone.get("level_4", 0) == 0


def test_a_report_that_was_dispatched_later_had_nobody_when_it_came() -> None:
    oracle = an_oracle(3, t1=NINE + timedelta(days=1))

    assert compared(oracle)[AS_PLAYED]["nobody"] == 3
    assert compared(oracle)["most_left"]["nobody"] == 0


def test_a_stations_own_order_is_nobodys_choice() -> None:
    assert compared(an_oracle(3, origin="station"))["most_left"]["dispatched"] == 0


def test_policies_of_several_seeds_add_up() -> None:
    parts = []
    for reports in (5, 8):
        figures = Figures()
        figures.count(an_oracle(reports))
        parts.append(figures.as_json())

    assert merged(parts)["policies"]["any_coverage"]["dispatched"] == 13
    assert set(merged(parts)["policies"]) == set(LABELS)
