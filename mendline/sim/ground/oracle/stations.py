"""Which stations may be given an order: coverage, CC-WEB, heads and points, seats of the day. No score."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date

from mendline.sim.ground.oracle.plain import Network

Seat = tuple[str, str, date]


@dataclass(slots=True)
class Seats:
    """Who sits where: how many orders of a line each station has on each day, and who may be sent where."""

    network: Network
    taken: Counter[Seat] = field(default_factory=Counter)
    served: dict[tuple[str, str], list[str]] = field(default_factory=dict)  # (area, line) → outlets

    def __post_init__(self) -> None:
        for station in self.network.stations.values():
            for area, line in station.covers:
                self.served.setdefault((area, line), []).append(station.number)

    def left(self, station: str, line: str, day: date) -> int:
        return self.network.stations[station].capacity.get(line, 0) - self.taken[station, line, day]

    def best(self, area: str, line: str, day: date, *, excluded: str = "", wish: str = "") -> set[str]:
        """Return the stations that an order may go to: of the finest coverage that has a seat left; perhaps none."""
        for level in (6, 4, 2):
            found = self.at(area[:level], line, day, excluded, wish) if len(area) >= level else set()
            if found:
                return found
        return set()

    def at(self, area: str, line: str, day: date, excluded: str = "", wish: str = "") -> set[str]:
        """Return the stations with a seat left among those that cover exactly this area code."""
        found: set[str] = set()
        for number in self.served.get((area, line), ()):
            head = self.network.stations[number].head or number
            station = self.network.stations[head]
            if head == excluded or (wish and head != wish) or not station.in_cc_web or station.head:
                continue
            if self.left(head, line, day) > 0:
                found.add(head)
        return found

    def finest_is_full(self, area: str, line: str, day: date) -> bool:
        """Tell whether those with the finest coverage have no seat left, so that a coarser one must help out."""
        for level in (6, 4, 2):
            heads = {self.network.stations[n].head or n for n in self.served.get((area[:level], line), ())}
            heads = {head for head in heads if self.network.stations[head].in_cc_web}
            if heads:
                return all(self.left(head, line, day) <= 0 for head in heads)
        return False

    def take(self, seat: Seat) -> None:
        self.taken[seat] += 1

    def give_back(self, seat: Seat) -> None:
        self.taken[seat] -= 1

    def oversold(self) -> list[Seat]:
        return [
            seat
            for seat, taken in self.taken.items()
            if taken > self.network.stations[seat[0]].capacity.get(seat[1], 0)
        ]
