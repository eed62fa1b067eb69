"""Coverage and capacity as history: what holds from which day, without ever rewriting what held before (COM-07).

`lay` is the pure part: it turns "from this day on, this value" into rows to end and rows to add.
The writers below carry it out; import, coverage changes and worlds use them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TypeAlias

from django.db import connection, transaction

from mendline.network.models import Capacity, Coverage
from mendline.network.revision import look_again

SERVED = 1  # the value of a coverage row; a capacity row's value is its orders per day

CoverageKey: TypeAlias = tuple[str, str, str]  # station, area, line
CapacityKey: TypeAlias = tuple[str, str]  # station, line


@dataclass(frozen=True, slots=True)
class Period:
    """A row: `value` holds from `since` until the day `until` (exclusive; None: until further notice)."""

    since: date
    until: date | None
    value: int
    row: int = 0  # primary key; 0 for one that is still to be written

    def overlaps(self, since: date, until: date | None) -> bool:
        return (until is None or self.since < until) and (self.until is None or since < self.until)

    @property
    def is_void(self) -> bool:
        return self.until is not None and self.until <= self.since


@dataclass(slots=True)
class Edits:
    """Rows to end (primary key → first day they no longer hold) and periods to add."""

    ended: dict[int, date] = field(default_factory=dict)
    added: list[Period] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.ended or self.added)


def lay(periods: Iterable[Period], since: date, until: date | None, value: int | None) -> Edits:
    """Return what to change so that `value` (None: nothing) holds from `since` until `until`.

    Where a row with the same value holds already, nothing changes: saying a thing twice says it once.
    A row that is cut in the middle goes on afterwards in a row of its own.

    >>> held = [Period(date(2026, 1, 1), None, 10, row=7)]
    >>> edits = lay(held, date(2026, 3, 1), None, 20)
    >>> edits.ended, [(str(p.since), p.until, p.value) for p in edits.added]
    ({7: datetime.date(2026, 3, 1)}, [('2026-03-01', None, 20)])
    """
    edits = Edits()
    if until is not None and until <= since:
        return edits
    gaps: list[tuple[date, date | None]] = [(since, until)]
    for period in sorted(periods, key=lambda period: period.since):
        if period.is_void or not period.overlaps(since, until):
            continue
        if period.value == value:
            gaps = [rest for gap in gaps for rest in _outside(gap, period)]
            continue
        edits.ended[period.row] = max(period.since, since)
        if until is not None and (period.until is None or until < period.until):
            edits.added.append(Period(until, period.until, period.value))
    if value is not None:
        edits.added += [Period(begin, end, value) for begin, end in gaps]
    return edits


def _outside(gap: tuple[date, date | None], period: Period) -> list[tuple[date, date | None]]:
    """Return the parts of a gap that a period leaves open."""
    begin, end = gap
    if not period.overlaps(begin, end):
        return [gap]
    rest: list[tuple[date, date | None]] = []
    if begin < period.since:
        rest.append((begin, period.since))
    if period.until is not None and (end is None or period.until < end):
        rest.append((period.until, end))
    return rest


def settle(periods: Sequence[Period], rows: Iterable[tuple[date, date | None, int]]) -> Edits:
    """Return what to change so that the given rows hold: (since, until, value), as a table lists them.

    A row without an end holds until the next one that is known, in the table or already kept. A row
    that begins with one already kept is that row: if it ends earlier now, it is ended then.
    """
    known = list(periods)
    original = {period.row: period for period in periods}
    listed = sorted(rows)
    for place, (since, until, value) in enumerate(listed):
        following = listed[place + 1][0] if place + 1 < len(listed) else None
        end = until or min(filter(None, (until_next(known, since), following)), default=None)
        known = _carried_out(known, lay(known, since, end, value))
        same = next((period for period in original.values() if period.since == since and not period.is_void), None)
        if until is not None and same is not None and (same.until is None or until < same.until):
            known = _carried_out(known, lay(known, until, same.until, None))
    edits = Edits()
    for period in known:
        before = original.get(period.row)
        if before is None and not period.is_void:
            edits.added.append(period)
        elif before is not None and before.until != period.until and period.until is not None:
            edits.ended[period.row] = period.until
    return edits


def _carried_out(periods: Sequence[Period], edits: Edits) -> list[Period]:
    """Return the periods as they would be; rows still to be written get negative keys."""
    lowest = min((period.row for period in periods), default=0)
    kept = [replace(period, until=edits.ended.get(period.row, period.until)) for period in periods]
    fresh = [replace(period, row=min(lowest, 0) - place) for place, period in enumerate(edits.added, start=1)]
    return kept + fresh


def until_next(periods: Iterable[Period], since: date) -> date | None:
    """Return the first day after `since` on which another row begins: "until further notice" ends there.

    So a change approved for later is not undone by one that begins before it.
    """
    later = [period.since for period in periods if period.since > since and not period.is_void]
    return min(later, default=None)


@dataclass(frozen=True, slots=True)
class Applied:
    """How many rows a change ended and added."""

    ended: int = 0
    added: int = 0

    def __add__(self, other: Applied) -> Applied:
        return Applied(self.ended + other.ended, self.added + other.added)


def serve_area(
    station: str, area: str, line: str, *, since: date, until: date | None = None, request: str = ""
) -> Applied:
    """Let a station serve an area for a line from a day on (COM-05). Already so: nothing changes."""
    with transaction.atomic():
        hold_network()
        periods = coverage_periods([station]).get((station, area, line), [])
        return write_coverage({(station, area, line): lay(periods, since, until, SERVED)}, request)


def stop_serving(station: str, area: str, line: str, *, since: date, request: str = "") -> Applied:
    """End a station's serving of an area for a line: `since` is the first day it no longer holds."""
    with transaction.atomic():
        hold_network()
        periods = coverage_periods([station]).get((station, area, line), [])
        return write_coverage({(station, area, line): lay(periods, since, None, None)}, request)


def set_capacity(
    station: str, line: str, per_day: int, *, since: date, until: date | None = None, today: date, request: str = ""
) -> Applied:
    """Set how many orders a day a station takes of a line, from a day on until the next change known.

    Days already open from `today` on follow at once; lowering one below what is taken only means
    that it sells nothing more (COM-10).
    """
    with transaction.atomic():
        hold_network()
        periods = capacity_periods([station]).get((station, line), [])
        edits = lay(periods, since, until or until_next(periods, since), per_day)
        return write_capacities({(station, line): edits}, today, request)


def hold_network() -> None:
    """Let writers of the network go one after the other, and no day open meanwhile with a figure being replaced."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(72019, 5)")


def coverage_periods(stations: Sequence[str]) -> dict[CoverageKey, list[Period]]:
    """Return all coverage rows of these stations."""
    found: dict[CoverageKey, list[Period]] = {}
    rows = Coverage.objects.filter(station_id__in=stations).values_list(
        "id", "station_id", "area", "product_line", "effective_from", "effective_until"
    )
    for row, station, area, line, since, until in rows:
        found.setdefault((station, area, line), []).append(Period(since, until, SERVED, row))
    return found


def capacity_periods(stations: Sequence[str]) -> dict[CapacityKey, list[Period]]:
    """Return all capacity rows of these stations."""
    found: dict[CapacityKey, list[Period]] = {}
    rows = Capacity.objects.filter(station_id__in=stations).values_list(
        "id", "station_id", "product_line", "effective_from", "effective_until", "per_day"
    )
    for row, station, line, since, until, per_day in rows:
        found.setdefault((station, line), []).append(Period(since, until, per_day, row))
    return found


def write_coverage(edits: dict[CoverageKey, Edits], request: str = "") -> Applied:
    """Carry out edits of coverage, in the caller's transaction."""
    ended = {row: day for edit in edits.values() for row, day in edit.ended.items()}
    _end("network_coverage", ended)
    added = [
        Coverage(
            station_id=station, area=area, product_line=line, effective_from=period.since,
            effective_until=period.until, request=request,
        )
        for (station, area, line), edit in edits.items()
        for period in edit.added
    ]  # fmt: skip
    Coverage.objects.bulk_create(added, batch_size=2000)
    look_again()
    return Applied(len(ended), len(added))


def write_capacities(edits: dict[CapacityKey, Edits], today: date, request: str = "") -> Applied:
    """Carry out edits of capacity, and bring the days open from `today` on in step with them."""
    ended = {row: day for edit in edits.values() for row, day in edit.ended.items()}
    _end("network_capacity", ended)
    added = [
        Capacity(
            station_id=station, product_line=line, per_day=period.value, effective_from=period.since,
            effective_until=period.until, request=request,
        )
        for (station, line), edit in edits.items()
        for period in edit.added
    ]  # fmt: skip
    Capacity.objects.bulk_create(added, batch_size=2000)
    _follow_capacities(sorted({station for station, _ in edits}), today)
    look_again()
    return Applied(len(ended), len(added))


def _end(table: str, ended: dict[int, date]) -> None:
    if ended:
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {table} SET effective_until = ending.day"
                " FROM unnest(%s::bigint[], %s::date[]) AS ending (row, day) WHERE id = ending.row",
                [list(ended), list(ended.values())],
            )


def _follow_capacities(stations: Sequence[str], today: date) -> None:
    """Give the open days of these stations the capacity that holds now; a day without one takes nothing more."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE network_dayload AS load SET capacity = filed.per_day FROM ("
            "  SELECT d.id, coalesce((SELECT c.per_day FROM network_capacity c"
            "    WHERE c.station_id = d.station_no AND c.product_line = d.product_line AND c.effective_from <= d.day"
            "      AND (c.effective_until IS NULL OR c.effective_until > d.day)"
            "    ORDER BY c.effective_from DESC LIMIT 1), 0) AS per_day"
            "  FROM network_dayload d WHERE d.station_no = ANY(%s) AND d.day >= %s) AS filed"
            " WHERE load.id = filed.id AND load.capacity <> filed.per_day",
            [list(stations), today],
        )
