"""Keeps one row per order in step with the history: what the order adds to every figure.

Whether a contact was in time or a promise kept is said by the conditions of `care.scorecards`, so that
a station's card and the figures cannot disagree. Here come beside them: the way the order took, the
stations it went through, and on which days it came and ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import groupby
from typing import Any

import orjson
from django.db import connection

from mendline.care.scorecards import CONDITIONS, FIRST_PROMISE, SERVICE_STARTED
from mendline.figures.models import Path, Reading
from mendline.figures.months import sum_up, withdraw
from mendline.journal.following import BATCH, Follower
from mendline.orders.store import ORDER_PREFIX
from mendline.process.loading import processes

# Taken over by name; the remaining ones of `CONDITIONS` look at other records, which this row does not follow.
MEASURED = (
    "contacts_late", "contacts_in_time", "promises_kept", "promises_broken", "serviced", "repeat_visits", "cancelled",
    "closed", "callbacks_satisfied", "callbacks_dissatisfied", "reopened",
)  # fmt: skip
ORDER_KIND = "repair"
THEN = " > "  # between stations
_DAY = "AT TIME ZONE 'Asia/Shanghai')::date"
_CONTACT = "o.clocks->'contact'"
_ENDED = "o.category IN ('done', 'void')"

# A running contact that will be late, a first promise that will be broken: time alone changes them.
_AGAIN = f"""
    CASE WHEN {_ENDED} THEN NULL ELSE least(
        CASE WHEN {_CONTACT}->>'run' = 'running' AND NOT {_CONTACT} ? 'breached'
                  AND ({_CONTACT}->>'due')::timestamptz >= %(now)s THEN ({_CONTACT}->>'due')::timestamptz END,
        CASE WHEN {SERVICE_STARTED} IS NULL AND {FIRST_PROMISE} >= %(now)s THEN {FIRST_PROMISE} END)
    END
"""
_ROWS = f"""
    SELECT o.id, o.ref, o.replaces, o.process, o.process_version, j.steps, j.stations,
        to_jsonb(f) FROM orders_repairorder o
    LEFT JOIN LATERAL (
        SELECT array_agg(substr(e.kind, 7) || ':' || e.to_state ORDER BY e.id)
                   FILTER (WHERE e.kind LIKE 'order.%%' AND e.from_state <> e.to_state) AS steps,
               array_agg(e.station_no ORDER BY e.id) FILTER (WHERE e.station_no <> '') AS stations,
               max(e.at) FILTER (WHERE e.to_state = ANY(%(ends)s) AND NOT e.from_state = ANY(%(ends)s)) AS ended_at,
               (array_agg(e.actor_id ORDER BY e.id DESC)
                   FILTER (WHERE e.to_state = ANY(%(voids)s) AND e.from_state <> e.to_state))[1] AS cancelled_by
        FROM journal_entry e WHERE e.subject = o.ref
    ) AS j ON true
    CROSS JOIN LATERAL (
        SELECT o.id AS order_id, (o.created_at {_DAY} AS reported_on,
            CASE WHEN {_ENDED} THEN (coalesce(j.ended_at, o.updated_at) {_DAY} END AS ended_on,
            CASE WHEN {_ENDED} THEN (extract(epoch FROM coalesce(j.ended_at, o.updated_at) - o.created_at) / 60)::int
                 END AS minutes,
            o.region, o.station_no, o.product, o.assignee_id,
            CASE WHEN o.category = 'void' THEN j.cancelled_by END AS cancelled_by,
            CASE WHEN o.category = 'void' THEN coalesce(o.facts->>'cancel_reason', '') ELSE '' END AS cancel_reason,
            {", ".join(f"coalesce({CONDITIONS[name]}, false) AS {name}" for name in MEASURED)},
            {_AGAIN} AS again_at
    ) AS f
    WHERE {{which}} ORDER BY o.id
"""
_BY_REF = _ROWS.format(which="o.ref = ANY(%(refs)s)")
_BY_ID = _ROWS.format(which="o.id > %(above)s AND o.id <= %(until)s")
_OF_TIME = "SELECT o.ref FROM figures_orderfact f JOIN orders_repairorder o ON o.id = f.order_id WHERE f.again_at < %s"
_ANCESTORS = """
    WITH RECURSIVE chain(heir, ref, replaces, depth) AS (
        SELECT o.ref, a.ref, a.replaces, 1 FROM orders_repairorder o JOIN orders_repairorder a ON a.ref = o.replaces
        WHERE o.ref = ANY(%s)
        UNION ALL
        SELECT chain.heir, a.ref, a.replaces, chain.depth + 1
        FROM chain JOIN orders_repairorder a ON a.ref = chain.replaces WHERE chain.depth < 50)
    SELECT chain.heir, array_agg(e.station_no ORDER BY chain.depth DESC, e.id)
    FROM chain JOIN journal_entry e ON e.subject = chain.ref WHERE e.station_no <> '' GROUP BY chain.heir
"""
# Rows that are as they were are not written again: most are read twice.
_KEEP = """
    INSERT INTO figures_orderfact SELECT * FROM jsonb_populate_recordset(NULL::figures_orderfact, %s::jsonb)
    ON CONFLICT (order_id) DO UPDATE SET {columns} WHERE figures_orderfact.* IS DISTINCT FROM excluded.*
    RETURNING reported_on
"""


@dataclass(frozen=True, slots=True)
class Route:
    """The stations a matter went through. `came_back`: one of them had it before, with another in between."""

    stations: tuple[str, ...]

    @property
    def handovers(self) -> int:
        return max(0, len(self.stations) - 1)

    @property
    def came_back(self) -> bool:
        return len(set(self.stations)) < len(self.stations)

    def __str__(self) -> str:
        return THEN.join(self.stations) if self.handovers else ""


def route(stations: Iterable[str]) -> Route:
    """Return the route of stations as the history names them, entry by entry.

    >>> str(route(["1", "1", "2", "1"])), route(["1", "2", "1"]).came_back, route(["1", "1"]).handovers
    ('1 > 2 > 1', True, 0)
    """
    return Route(tuple(station for station, _ in groupby(stations)))


def _take_up(refs: list[str], now: datetime) -> None:
    _keep(_BY_REF, {"refs": refs, "now": now})


def _walk(above: int, until: int, now: datetime) -> None:
    _keep(_BY_ID, {"above": above, "until": until, "now": now})


def _look_again(now: datetime) -> bool:
    """Count anew what has become late by now although nothing happened; else sum up a month that is over."""
    with connection.cursor() as cursor:
        cursor.execute(f"{_OF_TIME} ORDER BY f.again_at LIMIT {BATCH}", [now])
        refs = [row[0] for row in cursor.fetchall()]
    if refs:
        _take_up(refs, now)
    return len(refs) == BATCH or sum_up(now)


FOLLOWER = Follower(Reading, ORDER_PREFIX, "orders_repairorder", _take_up, _walk, _look_again)
catch_up, start_over = FOLLOWER.catch_up, FOLLOWER.start_over


def _keep(statement: str, bound: dict[str, Any]) -> None:
    """Write the rows of the chosen orders."""
    with connection.cursor() as cursor:
        cursor.execute(statement, {**bound, "ends": _states("done", "void"), "voids": _states("void")})
        found = cursor.fetchall()
        if not found:
            return
        before = _stations_before(cursor, [ref for _, ref, replaces, *_ in found if replaces])
        paths = _paths(
            [(process, version, " ".join(steps)) for _, _, _, process, version, steps, _, _ in found if steps]
        )
        rows = []
        for _, ref, _, process, version, steps, stations, fact in found:
            way = route([*before.get(ref, ()), *(stations or ())])
            row = fact if isinstance(fact, dict) else orjson.loads(fact)
            row |= {"handovers": way.handovers, "stations": str(way), "came_back": way.came_back}
            row["path_id"] = paths[process, version, " ".join(steps)] if steps else None
            rows.append(row)
        columns = ", ".join(f"{name} = excluded.{name}" for name in rows[0] if name != "order_id")
        cursor.execute(_KEEP.format(columns=columns), [orjson.dumps(rows).decode()])
        withdraw(row[0] for row in cursor.fetchall())


def _stations_before(cursor: Any, heirs: Sequence[str]) -> dict[str, list[str]]:
    """Return the stations that the orders had which these replace (CAN-03), oldest first."""
    if not heirs:
        return {}
    cursor.execute(_ANCESTORS, [list(heirs)])
    return dict(cursor.fetchall())


def _paths(wanted: Sequence[tuple[str, int, str]]) -> dict[tuple[str, int, str], int]:
    """Return the numbers of paths; new ones are entered. There are some thousands, however many orders."""
    steps = {path[2] for path in wanted}
    missing = set(wanted)
    for _ in range(2):
        known = {(path.process, path.version, path.steps): path.pk for path in Path.objects.filter(steps__in=steps)}
        missing -= set(known)
        if not missing:
            break
        Path.objects.bulk_create(
            [Path(process=process, version=version, steps=way) for process, version, way in sorted(missing)],
            ignore_conflicts=True,
        )
    return known


@cache
def _states(*categories: str) -> list[str]:
    """Return the states of repair procedures in these categories, of all versions."""
    repair = [process for process in processes().values() if process.kind == ORDER_KIND]
    return sorted(
        {state.name for process in repair for state in process.states.values() if state.category in categories}
    )
