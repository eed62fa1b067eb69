"""What a run shows about the work itself: clocks met and missed, reasons, load, what another limit would change."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from mendline.sim.ground.oracle.clocks import CONTACT
from mendline.sim.ground.oracle.model import Clock, Order
from mendline.sim.ground.oracle.oracle import Oracle
from mendline.sim.ground.oracle.plain import Network, day_of
from mendline.sim.ground.policies import compared

CONTACT_LIMITS = (2, 3, 4, 6, 8)  # hours
CAPACITY_CHANGES = (-25, 25, 50)  # percent


@dataclass(slots=True)
class Figures:
    """Counted over all seeds of a run; `as_json` is what the file holds."""

    states: Counter[str] = field(default_factory=Counter)
    met: Counter[str] = field(default_factory=Counter)  # by clock
    missed: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    load: Counter[str] = field(default_factory=Counter)  # orders by station
    promises: Counter[int] = field(default_factory=Counter)  # orders by times written
    contact_hours: list[float] = field(default_factory=list)
    capacity: dict[int, int] = field(default_factory=dict)  # percent → reports that found no seat on their day
    policies: dict[str, dict[str, int]] = field(default_factory=dict)

    def count(self, oracle: Oracle) -> None:
        """Add the orders of one seed."""
        for order in oracle.orders.values():
            self.states[order.state] += 1
            self.load[order.station or "-"] += 1
            self.promises[order.written] += 1
            if order.cancel_reason:
                self.reasons[order.cancel_reason] += 1
            self._count_clocks(order)
        self._count_capacity(oracle, oracle.network)
        for station in oracle.network.stations.values():
            if station.in_cc_web and not station.head:
                self.load[station.number] += 0  # one without orders is a figure as well
        self.policies = _added(self.policies, compared(oracle))

    def _count_clocks(self, order: Order) -> None:
        for name, clock in _clocks(order):
            late = clock.late or (clock.running and clock.breached_at is not None)
            (self.missed if late else self.met)[name] += 1
        contact = order.clocks.get("contact")
        if contact is not None and contact.stopped_at is not None:
            self.contact_hours.append((contact.stopped_at - contact.counted_from) / timedelta(hours=1))

    def _count_capacity(self, oracle: Oracle, network: Network) -> None:
        """Count, for each other capacity, the orders of a day and line that would exceed it at their station."""
        wanted: Counter[tuple[str, str, object]] = Counter()
        for order in oracle.orders.values():
            if order.station and order.t1 is not None:
                wanted[order.station, order.line, day_of(order.t1)] += 1
        for percent in CAPACITY_CHANGES:
            over = 0
            for (station, line, _), count in wanted.items():
                capacity = network.stations[station].capacity.get(line, 0)
                over += max(0, count - capacity * (100 + percent) // 100)
            self.capacity[percent] = self.capacity.get(percent, 0) + over

    def what_if(self) -> dict[str, Any]:
        """Return what another limit would have made of the same work."""
        n = len(self.contact_hours)
        late = {f"{limit}h": sum(hours > limit for hours in self.contact_hours) for limit in CONTACT_LIMITS}
        more = {f"{limit}": sum(c for w, c in self.promises.items() if w >= limit) for limit in (2, 3)}
        return {
            "contacts": n, "late_with_contact_limit": late, "limit_now": f"{CONTACT // timedelta(hours=1)}h",
            "orders_that_used_all_of_so_many_promises": more,
            "orders_beyond_the_day_with_capacity_percent": {f"{p:+d}": c for p, c in sorted(self.capacity.items())},
        }  # fmt: skip

    def as_json(self) -> dict[str, Any]:
        return {
            "orders": sum(self.states.values()), "states": _sorted(self.states), "clocks_met": _sorted(self.met),
            "clocks_missed": _sorted(self.missed), "cancel_reasons": _sorted(self.reasons),
            "load_per_station": _sorted(self.load), "promises_written": _sorted(self.promises),
            "contact_hours": [round(hours, 2) for hours in sorted(self.contact_hours)], "what_if": self.what_if(),
            "policies": self.policies,
        }  # fmt: skip


def merged(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the figures of several seeds as those of one run."""
    if not parts:
        return Figures().as_json()
    total: dict[str, Any] = parts[0]
    for part in parts[1:]:
        total = _added(total, part)
    return total


def _added(one: Any, other: Any) -> Any:
    if isinstance(one, dict) and isinstance(other, dict):
        return {key: _added(one.get(key), other.get(key)) for key in {**one, **other}}
    if isinstance(one, list) and isinstance(other, list):
        return sorted([*one, *other])
    if isinstance(one, int) and isinstance(other, int):
        return one + other
    return one if one is not None else other


def _clocks(order: Order) -> list[tuple[str, Clock]]:
    found = list(order.clocks.items())
    return found + [(name, clock) for record in order.records for name, clock in record.clocks.items()]


def _sorted(counted: Counter[Any]) -> dict[str, int]:
    return {str(name): count for name, count in sorted(counted.items(), key=lambda item: (-item[1], str(item[0])))}
