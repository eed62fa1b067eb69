"""The same reports once more, each under other ways of choosing a station: who would have got them, how full days were.

Only what a report itself says is played again (where, which line, when, which station it named), and the moments at
which an order gave its seat back. What a later promise or a part would have become at another station is not guessed.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from mendline.kernel.text import Text
from mendline.sim.ground.oracle.model import VOID, Order
from mendline.sim.ground.oracle.oracle import Oracle
from mendline.sim.ground.oracle.plain import Network, day_of
from mendline.sim.ground.oracle.stations import Seat, Seats

LEVELS = (6, 4, 2)  # digits of the area code that a station covers: a county, a city, a province
FULL = 100
FILLED = (50, 75, FULL)  # percent of a day's seats of one line that were taken at its fullest, and above
AS_PLAYED = "as_played"


@dataclass(slots=True)
class Day:
    """What a policy may look at: the seats so far, and when each station last got something."""

    seats: Seats
    last: dict[str, int] = field(default_factory=dict)

    def share_left(self, station: str, line: str, at: datetime) -> float:
        return self.seats.left(station, line, day_of(at)) / self.seats.network.stations[station].capacity[line]


Choose = Callable[[Day, set[str], str, datetime], str]


@dataclass(frozen=True, slots=True)
class Policy:
    """`choose` picks one of the stations that may have it; `finest_only` lets a county's station go before a city's."""

    label: Text
    choose: Choose
    finest_only: bool = True


def _most_left(day: Day, stations: set[str], line: str, at: datetime) -> str:
    return min(stations, key=lambda number: (-day.share_left(number, line, at), number))


def _in_turn(day: Day, stations: set[str], line: str, at: datetime) -> str:
    return min(stations, key=lambda number: (day.last.get(number, -1), number))


def _first(day: Day, stations: set[str], line: str, at: datetime) -> str:
    return min(stations)


POLICIES: Mapping[str, Policy] = {
    "most_left": Policy(Text("最细覆盖中剩余产能比例最大", "Finest coverage, most of the day left"), _most_left),
    "in_turn": Policy(Text("最细覆盖中轮流", "Finest coverage, in turn"), _in_turn),
    "fill_up": Policy(Text("最细覆盖中按站号派满", "Finest coverage, one filled after the other"), _first),
    "any_coverage": Policy(
        Text("不分覆盖粗细，剩余产能比例最大", "Any coverage, most of the day left"), _most_left, finest_only=False
    ),
}
LABELS: Mapping[str, Text] = {
    AS_PLAYED: Text("现行（模拟中实际）", "As it is (what was played)"),
    **{name: policy.label for name, policy in POLICIES.items()},
}


def compared(oracle: Oracle) -> dict[str, dict[str, int]]:
    """Return, for what was played and for each policy, counts that can be added up over seeds.

    `dispatched` and `nobody` count reports at the moment they came; `level_6`, `level_4`, `level_2` how fine the
    coverage was that decided; `days` station-days with at least one order of a line, and how many of them were at
    least 50, 75 and 100 percent full at their fullest (`days_100` is full).
    """
    reports = [order for order in oracle.orders.values() if order.created_at is not None and order.origin != "station"]
    reports.sort(key=_came)
    return {AS_PLAYED: _counted(reports, oracle, None)} | {
        name: _counted(reports, oracle, policy) for name, policy in POLICIES.items()
    }


def _counted(reports: list[Order], oracle: Oracle, policy: Policy | None) -> dict[str, int]:
    day, found, fullest = Day(Seats(oracle.network)), Counter({"dispatched": 0, "nobody": 0}), Counter[Seat]()
    leaving: list[tuple[datetime, Seat]] = []
    for number, order in enumerate(reports):
        at = _came(order)
        while leaving and leaving[0][0] <= at:
            day.seats.give_back(heapq.heappop(leaving)[1])
        station = _as_played(order) if policy is None else _chosen(day, policy, order, oracle)
        found["dispatched" if station else "nobody"] += 1
        if not station:
            continue
        found[f"level_{_level(day.seats, station, order)}"] += 1
        seat = (station, order.line, day_of(at))
        day.last[station] = number
        day.seats.take(seat)
        fullest[seat] = max(fullest[seat], day.seats.taken[seat])
        if order.state in VOID and order.ended_at is not None:
            heapq.heappush(leaving, (order.ended_at, seat))
    found["days"] = len(fullest)
    for percent in FILLED:
        full = (100 * most >= percent * _seats(oracle.network, seat) for seat, most in fullest.items())
        found[f"days_{percent}"] = sum(full)
    return dict(found)


def _came(order: Order) -> datetime:
    assert order.created_at is not None
    return order.created_at


def _as_played(order: Order) -> str:
    """Return whom the product chose when the report came; what was dispatched later had nobody then."""
    return order.station if order.t1 == order.created_at else ""


def _chosen(day: Day, policy: Policy, order: Order, oracle: Oracle) -> str:
    wish, at = str(order.given.get("station_wish", "")), _came(order)
    replaced = oracle.orders.get(order.replaces)
    excluded = replaced.station if replaced is not None and not wish else ""
    possible: set[str] = set()
    for level in LEVELS:
        if not (possible and policy.finest_only):
            possible |= day.seats.at(order.area[:level], order.line, day_of(at), excluded, wish)
    return policy.choose(day, possible, order.line, at) if possible else ""


def _level(seats: Seats, station: str, order: Order) -> int:
    """Return how many digits of the area the station or a point of it covers; 0 when none, as for a named station."""
    stations = seats.network.stations
    for level in LEVELS:
        outlets = seats.served.get((order.area[:level], order.line), ())
        if any(station in (number, stations[number].head) for number in outlets):
            return level
    return 0


def _seats(network: Network, seat: Seat) -> int:
    return network.stations[seat[0]].capacity.get(seat[1], 0)
