"""What is counted, and how it is said: every number's name, its condition on one order, and shares made of them.

The conditions are on a row `f` of `OrderFact`. The same condition counts the orders and lists them, so
that a number and its list cannot disagree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from mendline.kernel.text import Text

Tally: TypeAlias = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Count:
    """One number: how many orders meet `condition`."""

    label: Text
    condition: str


@dataclass(frozen=True, slots=True)
class Measure:
    """A share: `part` of the sum of `whole`. `list` opens the orders that people ask for: the weak ones."""

    code: str
    label: Text
    part: str
    whole: str
    list: str
    rule: str
    better: Literal["more", "less"]
    weak: int  # percent from which on it is worth a look; what counts as good is in nobody's rules

    def is_weak(self, percent: int | None) -> bool:
        if percent is None:
            return False
        return percent < self.weak if self.better == "more" else percent > self.weak


COUNTS = {
    "reported": Count(Text("报修", "Reported"), "true"),
    "ended": Count(Text("已结束", "Ended"), "f.ended_on IS NOT NULL"),
    "open": Count(Text("在途", "Still open"), "f.ended_on IS NULL"),
    "closed": Count(Text("已关单", "Closed"), "f.closed"),
    "contacts": Count(Text("有联系时限结果", "Contact decided"), "(f.contacts_in_time OR f.contacts_late)"),
    "contacts_in_time": Count(Text("按时联系", "Contacted in time"), "f.contacts_in_time"),
    "contacts_late": Count(Text("超过联系时限", "Contacted too late"), "f.contacts_late"),
    "promises": Count(Text("首次承诺有结果", "First promise decided"), "(f.promises_kept OR f.promises_broken)"),
    "promises_kept": Count(Text("首次承诺兑现", "First promise kept"), "f.promises_kept"),
    "promises_broken": Count(Text("首次承诺未兑现", "First promise broken"), "f.promises_broken"),
    "serviced": Count(Text("已上门或检修", "Serviced"), "f.serviced"),
    "repeat_visits": Count(Text("多次上门", "Visited more than once"), "f.repeat_visits"),
    "cancelled": Count(Text("已撤单", "Cancelled"), "f.cancelled"),
    "handed_over": Count(Text("改派过维修站", "Handed over"), "f.handovers > 0"),
    "came_back": Count(Text("转回原站", "Came back to a station"), "(f.handovers > 1 AND f.came_back)"),
    "answered": Count(Text("回访有答复", "Answered"), "(f.callbacks_satisfied OR f.callbacks_dissatisfied)"),
    "callbacks_satisfied": Count(Text("回访满意", "Satisfied at callback"), "f.callbacks_satisfied"),
    "callbacks_dissatisfied": Count(Text("回访不满意", "Dissatisfied at callback"), "f.callbacks_dissatisfied"),
    "reopened": Count(Text("回访后重开", "Re-opened"), "f.reopened"),
}  # fmt: skip

MEASURES = {
    measure.code: measure
    for measure in (
        Measure("contact", Text("按时联系", "Contact in time"), "contacts_in_time", "contacts", "contacts_late",
                "STN-19", "more", 90),
        Measure("promise", Text("首次承诺兑现", "First promise kept"), "promises_kept", "promises", "promises_broken",
                "STN-33", "more", 85),
        Measure("repeat", Text("多次上门", "Repeat visits"), "repeat_visits", "serviced", "repeat_visits",
                "STN-45", "less", 20),
        Measure("cancelled", Text("撤单", "Cancelled"), "cancelled", "reported", "cancelled", "CAN-27", "less", 15),
        Measure("handed_over", Text("改派", "Handed over"), "handed_over", "reported", "handed_over",
                "CAN-02", "less", 10),
        Measure("satisfied", Text("回访满意", "Satisfied"), "callbacks_satisfied", "answered",
                "callbacks_dissatisfied", "STN-48", "more", 90),
    )
}  # fmt: skip

# What a table of an overview needs; all other counts are sums of these, or lists only.
TALLIED = (
    "reported", "ended", "closed", "contacts_in_time", "contacts_late", "promises_kept", "promises_broken", "serviced",
    "repeat_visits", "cancelled", "handed_over", "came_back", "callbacks_satisfied", "callbacks_dissatisfied",
    "reopened",
)  # fmt: skip
SUMS = {
    "contacts": ("contacts_in_time", "contacts_late"),
    "promises": ("promises_kept", "promises_broken"),
    "answered": ("callbacks_satisfied", "callbacks_dissatisfied"),
}


def whole_tally(counted: Mapping[str, int]) -> dict[str, int]:
    """Return a tally with the sums and differences that follow from what was counted.

    >>> whole_tally({"reported": 3, "ended": 2})["open"]
    1
    """
    found = {name: int(counted.get(name) or 0) for name in TALLIED}
    found |= {name: sum(found[part] for part in parts) for name, parts in SUMS.items()}
    return {**found, "open": found["reported"] - found["ended"]}


def percent_of(tally: Tally, measure: Measure) -> int | None:
    """Return a whole percentage, rounded down, so that 100 means all; None where nothing was counted."""
    whole = tally[measure.whole]
    return 100 * tally[measure.part] // whole if whole else None
