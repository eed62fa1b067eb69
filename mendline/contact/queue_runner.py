"""The job queue's worker, in a thread with an event loop of its own."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from copy import copy
from threading import Event, Thread

from procrastinate import App
from procrastinate.app import WorkerOptions
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.periodic import PeriodicTask
from procrastinate.tasks import Task

from mendline.contact.loops import pause_seconds

logger = logging.getLogger(__name__)

GRACE_SECONDS = 8.0  # for the job in hand, when asked to stop


def _options(*, wait: bool) -> WorkerOptions:
    return {
        "wait": wait,
        "concurrency": 4,
        "delete_jobs": "successful",
        "install_signal_handlers": False,
        "shutdown_graceful_timeout": GRACE_SECONDS,
    }


class QueueRunner:
    """Runs jobs until stopped, and comes back when the database was away."""

    def __init__(self) -> None:
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="queue", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask it to stop; the job in hand has 8 s."""
        self._stopping.set()
        loop, task = self._loop, self._task
        if loop is not None and task is not None:
            with suppress(RuntimeError):  # it ended by itself just now
                loop.call_soon_threadsafe(task.cancel)

    def join(self, seconds: float) -> bool:
        """Wait for its end and say whether it came."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                asyncio.run(self._work())
            except Exception as fault:
                failures += 1
                logger.warning("job queue: %s; starting again", type(fault).__name__)
                self._stopping.wait(pause_seconds(failures))
            else:  # the library also ends in peace when the database goes away
                failures = 0
                self._stopping.wait(pause_seconds(1))

    async def _work(self) -> None:
        worker_app = own_app()
        async with worker_app.open_async():
            # Only the work itself is cancelled: a pool that is cancelled while it opens never closes.
            self._task = asyncio.create_task(worker_app.run_worker_async(**_options(wait=True)))
            self._loop = asyncio.get_running_loop()
            if self._stopping.is_set():
                self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task


async def run_queue_once() -> None:
    """Carry out jobs until none is left."""
    worker_app = own_app()
    async with worker_app.open_async():
        await worker_app.run_worker_async(**_options(wait=False))


def own_app() -> App:
    """Return an app with the same tasks and connections of its own.

    The shared app keeps Django's connections, which belong to one thread each, so that other
    threads go on asking for jobs in their own transactions. The tasks are bound to the new app;
    otherwise its periodic ones would be asked for through a connection that nobody looks after.
    """
    if not isinstance(app.connector, DjangoConnector):
        raise TypeError("the shared app is expected to use Django's connections")
    own = App(connector=app.connector.get_worker_connector(), import_paths=app.import_paths)
    own.tasks = {name: _bound(task, own) for name, task in app.tasks.items()}
    own.periodic_registry.periodic_tasks = {
        key: PeriodicTask(_bound(kept.task, own), kept.cron, kept.periodic_id, kept.configure_kwargs)
        for key, kept in app.periodic_registry.periodic_tasks.items()
    }
    return own


def _bound(task: Task[..., object, ...], own: App) -> Task[..., object, ...]:
    twin = copy(task)
    twin.blueprint = own
    return twin
