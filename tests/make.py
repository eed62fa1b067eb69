"""Builders: each makes something valid; a test names only what it is about."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from mendline.access.actors import Actor
from mendline.kernel.time import SHANGHAI
from mendline.network.models import Capacity, Coverage, Product, ProductLine, Region, Station
from mendline.orders.store import Loaded
from mendline.orders.transitions import begin, perform
from mendline.process import loading

MONDAY_NINE = datetime(2026, 3, 2, 9, 0, tzinfo=SHANGHAI).astimezone(UTC)
LONG_AGO = date(2020, 1, 1)


def a_network(per_day: int = 10) -> None:
    """Two regions; in the north station 000001 (Haidian) and 000002 (Beijing), in the east 000003 (Shanghai)."""
    loading.load_all()
    line = ProductLine.objects.create(code="desktop", name_zh="台式机", name_en="Desktop", channel="desktop_repair")
    Product.objects.create(code="desktop", line=line, name_zh="台式机", name_en="Desktop")
    north = Region.objects.create(code="north", name="华北区", provinces=["11", "12"])
    east = Region.objects.create(code="east", name="华东区", provinces=["31"])
    a_station("000001", north, "110108", per_day)
    a_station("000002", north, "1101", per_day)
    a_station("000003", east, "31", per_day)


def a_station(number: str, region: Region, area: str, per_day: int = 10) -> Station:
    station = Station.objects.create(
        number=number, name=f"维修站{number}", region=region, area=area.ljust(6, "0"), active_from=LONG_AGO
    )
    Coverage.objects.create(station=station, area=area, product_line="desktop", effective_from=LONG_AGO)
    Capacity.objects.create(station=station, product_line="desktop", per_day=per_day, effective_from=LONG_AGO)
    return station


def an_actor(role: str, *, station_no: str = "000001", region: str = "north") -> Actor:
    bound_to_station = role.startswith("station_")
    return Actor(
        None, role, role, region if not bound_to_station else "", station_no if bound_to_station else "", "test"
    )


REPORT: dict[str, Any] = {
    "customer": {"name": "王先生", "phone": "13800000001"},
    "product": "desktop",
    "area": "110108",
    "address": "上地信息路2号",
    "fault": "开机黑屏",
    "service_mode": "on_site",
}


def a_report(*, now: datetime = MONDAY_NINE, role: str = "cc_agent", **changed: Any) -> Loaded:
    """Take a report as the call centre does."""
    name = "self_order" if role == "station_coordinator" else "report"
    return begin("unified_repair", name, actor=an_actor(role), now=now, given={**REPORT, **changed})


def do(
    order: Loaded, name: str, role: str = "station_coordinator", *, now: datetime = MONDAY_NINE, **given: Any
) -> Loaded:
    """Carry out one step as somebody of `role`."""
    return perform(order.ref, name, actor=an_actor(role), now=now, given=given)
