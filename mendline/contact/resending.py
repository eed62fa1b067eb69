"""Sending a message once more, because somebody wants it: the other side lost it, or the fault is mended."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from mendline.access.actors import Actor
from mendline.access.traces import note_change
from mendline.journal.models import Outgoing
from mendline.kernel.errors import NotVisible, Refused
from mendline.kernel.text import Text

CHANNELS = ("email", "webhook")


@transaction.atomic
def send_again(outgoing_id: int, *, actor: Actor, now: datetime) -> None:
    """Put a message that was sent or given up back into the outbox; the worker takes it up within seconds.

    It keeps its key, so a receiver that got it before can tell that it is the same.

    Raises:
        NotVisible: there is no such message to the outside.
        Refused: it waits to be sent already.
    """
    row = Outgoing.objects.select_for_update().filter(pk=outgoing_id, channel__in=CHANNELS).first()
    if row is None:
        raise NotVisible
    if row.state == "pending":
        raise Refused("already_waiting", Text("这条消息正在等待发送，不必重发", "it is waiting to be sent already"))
    before = {"state": row.state, "attempts": row.attempts, "error": row.error}
    row.state, row.attempts, row.error, row.next_try_at, row.sent_at = "pending", 0, "", now, None
    row.save(update_fields=["state", "attempts", "error", "next_try_at", "sent_at"])
    after = {"state": "pending", "attempts": 0, "error": "", "notice": row.notice}
    note_change(f"outgoing:{row.pk}", "outgoing.resend", actor=actor, now=now, before=before, after=after)
