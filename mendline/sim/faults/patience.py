"""Waiting for something to come true, with a deadline instead of a guess."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait_for(happened: Callable[[], bool], what: str, seconds: float = 300.0) -> None:
    """Return as soon as `happened()`.

    Raises TimeoutError: it did not within `seconds`; `what` says what was waited for.
    """
    give_up_at = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > give_up_at:
            raise TimeoutError(f"waited {seconds:g} s in vain: {what}")
        pause()


def pause(seconds: float = 0.01) -> None:
    """Leave the processor to the others for a moment before asking again."""
    time.sleep(seconds)
