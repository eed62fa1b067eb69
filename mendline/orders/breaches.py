"""Orders whose deadline has passed and still runs: what a region has to push, the longest first (STN-19, STN-33)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from mendline.access.actors import Actor
from mendline.orders.models import RepairOrder
from mendline.orders.queries import OPEN
from mendline.process.clock_state import ClockState
from mendline.process.definition import Clock, Process
from mendline.process.loading import process_for

MOST = 200  # beyond it nobody reads a list; the page says that there are more
# What the list shows; the facts, which are most of a row, are left where they are.
COLUMNS = ("id", "ref", "state", "category", "station_no", "clocks", "due_at", "fault", "process", "process_version",
           "created_at")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Breach:
    """One running clock of one open order that is past its deadline."""

    order: RepairOrder
    process: Process
    clock: Clock
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Breaches:
    """The longest breaches of a scope; `is_cut` where there are more orders than were read."""

    found: list[Breach]
    is_cut: bool

    def count_by_clock(self) -> dict[str, int]:
        return _counted(breach.clock.name for breach in self.found)

    def count_by_station(self) -> dict[str, int]:
        """Return how many breaches each station has, most first; an empty number stands for "not dispatched"."""
        return _counted(breach.order.station_no for breach in self.found)


def breaches(actor: Actor, now: datetime, *, limit: int = MOST) -> Breaches:
    """Return what is past its deadline within the actor's scope, the longest first.

    An order's `due_at` is the earliest deadline of its running clocks, and the open orders of a region
    are indexed by it: whatever the size of the table, only late orders are read.
    """
    orders = list(_late(actor, now).only(*COLUMNS).order_by("due_at", "id")[: limit + 1])
    found = [breach for order in orders[:limit] for breach in _of(order, now)]
    return Breaches(sorted(found, key=lambda breach: (breach.due_at, breach.order.pk)), len(orders) > limit)


def count_late(actor: Actor, now: datetime, *, limit: int = MOST) -> int:
    """Return how many orders are past a deadline, at most `limit` + 1: more need not be counted to be too many."""
    return len(_late(actor, now).values_list("id")[: limit + 1])


def _late(actor: Actor, now: datetime) -> QuerySet[RepairOrder]:
    return RepairOrder.objects.visible_to(actor).filter(category__in=OPEN, due_at__lt=now)


def _of(order: RepairOrder, now: datetime) -> list[Breach]:
    process = process_for(order.process, order.process_version)
    states = {name: ClockState.from_json(kept) for name, kept in order.clocks.items() if name in process.clocks}
    return [
        Breach(order, process, process.clocks[name], state.due_at)
        for name, state in states.items()
        if state.is_running and state.due_at < now
    ]


def _counted(names: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name in names:
        found[name] = found.get(name, 0) + 1
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))
