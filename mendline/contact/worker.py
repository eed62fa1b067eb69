"""The worker: due timers, outgoing messages, standings, index, figures, upkeep and jobs, in one process.

Any number of workers may run against one database. Everything they do is found in rows, claimed
with SKIP LOCKED or harmless to do twice, so one may be killed at any moment.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from threading import Event, Thread

from mendline.care.scorecards import refresh_old_scorecards
from mendline.care.standing import refresh_standings
from mendline.contact.chores import forget_old_answers
from mendline.contact.copies import copy_notices, send_digests
from mendline.contact.loops import Loop
from mendline.contact.outbox import deliver_next
from mendline.contact.ports import CHANNELS, Channel
from mendline.contact.queue_runner import QueueRunner, run_queue_once
from mendline.contact.recipients import BATCH as AUDIENCES
from mendline.contact.recipients import address_due
from mendline.figures import facts
from mendline.journal import sealing
from mendline.orders.sweep import BATCH as TIMERS
from mendline.orders.sweep import sweep
from mendline.process import calendar_table
from mendline.search import index

logger = logging.getLogger(__name__)

# Seconds. `mendline run` gives the process 12 in all.
STOP_WITHIN = 10.0
# Webhooks are many and each may take ten seconds to fail; a mail server is one.
SENDERS = {"webhook": 3}


def loops() -> list[Loop]:
    """Return everything that is done regularly. One second is how late a timer or a message may be noticed."""
    found = [
        Loop("timers", 1.0, lambda now: sweep(now) >= TIMERS),
        Loop("recipients", 1.0, lambda now: address_due(now) >= AUDIENCES),
        Loop("calendar", 15.0, calendar_table.follow),
        Loop("copies", 5.0, copy_notices),
        Loop("digests", 60.0, send_digests),
        Loop("standings", 60.0, _refresh),
        Loop("search", 0.5, index.catch_up),
        Loop("figures", 1.0, facts.catch_up),
        Loop("upkeep", 3600.0, forget_old_answers),
        Loop("seals", sealing.EVERY_SECONDS, sealing.Sealer().seal),
    ]
    for name, channel in CHANNELS.items():
        found += [Loop(f"send {name} {n}", 1.0, partial(_deliver, name, channel)) for n in range(SENDERS.get(name, 1))]
    return found


def _refresh(now: datetime) -> bool:
    refresh_standings(now)
    refresh_old_scorecards(now)
    return False


def _deliver(name: str, channel: Channel, now: datetime) -> bool:
    return deliver_next(name, channel, now=now)


def run_once() -> None:
    """Do everything that is due, one kind after the other, and return."""
    for loop in loops():
        loop.drain()
    asyncio.run(run_queue_once())


def run_until_stopped() -> bool:
    """Work until SIGTERM or SIGINT; return whether everything in hand was finished in time."""
    with _stop_signals() as stopping:
        queue = QueueRunner()
        threads = [Thread(target=loop.run, args=(stopping,), name=loop.name, daemon=True) for loop in loops()]
        for thread in threads:
            thread.start()
        queue.start()
        logger.info("worker started: %s", ", ".join(thread.name for thread in threads))
        stopping.wait()
        queue.stop()
        return _join(threads, queue)


def _join(threads: list[Thread], queue: QueueRunner) -> bool:
    give_up_at = time.monotonic() + STOP_WITHIN
    for thread in threads:
        thread.join(max(0.0, give_up_at - time.monotonic()))
    left = [thread.name for thread in threads if thread.is_alive()]
    if not queue.join(max(0.0, give_up_at - time.monotonic())):
        left.append("queue")
    if left:  # claims run out and rows stay due: the next worker takes them up
        logger.warning("stopped in the middle of: %s", ", ".join(left))
    return not left


@contextmanager
def _stop_signals() -> Iterator[Event]:
    """Turn SIGTERM and SIGINT into an event."""
    stopping = Event()
    names = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(name, lambda *_: stopping.set()) for name in names]
    try:
        yield stopping
    finally:
        for name, handler in zip(names, before, strict=True):
            signal.signal(name, handler)
