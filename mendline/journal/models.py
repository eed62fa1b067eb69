"""The append-only history of every record, and the outbox of what the world must still be told."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Entry(models.Model):
    """One thing that happened to one record. Rows are only ever added (a trigger refuses the rest)."""

    at = models.DateTimeField()
    subject = models.CharField(max_length=32)
    kind = models.CharField(max_length=64)  # subject.verb, e.g. `order.cancel`, `clock.breach`
    process = models.CharField(max_length=40)
    from_state = models.CharField(max_length=40, blank=True)
    to_state = models.CharField(max_length=40, blank=True)
    revision = models.IntegerField()
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=80)
    actor_role = models.CharField(max_length=40)
    station_no = models.CharField(max_length=12, blank=True)
    region = models.CharField(max_length=20, blank=True)
    data = models.JSONField(default=dict)  # given, changed, clocks, rules, why

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["subject", "id"], name="entry_of_subject"),
            models.Index(fields=["at", "id"], name="entry_by_time"),
            models.Index(
                fields=["actor_id", "at"], name="entry_of_a_reveal", condition=models.Q(kind="order.reveal_phone")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.kind} {self.at:%Y-%m-%d %H:%M}"


class Outgoing(models.Model):
    """One message to one audience by one channel, written with the change that caused it.

    An `inbox` row is its own delivery: people of that role and scope see it. `email` and
    `webhook` rows are carried out by the worker after the commit; `key` makes a second
    delivery recognisable at the receiver.
    """

    key = models.CharField(max_length=120, unique=True)
    at = models.DateTimeField()
    subject = models.CharField(max_length=32)
    notice = models.CharField(max_length=60)
    channel = models.CharField(max_length=12)  # inbox | email | webhook
    role = models.CharField(max_length=40, blank=True)
    station_no = models.CharField(max_length=12, blank=True)
    region = models.CharField(max_length=20, blank=True)
    person_id = models.BigIntegerField(null=True)
    address = models.CharField(max_length=254, blank=True)
    data = models.JSONField(default=dict)  # {"zh": …, "en": …} for people; the event itself for a webhook
    state = models.CharField(max_length=10, default="pending")  # pending | sent | failed | shown
    attempts = models.SmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["next_try_at", "id"], name="outgoing_due", condition=models.Q(state="pending")),
            models.Index(
                fields=["role", "station_no", "-id"], name="outgoing_inbox", condition=models.Q(channel="inbox")
            ),
            models.Index(fields=["subject", "id"], name="outgoing_of_subject"),
            models.Index(fields=["-id"], name="outgoing_failed", condition=models.Q(state="failed")),
            models.Index(fields=["address", "-id"], name="outgoing_to_webhook", condition=models.Q(channel="webhook")),
        ]

    def __str__(self) -> str:
        return self.key
