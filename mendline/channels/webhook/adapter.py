"""Webhooks: the event as JSON, signed, posted to another system."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime

import orjson
from django.conf import settings
from django.utils import timezone

from mendline.channels.webhook.guard import AddressRefused, NoAnswer, Policy, post
from mendline.channels.webhook.models import Webhook
from mendline.contact.ports import DeliveryFailed, Message

PREFIX = "webhook:"  # what `address` of an outbox row begins with; the webhook's id follows
GONE = 410


class WebhookChannel:
    """Posts one event to one webhook."""

    def send(self, message: Message) -> str:
        """Post the event; any answer of the 2xx kind means that it was taken.

        `X-Mendline-Event` is the id of the event and the same at every try, so a receiver drops
        what it has seen. Events of one order may overtake each other; `revision` says their order.

        Raises:
            DeliveryFailed: for good if the webhook was removed or switched off, or answers 410.
        """
        webhook = Webhook.objects.filter(pk=message.address.removeprefix(PREFIX), active=True).first()
        if webhook is None:
            raise DeliveryFailed("该推送地址已停用 the webhook was removed or switched off", permanent=True)
        body = orjson.dumps(dict(message.event))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Mendline-Webhook/1",
            "X-Mendline-Event": str(message.event.get("event_id", message.fingerprint)),
            "X-Mendline-Signature": signature(webhook.secret, body, timezone.now()),
        }
        try:
            status = post(webhook.url, body, headers, policy())
        except AddressRefused as refused:
            raise DeliveryFailed(f"{refused.text.zh} {refused.text.en}") from None
        except NoAnswer:
            raise DeliveryFailed("对方没有应答 the other side did not answer") from None
        if not 200 <= status < 300:
            raise DeliveryFailed(f"对方答复 the other side answered {status}", permanent=status == GONE)
        return str(status)


def signature(secret: str, body: bytes, at: datetime) -> str:
    """Return the header by which a receiver knows that we sent this, and when.

    HMAC-SHA256 over `<t>.<body>`, `t` being the seconds since 1970. A receiver computes the same
    and refuses what is older than five minutes.

    >>> from datetime import UTC
    >>> signature("s", b"{}", datetime(2026, 3, 2, tzinfo=UTC))[:33]
    't=1772409600,v1=8ae93d1b4b777c227'
    """
    moment = int(at.timestamp())
    digest = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


def policy() -> Policy:
    """Return what this installation allows (MENDLINE_WEBHOOK_ALLOW_HTTP, MENDLINE_WEBHOOK_ALLOW_PRIVATE)."""
    return Policy(http=settings.WEBHOOK_ALLOW_HTTP, private=settings.WEBHOOK_ALLOW_PRIVATE)
