"""Who serves which area, in memory: built from the network, replaced when the network changes.

Days are Shanghai-local days, kept as ordinals (`date.toordinal()`), because half a million rows are
compared and stored. Rows say from when to when they hold, so midnight changes nothing here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, NamedTuple, TypeAlias, TypeVar

NEVER = date.max.toordinal()
LEVELS = (6, 4, 2)  # county, city, province: the most specific wins

_Row = TypeVar("_Row")
Key: TypeAlias = tuple[str, str]  # product line, area


class StationRow(NamedTuple):
    """A station or point as choosing needs it. `head` is its head station, or empty for one that is a head."""

    number: str
    name: str
    region: str
    head: str
    area: str
    works_in_cc_web: bool
    active_from: int
    active_until: int = NEVER

    def is_active(self, day: int) -> bool:
        return self.active_from <= day < self.active_until


class CoverageRow(NamedTuple):
    station: str
    line: str
    area: str
    since: int
    until: int = NEVER


class CapacityRow(NamedTuple):
    station: str
    line: str
    per_day: int
    since: int
    until: int = NEVER


class StandingRow(NamedTuple):
    """A station's recent record: contacts in time over 30 days in percent, and its open orders."""

    station: str
    on_time_percent: int = 100
    open_orders: int = 0


class Service(NamedTuple):
    """A station's serving of one area for one line. Equal ones are one object: few differ in their days."""

    station: str
    since: int
    until: int


class Limit(NamedTuple):
    """Orders per day, from one day until another."""

    per_day: int
    since: int
    until: int


NEUTRAL = StandingRow("", 100, 0)


@dataclass(frozen=True, slots=True)
class Index:
    """Effective coverage by (product line, area). Immutable; a change makes a new one that shares what stayed."""

    since: int  # rows that ended before this day are left out
    stations: Mapping[str, StationRow]
    points: Mapping[str, tuple[str, ...]]  # of a head station
    served: Mapping[Key, tuple[Service, ...]]
    keys_of: Mapping[str, tuple[Key, ...]]  # what a station serves, to replace it when it changes
    limits: Mapping[Key, tuple[Limit, ...]]  # by (product line, station)
    standings: Mapping[str, StandingRow]
    lines: tuple[str, ...]
    # Who competes for (line, area, day), kept by `choice.field_of`: the same until this index is replaced.
    fields: dict[tuple[str, str, int], Any] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(
        cls,
        stations: Iterable[StationRow],
        coverage: Iterable[CoverageRow],
        capacities: Iterable[CapacityRow],
        standings: Iterable[StandingRow] = (),
        day: date = date.min,
    ) -> Index:
        """Build an index from rows, leaving out what ended on or before `day`."""
        empty = cls(day.toordinal(), {}, {}, {}, {}, {}, {}, ())
        built = empty.changed(None, list(stations), coverage, capacities)
        return built.with_standings(standings)

    def changed(
        self,
        touched: frozenset[str] | None,
        stations: list[StationRow],
        coverage: Iterable[CoverageRow],
        capacities: Iterable[CapacityRow],
    ) -> Index:
        """Return an index in which the `touched` stations (None: all) are as these rows say, others as before."""
        kept_stations = _without(self.stations, touched)
        kept_stations.update((row.number, row) for row in stations)
        served = self._served_without(touched)
        keys_of = _without(self.keys_of, touched)
        _add_coverage(served, keys_of, coverage, self.since)
        limits = {} if touched is None else {key: row for key, row in self.limits.items() if key[1] not in touched}
        for row in capacities:
            if row.until > max(self.since, row.since):
                key = (row.line, row.station)
                limits[key] = (*limits.get(key, ()), Limit(row.per_day, row.since, row.until))
        points: dict[str, tuple[str, ...]] = {}
        for row_ in kept_stations.values():
            if row_.head:
                points[row_.head] = (*points.get(row_.head, ()), row_.number)
        return replace(
            self, stations=kept_stations, points=points, served=served, keys_of=keys_of, limits=limits,
            lines=tuple(sorted({line for line, _ in served})), fields={},
        )  # fmt: skip

    def with_standings(self, standings: Iterable[StandingRow]) -> Index:
        return replace(self, standings={row.station: row for row in standings}, fields={})

    def per_day(self, station: str, line: str, day: int) -> int | None:
        """Return the capacity that holds on a day; None when none is filed."""
        for limit in self.limits.get((line, station), ()):
            if limit.since <= day < limit.until:
                return limit.per_day
        return None

    def _served_without(self, touched: frozenset[str] | None) -> dict[Key, tuple[Service, ...]]:
        if touched is None:
            return {}
        served = dict(self.served)
        for key in {key for number in touched for key in self.keys_of.get(number, ())}:
            rest = tuple(service for service in served[key] if service.station not in touched)
            if rest:
                served[key] = rest
            else:
                del served[key]
        return served


def _without(rows: Mapping[str, _Row], touched: frozenset[str] | None) -> dict[str, _Row]:
    return {} if touched is None else {number: row for number, row in rows.items() if number not in touched}


def _add_coverage(
    served: dict[Key, tuple[Service, ...]],
    keys_of: dict[str, tuple[Key, ...]],
    coverage: Iterable[CoverageRow],
    since: int,
) -> None:
    """Add rows to the tables, one object for each distinct value: half a million rows fit into little memory."""
    services: dict[Service, Service] = {}
    keys: dict[Key, Key] = {key: key for key in served}
    added: dict[Key, list[Service]] = {}
    keys_added: dict[str, list[Key]] = {}
    for station, line, area, begin, end in coverage:
        if end <= since or end <= begin:
            continue
        service = Service(station, begin, end)
        service = services.setdefault(service, service)
        key = (line, area)
        key = keys.setdefault(key, key)
        bucket = added.get(key)
        if bucket is None:
            added[key] = [service]
        else:
            bucket.append(service)
        mine = keys_added.get(service.station)
        if mine is None:
            keys_added[service.station] = [key]
        else:
            mine.append(key)
    for key, new in added.items():
        served[key] = (*served.get(key, ()), *new)
    for number, new_keys in keys_added.items():
        keys_of[number] = tuple(new_keys)
