"""How often one caller may do what is costly or tells much. Taking reports is never limited.

Each web process counts for itself, so what a caller has in all is the limit times the processes.
That is enough against a script that runs wild; it is no defence against a flood, which is the
proxy's work. How many telephone numbers somebody sees is counted in the history (`orders.reveal`).
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict

from mendline.kernel.text import Text
from mendline.web.api.problems import EdgeError

MOST_CALLERS = 10_000


class Limit:
    """A bucket for each caller: `burst` calls at once, then `per_minute`."""

    def __init__(self, *, burst: int, per_minute: float) -> None:
        self.burst = burst
        self.per_second = per_minute / 60
        self._buckets: OrderedDict[int, tuple[float, float]] = OrderedDict()  # caller → (calls left, as of)
        self._lock = threading.Lock()

    def wait(self, caller: int, now: float) -> float:
        """Take one call and return 0, or return the seconds until there is one. `now` is any steady clock."""
        with self._lock:
            left, since = self._buckets.pop(caller, (float(self.burst), now))
            left = min(float(self.burst), left + (now - since) * self.per_second)
            allowed = left >= 1
            self._buckets[caller] = (left - 1 if allowed else left, now)
            if len(self._buckets) > MOST_CALLERS:
                self._buckets.popitem(last=False)
        return 0.0 if allowed else (1 - left) / self.per_second


UPLOADS = Limit(burst=40, per_minute=60)  # each one is a process of its own for a moment
LOOK_UPS = Limit(burst=60, per_minute=60)  # of telephone numbers that may belong to somebody


def take(limit: Limit, caller: int) -> None:
    """Raise EdgeError (429) with the seconds to wait when the caller has used up what there is."""
    seconds = math.ceil(limit.wait(caller, time.monotonic()))
    if seconds:
        detail = Text(f"请求太频繁，请 {seconds} 秒后重试", f"too many of these calls; try again in {seconds} s")
        raise EdgeError(429, "too_many", detail, retry_after=seconds)
