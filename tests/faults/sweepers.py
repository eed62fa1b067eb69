"""Sweepers of due timers that are killed at any statement, and what kills them: a job of its own process.

A sweeper asks for leave before every statement. Its hunter gives it a number of leaves drawn from a
seed and kills it once they are used up, so that kills fall anywhere in the work, during a statement or
right after it, and nobody waits for a clock.
"""

from __future__ import annotations

import os
import random
import select
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, connections, transaction

from mendline.access.actors import THE_CLOCK
from mendline.orders import store
from mendline.orders import sweep as sweeping
from mendline.orders.sweep import next_due_at, sweep
from mendline.sim.faults.patience import pause

SWEEPERS = 2
BATCH = 12
# In statements; a batch needs about 8, a late part about 20. So many die young for certain.
SHORT_LIFE, LONG_LIFE = 12, 120
EARLY_DEATHS = 12
STUCK_AFTER = 0.3  # seconds without a question, before the others may go on


def sweep_under_fire(*, now: str, seed: int, careless: bool) -> dict[str, int]:
    """Let two sweepers carry out what is due while they are killed again and again; return the number of kills.

    `careless` sweepers mark timers as fired before they carry out the effect, in a transaction of its own.
    """
    chance = random.Random(seed)
    moment = datetime.fromisoformat(now)
    work = _sweep_carelessly if careless else _sweep
    next_due_at()  # imports and connects once, before the processes part
    connections.close_all()
    sweepers = [_start(work, moment) for _ in range(SWEEPERS)]
    kills = 0
    while sweepers:
        victim = sweepers.pop(chance.randrange(len(sweepers)))
        life = chance.randint(1, SHORT_LIFE if kills < EARLY_DEATHS else LONG_LIFE)
        if _lives_through(life, victim, sweepers):
            victim.kill()
            kills += 1
            sweepers.append(_start(work, moment))
        else:
            assert victim.ended_well(), "a sweeper failed by itself"
    return {"kills": kills}


@dataclass(frozen=True, slots=True)
class Sweeper:
    """One child process, with the pipes on which it asks for leave and gets it."""

    pid: int
    questions: int
    leaves: int

    def fileno(self) -> int:
        return self.questions

    def has_ended(self) -> bool:
        """Take up one question; True when there is none and never will be."""
        return not os.read(self.questions, 1)

    def may_go_on(self) -> None:
        with suppress(BrokenPipeError):  # it ended meanwhile
            os.write(self.leaves, b".")

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        self.ended_well()

    def ended_well(self) -> bool:
        os.close(self.questions)
        os.close(self.leaves)
        return os.waitpid(self.pid, 0)[1] == 0


def _lives_through(life: int, victim: Sweeper, others: list[Sweeper]) -> bool:
    """Give the victim leave for `life` statements; False when it ends before.

    The others get as many and no more, so that on a busy machine they do not finish everything
    while nobody is killed. A victim that asks for nothing may wait for a lock of theirs: then they
    go on a little.
    """
    running, pace = [victim, *others], life
    while life:
        ready = select.select(running if pace > 0 else [victim], [], [], STUCK_AFTER)[0]
        if not ready:
            pace += SHORT_LIFE
        for sweeper in ready:
            if not sweeper.has_ended():
                if sweeper is victim:
                    life -= 1
                else:
                    pace -= 1
                sweeper.may_go_on()
            elif sweeper is victim:
                return False
            else:
                running.remove(sweeper)
    return True


def _start(work: Callable[[datetime], None], now: datetime) -> Sweeper:
    questions, asking = os.pipe()
    waiting, leaves = os.pipe()
    pid = os.fork()
    if pid == 0:
        failed = 1
        try:
            os.close(questions)
            os.close(leaves)
            with connection.execute_wrapper(_asking(asking, waiting)):
                _until_nothing_is_due(work, now)
            failed = 0
        finally:
            os._exit(failed)
    os.close(asking)
    os.close(waiting)
    return Sweeper(pid, questions, leaves)


def _asking(asking: int, waiting: int) -> Callable[..., Any]:
    def wrapper(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        os.write(asking, b".")
        if not os.read(waiting, 1):
            os._exit(1)  # the hunter is gone
        return execute(sql, params, many, context)

    return wrapper


def _until_nothing_is_due(work: Callable[[datetime], None], now: datetime) -> None:
    while (due_at := next_due_at()) is not None and due_at <= now:
        work(now)
        pause()  # what is left may be in the hands of another, or of one whose death the server has not noticed


def _sweep(now: datetime) -> None:
    while sweep(now, BATCH):
        pass


def _sweep_carelessly(now: datetime) -> None:
    """The same work in the order that many programs choose: first marked, then done."""
    while True:
        with transaction.atomic():
            due = sweeping._due(now, BATCH)
            sweeping._mark("fired", [timer.id for timer in due], now)
        if not due:
            return
        for subject, timers in sweeping._by_subject(due).items():
            with transaction.atomic():
                batch = sweeping._Batch()
                sweeping._settle(batch, store.load(subject, actor=THE_CLOCK, lock=True), timers, now)
                store.write(batch.changes)
