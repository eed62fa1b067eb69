"""Which stations serve which area for a product line on a day, for all areas at once: what the map shows.

The answer for an area is that of `choice.field_of`, so the map cannot disagree with dispatching. Only
the count of the day is left out: a station that is full today still serves the area.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache

from mendline.dispatch.choice import Verdict, Wanted, field_of
from mendline.dispatch.index import Index
from mendline.network import areas

# A station number that nobody can have. With an exclusion the choice is not kept with the index: three thousand areas
# of a day that somebody looks at would push out those that orders are just being dispatched to.
NOT_KEPT = frozenset({"-"})
MOST_MAPS_KEPT = 8


@dataclass(frozen=True, slots=True)
class Served:
    """Who serves one area. `first` are the stations with the most specific coverage: they compete for its orders.

    `nearest` says why the closest one does not serve it, where nobody does.
    """

    area: str
    level: int  # digits of the most specific coverage; 0 where there is none
    first: tuple[str, ...]
    others: tuple[str, ...]  # serve it with a coarser coverage, when the first are full
    nearest: Verdict | None

    @property
    def stations(self) -> tuple[str, ...]:
        return (*self.first, *self.others)


@dataclass(frozen=True, slots=True)
class AreaSum:
    """One area of the map with all that lies in it."""

    area: str
    stations: int  # different ones that serve it or a part of it
    parts: int  # smallest areas in it
    unserved: int  # of these, areas that nobody serves


ServedAreas = Mapping[str, Served]


class _Held:
    """What was worked out from one index; a new index makes it worthless."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self.maps: dict[tuple[str, date], ServedAreas] = {}


_present: list[_Held] = []  # of this process, at most one


def served_areas(index: Index, line: str, day: date) -> ServedAreas:
    """Return who serves each smallest area; kept until the index is replaced.

    The index knows what has not ended by now, so `day` is today or later.
    """
    held = _present[0] if _present and _present[0].index is index else _Held(index)
    _present[:] = [held]
    found = held.maps.get((line, day))
    if found is None:
        found = {area: _served(index, line, day, area) for area in smallest_areas()}
        if len(held.maps) >= MOST_MAPS_KEPT:
            held.maps.clear()
        held.maps[line, day] = found
    return found


def _served(index: Index, line: str, day: date, area: str) -> Served:
    field = field_of(index, Wanted(area, line, day, excluded=NOT_KEPT))
    level = max((candidate.level for candidate in field.candidates), default=0)
    ranked = sorted(field.candidates, key=lambda candidate: (-candidate.level, -candidate.base, candidate.number))
    first = tuple(candidate.number for candidate in ranked if candidate.level == level)
    nearest = field.refused[0] if field.refused and not ranked else None
    return Served(area, level, first, tuple(candidate.number for candidate in ranked[len(first) :]), nearest)


@cache
def smallest_areas(below: str = "") -> tuple[str, ...]:
    """Return the areas that have no parts of their own, in or at `below`, in the order of their codes."""
    codes = areas.table().places
    return tuple(code for code in sorted(codes) if code.startswith(below) and not areas.table().children(code))


@cache
def parts_of(area: str) -> tuple[str, ...]:
    """Return the areas that people see one level down; levels without a name of their own are passed over.

    >>> parts_of("11")[:2], parts_of("46")[-1]
    (('110101', '110102'), '469030')
    """
    found: list[str] = []
    for place in areas.children(area):
        above = areas.table().places.get(area)
        is_named = above is None or place.full_name != above.full_name
        found += [place.code] if is_named else parts_of(place.code)
    return tuple(found)


def sums_of(served: ServedAreas, codes: Iterable[str]) -> list[AreaSum]:
    """Return each of these areas with all that lies in it."""
    found = []
    for code in codes:
        parts = [served[area] for area in smallest_areas(code)]
        stations = {number for part in parts for number in part.stations}
        found.append(AreaSum(code, len(stations), len(parts), sum(not part.first for part in parts)))
    return found
