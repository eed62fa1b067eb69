"""Sealing the history as it grows. Done by the worker, so that whoever writes to the history does nothing for it.

Entries get their numbers before they can be seen, and a lower one may come after a higher one. So the sealer looks
who is writing, waits until all of those have ended, and only then seals up to the newest entry that it saw: below it
nothing can come any more. Somebody who keeps a transaction open for long holds the seal back, and `audit status` says
how much of the history is not sealed yet.
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from mendline.journal import sealing_heads
from mendline.journal.following import Horizon, look_around
from mendline.journal.models import Outgoing
from mendline.journal.sealing_chain import LOWEST, SEAL_COLUMNS, Seal, beginning, read_leaves, sealed

logger = logging.getLogger(__name__)

EVERY_SECONDS = 5.0
MOST = 5000  # entries in one seal
MAILED_EVERY = timedelta(days=1)

_LAST = f"SELECT {SEAL_COLUMNS} FROM journal_seal ORDER BY number DESC LIMIT 1"
_AFTER = f"SELECT {SEAL_COLUMNS} FROM journal_seal WHERE number > %s ORDER BY number LIMIT 1000"
_ADD = f"INSERT INTO journal_seal ({SEAL_COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
# Two sealers at once would make the same number; the second finds it taken. This spares them the work.
_ONE_AT_A_TIME = "SELECT pg_try_advisory_xact_lock(hashtext('journal_seal'))"


@dataclass(slots=True)
class Sealer:
    """One worker's sealing. What it remembers is only what it waits for; a new one begins to wait anew."""

    waiting: Horizon | None = None

    def seal(self, now: datetime) -> bool:
        """Seal what can be sealed, at most one piece; return whether there is more to do at once."""
        horizon = look_around()
        if self.waiting is None:
            self.waiting = horizon
        if not horizon.over(self.waiting.writers):
            return False
        settled = self.waiting.newest_entry
        more = add_seal(settled, now)
        if not more:
            self.waiting = None
        keep_heads(now)
        return more


def add_seal(settled: int, now: datetime) -> bool:
    """Seal the entries up to number `settled`, below which nothing can come any more; return whether more are left.

    Nothing happens where nothing is new, or while another worker does the same.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_ONE_AT_A_TIME)
        if not cursor.fetchone()[0]:
            return False
        last = last_seal(cursor)
        if last is None:
            last = beginning(secrets.token_bytes(32), now)
            _add(cursor, last)
        leaves = read_leaves(cursor, last.up_to, settled, MOST)
        if not leaves:
            return False
        full = len(leaves) == MOST
        _add(cursor, sealed(last, leaves, up_to=leaves[-1].id if full else settled, now=now))
        return full


def last_seal(cursor: Any) -> Seal | None:
    cursor.execute(_LAST)
    row = cursor.fetchone()
    return None if row is None else seal_of(row)


def seal_of(row: tuple[Any, ...]) -> Seal:
    """Return the seal in a row of `SEAL_COLUMNS`."""
    number, form, up_to, entries, sealed_at, content, head, leaves = row
    return Seal(number, form, up_to, entries, sealed_at, bytes(content), bytes(head), bytes(leaves))


def _add(cursor: Any, seal: Seal) -> None:
    values = (seal.number, seal.form, seal.up_to, seal.entries, seal.sealed_at, seal.content, seal.head, seal.leaves)
    cursor.execute(_ADD, list(values))


def keep_heads(now: datetime) -> None:
    """Write the heads that are not outside yet into the file outside, and mail the newest once a day if wanted.

    A seal is committed first. Whoever dies in between leaves it to the next round.
    """
    with connection.cursor() as cursor:
        file = sealing_heads.file_of(cursor)
        if file is None:
            return
        kept = file.last_number()
        cursor.execute(_AFTER, [kept])
        missing = [seal_of(row) for row in cursor.fetchall()]
    if missing:
        file.add(missing)
        if settings.SEALS_MAIL and missing[-1].up_to != LOWEST:
            _mail(missing[-1], now)


def _mail(seal: Seal, now: datetime) -> None:
    """Put the newest head into the outbox, to an address outside of the reach of whoever keeps the database."""
    if Outgoing.objects.filter(subject="seal", at__gt=now - MAILED_EVERY).exists():
        return
    line = sealing_heads.line_of(seal)
    Outgoing.objects.bulk_create(
        [
            Outgoing(
                key=f"seal:{seal.number}:{seal.head.hex()[:16]}", at=now, subject="seal", notice="seal",
                channel="email", address=settings.SEALS_MAIL, next_try_at=now,
                data={"zh": f"历史封存号，请保存：{line}", "en": f"The head of the sealed history. Keep it: {line}"},
            )
        ],
        ignore_conflicts=True,
    )  # fmt: skip
