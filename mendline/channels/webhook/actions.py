"""Entering webhooks and switching them off."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from mendline.channels.webhook.adapter import policy
from mendline.channels.webhook.guard import AddressRefused, target_of
from mendline.channels.webhook.models import EVERY_KIND, Webhook
from mendline.kernel.errors import Invalid


def add_webhook(url: str, events: Sequence[str], *, now: datetime, created_by: int | None = None) -> Webhook:
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
    return Webhook.objects.create(url=url, events=kinds, created_by=created_by, created_at=now)


def stop_webhook(webhook_id: int) -> bool:
    """Switch a webhook off and say whether there was one; what waits for it is given up at its next try."""
    return bool(Webhook.objects.filter(pk=webhook_id, active=True).update(active=False))
