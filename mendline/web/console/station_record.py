"""A station's record of the last 30 days, as its page, the region's list and a verdict show it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mendline.care.models import StationScorecard
from mendline.care.scorecards import share
from mendline.kernel.text import Text
from mendline.process.loading import latest

PROCESS = "unified_repair"
# Shares below these are worth a look; what counts as good is in nobody's rules, so they only colour.
WEAK_CONTACT, WEAK_PROMISE, WEAK_CALLBACK = 90, 85, 90
MANY_REPEATS, MANY_CANCELLED = 20, 15


@dataclass(frozen=True, slots=True)
class Figure:
    """One share with what it was reckoned from. `percent` is None where nothing was counted."""

    code: str  # the list behind the part that is counted
    label: Text
    percent: int | None
    part: int
    whole: int
    is_weak: bool
    rule: str

    @property
    def words(self) -> str:
        return "—" if self.percent is None else f"{self.percent}%"


@dataclass(frozen=True, slots=True)
class Reason:
    """How many orders were cancelled for one reason."""

    code: str
    label: Text
    count: int
    percent: int


def figures_of(card: StationScorecard) -> list[Figure]:
    """Return the shares of a card, each in the direction in which people say it."""
    contacts = card.contacts_in_time + card.contacts_late
    promises = card.promises_kept + card.promises_broken
    answered = card.callbacks_satisfied + card.callbacks_dissatisfied
    return [
        _good("contacts_late", Text("按时联系", "Contact in time"), card.contacts_in_time, contacts, WEAK_CONTACT,
              "STN-19"),
        _good("promises_broken", Text("首次承诺兑现", "First promise kept"), card.promises_kept, promises, WEAK_PROMISE,
              "STN-33"),
        _bad("repeat_visits", Text("多次上门", "Repeat visits"), card.repeat_visits, card.serviced, MANY_REPEATS,
             "STN-45"),
        _bad("cancelled", Text("撤单", "Cancelled"), card.cancelled, card.reported, MANY_CANCELLED, "CAN-27"),
        _good("callbacks_dissatisfied", Text("回访满意", "Satisfied at callback"), card.callbacks_satisfied, answered,
              WEAK_CALLBACK, "STN-48"),
    ]  # fmt: skip


def _good(code: str, label: Text, part: int, whole: int, weak_below: int, rule: str) -> Figure:
    percent = share(part, whole)
    return Figure(code, label, percent, part, whole, percent is not None and percent < weak_below, rule)


def _bad(code: str, label: Text, part: int, whole: int, weak_above: int, rule: str) -> Figure:
    percent = share(part, whole)
    return Figure(code, label, percent, part, whole, percent is not None and percent > weak_above, rule)


def reasons_of(card: StationScorecard) -> list[Reason]:
    """Return the cancelled orders by reason, most first; the percentage is of all that were reported."""
    labels = latest(PROCESS).facts["cancel_reason"].of
    found = [
        Reason(code, labels.get(code, Text(code or "未写明", code or "not stated")), int(count),
               share(int(count), card.reported) or 0)
        for code, count in card.reasons.items()
    ]  # fmt: skip
    return sorted(found, key=lambda reason: (-reason.count, reason.code))


def age_of(card: StationScorecard, now: datetime) -> int:
    """Return how many minutes ago the card was reckoned."""
    return int((now - card.reckoned_at).total_seconds() // 60)
