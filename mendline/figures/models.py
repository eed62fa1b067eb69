"""What every figure is counted from: one row per order, kept by the worker from the history (`facts.py`)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import MD5

from mendline.access.actors import OF_A_REGION, Actor
from mendline.access.scopes import ScopedQuerySet
from mendline.journal.following import HistoryReading


class FactsInScope(ScopedQuerySet["OrderFact"]):
    """Rows of `OrderFact`, within a scope."""


class OrderFact(models.Model):
    """What one order adds to the figures. Days are Shanghai-local.

    The yes-or-no columns are the conditions of `care.scorecards` of the same name, as they held when
    the order last changed or its time was up (`again_at`).
    """

    order_id = models.BigIntegerField(primary_key=True)  # no key: orders are never deleted, and should not know
    reported_on = models.DateField()
    ended_on = models.DateField(null=True)  # empty while the order is somebody's work
    minutes = models.IntegerField(null=True)  # from the report to the end
    region = models.CharField(max_length=20)
    station_no = models.CharField(max_length=12, blank=True)
    product = models.CharField(max_length=40)
    assignee_id = models.BigIntegerField(null=True)
    cancelled_by = models.BigIntegerField(null=True)
    cancel_reason = models.CharField(max_length=40, blank=True)
    path_id = models.IntegerField(null=True)
    handovers = models.SmallIntegerField(default=0)  # how often the matter changed station, replaced orders included
    stations = models.TextField(blank=True)  # those stations in order, where there was a change
    contacts_late = models.BooleanField()
    contacts_in_time = models.BooleanField()
    promises_kept = models.BooleanField()
    promises_broken = models.BooleanField()
    serviced = models.BooleanField()
    repeat_visits = models.BooleanField()
    cancelled = models.BooleanField()
    closed = models.BooleanField()
    callbacks_satisfied = models.BooleanField()
    callbacks_dissatisfied = models.BooleanField()
    reopened = models.BooleanField()
    came_back = models.BooleanField()  # to a station that had it before, with another in between
    again_at = models.DateTimeField(null=True)  # when a condition changes although nothing happens

    objects = FactsInScope.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["reported_on", "order_id"], name="fact_reported"),
            models.Index(fields=["region", "reported_on", "order_id"], name="fact_of_region"),
            models.Index(fields=["station_no", "reported_on", "order_id"], name="fact_of_station"),
            models.Index(fields=["ended_on", "order_id"], name="fact_ended"),
            models.Index(fields=["station_no", "ended_on"], name="fact_of_station_ended"),
            models.Index(fields=["reported_on", "order_id"], name="fact_cancelled", condition=models.Q(cancelled=True)),
            models.Index(
                fields=["reported_on", "order_id"], name="fact_handed_over", condition=models.Q(handovers__gt=0)
            ),
            models.Index(fields=["again_at"], name="fact_again", condition=models.Q(again_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return str(self.order_id)


class Path(models.Model):
    """One way through a procedure that orders took: the steps that changed the state, each with where it led.

    `steps` reads `report:dispatched promise:promised …`.
    """

    id = models.AutoField(primary_key=True)
    process = models.CharField(max_length=40)
    version = models.SmallIntegerField()
    steps = models.TextField()

    class Meta:
        constraints: ClassVar = [
            # By digest: a path may be longer than what an index takes.
            models.UniqueConstraint("process", "version", MD5("steps"), name="one_path"),
        ]

    def __str__(self) -> str:
        return self.steps


class SummedMonth(models.Model):
    """A month whose sums are there (`months.py`)."""

    month = models.DateField(primary_key=True)  # its first day

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"


class MonthSums(models.Model):
    """How many of a month's orders meet each of the conditions that tables of figures show."""

    month = models.DateField()
    region = models.CharField(max_length=20)
    reported = models.IntegerField()
    ended = models.IntegerField()
    closed = models.IntegerField()
    contacts_in_time = models.IntegerField()
    contacts_late = models.IntegerField()
    promises_kept = models.IntegerField()
    promises_broken = models.IntegerField()
    serviced = models.IntegerField()
    repeat_visits = models.IntegerField()
    cancelled = models.IntegerField()
    handed_over = models.IntegerField()
    came_back = models.IntegerField()
    callbacks_satisfied = models.IntegerField()
    callbacks_dissatisfied = models.IntegerField()
    reopened = models.IntegerField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.region}"


class StationMonthsInScope(ScopedQuerySet["StationMonth"]):
    """Rows of `StationMonth`, within a scope."""


class StationMonth(MonthSums):
    """The sums of one engineer at one station."""

    station_no = models.CharField(max_length=12, blank=True)
    assignee_id = models.BigIntegerField(null=True)

    objects = StationMonthsInScope.as_manager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["month", "region"], name="station_month")]


class ProductMonthsInScope(ScopedQuerySet["ProductMonth"]):
    """Rows of `ProductMonth`, within a scope; they tell no station apart."""

    def limit_to(self, actor: Actor) -> ProductMonthsInScope:
        return self.filter(region=actor.region) if actor.role in OF_A_REGION and actor.region else self.none()


class ProductMonth(MonthSums):
    """The sums of one product in one region."""

    product = models.CharField(max_length=40)

    objects = ProductMonthsInScope.as_manager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["month", "region"], name="product_month")]


class Reading(HistoryReading):
    """How far the figures are; one row."""
