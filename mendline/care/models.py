"""What is reckoned beforehand, so that a page about a whole region answers at once."""

from __future__ import annotations

from django.db import models


class StationScorecard(models.Model):
    """What a station did with the orders reported in the last 30 days; written by `care.scorecards` alone.

    Every number counts orders. `reasons` holds the cancelled ones by reason.
    """

    station_no = models.CharField(max_length=12, primary_key=True)
    since = models.DateTimeField()
    reckoned_at = models.DateTimeField()
    reported = models.IntegerField(default=0)
    contacts_late = models.IntegerField(default=0)
    contacts_in_time = models.IntegerField(default=0)
    promises_kept = models.IntegerField(default=0)
    promises_broken = models.IntegerField(default=0)
    serviced = models.IntegerField(default=0)
    repeat_visits = models.IntegerField(default=0)
    cancelled = models.IntegerField(default=0)
    reasons = models.JSONField(default=dict)
    closed = models.IntegerField(default=0)
    callbacks_satisfied = models.IntegerField(default=0)
    callbacks_dissatisfied = models.IntegerField(default=0)
    callbacks_not_reached = models.IntegerField(default=0)
    callbacks_waiting = models.IntegerField(default=0)
    callbacks_missing = models.IntegerField(default=0)
    reopened = models.IntegerField(default=0)
    open_orders = models.IntegerField(default=0)
    open_late = models.IntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.station_no} {self.reckoned_at:%Y-%m-%d %H:%M}"
