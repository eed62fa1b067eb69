"""Cancelled orders by reason, and by region, station, product or whoever cancelled (CAN-27, CAN-33)."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

from django.db import connection

from mendline.figures.asking import BASES, DIMENSIONS, Question
from mendline.figures.measures import COUNTS
from mendline.figures.months import NOTHING_BY, cells
from mendline.figures.reckoning import rows_of

_CELLS = f"""
    SELECT f.cancel_reason, {{column}}::text, f.reported_on < %(this)s, count(*)
    FROM figures_orderfact f WHERE {{narrowed}} AND {BASES["reported"]} AND {COUNTS["cancelled"].condition}
    GROUP BY 1, 2, 3
"""
_REPORTED = "SELECT key, step = 0, sum(reported) FROM ({cells}) AS cells GROUP BY 1, 2"
_STEP = "CASE WHEN {day} < %(this)s THEN 0 ELSE 1 END"


@dataclass(frozen=True, slots=True)
class Row:
    """One reason, or one station, person …: how many orders, and how many in the period before.

    `reported` is what the share is of; None where orders are not reported by it (a reason, a person).
    """

    key: str
    now: int
    before: int
    reported: int | None = None
    reasons: tuple[tuple[str, int], ...] = ()  # most first

    @property
    def percent(self) -> int | None:
        return 100 * self.now // self.reported if self.reported else None


@dataclass(frozen=True, slots=True)
class Cancellations:
    """How many were cancelled of how many, why, and where or by whom."""

    now: int
    before: int
    reported: int
    reported_before: int
    reasons: list[Row]
    groups: list[Row]


def cancellations(question: Question, by: str) -> Cancellations:
    """Count the cancelled orders of a period and of the one before. `by` is a dimension; `canceller` is a person."""
    column = DIMENSIONS[by].column
    days = {"this": question.period.first, "first": question.period.before.first}
    cells = rows_of(_CELLS.replace("{column}", column), question, **days)
    of_reason: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    of_group: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    why: dict[str, Counter[str]] = defaultdict(Counter)
    for reason, key, is_before, count in cells:
        of_reason[is_before][reason] += count
        of_group[is_before][key or ""] += count
        if not is_before:
            why[key or ""][reason] += count
    # What was reported has neither a reason nor a canceller: its share is of all that was reported otherwise.
    rest = {code: value for code, value in question.only.items() if code not in ("reason", "canceller")}
    whole = question.but(only=rest)
    reported = _reported(whole, column if by != "canceller" else NOTHING_BY)
    shared = by != "canceller"
    return Cancellations(
        now=of_reason[False].total(), before=of_reason[True].total(),
        reported=reported[False].total(), reported_before=reported[True].total(),
        reasons=_rows(of_reason, {}, {}),
        groups=_rows(of_group, reported[False] if shared else {}, why),
    )  # fmt: skip


def _reported(question: Question, column: str) -> dict[bool, Counter[str]]:
    """Count what was reported in the period before (True) and in the period (False)."""
    counted = cells(question, column, _STEP)
    found: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    with connection.cursor() as cursor:
        cursor.execute(_REPORTED.format(cells=counted.statement), {**counted.values, "this": question.period.first})
        for key, is_before, count in cursor.fetchall():
            found[is_before][key or ""] += int(count)
    return found


def _rows(
    counts: dict[bool, Counter[str]], reported: Counter[str] | dict[str, int], why: dict[str, Counter[str]]
) -> list[Row]:
    found = [
        Row(key, counts[False][key], counts[True][key], reported.get(key) if reported else None,
            tuple(why[key].most_common(3)) if key in why else ())
        for key in counts[False].keys() | counts[True].keys()
    ]  # fmt: skip
    return sorted(found, key=lambda row: (-row.now, -row.before, row.key))
