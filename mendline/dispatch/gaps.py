"""Where the network has holes, and where several stations claim the same area at the same priority."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count

from mendline.dispatch.choice import Verdict
from mendline.dispatch.served_areas import ServedAreas, smallest_areas
from mendline.orders.models import RepairOrder

WINDOW = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Hole:
    """An area that nobody serves: how much was reported there, and what came closest.

    `parts` is how many smallest areas it stands for: one, unless it was condensed.
    """

    area: str
    demand: int  # orders of the last 30 days
    nearest: Verdict | None
    parts: int = 1


@dataclass(frozen=True, slots=True)
class Overlap:
    """Stations that claim an area with the same coverage level; a score decides between them each time."""

    area: str  # as covered: 2, 4 or 6 digits
    stations: tuple[str, ...]
    parts: int  # smallest areas in which they compete
    demand: int


def demand_of(line: str, now: datetime) -> dict[str, int]:
    """Return how many orders of a product line were reported in each area in the last 30 days."""
    rows = RepairOrder.objects.unscoped("counts by area name no person").filter(
        created_at__gte=now - WINDOW, product_line=line
    )
    return dict(rows.order_by().values_list("area").annotate(Count("id")))


def holes(served: ServedAreas, demand: Mapping[str, int]) -> list[Hole]:
    """Return the areas that nobody serves, those with most demand first."""
    found = [Hole(area, demand.get(area, 0), one.nearest) for area, one in served.items() if not one.first]
    return sorted(found, key=lambda hole: (-hole.demand, hole.nearest is None, hole.area))


def condensed(found: Sequence[Hole]) -> list[Hole]:
    """Return the list as people read it: whole cities and provinces that nobody serves are one entry each.

    Areas that something was reported from stay apart and come first; the rest of theirs is counted without them.
    """
    silent = [hole for hole in found if not hole.demand]
    holes_of = {hole.area for hole in found}
    groups: dict[str, list[Hole]] = {}
    for hole in silent:
        groups.setdefault(_largest_unserved(hole.area, holes_of), []).append(hole)
    rest = [Hole(area, 0, inside[0].nearest, len(inside)) for area, inside in groups.items()]
    rest.sort(key=lambda hole: (hole.nearest is None, -hole.parts, hole.area))
    return [hole for hole in found if hole.demand] + rest


def _largest_unserved(area: str, unserved: set[str]) -> str:
    """Return the province or city around an area in which nobody serves anything, else the area itself."""
    return next(
        (above for above in (area[:2], area[:4]) if unserved.issuperset(smallest_areas(above)) and above != area), area
    )


def overlaps(served: ServedAreas, demand: Mapping[str, int]) -> list[Overlap]:
    """Return who competes where, what was reported most first. Parts of one covered area are one entry."""
    parts: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for area, one in served.items():
        if len(one.first) > 1:
            parts.setdefault((area[: one.level], tuple(sorted(one.first))), []).append(area)
    found = [
        Overlap(area, stations, len(inside), sum(demand.get(part, 0) for part in inside))
        for (area, stations), inside in parts.items()
    ]
    return sorted(found, key=lambda overlap: (-overlap.demand, -len(overlap.stations), overlap.area))
