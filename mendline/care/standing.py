"""How stations stand: contacts in time over 30 days, and what is open. Kept for the ranking and the scorecard."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection

WINDOW = timedelta(days=30)

# Reckoned from the orders' own contact clocks, one row each, and not from the history, which has ten times as many.
# Of a re-opened order the last run counts; one that was cancelled before its limit and before any contact does not.
_REFRESH = """
    WITH contacts AS (
        SELECT station_no,
               count(*) FILTER (WHERE late) AS late,
               count(*) FILTER (WHERE late OR made) AS counted
        FROM (
            SELECT station_no,
                   clocks->'contact' ? 'breached'
                       OR (clocks->'contact'->>'run' = 'running' AND (clocks->'contact'->>'due')::timestamptz < %(now)s)
                       AS late,
                   clocks->'contact'->>'run' = 'stopped' AND category <> 'void' AS made
            FROM orders_repairorder
            WHERE created_at >= %(since)s AND station_no <> '' AND clocks ? 'contact'
        ) AS runs
        GROUP BY station_no
    ), open_orders AS (
        SELECT station_no, count(*) AS n FROM orders_repairorder
        WHERE category IN ('open', 'waiting') AND station_no <> '' GROUP BY station_no
    )
    INSERT INTO network_stationstanding (station_no, on_time_percent, contacts, open_orders, reckoned_at)
    SELECT s.number, coalesce(floor(100.0 * (c.counted - c.late) / nullif(c.counted, 0)), 100),
           coalesce(c.counted, 0), coalesce(o.n, 0), %(now)s
    FROM network_station s
    LEFT JOIN contacts c ON c.station_no = s.number
    LEFT JOIN open_orders o ON o.station_no = s.number
    ORDER BY s.number
    ON CONFLICT (station_no) DO UPDATE SET on_time_percent = excluded.on_time_percent, contacts = excluded.contacts,
        open_orders = excluded.open_orders, reckoned_at = excluded.reckoned_at
"""


def refresh_standings(now: datetime) -> int:
    """Reckon the standing of every station anew, in one statement; return how many there are (STN-15, STN-19).

    A share is rounded down, so 100 % means that not one was late. A station without contacts has 100 %.
    """
    with connection.cursor() as cursor:
        cursor.execute(_REFRESH, {"now": now, "since": now - WINDOW})
        return int(cursor.rowcount)
