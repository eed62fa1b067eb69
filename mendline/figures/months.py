"""Sums of whole months, so that figures over years need not walk through every order.

Two tables: one tells region, station and engineer apart, one region and product. A month is summed by the
worker once it lies some weeks back; whoever changes one of its orders later withdraws its sums, and
the worker makes them anew. A question reads sums where they are, and orders where they are not, in
one statement: it never depends on how far the worker is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from django.db import connection

from mendline.access.actors import OF_A_REGION, OF_A_STATION
from mendline.figures.asking import Question
from mendline.figures.measures import COUNTS, TALLIED
from mendline.figures.models import ProductMonth, Reading, StationMonth
from mendline.figures.periods import DAY
from mendline.kernel.time import local_day

SETTLED_AFTER = timedelta(days=31)  # until then the orders of a month change every minute
NOTHING_BY = "''"  # the column of those who count everything together
COUNTED = ", ".join(f"count(*) FILTER (WHERE {COUNTS[name].condition}) AS {name}" for name in TALLIED)
SUMMED = ", ".join(f"sum({name})::bigint AS {name}" for name in TALLIED)
# The dimensions that a table tells apart, by the columns that orders have them in.
TABLES = {
    StationMonth._meta.db_table: {"region": "region", "station": "station_no", "person": "assignee_id"},
    ProductMonth._meta.db_table: {"region": "region", "product": "product"},
}

_SUM_UP = f"""
    INSERT INTO {{table}} (month, {{columns}}, {", ".join(TALLIED)})
    SELECT %(month)s, {{columns}}, {COUNTED} FROM figures_orderfact f
    WHERE f.reported_on >= %(month)s AND f.reported_on < %(next)s GROUP BY {{columns}}
"""
_NOT_SUMMED = """
    SELECT m::date FROM (SELECT date_trunc('month', min(reported_on)) AS first FROM figures_orderfact) AS begun
    CROSS JOIN LATERAL generate_series(first, %s, '1 month') AS m
    WHERE NOT EXISTS (SELECT FROM figures_summedmonth s WHERE s.month = m::date) ORDER BY m DESC LIMIT 1
"""


def sum_up(now: datetime) -> bool:
    """Sum up one month that has no sums; return whether there may be more. Nothing while orders are first counted."""
    if not Reading.objects.filter(filled_to__isnull=True).exists():
        return False
    with connection.cursor() as cursor:
        settled = local_day(now) - SETTLED_AFTER
        cursor.execute(_NOT_SUMMED, [settled.replace(day=1) - DAY])
        row = cursor.fetchone()
        if row is None:
            return False
        values = {"month": row[0], "next": _next(row[0])}
        for table, columns in TABLES.items():
            cursor.execute(f"DELETE FROM {table} WHERE month = %(month)s", values)
            cursor.execute(_SUM_UP.format(table=table, columns=", ".join(columns.values())), values)
        cursor.execute("INSERT INTO figures_summedmonth (month) VALUES (%(month)s)", values)
    return True


def withdraw(days: Iterable[date]) -> None:
    """Withdraw the sums of the months of these days: an order that was reported then has changed."""
    months = sorted({day.replace(day=1) for day in days})
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM figures_summedmonth WHERE month = ANY(%s)", [months])


def months_and_days(ends: Sequence[date]) -> tuple[list[date], list[tuple[date, date]]]:
    """Return the whole months between neighbouring ends, and the days left over: the first, and the one after the last.

    >>> months, rest = months_and_days([date(2026, 1, 10), date(2026, 4, 1), date(2026, 5, 3)])
    >>> [month.month for month in months], [(str(first), str(after)) for first, after in rest]
    ([2, 3, 4], [('2026-01-10', '2026-02-01'), ('2026-05-01', '2026-05-03')])
    """
    months: list[date] = []
    rest: list[tuple[date, date]] = []
    for first, after in pairwise(ends):
        start = end = first if first.day == 1 else _next(first)
        while _next(end) <= after:
            months.append(end)
            end = _next(end)
        if start == end:
            rest.append((first, after))
        else:
            rest += [days for days in ((first, start), (end, after)) if days[0] < days[1]]
    return months, rest


@dataclass(frozen=True, slots=True)
class Cells:
    """A statement that counts, and its values. Its rows: step, key, and every count of `TALLIED`."""

    statement: str
    values: dict[str, Any]


def cells(question: Question, column: str, step: str) -> Cells:
    """Return how to count a period and the one before by `column` and by `step`, with sums as far as they go.

    `step` is SQL with `{day}` for the day of the report. Sums are read where steps are whole months.
    """
    period = question.period
    narrowed, values = question.narrowed()
    ends = (period.before.first, period.first, period.last + DAY)
    table = table_for(question, column) if period.bucket == "month" else None
    months, rest = months_and_days(ends) if table else ([], [(ends[0], ends[-1])])
    days = []
    for number, (first, after) in enumerate(rest):
        days.append(f"f.reported_on >= %(from{number})s AND f.reported_on < %(until{number})s")
        values |= {f"from{number}": first, f"until{number}": after}
    of_orders = f"SELECT {step.format(day='f.reported_on')} AS step, {column}::text AS key, {COUNTED}"
    parts = []
    if rest:
        parts.append(f"{of_orders} FROM figures_orderfact f WHERE {narrowed} AND ({' OR '.join(days)}) GROUP BY 1, 2")
    if months:
        parts += _of_months(str(table), column, step, narrowed, of_orders)
        values["months"] = months
    return Cells(" UNION ALL ".join(parts), values)


def _of_months(table: str, column: str, step: str, narrowed: str, of_orders: str) -> tuple[str, str]:
    """Return how to read whole months: from sums, and from orders where there are no sums."""
    return (
        f"SELECT {step.format(day='f.month')} AS step, {column}::text AS key, {SUMMED} FROM {table} f"
        f" WHERE {narrowed} AND f.month = ANY(%(months)s)"
        " AND EXISTS (SELECT FROM figures_summedmonth s WHERE s.month = f.month) GROUP BY 1, 2",
        f"{of_orders} FROM unnest(%(months)s) AS m JOIN figures_orderfact f"
        " ON f.reported_on >= m AND f.reported_on < (m + interval '1 month')::date"
        f" WHERE {narrowed} AND NOT EXISTS (SELECT FROM figures_summedmonth s WHERE s.month = m) GROUP BY 1, 2",
    )


def table_for(question: Question, column: str) -> str | None:
    """Return the table that can answer, or None: whatever narrows or groups must be a column of it."""
    wanted = {*question.only, *_scope_of(question)}
    for table, columns in TABLES.items():
        is_grouped = column == NOTHING_BY or column.removeprefix("f.") in columns.values()
        if question.paths is None and is_grouped and wanted <= columns.keys():
            return table
    return None


def _scope_of(question: Question) -> tuple[str, ...]:
    if question.actor.role in OF_A_STATION:
        return ("station",)
    return ("region",) if question.actor.role in OF_A_REGION else ()


def _next(day: date) -> date:
    """Return the first day of the month after."""
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1)
