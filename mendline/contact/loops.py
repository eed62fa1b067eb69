"""Work that is done again and again, each kind in a thread of its own, until the worker is asked to stop."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Event

from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

logger = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Loop:
    """One kind of work. `work` returns whether there is more to do at once; otherwise it rests for `every` seconds."""

    name: str
    every: float
    work: Callable[[datetime], bool]

    def run(self, stopping: Event) -> None:
        """Work until `stopping`. A fault, or a database that is away, makes a pause that grows up to 15 s."""
        failures = 0
        while not stopping.is_set():
            try:
                more = self.work(timezone.now())
            except (DatabaseError, InterfaceError) as fault:
                failures += 1
                logger.warning("%s: database: %s", self.name, type(fault).__name__)
            except Exception:
                failures += 1
                logger.exception("%s failed", self.name)
            else:
                if failures:
                    logger.warning("%s works again after %s failures", self.name, failures)
                failures = 0
                if not more:
                    stopping.wait(self.every)
                continue
            forget_connection()
            stopping.wait(pause_seconds(failures))
        forget_connection()

    def drain(self, give_up_after: float = 600.0) -> int:
        """Work until nothing is left, faults included; return how many rounds it took."""
        rounds, began = 1, time.monotonic()
        while self.work(timezone.now()) and time.monotonic() - began < give_up_after:
            rounds += 1
        return rounds


def pause_seconds(failures: int) -> float:
    """Return the pause after so many failures in a row.

    >>> [pause_seconds(n) for n in (1, 2, 5, 6, 100)]
    [0.5, 1.0, 8.0, 15.0, 15.0]
    """
    return min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(failures - 1, 10))


def forget_connection() -> None:
    """Close this thread's connection, broken or not; the next statement opens a new one."""
    try:
        connection.close()
    except (DatabaseError, InterfaceError):
        connection.connection = None
