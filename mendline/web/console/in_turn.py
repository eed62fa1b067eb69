"""Tables to be saved are made one at a time, so that whoever takes a report does not wait for them (P18).

The network as a workbook keeps a processor busy for seconds. Fifty of them asked for at once took every thread of every
web process. Now a web process makes one; one more waits for it, and further ones are told to come again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpResponse

from mendline.kernel.errors import TooOften
from mendline.kernel.text import Text
from mendline.web.console.visit import Visit

P = ParamSpec("P")
AGAIN_SECONDS = 5


class Turns:
    """`making` tables at once, and as many again that wait; each waits for a thread that is at work."""

    def __init__(self, making: int) -> None:
        self.room = threading.BoundedSemaphore(2 * making)
        self.turn = threading.BoundedSemaphore(making)


TURNS = Turns(1)


def in_turn(view: Callable[Concatenate[Visit, P], HttpResponse]) -> Callable[Concatenate[Visit, P], HttpResponse]:
    """Let a page that makes a table wait for its turn.

    The page raises TooOften: one is being made and another one waits.
    """

    @wraps(view)
    def made(visit: Visit, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        turns = TURNS
        if not turns.room.acquire(blocking=False):
            detail = Text(
                f"正在生成的表太多，请 {AGAIN_SECONDS} 秒后重试",
                f"too many tables are being made; try again in {AGAIN_SECONDS} s",
            )
            raise TooOften(detail, AGAIN_SECONDS)
        try:
            with turns.turn:
                return view(visit, *args, **kwargs)
        finally:
            turns.room.release()

    return made
