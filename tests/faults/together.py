"""Two steps at the same time, each on a connection of its own; on request at the worst moment for each other."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.db import connection

from mendline.orders.store import Loaded


def both(
    first: Callable[[], Loaded],
    second: Callable[[], Loaded],
    *,
    meet_after: tuple[str, str] = ("", ""),
    seconds: float = 10.0,
) -> list[Loaded | Exception]:
    """Run two steps at once and return what each came to.

    With `meet_after`, each waits once for the other, at most `seconds`, after its first statement that
    contains these words: where both hold what the other wants next. If one must wait for the other's lock
    before it gets there, as it should, the other goes on after `seconds`.
    """
    start = threading.Barrier(2)
    halfway = threading.Barrier(2)
    answers: dict[int, Loaded | Exception] = {}

    def run(place: int, step: Callable[[], Loaded]) -> None:
        try:
            start.wait(timeout=120)
            with connection.execute_wrapper(_meeting(halfway, meet_after[place], seconds)):
                answers[place] = step()
        except Exception as error:
            answers[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate((first, second))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=240)
    return [answers[place] for place in range(2)]


def _meeting(halfway: threading.Barrier, words: str, seconds: float) -> Callable[..., Any]:
    waited = not words

    def wrapper(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal waited
        done = execute(sql, params, many, context)
        if not waited and words in sql:
            waited = True
            with suppress(threading.BrokenBarrierError):
                halfway.wait(seconds)
        return done

    return wrapper
