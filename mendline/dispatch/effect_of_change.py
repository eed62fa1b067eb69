"""What a coverage change would have done with the orders of the last 30 days (COM-05, COM-06). Writes nothing.

The real choice is made twice for every order: in the network as it will be on the day of the change,
and in the same network with the change. Each of the two fills its own days with seats, in the order
in which the reports came, because what is left of a day decides as well. Orders that were not up for
choosing (a station's own, replacements, other areas of the same stations) only take their seat.

An order counts as moved when the change itself gives it to the station or takes it from there.
Orders that merely changed places between other stations, because others came before them, are
counted apart: they tell nothing about the change.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from django.db.models import Q

from mendline.dispatch.choice import Verdict, Wanted, choose, field_of, rank
from mendline.dispatch.current import current_index
from mendline.dispatch.index import NEVER, CapacityRow, CoverageRow, Index
from mendline.kernel.errors import NotVisible
from mendline.kernel.time import SHANGHAI, local_day
from mendline.network import areas
from mendline.orders.models import RepairOrder
from mendline.process.registry import Facts

WINDOW = timedelta(days=30)
MOST_ORDERS = 5_000  # chosen for again while somebody waits for the page
UNDECIDED = frozenset({"draft", "submitted"})


@dataclass(frozen=True, slots=True)
class Planned:
    """What a request asks for. `day` is the first on which it holds; `area` is empty for a capacity."""

    kind: str  # add_area | end_area | set_capacity
    station: str
    line: str
    day: date
    area: str = ""
    per_day: int = 0

    @classmethod
    def of(cls, facts: Facts, today: date) -> Planned:
        """Read the facts of a request; one whose day has passed would hold from today."""
        kind, day = str(facts.get("change_kind") or ""), date.fromisoformat(str(facts["effective_from"]))
        return cls(
            kind,
            station=str(facts.get("station_no") or ""),
            line=str(facts.get("product_line") or ""),
            day=max(day, today),
            area="" if kind == "set_capacity" else str(facts.get("area") or ""),
            per_day=int(facts.get("per_day") or 0),
        )


@dataclass(frozen=True, slots=True)
class Moved:
    """So many orders would have gone from one station to another; an empty number is "nobody takes it"."""

    station_before: str
    station_after: str
    orders: int


@dataclass(slots=True)
class Effect:
    """What came of it."""

    orders: int = 0  # chosen for again
    moved: list[Moved] = field(default_factory=list)
    knock_on: int = 0  # changed places between other stations
    since: date | None = None  # the first day looked at
    is_sample: bool = False  # there were more orders; only the latest days were looked at

    @property
    def orders_moved(self) -> int:
        return sum(flow.orders for flow in self.moved)


class _Reported(NamedTuple):
    """An order, and no person in it. `fixed` is its station where it was not up for choosing."""

    day: date
    area: str
    fixed: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Who competes for one area before and after, the first choice first, on a day with all its seats."""

    area: str
    before: tuple[Verdict, ...]
    after: tuple[Verdict, ...]


def effect_of(planned: Planned, now: datetime, *, most: int = MOST_ORDERS) -> Effect:
    """Choose again for the orders of the last 30 days that the change could concern, at most so many."""
    index = current_index(now)
    changed = with_change(index, planned)
    asked = _areas_concerned(index, planned)
    reported, is_sample = _reported(index, planned, asked, now, most)
    effect = Effect(since=reported[0].day if reported else None, is_sample=is_sample)
    before, after = _Days(index, planned), _Days(changed, planned)
    flows: Counter[tuple[str, str]] = Counter()
    head = head_of(index, planned.station)
    for order in reported:
        if order.fixed:
            before.take(order.day, order.fixed)
            after.take(order.day, order.fixed)
            continue
        was, would = before.give(order), after.give(order)
        effect.orders += 1
        if was != would and (head in (was, would) or not was or not would):
            flows[was, would] += 1
        elif was != would:
            effect.knock_on += 1
    effect.moved = [Moved(was, would, orders) for (was, would), orders in flows.most_common()]
    return effect


def standing_of(planned: Planned, now: datetime) -> Standing | None:
    """Return who competes for the area of a request before and after; None for a change of capacity."""
    if not planned.area:
        return None
    index = current_index(now)
    wanted = Wanted(planned.area, planned.line, planned.day)
    return Standing(
        planned.area, choose(index, wanted, {}).verdicts, choose(with_change(index, planned), wanted, {}).verdicts
    )


def head_of(index: Index, number: str) -> str:
    """Return the head station that gets the orders of a station or point (STN-18)."""
    station = index.stations.get(number)
    if station is None:
        raise NotVisible
    return station.head or number


def with_change(index: Index, planned: Planned) -> Index:
    """Return the index as it would be; the present one is not touched."""
    station = index.stations.get(planned.station)
    if station is None:
        raise NotVisible
    number, line, day = planned.station, planned.line, planned.day.toordinal()
    coverage = [
        CoverageRow(number, key[0], key[1], service.since, service.until)
        for key in index.keys_of.get(number, ())
        for service in index.served.get(key, ())
        if service.station == number
    ]
    capacities = [
        CapacityRow(number, key[0], limit.per_day, limit.since, limit.until)
        for key, limits in index.limits.items()
        if key[1] == number
        for limit in limits
    ]
    if planned.kind == "set_capacity":
        capacities = _recapacitated(capacities, planned)
    else:
        coverage = _ended(coverage, line, planned.area, day)
        if planned.kind == "add_area":
            coverage.append(CoverageRow(number, line, planned.area, day))
    return index.changed(frozenset({number}), [station], list(dict.fromkeys(coverage)), capacities)


def _ended(rows: Iterable[CoverageRow], line: str, area: str, day: int) -> list[CoverageRow]:
    """Return the rows with those of one line and area ended on a day; what begins later falls away."""
    kept = []
    for row in rows:
        if (row.line, row.area) == (line, area):
            row = row._replace(until=min(row.until, day))
        if row.until > row.since:
            kept.append(row)
    return kept


def _recapacitated(rows: Sequence[CapacityRow], planned: Planned) -> list[CapacityRow]:
    """Return the rows with another capacity from the day on, until the next change that is known."""
    line, day = planned.line, planned.day.toordinal()
    later = min((row.since for row in rows if row.line == line and row.since > day), default=NEVER)
    kept = [row._replace(until=min(row.until, day)) if row.line == line and row.since <= day else row for row in rows]
    kept = [row for row in kept if row.until > row.since]
    return [*kept, CapacityRow(planned.station, line, planned.per_day, day, later)]


def _areas_concerned(index: Index, planned: Planned) -> frozenset[str]:
    """Return the codes below which an order could be chosen for differently."""
    if planned.kind != "set_capacity":
        return frozenset({planned.area})
    outlets = (planned.station, *index.points.get(planned.station, ()))
    return frozenset(area for outlet in outlets for line, area in index.keys_of.get(outlet, ()) if line == planned.line)


def _reported(
    index: Index, planned: Planned, asked: frozenset[str], now: datetime, most: int
) -> tuple[list[_Reported], bool]:
    """Return the orders in the order they came, and whether earlier days were left out to keep within `most`."""
    if not asked:
        return [], False
    inside = [code for code in areas.table().places if not asked.isdisjoint({code[:2], code[:4], code})]
    concerned = Q(area__in=inside)
    orders = RepairOrder.objects.unscoped("counts by station name no person").filter(
        created_at__gte=now - WINDOW, product_line=planned.line
    )
    columns = ("created_at", "area", "origin", "replaces", "station_no")
    newest = list(orders.filter(concerned).order_by("-created_at").values_list(*columns)[: most + 1])
    is_sample = len(newest) > most
    if is_sample:
        # The day on which it was cut is not whole, so its seats would not tell the truth.
        cut = local_day(newest[-1][0])
        newest = [row for row in newest if local_day(row[0]) > cut] or newest[:most]
    # From the beginning of the first day: what came before the first of them has taken its seats already.
    since = datetime.combine(local_day(newest[-1][0]), time(), SHANGHAI) if newest else now
    rivals = {candidate for row in newest for candidate in _competing(index, planned, row[1])}
    rivals.add(head_of(index, planned.station))
    elsewhere = orders.filter(station_no__in=rivals, created_at__gte=since).exclude(concerned)
    rows = [(*row, True) for row in newest]
    rows += [(*row, False) for row in elsewhere.order_by("-created_at").values_list(*columns)[: 4 * most]]
    rows.sort(key=lambda row: row[0])
    found = []
    for at, area, origin, replaces, station_no, is_asked in rows:
        chosen_for = is_asked and origin != "station" and not replaces
        if chosen_for or station_no:
            found.append(_Reported(at.astimezone(SHANGHAI).date(), area, "" if chosen_for else station_no))
    return found, is_sample


def _competing(index: Index, planned: Planned, area: str) -> list[str]:
    return field_of(index, Wanted(area, planned.line, planned.day)).stations


class _Days:
    """The seats of one network while its days fill up."""

    def __init__(self, index: Index, planned: Planned) -> None:
        self._index, self._planned = index, planned
        self._taken: dict[date, Counter[str]] = {}

    def take(self, day: date, station: str) -> None:
        self._taken.setdefault(day, Counter())[station] += 1

    def give(self, order: _Reported) -> str:
        """Choose for an order and take its seat; empty where nobody can take it."""
        found = field_of(self._index, Wanted(order.area, self._planned.line, self._planned.day))
        taken = self._taken.setdefault(order.day, Counter())
        loads = {one.number: (taken[one.number], one.per_day) for one in found.candidates if taken[one.number]}
        ranked = rank(found, loads).ranked
        if not ranked:
            return ""
        taken[ranked[0]] += 1
        return ranked[0]
