"""Regions, stations and their points, who serves which area with which capacity, from when to when."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

# A row that was replaced before its first day ends on the day it begins: it stays readable and means nothing (COM-07).
STILL_MEANT = Q(effective_until=None) | Q(effective_until__gt=F("effective_from"))
NOT_BACKWARDS = Q(effective_until=None) | Q(effective_until__gte=F("effective_from"))


class Area(models.Model):
    """An administrative area: 2 digits a province, 4 a city, 6 a county (GB/T 2260)."""

    code = models.CharField(max_length=6, primary_key=True)
    name = models.CharField(max_length=40)
    full_name = models.CharField(max_length=100)
    parent = models.CharField(max_length=6, blank=True)

    def __str__(self) -> str:
        return self.full_name


class Region(models.Model):
    """A regional office (大区) above stations. `provinces` lists the 2-digit codes it is responsible for."""

    code = models.CharField(max_length=20, primary_key=True)
    name = models.CharField(max_length=40)
    provinces = models.JSONField(default=list)

    def __str__(self) -> str:
        return self.name


class ProductLine(models.Model):
    """A product line (产品线). `channel` says whose procedure it follows (CAN-34)."""

    code = models.CharField(max_length=40, primary_key=True)
    name_zh = models.CharField(max_length=40)
    name_en = models.CharField(max_length=60)
    channel = models.CharField(max_length=40)

    def __str__(self) -> str:
        return self.name_zh


class Product(models.Model):
    """A product as people name it; belongs to a line. Every line is also a product of the same code."""

    code = models.CharField(max_length=40, primary_key=True)
    line = models.ForeignKey(ProductLine, on_delete=models.PROTECT, related_name="products")
    name_zh = models.CharField(max_length=60)
    name_en = models.CharField(max_length=80)

    def __str__(self) -> str:
        return self.name_zh


class Station(models.Model):
    """A repair station (维修站). A point (维修点) names its head station; dispatch goes to heads only (STN-18).

    `number` is text because 000001 keeps its zeros (CAN-29).
    """

    number = models.CharField(max_length=12, primary_key=True)
    name = models.CharField(max_length=60)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="stations")
    head = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="points")
    area = models.CharField(max_length=6)  # where it stands
    address = models.CharField(max_length=200, blank=True)
    phone = models.CharField(max_length=20, blank=True)
    works_in_cc_web = models.BooleanField(default=True)  # STN-01
    is_central = models.BooleanField(default=False)  # 中心站, a recipient of notices (UDS-04)
    active_from = models.DateField()
    active_until = models.DateField(null=True, blank=True)
    part_delivery_days = models.SmallIntegerField(default=3)  # delivery terms of the contract (STN-36)

    def __str__(self) -> str:
        return f"{self.number} {self.name}"


class Coverage(models.Model):
    """A station serves an area for a product line, from one day to another (COM-05, COM-07). Ends are never deleted."""

    station = models.ForeignKey(Station, on_delete=models.PROTECT, related_name="coverage")
    area = models.CharField(max_length=6)  # 2, 4 or 6 digits; the most specific wins
    product_line = models.CharField(max_length=40)
    effective_from = models.DateField()
    effective_until = models.DateField(null=True, blank=True)  # first day it no longer holds
    request = models.CharField(max_length=32, blank=True)  # the coverage change request that made it (COM-06)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["product_line", "area"], name="coverage_by_area")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["station", "area", "product_line", "effective_from"],
                condition=STILL_MEANT,
                name="one_coverage_per_start",
            ),
            models.CheckConstraint(condition=NOT_BACKWARDS, name="coverage_not_backwards"),
        ]

    def __str__(self) -> str:
        return f"{self.station_id} {self.area} {self.product_line}"


class Capacity(models.Model):
    """Orders per day that a station takes of a product line, from one day to another (COM-05)."""

    station = models.ForeignKey(Station, on_delete=models.PROTECT, related_name="capacities")
    product_line = models.CharField(max_length=40)
    per_day = models.IntegerField()
    effective_from = models.DateField()
    effective_until = models.DateField(null=True, blank=True)
    request = models.CharField(max_length=32, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["station", "product_line", "effective_from"],
                condition=STILL_MEANT,
                name="one_capacity_per_start",
            ),
            models.CheckConstraint(condition=NOT_BACKWARDS, name="capacity_not_backwards"),
            models.CheckConstraint(condition=models.Q(per_day__gte=0), name="capacity_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.station_id} {self.product_line} {self.per_day}/day"


class DayLoad(models.Model):
    """How many seats of a station's day are taken. The check makes overselling impossible (COM-10)."""

    station_no = models.CharField(max_length=12)
    product_line = models.CharField(max_length=40)
    day = models.DateField()
    capacity = models.IntegerField()
    taken = models.IntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["station_no", "product_line", "day"], name="one_load_per_day"),
            models.CheckConstraint(condition=models.Q(taken__gte=0), name="never_less_than_none"),
        ]

    def __str__(self) -> str:
        return f"{self.station_no} {self.product_line} {self.day}: {self.taken}/{self.capacity}"


class Seat(models.Model):
    """One order's place in a station's day. Giving it back deletes the row, so it can be given back only once."""

    order_ref = models.CharField(max_length=32, unique=True)
    load = models.ForeignKey(DayLoad, on_delete=models.PROTECT, related_name="seats")

    def __str__(self) -> str:
        return self.order_ref


class No800Area(models.Model):
    """An area where the 800 number is not available, as filed (未开通800地区备案表, COM-04)."""

    area = models.CharField(max_length=6)
    filed_on = models.DateField()
    effective_from = models.DateField()
    effective_until = models.DateField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["area", "effective_from"], condition=STILL_MEANT, name="one_filing_per_start"
            ),
            models.CheckConstraint(condition=NOT_BACKWARDS, name="filing_not_backwards"),
        ]

    def __str__(self) -> str:
        return self.area


class StationStanding(models.Model):
    """A station's recent record, kept by the worker: what the ranking and the region's scorecard read."""

    station_no = models.CharField(max_length=12, primary_key=True)
    on_time_percent = models.SmallIntegerField(default=100)  # contacts in time over 30 days
    contacts = models.IntegerField(default=0)
    open_orders = models.IntegerField(default=0)
    reckoned_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.station_no} {self.on_time_percent}%"


class Upload(models.Model):
    """A table that somebody sent for checking, kept between the check and the import; a day later it is gone."""

    name = models.CharField(max_length=120)
    content = models.BinaryField()
    uploaded_by = models.BigIntegerField()
    uploaded_at = models.DateTimeField(db_index=True)
    imported_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class NetworkRevision(models.Model):
    """One row that every change of the network replaces with a number never used before; written by triggers.

    Whoever keeps the network in memory compares this number. It comes from a sequence, so that a
    change that was rolled back can never be mistaken for a later one.
    """

    revision = models.BigIntegerField()

    def __str__(self) -> str:
        return str(self.revision)


class NetworkChange(models.Model):
    """Which station a revision touched; an empty number stands for "too many to list". Written by triggers."""

    revision = models.BigIntegerField(db_index=True)
    station_no = models.CharField(max_length=12, blank=True)

    def __str__(self) -> str:
        return f"{self.revision} {self.station_no}"
