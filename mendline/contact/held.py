"""What waits to be sent after a restore, sorted by whether it may have been sent before, and letting it go.

Three kinds. *Before*: written before the moment that the restored database shows; in the time that was lost it may
have been sent. *Again*: from a clock that was due before the restore and struck after it, most likely for the
second time. *New*: everything else, which nobody can have been sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from mendline.access.actors import Actor
from mendline.access.traces import note_change
from mendline.journal import holds
from mendline.journal.holds import Hold
from mendline.kernel.errors import Refused
from mendline.kernel.text import Text

KINDS = {
    "before": Text("恢复时点之前写下，可能已经发过", "written before the restored moment; may have been sent"),
    "again": Text("恢复前已到期的时钟补发，多半已经发过", "from clocks due before the restore; most likely sent"),
    "new": Text("恢复之后的新消息", "new since the restore"),
}
NOT_SENT = "恢复备份后未发送 held back after a restore"

_SORTED = """
    SELECT o.id, o.channel, o.address <> '' AS addressed, CASE
        WHEN o.at <= %(as_of)s THEN 'before'
        WHEN EXISTS (SELECT FROM process_timer t WHERE t.subject = o.subject AND t.state = 'fired'
                     AND t.due_at <= %(since)s AND t.fired_at = o.at AND o.at >= %(since)s) THEN 'again'
        ELSE 'new' END AS kind
    FROM journal_outgoing o WHERE o.state = 'pending' AND o.channel <> 'inbox'
"""
_COUNT = f"SELECT kind, channel, count(*) FROM ({_SORTED}) AS waiting GROUP BY kind, channel ORDER BY kind, channel"
_END = f"""
    UPDATE journal_outgoing SET state = 'failed', next_try_at = NULL, error = %(why)s
    WHERE id IN (SELECT id FROM ({_SORTED}) AS waiting WHERE kind = ANY(%(kinds)s))
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """So many messages of one kind wait for one channel."""

    kind: str
    channel: str
    count: int


def waiting(hold: Hold) -> list[Waiting]:
    """Return what waits while a hold stands, sorted by kind."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"as_of": hold.as_of, "since": hold.since})
        return [Waiting(*row) for row in cursor.fetchall()]


@transaction.atomic
def release(*, everything: bool, actor: Actor, now: datetime) -> int:
    """Let the outbox go on; return how many messages were ended instead of sent.

    `everything`: also what may have been sent before. Otherwise that ends as given up, each with its reason, and
    can be sent again one by one under Administration → Messages.

    Raises:
        Refused: nothing is held.
    """
    hold = holds.standing()
    if hold is None:
        raise Refused("nothing_held", Text("没有被扣住的消息", "nothing is held back"))
    ended = 0
    if not everything:
        with connection.cursor() as cursor:
            kinds = ["before", "again"]
            known: dict[str, Any] = {"as_of": hold.as_of, "since": hold.since, "why": NOT_SENT, "kinds": kinds}
            cursor.execute(_END, known)
            ended = cursor.rowcount
    chosen = "everything" if everything else "new"
    holds.end(now=now, by=actor.name, chosen=chosen)
    after = {"released": chosen, "not_sent": ended, "restored_to": hold.as_of.isoformat()}
    note_change("outbox", "outbox.release", actor=actor, now=now, before={}, after=after)
    return ended
