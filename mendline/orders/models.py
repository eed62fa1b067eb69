"""Repair orders, and the records beside them that have a small process of their own.

Both are written by `orders.transitions` alone, through the database function `mendline_write`.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from mendline.access.scopes import ScopedQuerySet


class Subject(models.Model):
    """What orders and records share: where they stand in their process, and whose they are."""

    ref = models.CharField(max_length=32, unique=True)
    process = models.CharField(max_length=40)
    process_version = models.SmallIntegerField()
    state = models.CharField(max_length=40)
    category = models.CharField(max_length=8)  # open | waiting | done | void
    region = models.CharField(max_length=20)
    station_no = models.CharField(max_length=12, blank=True)
    revision = models.IntegerField(default=0)
    facts = models.JSONField(default=dict)
    clocks = models.JSONField(default=dict)  # name → ClockState as JSON
    due_at = models.DateTimeField(null=True)  # the next running clock's deadline
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    created_by = models.BigIntegerField(null=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.ref


class RepairOrder(Subject):
    """A repair order (维修单)."""

    origin = models.CharField(max_length=8)  # cc | region | station: who generated it
    product_line = models.CharField(max_length=40)
    product = models.CharField(max_length=40)
    serial_no = models.CharField(max_length=40, blank=True)
    service_mode = models.CharField(max_length=10)  # on_site | send_in
    area = models.CharField(max_length=6)
    address = models.CharField(max_length=200, blank=True)
    customer_name = models.CharField(max_length=60)
    phone = models.CharField(max_length=20)
    fault = models.TextField()
    assignee_id = models.BigIntegerField(null=True)
    assignee_name = models.CharField(max_length=40, blank=True)
    replaces = models.CharField(max_length=32, blank=True)  # CAN-03: both directions
    replaced_by = models.CharField(max_length=32, blank=True)

    objects = ScopedQuerySet["RepairOrder"].as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["station_no", "due_at", "id"],
                name="order_queue",
                condition=models.Q(category__in=["open", "waiting"]),
            ),
            models.Index(
                fields=["region", "due_at", "id"],
                name="order_region_queue",
                condition=models.Q(category__in=["open", "waiting"]),
            ),
            models.Index(
                fields=["due_at", "id"], name="order_due", condition=models.Q(category__in=["open", "waiting"])
            ),
            models.Index(fields=["station_no", "-created_at", "-id"], name="order_history"),
            models.Index(fields=["-created_at", "-id"], name="order_newest"),
            models.Index(fields=["phone", "-created_at"], name="order_by_phone"),
            models.Index(
                fields=["serial_no", "-created_at"], name="order_by_serial", condition=~models.Q(serial_no="")
            ),
        ]


class Record(Subject):
    """A piece of work beside an order, with its own small process (cancellation request, part order, callback …)."""

    order_ref = models.CharField(max_length=32, blank=True)

    objects = ScopedQuerySet["Record"].as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["order_ref", "id"], name="record_of_order"),
            models.Index(
                fields=["process", "region", "due_at", "id"],
                name="record_inbox",
                condition=models.Q(category__in=["open", "waiting"]),
            ),
            models.Index(
                fields=["process", "station_no", "due_at", "id"],
                name="record_station_inbox",
                condition=models.Q(category__in=["open", "waiting"]),
            ),
        ]


class IdempotencyKey(models.Model):
    """The answer already given to an unsafe call, so that a repetition gets the same one."""

    person_id = models.BigIntegerField()
    key = models.CharField(max_length=80)
    request_digest = models.CharField(max_length=64)
    status = models.SmallIntegerField()
    body = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["person_id", "key"], name="one_answer_per_key")]
        indexes: ClassVar = [models.Index(fields=["created_at"], name="idempotency_age")]

    def __str__(self) -> str:
        return self.key


class Attachment(models.Model):
    """A photo or document of an order: checked, re-encoded, stored outside the web root under a random name."""

    order_ref = models.CharField(max_length=32, db_index=True)
    fact = models.CharField(max_length=40, blank=True)
    name = models.CharField(max_length=120)  # as given, cleaned; never used as a path
    stored_as = models.CharField(max_length=64, unique=True)
    media_type = models.CharField(max_length=40)
    size = models.IntegerField()  # bytes
    sha256 = models.CharField(max_length=64)
    uploaded_by = models.BigIntegerField()
    uploaded_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
