"""The network as a workbook that can be edited and imported again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from django.db.models import Q

from mendline.network.columns import KIND_BY_CODE, KINDS, Value
from mendline.network.models import STILL_MEANT, Capacity, Coverage, No800Area, Station
from mendline.network.sheets import workbook


def export_network(*, day: date | None = None) -> bytes:
    """Return an .xlsx with stations, coverage, capacity and areas without 800, as they are or will be from `day` on.

    Without a day the whole history is in it. A region is written by its code; rows replaced before
    their first day are left out.
    """
    still = Q() if day is None else Q(effective_until=None) | Q(effective_until__gt=day)
    return workbook(
        [
            (KIND_BY_CODE["stations"], _stations()),
            (KIND_BY_CODE["coverage"], coverage_rows(still & STILL_MEANT)),
            (KIND_BY_CODE["capacity"], capacity_rows(still & STILL_MEANT)),
            (KIND_BY_CODE["no800"], _no800(still & STILL_MEANT)),
        ]
    )


def empty_template() -> bytes:
    """Return the four sheets with their headings only."""
    return workbook([(kind, []) for kind in KINDS])


def _stations() -> Iterator[Mapping[str, Value]]:
    for station in Station.objects.order_by("number").iterator():
        yield {
            "station_no": station.number,
            "name": station.name,
            "region": station.region_id,
            "head": station.head_id,
            "area": station.area,
            "address": station.address,
            "phone": station.phone,
            "works_in_cc_web": station.works_in_cc_web,
            "is_central": station.is_central,
            "active_from": station.active_from,
            "active_until": station.active_until,
            "part_delivery_days": station.part_delivery_days,
        }


def coverage_rows(which: Q = STILL_MEANT, *, station: str = "") -> Iterator[Mapping[str, Value]]:
    """Return coverage as rows of a table, of all stations or of one."""
    rows = Coverage.objects.filter(which, _of(station)).order_by("station_id", "product_line", "area", "effective_from")
    for row in rows.iterator():
        yield {
            "station_no": row.station_id,
            "area": row.area,
            "product_line": row.product_line,
            "effective_from": row.effective_from,
            "effective_until": row.effective_until,
        }


def capacity_rows(which: Q = STILL_MEANT, *, station: str = "") -> Iterator[Mapping[str, Value]]:
    """Return capacities as rows of a table, of all stations or of one."""
    rows = Capacity.objects.filter(which, _of(station)).order_by("station_id", "product_line", "effective_from")
    for row in rows.iterator():
        yield {
            "station_no": row.station_id,
            "product_line": row.product_line,
            "per_day": row.per_day,
            "effective_from": row.effective_from,
            "effective_until": row.effective_until,
        }


def _of(station: str) -> Q:
    return Q(station_id=station) if station else Q()


def _no800(which: Q) -> Iterator[Mapping[str, Value]]:
    for row in No800Area.objects.filter(which).order_by("area", "effective_from").iterator():
        yield {
            "area": row.area,
            "filed_on": row.filed_on,
            "effective_from": row.effective_from,
            "effective_until": row.effective_until,
        }
