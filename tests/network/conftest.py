"""What imports are checked against: a region and a product line."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from mendline.access.actors import Actor
from mendline.network.models import ProductLine, Region

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
TODAY = date(2026, 3, 2)
CLERK = Actor(None, "渠道管理", "channel_management", via="test")


@pytest.fixture
def region(db: None) -> Region:
    ProductLine.objects.create(code="desktop", name_zh="台式机", name_en="Desktop", channel="desktop_repair")
    return Region.objects.create(code="north", name="华北区", provinces=["11"])
