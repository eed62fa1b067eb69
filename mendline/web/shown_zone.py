"""On whose clock a page shows moments and reads those that are typed: the person's own choice, else Shanghai's.

The choice is set for the length of a request (`personal.PersonalSettings`). Nothing else follows it: calendars, days
and limits stay those of the station, and what a browser's clock or zone says is never asked.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils import timezone

from mendline.kernel.text import Text
from mendline.kernel.time import SHANGHAI, moment_text

PLACES = {
    "Asia/Shanghai": Text("北京时间", "Beijing time"),
    "Asia/Urumqi": Text("乌鲁木齐时间", "Urumqi time"),
    "Asia/Hong_Kong": Text("香港时间", "Hong Kong time"),
    "Asia/Tokyo": Text("东京时间", "Tokyo time"),
    "Asia/Singapore": Text("新加坡时间", "Singapore time"),
    "Asia/Kolkata": Text("印度时间", "India time"),
    "Asia/Dubai": Text("迪拜时间", "Dubai time"),
    "Europe/Moscow": Text("莫斯科时间", "Moscow time"),
    "Europe/Berlin": Text("柏林时间", "Berlin time"),
    "Europe/London": Text("伦敦时间", "London time"),
    "America/New_York": Text("纽约时间", "New York time"),
    "America/Los_Angeles": Text("洛杉矶时间", "Los Angeles time"),
    "Australia/Sydney": Text("悉尼时间", "Sydney time"),
    "UTC": Text("世界协调时", "UTC"),
}


def shown_zone() -> ZoneInfo:
    """Return the zone of this request."""
    zone = timezone.get_current_timezone()
    return zone if isinstance(zone, ZoneInfo) else SHANGHAI


def is_usual() -> bool:
    return shown_zone().key == SHANGHAI.key


def shown_moment(moment: datetime) -> Text:
    """Return a moment for people on the clock of this request."""
    return moment_text(moment, zone=shown_zone())


def zone_name(key: str) -> Text:
    return PLACES.get(key, Text(key, key))


def offset_text(key: str, now: datetime) -> str:
    """Return how far a zone is from UTC at a moment.

    >>> from datetime import UTC
    >>> offset_text("Asia/Kolkata", datetime(2026, 3, 2, tzinfo=UTC))
    'UTC+5:30'
    """
    offset = now.astimezone(ZoneInfo(key)).utcoffset()
    minutes = int(offset.total_seconds() // 60) if offset is not None else 0
    hours, rest = divmod(abs(minutes), 60)
    sign = "-" if minutes < 0 else "+"
    return f"UTC{sign}{hours}" + (f":{rest:02d}" if rest else "")
