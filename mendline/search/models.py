"""What orders can be found by, beside the orders themselves and filled after the fact.

Taking a report costs nothing here: the worker reads the history and follows (`index.py`). Two
tables of one shape, so that what people look for every minute stays small however long the
past grows: `Current` has what is open or came in the last twelve months, `Past` the rest.
"""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from mendline.access.scopes import ScopedQuerySet
from mendline.journal.following import HistoryReading
from mendline.orders.models import RepairOrder


class Findable(models.Model):
    """One order as it can be found. `keys` are numbers of words (`words.py`); nothing of it can be read."""

    # No constraint: orders are never deleted, and the table of orders should not know of this one.
    order = models.OneToOneField(
        RepairOrder, on_delete=models.DO_NOTHING, db_constraint=False, primary_key=True, related_name="+"
    )
    region = models.CharField(max_length=20)
    station_no = models.CharField(max_length=12, blank=True)
    created_at = models.DateTimeField()
    source = models.BigIntegerField()  # a digest of what `keys` were made of
    keys = ArrayField(models.IntegerField())

    class Meta:
        abstract = True
        indexes: ClassVar = [
            # A short list of what is not sorted in yet: read with every search, emptied by the worker itself.
            GinIndex(fields=["keys"], name="%(app_label)s_%(class)s_keys", gin_pending_list_limit=256),
            models.Index(fields=["-created_at"], name="%(app_label)s_%(class)s_new"),
            models.Index(fields=["station_no", "-created_at"], name="%(app_label)s_%(class)s_station"),
            models.Index(fields=["region", "-created_at"], name="%(app_label)s_%(class)s_region"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class FoundByKeys(ScopedQuerySet[Findable]):
    """Rows of either table, within a scope."""


class Current(Findable):
    """Open, or not older than twelve months."""

    objects = FoundByKeys.as_manager()


class Past(Findable):
    """Ended, and older than twelve months. Looked through only when somebody asks for everything."""

    objects = FoundByKeys.as_manager()


class Reading(HistoryReading):
    """How far the worker has read the history for the search."""
