"""Seats of a station's day: read and given back. One is taken by the statement that writes its order.

The database functions (`network/migrations`) are the only truth about what is left: a choice made
from an old count is refused there, and whoever made it chooses anew (COM-10).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from django.db import connection

from mendline.dispatch.choice import Loads
from mendline.process.registry import Question

# Lists travel as one text: the driver needs longer to write an array than the server to take a text apart. The
# text is taken apart by a query of its own: a planner that sees how short a list is finds that planning anew every
# time pays, and it takes three times as long as the answer.
LOADS = """
    SELECT json_build_object(
        'revision', (SELECT revision FROM network_networkrevision WHERE id = 1),
        'loads', (SELECT json_object_agg(station_no, json_build_array(taken, capacity)) FROM network_dayload
                  WHERE product_line = %s AND day = %s AND station_no = ANY((SELECT string_to_array(%s, ','))::text[])))
"""


class DayRead(NamedTuple):
    """The loads of the asked stations, and the network's revision in the same snapshot."""

    loads: Loads
    revision: int


def about_day(stations: Sequence[str], line: str, day: date, then: Callable[[DayRead], Any]) -> Question:
    """Ask for the loads of `stations` on a Shanghai-local day; stations whose day is not open yet are left out."""

    def read(answer: Mapping[str, Any]) -> Any:
        loads = {number: (taken, capacity) for number, (taken, capacity) in (answer["loads"] or {}).items()}
        return then(DayRead(loads, answer["revision"] or 0))

    return Question(LOADS, (line, day, ",".join(stations)), read)


def release(order_ref: str) -> bool:
    """Give the order's seat back; False when it has none (any more). Twice gives back once."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT network_give_back_seat(%s)", [order_ref])
        row = cursor.fetchone()
    return bool(row and row[0])


def announce_move() -> None:
    """Say that this transaction will give back one seat and take another, before it does either.

    Whoever takes a seat holds one counter and never waits for a second; a move holds two. Moves
    therefore go one after the other, so that no two can wait for each other.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(72019, 5), pg_advisory_xact_lock(72019, 6)")


def seats_left(station: str, line: str, day: date) -> int:
    """Return how many orders the station can still take of the line that day: for screens and tests."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce("
            " (SELECT greatest(capacity - taken, 0) FROM network_dayload"
            "   WHERE station_no = %(station)s AND product_line = %(line)s AND day = %(day)s),"
            " (SELECT per_day FROM network_capacity WHERE station_id = %(station)s AND product_line = %(line)s"
            "   AND effective_from <= %(day)s AND (effective_until IS NULL OR effective_until > %(day)s)"
            "   ORDER BY effective_from DESC LIMIT 1), 0)",
            {"station": station, "line": line, "day": day},
        )
        row = cursor.fetchone()
    return int(row[0]) if row else 0
