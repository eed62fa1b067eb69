"""Station scorecards: what each station did with the orders of the last 30 days (STN-15, STN-19, STN-33, STN-48).

The worker reckons all of them in one statement over the orders that were reported in the window, one
row each (the journal has ten times as many); pages read the prepared rows. The same conditions list
the orders behind a number, so that a figure and its list cannot disagree.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from mendline.access.actors import OF_A_REGION, OF_A_STATION, Actor
from mendline.care.models import StationScorecard
from mendline.network.models import Station
from mendline.orders.models import RepairOrder
from mendline.orders.queries import LIST_COLUMNS

WINDOW = timedelta(days=30)
GOOD_FOR = timedelta(minutes=10)
MOST_LISTED = 100

_CONTACT = "o.clocks->'contact'"
_LATE = f"({_CONTACT} ? 'breached' OR ({_CONTACT}->>'run' = 'running' AND ({_CONTACT}->>'due')::timestamptz < %(now)s))"
_OPEN = "o.category IN ('open', 'waiting')"
# The first promise is the first with a time; the special T31 of a user who was not reached is none (STN-22).
FIRST_PROMISE = "(jsonb_path_query_first(o.facts, '$.t3_promises[*] ? (@.at != null)')->>'at')::timestamptz"
# The first service: an order that was re-opened has a later one, which does not undo how the first promise was kept.
SERVICE_STARTED = (
    "coalesce(o.facts->>'first_service_at', o.facts->'service_passes'->0->>'started_at',"
    " o.facts->>'service_started_at')::timestamptz"
)
_NO_CALLBACK = (
    "CASE WHEN o.state = 'resolved' THEN NOT EXISTS (SELECT 1 FROM orders_record r"
    " WHERE r.order_ref = o.ref AND r.process = 'callback') ELSE false END"
)

# Each figure's name and its condition on one order `o`.
CONDITIONS = {
    "reported": "true",
    "contacts_late": _LATE,
    "contacts_in_time": f"{_CONTACT}->>'run' = 'stopped' AND NOT {_CONTACT} ? 'breached' AND o.category <> 'void'",
    "promises_kept": f"{SERVICE_STARTED} <= {FIRST_PROMISE}",
    "promises_broken": (
        f"({SERVICE_STARTED} > {FIRST_PROMISE}"
        f" OR ({SERVICE_STARTED} IS NULL AND {_OPEN} AND {FIRST_PROMISE} < %(now)s))"
    ),
    "serviced": "(o.facts->>'passes')::int >= 1",
    "repeat_visits": "(o.facts->>'passes')::int >= 2",
    "cancelled": "o.category = 'void'",
    "closed": "o.category = 'done'",
    "callbacks_satisfied": "o.facts->>'callback_outcome' = 'satisfied'",
    "callbacks_dissatisfied": "o.facts->>'callback_outcome' = 'dissatisfied'",
    "callbacks_not_reached": "o.facts->>'callback_outcome' = 'not_reached'",
    "callbacks_waiting": f"o.state = 'resolved' AND NOT {_NO_CALLBACK}",
    "callbacks_missing": _NO_CALLBACK,
    "reopened": "(o.facts->>'reopened')::int >= 1",
}

_FIGURES = ", ".join(CONDITIONS)
_REFRESH = f"""
    WITH recent AS MATERIALIZED (
        SELECT o.station_no, o.facts->>'cancel_reason' AS reason,
               {", ".join(f"coalesce({condition}, false) AS {name}" for name, condition in CONDITIONS.items())}
        FROM orders_repairorder o WHERE o.created_at >= %(since)s AND o.station_no <> ''
    ), figures AS (
        SELECT station_no, {", ".join(f"count(*) FILTER (WHERE {name}) AS {name}" for name in CONDITIONS)}
        FROM recent GROUP BY station_no
    ), reasons AS (
        SELECT station_no, jsonb_object_agg(reason, n) AS reasons FROM (
            SELECT station_no, coalesce(reason, '') AS reason, count(*) AS n FROM recent WHERE cancelled
            GROUP BY 1, 2) AS counted
        GROUP BY station_no
    ), still AS (
        SELECT o.station_no, count(*) AS n, count(*) FILTER (WHERE o.due_at < %(now)s) AS late
        FROM orders_repairorder o WHERE {_OPEN} AND o.station_no <> '' GROUP BY o.station_no
    )
    INSERT INTO care_stationscorecard
        (station_no, since, reckoned_at, reasons, open_orders, open_late, {_FIGURES})
    SELECT s.number, %(since)s, %(now)s, coalesce(r.reasons, '{{}}'), coalesce(q.n, 0), coalesce(q.late, 0),
           {", ".join(f"coalesce(f.{name}, 0)" for name in CONDITIONS)}
    FROM network_station s
    LEFT JOIN figures f ON f.station_no = s.number
    LEFT JOIN reasons r ON r.station_no = s.number
    LEFT JOIN still q ON q.station_no = s.number
    ORDER BY s.number
    ON CONFLICT (station_no) DO UPDATE SET since = excluded.since, reckoned_at = excluded.reckoned_at,
        reasons = excluded.reasons, open_orders = excluded.open_orders, open_late = excluded.open_late,
        {", ".join(f"{name} = excluded.{name}" for name in CONDITIONS)}
"""
_LISTED = """
    SELECT o.id FROM orders_repairorder o
    WHERE o.created_at >= %(since)s AND {scope} AND {condition}
    ORDER BY o.created_at DESC, o.id DESC LIMIT %(limit)s
"""
_REQUESTS = """
    SELECT r.state, count(*) FROM orders_repairorder o JOIN orders_record r ON r.order_ref = o.ref
    WHERE o.station_no = %s AND o.created_at >= %s AND r.process = 'cancellation_request'
    GROUP BY r.state
"""


def refresh_scorecards(now: datetime) -> int:
    """Reckon every station's card anew, in one statement; return how many there are."""
    with connection.cursor() as cursor:
        cursor.execute(_REFRESH, {"now": now, "since": now - WINDOW})
        return int(cursor.rowcount)


def refresh_old_scorecards(now: datetime) -> bool:
    """Reckon anew what is older than ten minutes; tell whether that was needed. Called by the worker every minute."""
    newest = StationScorecard.objects.order_by("-reckoned_at").values_list("reckoned_at", flat=True).first()
    if newest is not None and now - newest < GOOD_FOR:
        return False
    refresh_scorecards(now)
    return True


def stations_of(actor: Actor) -> QuerySet[Station]:
    """Return the stations whose record this actor may see."""
    rows = Station.objects.select_related("region")
    if actor.sees_everything:
        return rows
    if actor.role in OF_A_REGION and actor.region:
        return rows.filter(region_id=actor.region)
    if actor.role in OF_A_STATION and actor.station_no:
        return rows.filter(number=actor.station_no)
    return rows.none()


def orders_behind(actor: Actor, card: StationScorecard, figure: str, *, reason: str = "") -> list[RepairOrder]:
    """Return the orders that a figure of a card counts, the newest first, at most 100.

    Raises KeyError for a figure that there is not.
    """
    condition = CONDITIONS[figure]
    values: dict[str, Any] = {"station": card.station_no, "since": card.since, "now": card.reckoned_at}
    if reason:
        condition, values["reason"] = f"{condition} AND o.facts->>'cancel_reason' = %(reason)s", reason
    return _listed(actor, "o.station_no = %(station)s", condition, values)


def without_callback(actor: Actor, now: datetime) -> list[RepairOrder]:
    """Return closed orders of the window that are on nobody's callback list: there should be none (STN-48)."""
    return _listed(actor, "o.state = 'resolved'", _NO_CALLBACK, {"since": now - WINDOW, "now": now})


def _listed(actor: Actor, scope: str, condition: str, values: dict[str, Any]) -> list[RepairOrder]:
    with connection.cursor() as cursor:
        cursor.execute(
            _LISTED.format(scope=scope, condition=f"coalesce({condition}, false)"), {**values, "limit": MOST_LISTED}
        )
        ids = [row[0] for row in cursor.fetchall()]
    query = RepairOrder.objects.visible_to(actor).filter(pk__in=ids).only(*LIST_COLUMNS)
    return list(query.order_by("-created_at", "-id"))


def requests_of(station_no: str, now: datetime) -> dict[str, int]:
    """Return how the cancellation requests on a station's orders of the window ended, by state (CAN-23 to CAN-25)."""
    with connection.cursor() as cursor:
        cursor.execute(_REQUESTS, [station_no, now - WINDOW])
        return {str(state): int(count) for state, count in cursor.fetchall()}


def share(part: int, whole: int) -> int | None:
    """Return a whole percentage, rounded down, so that 100 means all; None where nothing was counted."""
    return 100 * part // whole if whole else None
