"""Holding back what goes outside after a restore, until a person lets it go.

A restored database does not know what was sent between the moment it shows and the moment it was lost; and clocks
that fell due in that time strike once more. Whatever it sent by itself might be sent a second time. So a restore
begins a hold, in the restored database and before anybody can connect to it: the statement with which the outbox
claims a message finds nothing while a hold stands. Nothing else stops: people work, clocks strike, notices show.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

# What stands between a restored database and the world. Part of the statement that claims a message.
NO_HOLD = "NOT EXISTS (SELECT FROM journal_hold WHERE released_at IS NULL)"
_STANDING = "SELECT id, since, as_of, why FROM journal_hold WHERE released_at IS NULL"
_BEGIN = """
    INSERT INTO journal_hold (since, as_of, why) VALUES (%s, %s, %s)
    ON CONFLICT ((1)) WHERE released_at IS NULL DO UPDATE SET since = excluded.since, why = excluded.why,
        as_of = least(journal_hold.as_of, excluded.as_of)
"""
_RELEASE = "UPDATE journal_hold SET released_at = %s, released_by = %s, chosen = %s WHERE released_at IS NULL"
_THERE = "SELECT to_regclass('journal_hold')"


@dataclass(frozen=True, slots=True)
class Hold:
    """Nothing goes out since `since`; the database shows the moment `as_of`."""

    id: int
    since: datetime
    as_of: datetime
    why: str


def begin(cursor: Any, *, since: datetime, as_of: datetime, why: str) -> bool:
    """Begin a hold; one that stands already reaches back as far as the earlier of both.

    Takes any cursor of the database's owner. Returns False for a database of a release that knew no holds: whoever
    asks must then see to it that nothing is sent.
    """
    cursor.execute(_THERE)
    if cursor.fetchone()[0] is None:
        return False
    cursor.execute(_BEGIN, [since, as_of, why])
    return True


def standing() -> Hold | None:
    """Return the hold that stands, or None when everything goes out as usual."""
    with connection.cursor() as cursor:
        cursor.execute(_STANDING)
        row = cursor.fetchone()
    return None if row is None else Hold(*row)


def end(*, now: datetime, by: str, chosen: str) -> None:
    """End the hold; what waits goes out within seconds."""
    with connection.cursor() as cursor:
        cursor.execute(_RELEASE, [now, by, chosen])
