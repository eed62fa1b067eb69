"""What the engine keeps in tables: allowed changes, timers, calendars, versions in force."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class AllowedChange(models.Model):
    """One pair of states that a process version allows, generated from its file.

    A trigger on orders and records refuses every change that is not listed here, whoever connects.
    """

    process = models.CharField(max_length=40)
    version = models.SmallIntegerField()
    from_state = models.CharField(max_length=40)  # `new` for a creation
    to_state = models.CharField(max_length=40)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["process", "version", "from_state", "to_state"], name="one_allowed_change")
        ]

    def __str__(self) -> str:
        return f"{self.process} {self.version}: {self.from_state} → {self.to_state}"


class Timer(models.Model):
    """One step of one clock of one record, due at an absolute instant.

    A clock that stops voids its open steps; a later start has the next generation, so a step
    taken up late can never hit the wrong run.
    """

    subject = models.CharField(max_length=32)
    clock = models.CharField(max_length=40)
    step = models.CharField(max_length=12)  # `warn50`, `warn75`, …, `breach`
    generation = models.IntegerField()
    due_at = models.DateTimeField()
    state = models.CharField(max_length=8, default="open")  # open | fired | void
    fired_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["subject", "clock", "step", "generation"], name="one_timer_per_step")
        ]
        indexes: ClassVar = [models.Index(fields=["due_at", "id"], name="timer_due", condition=models.Q(state="open"))]

    def __str__(self) -> str:
        return f"{self.subject} {self.clock}/{self.step} {self.due_at:%Y-%m-%d %H:%M}"


class CalendarDay(models.Model):
    """A day that differs from its weekday: a holiday, or a make-up workday (调休上班)."""

    calendar = models.CharField(max_length=20, default="cn")
    day = models.DateField()
    works = models.BooleanField()
    name = models.CharField(max_length=40)
    provisional = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["calendar", "day"], name="one_entry_per_day")]

    def __str__(self) -> str:
        return f"{self.day} {self.name}"


class ProcedureVersion(models.Model):
    """A process version in force for a product line, from its publication until it is replaced (UDS-01, UDS-07).

    `product_line` is empty for the procedure that holds where no line has its own. `document` is
    the controlled document (`procedure_document`) that published it.
    """

    process = models.CharField(max_length=40)
    version = models.SmallIntegerField()
    product_line = models.CharField(max_length=40, blank=True)
    document = models.CharField(max_length=32, blank=True)
    in_force_from = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["process", "product_line"], condition=models.Q(ended_at=None), name="one_version_in_force"
            )
        ]

    def __str__(self) -> str:
        return f"{self.process} V{self.version} {self.product_line or '*'}"


class Overlay(models.Model):
    """A version that is a file's with other parameters, since the moment that it came into force. Never changed.

    `document` is the record of the change (`parameter_change`). `replaces` tells whether the product line had a
    version of its own before, and `underneath` the document that had published it: what holds again when the
    overlay is withdrawn.
    """

    process = models.CharField(max_length=40)
    version = models.SmallIntegerField()
    base_version = models.SmallIntegerField()
    settings = models.JSONField()  # parameter → value as a file writes it
    document = models.CharField(max_length=32, unique=True)
    replaces = models.BooleanField()
    underneath = models.CharField(max_length=32, blank=True)
    made_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["process", "version"], name="one_overlay_per_number")]

    def __str__(self) -> str:
        return f"{self.process} {self.version}"
