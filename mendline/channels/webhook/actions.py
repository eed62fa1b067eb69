"""Entering webhooks and switching them off."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from mendline.access.actors import COMMAND_LINE, Actor
from mendline.access.traces import note_change
from mendline.channels.webhook.adapter import policy
from mendline.channels.webhook.guard import AddressRefused, target_of
from mendline.channels.webhook.models import EVERY_KIND, Webhook
from mendline.kernel.errors import Invalid


def add_webhook(url: str, events: Sequence[str], *, now: datetime, actor: Actor = COMMAND_LINE) -> Webhook:
    """Enter a webhook; its secret is made here and shown to whoever enters it.

    The address is looked at now for its form; where it leads is looked at before every delivery.

    Raises:
        Invalid: the address is not one we post to.
    """
    try:
        target_of(url, policy())
    except AddressRefused as refused:
        raise Invalid({"url": refused.text}) from None
    kinds = sorted({kind.strip() for kind in events if kind.strip()}) or [EVERY_KIND]
    with transaction.atomic():
        made = Webhook.objects.create(url=url, events=kinds, created_by=actor.person_id, created_at=now)
        note_change(f"webhook:{made.pk}", "webhook.add", actor=actor, now=now, after={"url": url, "events": kinds})
    return made


@transaction.atomic
def stop_webhook(webhook_id: int, *, now: datetime, actor: Actor = COMMAND_LINE) -> bool:
    """Switch a webhook off and say whether there was one; what waits for it is given up at its next try."""
    if not Webhook.objects.filter(pk=webhook_id, active=True).update(active=False):
        return False
    changed = {"before": {"active": True}, "after": {"active": False}}
    note_change(f"webhook:{webhook_id}", "webhook.stop", actor=actor, now=now, **changed)
    return True
