"""What is measured, as numbers with a unit and an aim. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Aim:
    """What a figure should be: `at_least` or `at_most` a value."""

    way: Literal["at_least", "at_most"]
    value: float

    def is_met_by(self, value: float) -> bool:
        return value >= self.value if self.way == "at_least" else value <= self.value

    def __str__(self) -> str:
        return f"{'≥' if self.way == 'at_least' else '≤'} {plain(self.value)}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: the median of its rounds. `rounds` keeps every single one; `remark` says what to know about it."""

    name: str
    unit: str
    rounds: tuple[float, ...]
    aim: Aim | None = None
    remark: str = ""

    @property
    def value(self) -> float:
        return statistics.median(self.rounds)

    @property
    def is_met(self) -> bool | None:
        return None if self.aim is None else self.aim.is_met_by(self.value)

    def as_json(self) -> dict[str, object]:
        found: dict[str, object] = {
            "name": self.name,
            "unit": self.unit,
            "value": rounded(self.value),
            "rounds": [rounded(one) for one in self.rounds],
        }
        if self.aim is not None:
            found |= {"aim": str(self.aim), "met": self.is_met}
        if self.remark:
            found["remark"] = self.remark
        return found


@dataclass(frozen=True, slots=True)
class Measured:
    """All figures of one measurement, and how it was set up. `faults` are wrong results, not slow ones."""

    name: str
    figures: tuple[Figure, ...]
    setup: dict[str, object] = field(default_factory=dict)
    faults: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        return {
            "setup": self.setup,
            "figures": [figure.as_json() for figure in self.figures],
            "faults": list(self.faults),
        }


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that `share` (0 to 1) of all values do not exceed.

    >>> percentile([5, 1, 4, 2, 3], 0.5), percentile([1, 2], 0.95)
    (3, 2)
    """
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def ratio(above: Figure, below: Figure, name: str, aim: Aim | None = None, remark: str = "") -> Figure:
    """Return the ratio of two figures, round by round: both halves of a round were measured side by side."""
    pairs = zip(above.rounds, below.rounds, strict=True)
    return Figure(name, "", tuple(one / other if other else math.nan for one, other in pairs), aim, remark)


def rounded(value: float) -> float:
    """Return three significant digits; more would pretend a precision that a shared machine does not have.

    >>> rounded(1234.5), rounded(0.01234)
    (1230.0, 0.0123)
    """
    return float(f"{value:.3g}") if math.isfinite(value) else -1.0


def plain(value: float) -> str:
    """Return a number as people write it.

    >>> plain(1234.5), plain(0.70), plain(12)
    ('1,230', '0.7', '12')
    """
    kept = rounded(value)
    return f"{kept:,.0f}" if abs(kept) >= 100 or kept == int(kept) else f"{kept:g}"


def table(parts: Iterable[Measured]) -> str:
    """Return all figures as lines: name, value, aim and whether it was met."""
    lines: list[str] = []
    for part in parts:
        lines += ["", part.name]
        for figure in part.figures:
            verdict = {None: "", True: "met", False: "MISSED"}[figure.is_met]
            aim = f"{figure.aim}" if figure.aim else ""
            lines.append(f"  {figure.name:<58}{plain(figure.value):>10} {figure.unit:<9}{aim:<10}{verdict:<7}".rstrip())
            if figure.remark:
                lines.append(f"    {figure.remark}")
        lines += [f"  FAULT: {fault}" for fault in part.faults]
    return "\n".join(lines[1:])
