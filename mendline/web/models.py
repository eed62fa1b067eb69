"""What people arrange for themselves in the console."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from mendline.access.models import Person


class SavedView(models.Model):
    """The queue as somebody likes to see it: the filters of its address, under a name that this person gave them."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=30)
    query = models.CharField(max_length=400, blank=True)  # what stands after the `?`, as `QueueAddress` writes it

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["person", "name"], name="one_view_per_name")]

    def __str__(self) -> str:
        return self.name


class TourTaken(models.Model):
    """Somebody saw the tour of a role to its end, left it, or did not want it."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    role = models.CharField(max_length=40)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["person", "role"], name="one_tour_per_role")]

    def __str__(self) -> str:
        return self.role
