"""Due timers take effect: once each, in the transaction that writes the effect, however long nobody looked.

A tick only wakes the sweeper; what is due is read from the rows. Most steps only mark a clock and
tell somebody: these are written in batches. A breach that makes the clock act (`on_breach`) is
carried out one by one, locking the order before its records as everybody does.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.db import DatabaseError, OperationalError, connection, transaction

from mendline.access.actors import THE_CLOCK
from mendline.kernel.errors import NotVisible, Refused
from mendline.orders import messages, store
from mendline.orders.store import Change, Loaded
from mendline.orders.transitions import perform
from mendline.process.calendar_table import calendars_for
from mendline.process.decide import TimerDecision, decide_timer
from mendline.process.loading import process_for

BATCH = 200
TRIED_AGAIN_AFTER = timedelta(minutes=1)
log = logging.getLogger(__name__)
# Timers that could not be carried out by this process, and until when they are left alone.
_aside: dict[int, datetime] = {}

# A later step of the same clock may be due as well and lie in another batch, or in another sweeper's hands.
_DUE = """
    SELECT t.id, t.subject, t.clock, t.step, t.generation, t.due_at, EXISTS (
        SELECT 1 FROM process_timer later
        WHERE later.subject = t.subject AND later.clock = t.clock AND later.generation = t.generation
          AND later.state = 'open' AND later.due_at <= %(now)s AND (later.due_at, later.id) > (t.due_at, t.id))
    FROM process_timer t
    WHERE t.state = 'open' AND t.due_at <= %(now)s AND NOT t.id = ANY(%(aside)s)
      AND (%(only)s::bigint IS NULL OR t.id = %(only)s)
    ORDER BY t.due_at, t.id LIMIT %(limit)s FOR UPDATE OF t SKIP LOCKED
"""
_ONE = """
    SELECT id, subject, clock, step, generation, due_at, false FROM process_timer
    WHERE id = %s AND state = 'open' FOR UPDATE
"""
_SETTLE = "UPDATE process_timer SET state = %s, fired_at = %s WHERE id = ANY(%s)"


@dataclass(frozen=True, slots=True)
class DueTimer:
    """One row that is due."""

    id: int
    subject: str
    clock: str
    step: str
    generation: int
    due_at: datetime
    is_outdone: bool  # a later step of the same ladder is due, too


@dataclass(slots=True)
class _Batch:
    """What one pass found out: rows to write, timers that fired, timers that have nothing left to say."""

    changes: list[Change] = field(default_factory=list)
    fired: list[int] = field(default_factory=list)
    void: list[int] = field(default_factory=list)
    acting: list[int] = field(default_factory=list)


def sweep(now: datetime, limit: int = BATCH) -> int:
    """Carry out due timers and return how many were settled; call again while it returns `limit`.

    Rows that somebody else holds at the moment are left for the next call. A timer that cannot be
    carried out is reported, set aside for a minute and tried again; it holds up no other one.
    """
    try:
        settled, acting = _settle_due(now, limit)
    except OperationalError:
        raise  # the connection or a deadlock: the whole pass is simply made again
    except DatabaseError:
        settled, acting = _settle_singly(now, limit)
    return settled + sum(_try(timer_id, now, lambda one: _act(one, now)) for timer_id in acting)


def _settle_due(now: datetime, limit: int, only: int | None = None) -> tuple[int, list[int]]:
    """Settle what is due in one transaction; return how many, and the timers whose breach acts."""
    batch = _Batch()
    with transaction.atomic():
        due = _due(now, limit, only)
        subjects = store.load_locked(timer.subject for timer in due)
        for subject, timers in _by_subject(due).items():
            if subject in subjects:
                _settle_subject(batch, subjects[subject], timers, now)
        if batch.changes:
            store.write(batch.changes)
        _mark("fired", batch.fired, now)
        _mark("void", batch.void, now)
    return len(batch.fired) + len(batch.void), batch.acting


def _settle_subject(batch: _Batch, subject: Loaded, timers: list[DueTimer], now: datetime) -> None:
    own = _Batch()
    try:
        _settle(own, subject, timers, now)
    except Exception:  # whatever is wrong with this record, the others' timers are due as well
        for timer in timers:
            _set_aside(timer.id, now)
        return
    batch.changes += own.changes
    batch.fired += own.fired
    batch.void += own.void
    batch.acting += own.acting


def _settle_singly(now: datetime, limit: int) -> tuple[int, list[int]]:
    """Settle what is due one by one, after the batch as a whole could not be written."""
    settled, acting = 0, []
    with transaction.atomic():
        ids = [timer.id for timer in _due(now, limit)]
    for timer_id in ids:
        found: list[int] = []

        def settle(one: int, found: list[int] = found) -> int:
            count, acts = _settle_due(now, 1, one)
            found += acts
            return count

        settled += _try(timer_id, now, settle)
        acting += found
    return settled, acting


def _try(timer_id: int, now: datetime, settle: Callable[[int], int]) -> int:
    try:
        return settle(timer_id)
    except OperationalError:
        raise
    except Exception:  # reported and set aside; the timers behind it go on
        _set_aside(timer_id, now)
        return 0


def _set_aside(timer_id: int, now: datetime) -> None:
    log.exception("timer %s could not be carried out; it is tried again in %s", timer_id, TRIED_AGAIN_AFTER)
    _aside[timer_id] = now + TRIED_AGAIN_AFTER


def next_due_at() -> datetime | None:
    """Return when the next open timer is due: how long the sweeper may sleep, and where simulated time stops next."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(due_at) FROM process_timer WHERE state = 'open'")
        row = cursor.fetchone()
    return row[0] if row else None


def _due(now: datetime, limit: int, only: int | None = None) -> list[DueTimer]:
    for timer_id in [one for one, until in _aside.items() if until <= now]:
        del _aside[timer_id]
    with connection.cursor() as cursor:
        cursor.execute(_DUE, {"now": now, "limit": limit, "only": only, "aside": list(_aside)})
        return [DueTimer(*row) for row in cursor.fetchall()]


def _by_subject(due: Iterable[DueTimer]) -> dict[str, list[DueTimer]]:
    grouped: dict[str, list[DueTimer]] = {}
    for timer in due:
        grouped.setdefault(timer.subject, []).append(timer)
    return grouped


def _settle(batch: _Batch, subject: Loaded, timers: list[DueTimer], now: datetime) -> None:
    """Decide the due steps of one record. After a pause only the last step of each clock speaks, not the ladder."""
    process = process_for(subject.process, subject.process_version)
    for timer in timers:
        if timer.is_outdone:
            batch.void.append(timer.id)
            continue
        clock = process.clocks.get(timer.clock)
        if clock is not None and clock.on_breach and timer.step == "breach":
            batch.acting.append(timer.id)
            continue
        decision = _decide(subject, timer, now)
        if decision is None:
            batch.void.append(timer.id)
            continue
        change = _change(subject, timer, decision, now)
        batch.changes.append(change)
        batch.fired.append(timer.id)
        subject = change.after


def _decide(subject: Loaded, timer: DueTimer, now: datetime) -> TimerDecision | None:
    return decide_timer(
        process_for(subject.process, subject.process_version),
        timer.clock,
        timer.step,
        timer.generation,
        facts=subject.facts,
        state=subject.state,
        clocks=subject.clocks,
        now=now,
        calendars=calendars_for(subject.station_no),
    )


def _change(subject: Loaded, timer: DueTimer, decision: TimerDecision, now: datetime) -> Change:
    process = process_for(subject.process, subject.process_version)
    new = store.after(
        subject, clocks=dict(decision.clocks), due_at=store.next_due(decision.clocks), updated_at=now.astimezone(UTC)
    )
    verb = "breach" if timer.step == "breach" else "warn"
    data: Mapping[str, object] = {
        "clocks": [decision.event.as_json()], "step": timer.step, "due": timer.due_at.isoformat(),
        "fired": now.isoformat(), "rules": decision.rules,
    }  # fmt: skip
    return Change(
        before=subject,
        after=new,
        kind=f"clock.{verb}",
        actor=THE_CLOCK,
        now=now,
        data=data,
        messages=tuple(messages.of(process, decision.notices, new, f"{timer.clock}.{verb}")),
    )


def _mark(state: str, ids: list[int], now: datetime) -> None:
    if ids:
        with connection.cursor() as cursor:
            cursor.execute(_SETTLE, [state, now, ids])


def _act(timer_id: int, now: datetime) -> int:
    """Settle one timer whose breach makes the clock carry out transitions, all in one transaction."""
    with transaction.atomic():
        subject_ref = _subject_of(timer_id)
        try:
            subject = store.load(subject_ref, actor=THE_CLOCK, lock=True)
        except NotVisible:
            return 0
        with connection.cursor() as cursor:
            cursor.execute(_ONE, [timer_id])
            row = cursor.fetchone()
        if row is None:
            return 0
        timer = DueTimer(*row)
        decision = _decide(subject, timer, now)
        if decision is None:
            _mark("void", [timer.id], now)
            return 1
        store.write([_change(subject, timer, decision, now)])
        _mark("fired", [timer.id], now)
        for name in decision.then:
            _carry_out(subject.ref, name, now)
    return 1


def _carry_out(ref: str, name: str, now: datetime) -> None:
    """Let the clock act. A step that the record has left behind meanwhile is no longer wanted, which is no fault."""
    try:
        with transaction.atomic():
            perform(ref, name, actor=THE_CLOCK, now=now)
    except Refused as refusal:
        if refusal.code not in ("wrong_state",):
            raise


def _subject_of(timer_id: int) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT subject FROM process_timer WHERE id = %s", [timer_id])
        row = cursor.fetchone()
    return str(row[0]) if row else ""
