"""Carries out what the outbox still owes to the world: at least once, recognisable at the second time.

A row is claimed for a while, sent, and marked only then. Whoever is killed in between leaves a
claim that runs out, and the message goes out again with the same key. Marking first would lose it;
holding the row locked while a mail server thinks would keep a transaction open for as long.

After a restore nothing is claimed until somebody lets it (see `journal/holds.py`).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson
from django.db import connection

from mendline.contact.pauses import FIRST_PAUSE, GIVE_UP_AFTER, pause_after
from mendline.contact.ports import LONGEST_REASON, Channel, DeliveryFailed, Message
from mendline.journal.holds import NO_HOLD
from mendline.kernel.text import Text

logger = logging.getLogger(__name__)

# How long a claim lasts. Longer than any channel may take over one message (e-mail 20 s, webhook 10 s).
CLAIM = timedelta(minutes=2)

_CLAIM = f"""
    UPDATE journal_outgoing SET attempts = attempts + 1, next_try_at = %s
    WHERE id = (
        SELECT id FROM journal_outgoing
        WHERE state = 'pending' AND channel = %s AND address <> '' AND next_try_at <= %s
          AND {NO_HOLD}
        ORDER BY next_try_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING id, key, at, subject, notice, address, data, attempts
"""
_SENT = """
    UPDATE journal_outgoing SET state = 'sent', sent_at = %s, next_try_at = NULL, error = ''
    WHERE id = %s AND state <> 'sent'
"""
# Only by whoever holds the claim: a slow worker must not undo what the next one found out.
_NOT_SENT = """
    UPDATE journal_outgoing SET state = %s, next_try_at = %s, error = %s
    WHERE id = %s AND state = 'pending' AND attempts = %s
"""
# One receiver's trouble keeps only its own messages waiting, and those only shortly: the fault may lie in the one.
_PUT_OFF_THE_OTHERS = """
    UPDATE journal_outgoing SET next_try_at = %s
    WHERE state = 'pending' AND channel = %s AND address = %s AND next_try_at < %s AND id <> %s
"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that is ours to send for the next two minutes, and how many tries there have been."""

    message: Message
    attempts: int


def deliver_next(name: str, channel: Channel, *, now: datetime) -> bool:
    """Send the message of channel `name` that has been due for longest; return whether there was one.

    Each claim, and each outcome, is a statement of its own: no transaction stays open while the
    other side answers.
    """
    claimed = _claim(name, now)
    if claimed is None:
        return False
    message = claimed.message
    try:
        remark = channel.send(message)
    except DeliveryFailed as failure:
        _note_failure(name, claimed, failure, now)
    except Exception as fault:  # a fault of ours in one message must not keep the others
        logger.exception("outgoing %s: the %s channel failed", message.id, name)
        _note_failure(name, claimed, DeliveryFailed(f"内部错误 internal fault: {type(fault).__name__}"), now)
    else:
        _execute(_SENT, now, message.id)
        logger.info("outgoing %s sent by %s: %s", message.id, name, remark)
    return True


def _claim(name: str, now: datetime) -> Claimed | None:
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [now + CLAIM, name, now])
        row = cursor.fetchone()
    if row is None:
        return None
    row_id, key, at, subject, notice, address, data, attempts = row
    event = orjson.loads(data)  # Django leaves jsonb as text in plain queries
    text = Text(str(event.get("zh", "")), str(event.get("en", "")))
    return Claimed(Message(row_id, key, at, subject, notice, address, text, event), attempts)


def _note_failure(name: str, claimed: Claimed, failure: DeliveryFailed, now: datetime) -> None:
    message = claimed.message
    final = failure.permanent or now - message.at > GIVE_UP_AFTER
    next_try = None if final else now + pause_after(claimed.attempts)
    reason = shortened(failure.reason)
    _execute(_NOT_SENT, "failed" if final else "pending", next_try, reason, message.id, claimed.attempts)
    if not failure.permanent:
        soon = now + FIRST_PAUSE
        _execute(_PUT_OFF_THE_OTHERS, soon, name, message.address, soon, message.id)
    if final:
        logger.warning("outgoing %s by %s given up: %s", message.id, name, reason)


def shortened(reason: str) -> str:
    """Return a reason as it is kept: one line, at most 200 characters.

    >>> shortened("554 5.7.1" + chr(10) + "refused")
    '554 5.7.1 refused'
    """
    line = " ".join(reason.split())
    return line if len(line) <= LONGEST_REASON else line[: LONGEST_REASON - 1] + "…"


def _execute(statement: str, *values: str | int | datetime | None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, list(values))
