"""A question to the figures: who asks, about which days, narrowed to what; and what that means in SQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from mendline.access.actors import OF_A_REGION, OF_A_STATION, Actor
from mendline.access.scopes import scope_clause
from mendline.figures.measures import COUNTS
from mendline.figures.periods import Period
from mendline.kernel.errors import Invalid
from mendline.kernel.numbers import whole_number
from mendline.kernel.text import Text

# Which orders belong to a period: those reported in it, ended in it, or open at the end of its last day.
Basis = Literal["reported", "ended", "open"]
BASES: dict[Basis, str] = {
    "reported": "f.reported_on BETWEEN %(first)s AND %(last)s",
    "ended": "f.ended_on BETWEEN %(first)s AND %(last)s",
    "open": "f.reported_on <= %(last)s AND (f.ended_on > %(last)s OR f.ended_on IS NULL)",
}
NONE = "-"  # stands for "no station", "no engineer" in an address
BOUND = frozenset({"region_interface", "region_channel_specialist", "station_coordinator"})
EVERYTHING = frozenset(
    {"hq_interface", "process_owner", "info_support_dept", "service_support_dept", "channel_management", "admin"}
)
MAY_SEE = EVERYTHING | BOUND


@dataclass(frozen=True, slots=True)
class Dimension:
    """Something by which figures are told apart."""

    code: str
    label: Text
    column: str
    is_number: bool = False


DIMENSIONS = {
    one.code: one
    for one in (
        Dimension("region", Text("大区", "Region"), "f.region"),
        Dimension("station", Text("维修站", "Station"), "f.station_no"),
        Dimension("product", Text("产品", "Product"), "f.product"),
        Dimension("person", Text("工程师", "Engineer"), "f.assignee_id", is_number=True),
        Dimension("canceller", Text("撤单人", "Cancelled by"), "f.cancelled_by", is_number=True),
        Dimension("reason", Text("撤单原因", "Reason"), "f.cancel_reason"),
        Dimension("path", Text("路径", "Path"), "f.path_id", is_number=True),
        Dimension("route", Text("改派路线", "Route"), "f.stations"),
    )
}
GROUPED_BY = ("region", "station", "product", "person")


@dataclass(frozen=True, slots=True)
class Question:
    """Figures of a period within the asker's scope. `only` narrows by dimension; `paths` to any of some paths."""

    actor: Actor
    period: Period
    only: Mapping[str, str] = field(default_factory=dict)
    paths: tuple[int, ...] | None = None

    def but(self, **changed: Any) -> Question:
        return replace(self, **changed)

    def narrowed(self) -> tuple[str, dict[str, Any]]:
        """Return scope and filters as a condition on `f` with its values; the days are named `first` and `last`."""
        scope, bound = scope_clause(self.actor)
        values: dict[str, Any] = {f"scope{n}": value for n, value in enumerate(bound)}
        parts = ["f." + scope % tuple(f"%({name})s" for name in values) if bound else scope]
        for code, value in self.only.items():
            dimension = DIMENSIONS[code]
            if value == NONE:
                parts.append(f"{dimension.column} IS NULL" if dimension.is_number else f"{dimension.column} = ''")
            else:
                parts.append(f"{dimension.column} = %({code})s")
                values[code] = int(value) if dimension.is_number else value
        if self.paths is not None:
            parts.append("f.path_id = ANY(%(paths)s)")
            values["paths"] = list(self.paths)
        return " AND ".join(parts), {**values, "first": self.period.first, "last": self.period.last}


def dimensions_of(actor: Actor) -> tuple[str, ...]:
    """Return by what figures may be told apart for this actor: who sees one region only needs no column of regions."""
    if actor.role in OF_A_STATION:
        return ("product", "person")
    if actor.role in OF_A_REGION:
        return ("station", "product", "person")
    return GROUPED_BY


def read_filters(given: Mapping[str, str]) -> dict[str, str]:
    """Return the filters of an address that are filled.

    Raises:
        Invalid: a number was expected.
    """
    found = {code: given[code] for code in DIMENSIONS if given.get(code)}
    wrong = {
        code: Text("应为编号，或“-”表示没有", "a number is expected, or - for none")
        for code, value in found.items()
        if DIMENSIONS[code].is_number and value != NONE and not _is_number(value)
    }
    if wrong:
        raise Invalid(wrong)
    return found


def read_count(name: str) -> str:
    """Return the name of a count; raises Invalid for one that there is not."""
    if name and name not in COUNTS:
        raise Invalid({"which": Text("没有这个数字", f"there is no such number; known are {', '.join(COUNTS)}")})
    return name or "reported"


def _is_number(value: str) -> bool:
    return whole_number(value, most=10**9 - 1) is not None
