"""Times of a day as people say them, in minutes after midnight."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mendline.intake.numbers import NUMBER, number_of

HOUR = 60
NOON = 12 * HOUR
DAY = (8 * HOUR, 20 * HOUR)  # a day without a time: when somebody may reasonably ring the bell
LATE = 22 * HOUR  # "after eight in the evening" ends here
PARTS = {
    "凌晨": (0, 6), "清晨": (6, 8), "清早": (8, 10), "一大早": (8, 10), "一早": (8, 10), "早上": (8, 10),
    "早晨": (8, 10),
    "早": (8, 10), "晨": (8, 10), "上午": (8, 12), "中午": (12, 14), "正午": (12, 14), "午休": (12, 14),
    "午饭后": (12, 14),
    "午后": (13, 18), "下午": (13, 18), "傍晚": (17, 19), "晚上": (18, 21), "晚间": (18, 21), "晚": (18, 21),
    "夜里": (20, 22), "夜": (18, 21), "白天": (8, 18), "全天": (8, 20), "整天": (8, 20), "一整天": (8, 20),
    "一天": (8, 20),
    "下班后": (18, 21), "下班以后": (18, 21), "下班": (18, 21), "放学后": (17, 20), "上班时间": (9, 18),
    "工作时间": (9, 18), "晚饭后": (19, 21), "上下午": (8, 18),
}  # fmt: skip
_LATER = ("午后", "下午", "傍晚", "晚上", "晚间", "晚", "夜里", "夜", "下班后", "下班以后", "晚饭后")
_PART = "|".join(sorted(PARTS, key=len, reverse=True))
_CLOCK = (
    rf"(?:(?P<@twin>[一二三四五六七八九十][一二三四五六七八九十])(?:点钟?)|(?P<@hour>{NUMBER})(?:点钟?|"
    rf"时(?!间|候|不|而|常|有)|:(?=[0-5]\d))"
    rf"(?:(?P<@half>半)|(?P<@quarter>[一三])刻|(?P<@minute>[0-5]\d|{NUMBER})分?(?![\d点号日楼])|"
    rf"(?P<@over>多))?(?:钟|整)?)"
)
_TO = r"\s*(?:-|到|至|~)+\s*"
_QUALIFIER = (
    r"(?:(?P<after>以后|之后|过后|往后|开始|起|后(?!天|面|门|盖|台))|(?P<before>以前|之前|前(?!天|台|面|"
    r"后))|(?P<about>左右|前后|上下))?"
)
_TIME = re.compile(
    rf"(?P<part>{_PART})?\s*(?:"
    rf"(?P<bare>[0-9]{{1,2}}|[一二三四五六七八九十两]){_TO}(?P<to_part>{_PART})?{_CLOCK.replace('@', 'to_')}"
    rf"|{_CLOCK.replace('@', '')}(?:{_TO}(?P<end_part>{_PART})?{_CLOCK.replace('@', 'end_')})?"
    rf"){_QUALIFIER}|(?P<only>{_PART})(?:的时候)?(?:{_TO}(?P<only_end>{_PART}))?(?P<only_before>以前|之前|"
    rf"前)?(?:(?:以后|之后|过后)(?P<only_after>))?"
)


@dataclass(frozen=True, slots=True)
class Hours:
    """Minutes after midnight; `until` None means open to the end of the day. `clocked`: a clock time was said."""

    since: int
    until: int
    clocked: bool
    shifts: bool = False  # said without morning or evening: twelve hours later is possible too


def hours_at(text: str, start: int) -> tuple[Hours, int] | None:
    """Return the time named at that place and where its wording ends."""
    match = _TIME.match(text, start)
    if match is None or match.end() == start:
        return None
    if match["only"]:
        return _parts(match), match.end()
    part = match["part"] or ""
    if match["bare"]:
        end = _minutes(match, "to_", match["to_part"] or part)
        since = number_of(match["bare"]) * HOUR
        if end is None:
            return None
        since += NOON if since + NOON < end and (part in _LATER or since < 7 * HOUR) else 0
        return (Hours(since, end, True), match.end()) if since < end else None
    since_or_none = _minutes(match, "", part)
    if since_or_none is None:
        return None
    return _clocked(match, part, since_or_none), match.end()


def _clocked(match: re.Match[str], part: str, since: int) -> Hours:
    shifts = not part and since < NOON
    if match["end_hour"] or match["end_twin"]:
        end = _minutes(match, "end_", match["end_part"] or part) or since + HOUR
        return Hours(since, end if end > since else end + NOON, True, shifts)
    if match["after"]:
        return Hours(since, DAY[1] if since < 18 * HOUR else LATE, True, shifts)
    if match["before"]:
        begins = PARTS[part][0] * HOUR if part in PARTS else DAY[0]
        return Hours(min(begins, since - HOUR), since, True, shifts)
    if match["about"]:
        return Hours(since - 30, since + 30, True, shifts)
    return Hours(since, since + (2 * HOUR if match["twin"] else HOUR), True, shifts)


def _parts(match: re.Match[str]) -> Hours:
    since, until = (hour * HOUR for hour in PARTS[match["only"]])
    if match["only_end"]:
        until = PARTS[match["only_end"]][1] * HOUR
    if match["only_before"]:
        since, until = min(DAY[0], since), since
    if match["only_after"] is not None:
        since, until = until, DAY[1] if until < 18 * HOUR else LATE
    return Hours(since, until, False)


def _minutes(match: re.Match[str], which: str, part: str) -> int | None:
    """Return minutes after midnight: an hour up to six without morning or evening is one of the afternoon."""
    if twin := match[f"{which}twin"]:
        first, second = (number_of(sign) for sign in twin)
        if second != first + 1:
            return number_of(twin) * HOUR if twin.startswith("十") or twin.endswith("十") else None
        hour, minute = first, 0
    else:
        hour = number_of(match[f"{which}hour"])
        minute = _past(match, which)
    if hour > 24 or minute > 59:
        return None
    if part in _LATER and hour <= 12:
        hour = hour + 12 if hour < 12 else (12 if part in ("午后", "下午") else 24)
    elif part in ("中午", "正午", "午休") and hour < 4:
        hour += 12
    elif not part and 1 <= hour <= 6:
        hour += 12
    return hour * HOUR + minute


def _past(match: re.Match[str], which: str) -> int:
    if match[f"{which}half"]:
        return 30
    if match[f"{which}quarter"]:
        return 15 if match[f"{which}quarter"] == "一" else 45
    return number_of(match[f"{which}minute"]) if match[f"{which}minute"] else 0
