"""How long the outbox waits between two tries, and when it gives up. Pure."""

from __future__ import annotations

from datetime import timedelta

FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=6)
GIVE_UP_AFTER = timedelta(days=3)


def pause_after(attempts: int) -> timedelta:
    """Return the pause after so many failed tries (1 or more): a minute, doubled each time, at most six hours.

    >>> [str(pause_after(n)) for n in (1, 2, 3, 9, 10, 500)]
    ['0:01:00', '0:02:00', '0:04:00', '4:16:00', '6:00:00', '6:00:00']
    """
    doublings = min(attempts - 1, 20)
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)
