"""Stations as people look for them: a list that ends nowhere, one station with its points, who may see which.

Nothing here decides anything; choosing a station is `dispatch`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Q, QuerySet

from mendline.access.actors import OF_A_REGION, OF_A_STATION, Actor
from mendline.access.models import Person
from mendline.kernel.errors import NotVisible
from mendline.network import areas
from mendline.network.models import Capacity, Coverage, Station

PAGE = 50
MOST_AREAS_NAMED = 20  # areas that one word may mean
KINDS = ("heads", "points")


@dataclass(frozen=True, slots=True)
class StationFilters:
    """What narrows the list. `words` are part of a number, name, address, telephone or area."""

    words: str = ""
    region: str = ""
    province: str = ""
    line: str = ""
    kind: str = ""  # one of KINDS, or both
    status: str = ""  # active | ended | coming, or all


@dataclass(frozen=True, slots=True)
class StationRow:
    """One station of the list with what it has today."""

    station: Station
    points: int
    engineers: int
    areas: int  # coverage rows that hold
    seats: Mapping[str, int]  # product line → orders per day

    @property
    def seats_in_all(self) -> int:
        return sum(self.seats.values())


@dataclass(frozen=True, slots=True)
class StationPage:
    """One page of the list; `next_after` is the number to go on after, empty on the last page."""

    rows: list[StationRow]
    next_after: str


def visible_stations(actor: Actor) -> QuerySet[Station]:
    """Return the stations this actor may know of: a region its own, a station itself and its points."""
    rows = Station.objects.select_related("region", "head")
    if actor.sees_everything:
        return rows
    if actor.role in OF_A_REGION and actor.region:
        return rows.filter(region_id=actor.region)
    if actor.role in OF_A_STATION and actor.station_no:
        return rows.filter(Q(number=actor.station_no) | Q(head_id=actor.station_no))
    return rows.none()


def visible_station(actor: Actor, number: str) -> Station:
    """Return one station. Raises NotVisible whether it is absent or out of scope."""
    found = visible_stations(actor).filter(number=number).first()
    if found is None:
        raise NotVisible
    return found


def page_of_stations(
    actor: Actor, filters: StationFilters, *, today: date, after: str = "", limit: int = PAGE
) -> StationPage:
    """Return one page of stations by number; a page is found by key, never by counting."""
    query = narrowed(visible_stations(actor), filters, today).order_by("number")
    if after:
        query = query.filter(number__gt=after)
    found = list(query[: limit + 1])
    kept = found[:limit]
    return StationPage(rows_of(kept, today), kept[-1].number if len(found) > limit else "")


def narrowed(query: QuerySet[Station], filters: StationFilters, today: date) -> QuerySet[Station]:
    """Return the stations that the filters leave."""
    if filters.words:
        query = query.filter(_said(filters.words))
    if filters.region:
        query = query.filter(region_id=filters.region)
    if filters.province:
        query = query.filter(area__startswith=filters.province)
    if filters.kind:
        query = query.filter(head__isnull=filters.kind == "heads")
    if filters.line:
        serving = Coverage.objects.filter(holding_on(today), product_line=filters.line)
        query = query.filter(number__in=serving.values("station_id"))
    if filters.status == "active":
        query = query.filter(Q(active_until=None) | Q(active_until__gt=today), active_from__lte=today)
    elif filters.status == "ended":
        query = query.filter(active_until__lte=today)
    elif filters.status == "coming":
        query = query.filter(active_from__gt=today)
    return query


def _said(words: str) -> Q:
    """Return the condition that a station is meant by these words."""
    found = (
        Q(number__startswith=words) | Q(name__icontains=words) | Q(address__icontains=words) | Q(phone__contains=words)
    )
    for place in areas.find(words, MOST_AREAS_NAMED):
        found |= Q(area__startswith=place.code)
    return found


def holding_on(day: date) -> Q:
    """Return the condition that a row of the history holds on a day."""
    return Q(effective_from__lte=day) & (Q(effective_until=None) | Q(effective_until__gt=day))


def rows_of(stations: Sequence[Station], today: date) -> list[StationRow]:
    """Return what each of these stations has today, in five statements for all of them."""
    numbers = [station.number for station in stations]
    points = _counted(Station.objects.filter(head_id__in=numbers).values_list("head_id").annotate(Count("number")))
    engineers = _counted(engineers_of(numbers).values_list("station_no").annotate(Count("id")))
    coverage = Coverage.objects.filter(holding_on(today), station_id__in=numbers)
    served = _counted(coverage.values_list("station_id").annotate(Count("id")))
    seats: dict[str, dict[str, int]] = {}
    capacities = Capacity.objects.filter(holding_on(today), station_id__in=numbers).order_by("product_line")
    for number, line, per_day in capacities.values_list("station_id", "product_line", "per_day"):
        seats.setdefault(number, {})[line] = per_day
    return [
        StationRow(
            station, points.get(station.number, 0), engineers.get(station.number, 0), served.get(station.number, 0),
            seats.get(station.number, {}),
        )
        for station in stations
    ]  # fmt: skip


def _counted(pairs: Iterable[tuple[object, int]]) -> dict[str, int]:
    return {str(number): count for number, count in pairs}


def engineers_of(numbers: Sequence[str]) -> QuerySet[Person]:
    """Return the engineers at work at these stations."""
    people = Person.objects.filter(role="station_engineer", station_no__in=numbers, is_active=True)
    return people.order_by("station_no", "name")
