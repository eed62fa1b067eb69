"""Small regular work on our own tables, done by the worker."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection

ANSWERS_KEPT = timedelta(days=30)  # an engineer's phone may be without network for weeks and then repeat itself
BATCH = 2000

_FORGET = """
    DELETE FROM orders_idempotencykey WHERE id IN (
        SELECT id FROM orders_idempotencykey WHERE created_at < %s ORDER BY created_at LIMIT %s
    )
"""


def forget_old_answers(now: datetime) -> bool:
    """Delete kept answers older than 30 days, some at a time; return whether there may be more."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, [now - ANSWERS_KEPT, BATCH])
        return bool(cursor.rowcount == BATCH)
