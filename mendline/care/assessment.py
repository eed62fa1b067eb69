"""The basis of a station's assessed fee (考评结费): what it did in a period, from the history itself (STN-15).

The rule names three sources: part returns, the data entered in CC, and the callbacks. What they are
worth in money is in contracts and not in the rules, so these are counts and no amounts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any, TypeAlias

from django.db import connection

from mendline.access.actors import OF_A_REGION, OF_A_STATION, Actor
from mendline.kernel.time import SHANGHAI, instant_at

Counts: TypeAlias = "dict[str, Counter[str]]"

# Braces are filled with our own text only; values are always bound.
_PERIOD = "e.at >= %(since)s AND e.at < %(until)s AND e.station_no <> ''{scope}"

# A closing counts once and only if it stood: an order that was re-opened counts when it is closed again.
_CLOSED = """
    SELECT e.station_no, 'closed', count(DISTINCT e.subject)
    FROM journal_entry e
    WHERE {period} AND e.kind IN ('order.resolve', 'order.resolve_remotely')
      AND NOT EXISTS (SELECT 1 FROM journal_entry later
                      WHERE later.subject = e.subject AND later.id > e.id AND later.kind = 'order.reopen')
    GROUP BY 1
"""
# Every run of a clock has one outcome. Late at its breach; if it was stopped late before anybody noticed, then there.
# In time only if it was stopped by what it waits for: a cancellation, or a new promise before the old one's time, is
# neither. The contact clock waits for any first contact or attempt as prescribed, the visit clock for the engineer.
_CLOCKS = """
    SELECT e.station_no, event->>'clock' || CASE WHEN event->>'verb' = 'stopped' THEN ' in time' ELSE ' late' END,
           count(*)
    FROM journal_entry e CROSS JOIN LATERAL jsonb_array_elements(e.data->'clocks') AS event
    WHERE {period} AND event->>'clock' IN ('contact', 'visit') AND (
        event->>'verb' = 'breached'
        OR (event->>'verb' = 'stopped late' AND NOT EXISTS (
            SELECT 1 FROM journal_entry earlier
            WHERE earlier.subject = e.subject AND earlier.id < e.id AND earlier.kind = 'clock.breach'
              AND earlier.data->'clocks' @> jsonb_build_array(jsonb_build_object(
                  'clock', event->>'clock', 'verb', 'breached', 'due', event->>'due'))))
        OR (event->>'verb' = 'stopped' AND event->>'clock' = 'contact'
            AND e.to_state NOT IN ('cancelled', 'cancelled_and_reassigned'))
        OR (event->>'verb' = 'stopped' AND event->>'clock' = 'visit' AND e.to_state IN ('in_service', 'resolved')))
    GROUP BY 1, 2
"""
_CALLBACKS = """
    SELECT e.station_no, CASE e.kind WHEN 'callback.give_up' THEN 'callbacks not reached'
                                     WHEN 'callback.reopen_order' THEN 'callbacks unsolved'
                                     ELSE 'callbacks ' || coalesce(e.data->'given'->>'callback_outcome', '?') END,
           count(*)
    FROM journal_entry e
    WHERE {period} AND e.kind IN ('callback.complete', 'callback.reopen_order', 'callback.give_up')
    GROUP BY 1, 2
"""
# Of the parts that came in the period: how many went back, until now.
_PARTS = """
    SELECT e.station_no, CASE WHEN r.state = 'returned' THEN 'parts returned' ELSE 'parts kept' END, count(*)
    FROM journal_entry e JOIN orders_record r ON r.ref = e.subject
    WHERE {period} AND e.process = 'part_order' AND e.to_state = 'arrived' AND e.from_state <> 'arrived'
    GROUP BY 1, 2
"""
_CANCELLED = """
    SELECT e.station_no, 'cancelled ' || coalesce(e.data->'given'->>'cancel_reason', '?'), count(*)
    FROM journal_entry e
    WHERE {period} AND e.kind IN ('order.cancel', 'order.cancel_and_reassign')
    GROUP BY 1, 2
"""
_QUESTIONS = (_CLOSED, _CLOCKS, _CALLBACKS, _PARTS, _CANCELLED)


@dataclass(frozen=True, slots=True)
class Assessment:
    """What one station did in a period. Shares are whole percent, rounded down; None where nothing was judged."""

    station_no: str
    orders_closed: int = 0
    contacts_in_time: int = 0
    contacts_late: int = 0
    promises_kept: int = 0
    promises_broken: int = 0
    callbacks_made: int = 0  # reached: satisfied, dissatisfied and unsolved together
    callbacks_satisfied: int = 0
    callbacks_unsolved: int = 0
    callbacks_not_reached: int = 0
    parts_received: int = 0
    parts_returned: int = 0
    cancellations: Mapping[str, int] = field(default_factory=dict)  # by reason

    @property
    def contact_percent(self) -> int | None:
        return _share(self.contacts_in_time, self.contacts_in_time + self.contacts_late)

    @property
    def promise_percent(self) -> int | None:
        return _share(self.promises_kept, self.promises_kept + self.promises_broken)

    @property
    def satisfied_percent(self) -> int | None:
        return _share(self.callbacks_satisfied, self.callbacks_made)

    @property
    def return_percent(self) -> int | None:
        return _share(self.parts_returned, self.parts_received)


def assess(actor: Actor, *, since: datetime, until: datetime, station_no: str = "") -> list[Assessment]:
    """Return the stations within the actor's scope that did anything from `since` to before `until`, by number."""
    scope, bound = _scope(actor)
    if station_no:
        scope, bound = f"{scope} AND e.station_no = %(station_no)s", {**bound, "station_no": station_no}
    values = {"since": since, "until": until, **bound}
    counts: Counts = {}
    with connection.cursor() as cursor:
        for question in _QUESTIONS:
            cursor.execute(question.format(period=_PERIOD.format(scope=scope)), values)
            _add(counts, cursor.fetchall())
    return [_assessment(number, counts[number]) for number in sorted(counts)]


def start_of_day(day: str) -> datetime:
    """Return the first moment of a day such as `2026-03-02` in Shanghai.

    Raises:
        ValueError: it is no day.
    """
    return instant_at(datetime.combine(date.fromisoformat(day), time()), SHANGHAI)


def _scope(actor: Actor) -> tuple[str, dict[str, Any]]:
    if actor.sees_everything:
        return "", {}
    if actor.role in OF_A_STATION and actor.station_no:
        return " AND e.station_no = %(own_station)s", {"own_station": actor.station_no}
    if actor.role in OF_A_REGION and actor.region:
        return " AND e.region = %(own_region)s", {"own_region": actor.region}
    return " AND false", {}


def _add(counts: Counts, rows: Iterable[tuple[str, str, int]]) -> None:
    for station_no, what, number in rows:
        counts.setdefault(station_no, Counter())[what] += number


def _assessment(station_no: str, found: Counter[str]) -> Assessment:
    prefix = "cancelled "
    satisfied, unsolved = found["callbacks satisfied"], found["callbacks unsolved"]
    reasons = {what.removeprefix(prefix): number for what, number in sorted(found.items()) if what.startswith(prefix)}
    return Assessment(
        station_no=station_no,
        orders_closed=found["closed"],
        contacts_in_time=found["contact in time"],
        contacts_late=found["contact late"],
        promises_kept=found["visit in time"],
        promises_broken=found["visit late"],
        callbacks_made=satisfied + unsolved + found["callbacks dissatisfied"] + found["callbacks ?"],
        callbacks_satisfied=satisfied,
        callbacks_unsolved=unsolved,
        callbacks_not_reached=found["callbacks not reached"],
        parts_received=found["parts returned"] + found["parts kept"],
        parts_returned=found["parts returned"],
        cancellations=reasons,
    )


def _share(part: int, whole: int) -> int | None:
    return 100 * part // whole if whole else None
