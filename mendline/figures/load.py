"""How much came, how much ended, and how much was open: volume and load, step by step and by group."""

from __future__ import annotations

from dataclasses import dataclass

from mendline.figures.asking import BASES, DIMENSIONS, Question
from mendline.figures.periods import Period
from mendline.figures.reckoning import STEP, rows_of

_ALIVE = "f.reported_on <= %(last)s AND (f.ended_on >= %(first)s OR f.ended_on IS NULL)"
_GROUPS = f"""
    SELECT {{column}}, count(*) FILTER (WHERE f.reported_on < %(first)s),
           count(*) FILTER (WHERE {BASES["reported"]}), count(*) FILTER (WHERE {BASES["ended"]}),
           count(*) FILTER (WHERE {BASES["open"]})
    FROM figures_orderfact f WHERE {{narrowed}} AND {_ALIVE} GROUP BY 1
"""
_CAME, _WENT = STEP.format(day="f.reported_on"), STEP.format(day="f.ended_on")
_STEPS = f"""
    SELECT true, {_CAME}, count(*) FROM figures_orderfact f WHERE {{narrowed}} AND {BASES["reported"]} GROUP BY 2
    UNION ALL
    SELECT false, {_WENT}, count(*) FROM figures_orderfact f WHERE {{narrowed}} AND {BASES["ended"]} GROUP BY 2
"""


@dataclass(frozen=True, slots=True)
class Load:
    """Orders open before the first day, reported, ended, and open when the last day was over.

    An order that was re-opened counts as open all the time.
    """

    opening: int
    reported: int
    ended: int
    open: int


@dataclass(frozen=True, slots=True)
class LoadGroup:
    """The same of one region, station, product or person."""

    key: str
    load: Load


@dataclass(frozen=True, slots=True)
class Loads:
    """The load of a period in all, by group (most open first), and step by step."""

    total: Load
    groups: list[LoadGroup]
    series: list[tuple[Period, Load]]


def loads(question: Question, by: str) -> Loads:
    """Reckon volume and open load of a period. `by` is a dimension."""
    rows = rows_of(_GROUPS.replace("{column}", DIMENSIONS[by].column), question)
    groups = [LoadGroup("" if key is None else str(key), Load(*counts)) for key, *counts in rows]
    groups.sort(key=lambda group: (-group.load.open, -group.load.reported, group.key))
    total = Load(
        sum(group.load.opening for group in groups), sum(group.load.reported for group in groups),
        sum(group.load.ended for group in groups), sum(group.load.open for group in groups),
    )  # fmt: skip
    return Loads(total, groups, _series(question, total.opening))


def _series(question: Question, opening: int) -> list[tuple[Period, Load]]:
    buckets = question.period.buckets()
    rows = rows_of(_STEPS, question, steps=[bucket.first for bucket in buckets])
    counts = {(is_new, step): count for is_new, step, count in rows}
    found: list[tuple[Period, Load]] = []
    standing = opening
    for number, bucket in enumerate(buckets, start=1):
        reported, ended = counts.get((True, number), 0), counts.get((False, number), 0)
        found.append((bucket, Load(standing, reported, ended, standing + reported - ended)))
        standing += reported - ended
    return found
