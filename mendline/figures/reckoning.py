"""The figures of a period beside those of the period before: in all, by group, and over time."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from mendline.figures.asking import DIMENSIONS, Question
from mendline.figures.measures import TALLIED, Tally, whole_tally
from mendline.figures.models import Reading
from mendline.figures.months import cells
from mendline.figures.periods import Period

_SUMS = ", ".join(f"sum({name})" for name in TALLIED)
# In which step of the period a day lies, from 1 on; 0 is before it. A tenth of the cost of cutting dates to months.
STEP = "width_bucket({day}, %(steps)s::date[])"
# One walk over both periods; what is wanted of it is then added up from its few cells.
_ADDED = f"""
    WITH cells AS MATERIALIZED ({{cells}})
    SELECT step = 0, key, NULL::int, {_SUMS} FROM cells GROUP BY 1, 2
    UNION ALL SELECT false, NULL, step, {_SUMS} FROM cells WHERE step > 0 GROUP BY step
"""


@dataclass(frozen=True, slots=True)
class Group:
    """The figures of one region, station, product or person; `key` is empty where the order has none."""

    key: str
    now: Tally
    before: Tally


@dataclass(frozen=True, slots=True)
class Overview:
    """Figures of a period: all, those of the period before, by group (most first), and step by step."""

    now: Tally
    before: Tally
    groups: list[Group]
    series: list[tuple[Period, Tally]]


def overview(question: Question, by: str) -> Overview:
    """Reckon a period and the one before. `by` is a dimension."""
    period = question.period
    buckets = period.buckets()
    counted = cells(question, DIMENSIONS[by].column, STEP)
    with connection.cursor() as cursor:
        cursor.execute(_ADDED.format(cells=counted.statement), {**counted.values, "steps": [b.first for b in buckets]})
        rows = cursor.fetchall()
    groups: dict[str, dict[bool, Tally]] = defaultdict(dict)
    steps: dict[int, Tally] = {}
    for is_before, key, step, *counts in rows:
        tally = whole_tally(dict(zip(TALLIED, counts, strict=True)))
        if step is not None:
            steps[step] = tally
        else:
            groups[key or ""][is_before] = tally
    found = [Group(key, one.get(False, NOTHING), one.get(True, NOTHING)) for key, one in groups.items()]
    found.sort(key=lambda group: (-group.now["reported"], -group.before["reported"], group.key))
    return Overview(
        now=_added([group.now for group in found]),
        before=_added([group.before for group in found]),
        groups=found,
        series=[(bucket, steps.get(number, NOTHING)) for number, bucket in enumerate(buckets, start=1)],
    )


NOTHING: Tally = whole_tally({})


def _added(tallies: list[Tally]) -> Tally:
    return {name: sum(tally[name] for tally in tallies) for name in NOTHING}


def rows_of(statement: str, question: Question, **more: Any) -> list[tuple[Any, ...]]:
    """Run a statement with the question's condition in the place `{narrowed}` and its values."""
    narrowed, values = question.narrowed()
    with connection.cursor() as cursor:
        cursor.execute(statement.replace("{narrowed}", narrowed), {**values, **more})
        return list(cursor.fetchall())


@dataclass(frozen=True, slots=True)
class AsOf:
    """How fresh the figures are. `is_filling`: not every order has been counted yet."""

    at: datetime | None
    is_filling: bool


def as_of() -> AsOf:
    """Return as of when the figures are; nothing before the worker has come by."""
    reading = Reading.objects.first()
    if reading is None:
        return AsOf(None, True)
    return AsOf(reading.as_of, reading.filled_to is not None)
