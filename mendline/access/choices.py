"""What somebody chose about the notices that this person is sent. Kept with the person as `notice_choices`.

Everything is as the procedure says until somebody chooses otherwise, so a new notice needs no entry here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from mendline.access.models import Person
from mendline.kernel.time import SHANGHAI

# Shown as they are called in China first; any other that the machine knows is possible.
ZONES = (
    "Asia/Shanghai", "Asia/Urumqi", "Asia/Hong_Kong", "Asia/Tokyo", "Asia/Singapore", "Asia/Kolkata", "Asia/Dubai",
    "Europe/Moscow", "Europe/Berlin", "Europe/London", "America/New_York", "America/Los_Angeles", "Australia/Sydney",
    "UTC",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class NoticeChoices:
    """Kinds of notices, by the name that the process file gives them.

    `hidden` are not shown in the console; `mailed` come by e-mail although the procedure does not ask for it;
    `unmailed` do not although it does.
    """

    hidden: frozenset[str] = frozenset()
    mailed: frozenset[str] = frozenset()
    unmailed: frozenset[str] = frozenset()

    def as_json(self) -> dict[str, list[str]]:
        return {"hidden": sorted(self.hidden), "mailed": sorted(self.mailed), "unmailed": sorted(self.unmailed)}


def choices_of(kept: Mapping[str, Any]) -> NoticeChoices:
    """Read what a person's row holds.

    >>> choices_of({"hidden": ["urged"]}).hidden
    frozenset({'urged'})
    """
    return NoticeChoices(*(frozenset(map(str, kept.get(name, ()))) for name in ("hidden", "mailed", "unmailed")))


def zone_of(person: Person) -> ZoneInfo:
    """Return the clock by which moments are shown to this person."""
    return ZoneInfo(person.zone) if person.zone else SHANGHAI


def quiet_ends_at(person: Person, now: datetime) -> datetime | None:
    """Return when this person may be written to again, or None if it is not a quiet hour at `now`.

    Quiet hours may go past midnight (22:00 to 07:00); the same time twice means none.
    """
    begin, end = person.quiet_from, person.quiet_until
    if begin is None or end is None or begin == end:
        return None
    local = now.astimezone(zone_of(person))
    if not _within(local.time(), begin, end):
        return None
    day = local.date() if local.time() < end else local.date() + timedelta(days=1)
    return datetime.combine(day, end, zone_of(person))


def _within(moment: time, begin: time, end: time) -> bool:
    """Tell whether a time of day lies in a span that may go past midnight.

    >>> _within(time(23), time(22), time(7)), _within(time(7), time(22), time(7)), _within(time(13), time(12), time(14))
    (True, False, True)
    """
    if begin < end:
        return begin <= moment < end
    return moment >= begin or moment < end
