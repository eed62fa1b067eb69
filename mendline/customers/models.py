"""Customers: who reported, how to reach them, where."""

from __future__ import annotations

from django.db import models


class Customer(models.Model):
    """A reporter, known by telephone number. The last name and address given are kept for the next call."""

    phone = models.CharField(max_length=20, unique=True)  # E.164, e.g. +8613800000001
    name = models.CharField(max_length=60)
    area = models.CharField(max_length=6, blank=True)
    address = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
