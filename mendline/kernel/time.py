"""Moments: always aware, kept in UTC, read by people on the clock of a place.

Nothing here reads the host's clock or its time zone. `now` is read once, at the edge, and passed in.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from mendline.kernel.text import Text

SHANGHAI = ZoneInfo("Asia/Shanghai")

WEEKDAYS = (
    Text("周一", "Mon"),
    Text("周二", "Tue"),
    Text("周三", "Wed"),
    Text("周四", "Thu"),
    Text("周五", "Fri"),
    Text("周六", "Sat"),
    Text("周日", "Sun"),
)
MONTHS_EN = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_SECOND = timedelta(seconds=1)
# Narrower than ISO 8601 on purpose: week dates and bare hours are typing errors more often than meant.
_MOMENT = re.compile(
    r"(?P<wall>\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)(?P<offset>Z|[+-]\d{2}:\d{2})?",
    re.ASCII,
)


class Unreadable(ValueError):
    """A text that is no moment, day or duration. `detail` says what is wrong and what to write instead.

    The reader does not know which field the text came from; an edge that does answers
    `Invalid({field: error.detail})`.
    """

    def __init__(self, detail: Text) -> None:
        super().__init__(f"{detail.zh} / {detail.en}")
        self.detail = detail


def aware(moment: datetime) -> datetime:
    """Return the same moment in UTC.

    Raises:
        ValueError: it has no time zone. Always a fault of the caller's code.
    """
    if moment.tzinfo is UTC:  # Nearly always: the hot path keeps its moments in UTC.
        return moment
    if moment.utcoffset() is None:
        raise ValueError(f"{moment.isoformat()} has no time zone; attach one where the value enters the system")
    return moment.astimezone(UTC)


def parse_moment(text: str, naive_zone: ZoneInfo | None = None) -> datetime:
    """Return the moment that an ISO text such as `2026-03-02T09:00` or `2026-03-02T01:00:00Z` names, in UTC.

    A text without offset is read on the clock of `naive_zone`; without one it is refused, because
    guessing a zone moves deadlines by hours. A wall time that a clock change skipped means the
    moment of the change, one that came twice means the first time.

    Raises:
        Unreadable: no such form, no such day or hour, or no offset where one is needed.

    >>> parse_moment("2026-03-02T09:00", SHANGHAI).isoformat()
    '2026-03-02T01:00:00+00:00'
    """
    match = _MOMENT.fullmatch(text.strip())
    if match is None:
        raise Unreadable(
            Text(
                f"“{text}”不是时间，请写成 2026-03-02T09:00 或 2026-03-02T09:00+08:00",
                f"'{text}' is not a moment; write it like 2026-03-02T09:00 or 2026-03-02T09:00+08:00",
            )
        )
    if match["offset"] is None and naive_zone is None:
        raise Unreadable(
            Text(
                f"“{text}”没有时区，请在末尾加上时差，例如 +08:00",
                f"'{text}' has no time zone; add its offset at the end, for example +08:00",
            )
        )
    try:
        moment = datetime.fromisoformat(match[0])
        return instant_at(moment, naive_zone) if naive_zone and match["offset"] is None else aware(moment)
    except (ValueError, OverflowError):
        raise Unreadable(
            Text(
                f"“{text}”中的日期、钟点或时差不存在，请核对",
                f"'{text}' names a day, an hour or an offset that does not exist; check it",
            )
        ) from None


def local_day(moment: datetime, zone: ZoneInfo = SHANGHAI) -> date:
    """Return the date on the calendar of `zone` at that moment."""
    return aware(moment).astimezone(zone).date()


def local_reading(moment: datetime, zone: ZoneInfo) -> datetime:
    """Return what the clock of `zone` shows at `moment`, without zone, and never going back.

    When the clock is set back and runs through an hour a second time, the reading stands still at
    the end of that hour: a later start may not get an earlier deadline.
    """
    local = aware(moment).astimezone(zone)
    if not local.fold:
        return local.replace(tzinfo=None)
    wall = local.replace(tzinfo=None, fold=0)
    before, after = _offsets(wall, zone)
    low, high = wall.replace(microsecond=0), wall.replace(microsecond=0) + (before - after)
    while high - low > _SECOND:
        middle = low + (high - low) // _SECOND // 2 * _SECOND
        first, second = _offsets(middle, zone)
        if first > second:
            low = middle
        else:
            high = middle
    return high


def instant_at(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the first moment (UTC) at which the clock of `zone` shows `wall` or later.

    The inverse of `local_reading`: `instant_at(wall) <= moment` exactly if `wall <= local_reading(moment)`.
    """
    before, after = _offsets(wall, zone)
    moment = (wall - before).replace(tzinfo=UTC)
    if before >= after:
        return moment
    # The clock was set forward over `wall`: look for the second at which that happened.
    low, high = (wall - after).replace(tzinfo=UTC, microsecond=0), moment.replace(microsecond=0)
    while high - low > _SECOND:
        middle = low + (high - low) // _SECOND // 2 * _SECOND
        if middle.astimezone(zone).replace(tzinfo=None) < wall:
            low = middle
        else:
            high = middle
    return high


def _offsets(wall: datetime, zone: ZoneInfo) -> tuple[timedelta, timedelta]:
    """Return the offsets of a wall time by the rule before and by the rule after a clock change; mostly equal."""
    before = wall.replace(tzinfo=zone, fold=0).utcoffset()
    after = wall.replace(tzinfo=zone, fold=1).utcoffset()
    if before is None or after is None:  # A ZoneInfo always knows its offset.
        raise ValueError(f"{zone} has no offset at {wall.isoformat()}")
    return before, after


def day_text(day: date, *, today: date | None = None) -> Text:
    """Return a day for people; the year is shown when it is not the year of `today`.

    >>> day_text(date(2026, 3, 2)).zh, day_text(date(2027, 1, 4), today=date(2026, 12, 30)).en
    ('3月2日 周一', 'Mon 4 Jan 2027')
    """
    weekday = WEEKDAYS[day.weekday()]
    zh = f"{day.month}月{day.day}日 {weekday.zh}"
    en = f"{weekday.en} {day.day} {MONTHS_EN[day.month - 1]}"
    if today is None or today.year == day.year:
        return Text(zh, en)
    return Text(f"{day.year}年{zh}", f"{en} {day.year}")


def moment_text(moment: datetime, *, zone: ZoneInfo = SHANGHAI, now: datetime | None = None) -> Text:
    """Return a moment for people on the clock of `zone`, to the minute; the year only when it is not that of `now`.

    >>> moment_text(datetime(2026, 3, 2, 5, tzinfo=UTC)).zh
    '3月2日 周一 13:00'
    """
    local = aware(moment).astimezone(zone)
    day = day_text(local.date(), today=None if now is None else local_day(now, zone))
    return Text(f"{day.zh} {local:%H:%M}", f"{day.en} {local:%H:%M}")
