"""The time of day that requests are given while a world is simulated.

Every operation of the interface reads its moment once, at its edge (`web.api.calls`). For as long as the
block lasts that edge reads ours. Nothing in the product knows of it, and an installation for real work
refuses it: whoever could move its clock could miss or make any deadline.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.conf import settings

from mendline.web import key_use
from mendline.web.api import calls


class NotForRealWork(Exception):
    """Simulated time was asked of an installation in production."""


class SimulatedTime:
    """Stands where an edge expects `django.utils.timezone`; moves only when it is told to."""

    def __init__(self, start: datetime) -> None:
        self.start = start
        self._now = start

    def now(self) -> datetime:
        return self._now

    def move_to(self, moment: datetime) -> None:
        if moment < self._now:
            raise ValueError(f"time runs forwards only: {moment} lies before {self._now}")
        self._now = moment


class _Still:
    """A clock that stands still: that a key was used is noted once and not with every simulated hour."""

    def __init__(self, start: datetime) -> None:
        self.start = start

    def now(self) -> datetime:
        return self.start


@contextmanager
def simulated_time(start: datetime) -> Iterator[SimulatedTime]:
    """Let requests of this process happen at the moments that the block chooses.

    Raises NotForRealWork in production.
    """
    if not settings.LOCAL:
        raise NotForRealWork("MENDLINE_MODE=production has no simulated time")
    time = SimulatedTime(start)
    edges = ((calls, time), (key_use, _Still(start)))
    before = [module.__dict__["timezone"] for module, _ in edges]
    for module, clock in edges:
        setattr(module, "timezone", clock)  # noqa: B010 - mypy knows the name as a module
    try:
        yield time
    finally:
        for (module, _), real in zip(edges, before, strict=True):
            setattr(module, "timezone", real)  # noqa: B010
