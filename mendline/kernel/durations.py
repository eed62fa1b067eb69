"""How long something may take, as process files write it: `4h`, `30m`, `3.5h`, `2d`, `5wd`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

from mendline.kernel.text import Text
from mendline.kernel.time import Unreadable

SECONDS_PER_UNIT = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
UNIT_NAMES = {
    "d": Text("天", "d"),
    "h": Text("小时", "h"),
    "m": Text("分钟", "min"),
    "s": Text("秒", "s"),
}
# Nothing in a repair service is due later than this; a longer text is a slip of the keyboard.
LONGEST_DAYS = 3_660

_PART = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(wd|[dhms])", re.ASCII)
_WHOLE = re.compile(rf"(?:{_PART.pattern}\s*)+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Duration:
    """Either a number of seconds of counted time or a number of working days, never both."""

    seconds: int = 0
    working_days: int = 0

    def __post_init__(self) -> None:
        if self.seconds < 0 or self.working_days < 0:
            raise ValueError(f"a duration is never negative: {self.seconds} s, {self.working_days} working days")
        if self.seconds and self.working_days:
            raise ValueError(f"a duration is seconds or working days: {self.seconds} s, {self.working_days} days")

    def as_timedelta(self) -> timedelta:
        """Return the counted time; working days have no length until a calendar says which days work."""
        if self.working_days:
            raise ValueError(f"{self} has no fixed length; add it to a moment on a calendar")
        return timedelta(seconds=self.seconds)

    def text(self) -> Text:
        """Return the duration for people.

        >>> parse_duration("3.5h").text().zh, parse_duration("5wd").text().en
        ('3小时30分钟', '5 working days')
        """
        if self.working_days:
            plural = "" if self.working_days == 1 else "s"
            return Text(f"{self.working_days}个工作日", f"{self.working_days} working day{plural}")
        parts = self._parts() or [(0, "m")]
        return Text(
            "".join(f"{count}{UNIT_NAMES[unit].zh}" for count, unit in parts),
            " ".join(f"{count} {UNIT_NAMES[unit].en}" for count, unit in parts),
        )

    def __str__(self) -> str:
        """Return the shortest text that `parse_duration` reads back."""
        if self.working_days:
            return f"{self.working_days}wd"
        return "".join(f"{count}{unit}" for count, unit in self._parts()) or "0m"

    def _parts(self) -> list[tuple[int, str]]:
        parts, rest = [], self.seconds
        for unit, size in SECONDS_PER_UNIT.items():
            count, rest = divmod(rest, size)
            if count:
                parts.append((count, unit))
        return parts


def parse_duration(text: str) -> Duration:
    """Return the duration a text means: `d` is 24 counted hours, `wd` a working day; `1h30m` adds up.

    Raises:
        Unreadable: no unit, negative, no number, fractions of a second or of a working day,
            working days mixed with other units, or longer than ten years.

    >>> parse_duration("3.5h"), parse_duration("5wd")
    (Duration(seconds=12600, working_days=0), Duration(seconds=0, working_days=5))
    """
    written = text.strip()
    if not _WHOLE.fullmatch(written):
        raise Unreadable(_why_not(written))
    parts = [(Fraction(number), unit) for number, unit in _PART.findall(written)]
    units = [unit for _, unit in parts]
    if len(set(units)) < len(units):
        raise Unreadable(Text(f"“{written}”中同一单位出现两次，请合并", f"'{written}' names a unit twice; add them up"))
    if "wd" in units and len(units) > 1:
        raise Unreadable(
            Text(
                f"“{written}”混用了工作日和其他单位，请只用一种",
                f"'{written}' mixes working days with other units; use one kind",
            )
        )
    total = sum(number * SECONDS_PER_UNIT.get(unit, 1) for number, unit in parts)
    if total.denominator != 1:
        raise Unreadable(
            Text(
                f"“{written}”不是整秒或整个工作日，请换用更小的单位",
                f"'{written}' is no whole number of seconds or working days; use a smaller unit",
            )
        )
    if total > LONGEST_DAYS * (1 if "wd" in units else SECONDS_PER_UNIT["d"]):
        raise Unreadable(Text(f"“{written}”超过十年，请核对", f"'{written}' is longer than ten years; check it"))
    return Duration(working_days=int(total)) if "wd" in units else Duration(seconds=int(total))


def _why_not(written: str) -> Text:
    if written.startswith("-"):
        return Text(f"“{written}”是负数，时长不能为负", f"'{written}' is negative; a duration is zero or more")
    if re.fullmatch(r"\d+(?:\.\d+)?", written, re.ASCII):
        return Text(
            f"“{written}”没有单位，请写成 {written}m、{written}h、{written}d 或 {written}wd（工作日）",
            f"'{written}' has no unit; write {written}m, {written}h, {written}d or {written}wd (working days)",
        )
    return Text(
        f"“{written}”不是时长，请写成 30m、4h、2d 或 5wd（工作日）",
        f"'{written}' is not a duration; write it like 30m, 4h, 2d or 5wd (working days)",
    )
