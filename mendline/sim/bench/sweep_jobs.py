"""Sweeping due timers until none is left. Jobs for `member.py`."""

from __future__ import annotations

import resource
import time
from datetime import datetime

from mendline.orders.sweep import BATCH, sweep
from mendline.process.calendar_table import calendar
from mendline.process.loading import processes


def warm_sweeper() -> int:
    """Read process files and calendar and open the connection; nothing is due in the year 2000."""
    processes()
    calendar("always")
    return sweep(datetime.fromisoformat("2000-01-01T00:00:00+00:00"))


def sweep_all(now: str) -> dict[str, float]:
    """Sweep until a pass settles nothing; returns how many timers were settled, seconds and CPU seconds."""
    moment = datetime.fromisoformat(now)
    settled = 0
    before, begun = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    while done := sweep(moment, BATCH):
        settled += done
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"settled": settled, "seconds": time.perf_counter() - begun, "cpu": cpu}
