"""A small network for tests of dispatching: two stations in Beijing, one of them with a point."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime

import pytest

from mendline.dispatch import current
from mendline.dispatch.current import forget_index
from mendline.network.history import serve_area, set_capacity
from mendline.network.models import Product, ProductLine, Region, Station
from mendline.network.revision import CHECK_EVERY, check_every

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)  # Monday 09:00 in Shanghai
TODAY = date(2026, 3, 2)
SINCE = date(2026, 1, 1)


@pytest.fixture(autouse=True)
def _always_fresh() -> Iterator[None]:
    """An index of the test's own: one that had reached further back for somebody else would hold more."""
    forget_index()
    current._holder._since = date.max
    check_every(0)
    yield
    check_every(CHECK_EVERY.total_seconds())
    forget_index()


@pytest.fixture
def a_station() -> Callable[..., Station]:
    """Make a station: `a_station("000001", per_day=10, areas=["110108"])`."""

    def make(
        number: str, *, per_day: int | None = 10, areas: tuple[str, ...] = ("110108",), head: Station | None = None
    ) -> Station:
        ProductLine.objects.get_or_create(
            code="desktop", defaults={"name_zh": "台式机", "name_en": "Desktop", "channel": "desktop_repair"}
        )
        Product.objects.get_or_create(
            code="desktop-x1", defaults={"line_id": "desktop", "name_zh": "X1", "name_en": "X1"}
        )
        Region.objects.get_or_create(code="north", defaults={"name": "华北区", "provinces": ["11", "12"]})
        station = Station.objects.create(
            number=number, name=f"{number}站", region_id="north", head=head, area="110108", active_from=SINCE
        )
        for area in areas:
            serve_area(number, area, "desktop", since=SINCE)
        if per_day is not None:
            set_capacity(number, "desktop", per_day, since=SINCE, today=TODAY)
        return station

    return make
