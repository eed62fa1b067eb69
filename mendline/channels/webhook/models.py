"""Where events are posted to."""

from __future__ import annotations

import secrets

from django.db import models

EVERY_KIND = "*"


def new_secret() -> str:
    return secrets.token_urlsafe(32)


class Webhook(models.Model):
    """An address of another system that is told of journal entries.

    `events` lists journal kinds (`order.cancel`), or holds "*" for all. A trigger on the journal
    writes a row of the outbox for each active one, in the transaction of the event itself.
    """

    url = models.CharField(max_length=500)
    secret = models.CharField(max_length=100, default=new_secret)  # the key of the signature
    events = models.JSONField(default=list)
    active = models.BooleanField(default=True)
    created_by = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.pk} {self.url}"
