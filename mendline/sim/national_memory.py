"""What the door in memory has written: rows, history, timers and messages, taken back when a step fails."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

import orjson

from mendline.access.actors import OF_A_REGION, OF_A_STATION, Actor
from mendline.kernel.errors import NotVisible
from mendline.orders import store
from mendline.orders.store import Change, Loaded
from mendline.sim.national_lookups import Country


@dataclass(slots=True)
class KeptTimer:
    """A row of `process_timer`."""

    id: int
    subject: str
    clock: str
    step: str
    generation: int
    due_at: datetime
    state: str = "open"
    fired_at: datetime | None = None


@dataclass(slots=True)
class Kept:
    """Everything that was written, in the order of writing. `data` of entries and messages is JSON already."""

    subjects: dict[str, Loaded] = field(default_factory=dict)
    entries: list[tuple[Any, ...]] = field(default_factory=list)
    outgoing: list[tuple[Any, ...]] = field(default_factory=list)
    timers: list[KeptTimer] = field(default_factory=list)
    customers: dict[str, tuple[str, str, str, datetime, datetime]] = field(default_factory=dict)


class Memory:
    """Keeps what is written; `country` counts the seats. Reading goes through the scope of whoever reads."""

    def __init__(self, country: Country) -> None:
        self.kept = Kept()
        self._country = country
        self._records: dict[str, list[str]] = {}  # of an order, in the order they were made
        self._open_timers: dict[str, list[KeptTimer]] = {}
        self._agenda: list[tuple[datetime, int, KeptTimer]] = []
        self._ids = count()
        self._undo: list[Callable[[], object]] = []
        self._depth = 0

    # --- reading ------------------------------------------------------------------------------------------------

    def load(self, ref: str, actor: Actor) -> Loaded:
        """Return what stands under `ref` if the actor may see it.

        Raises:
            NotVisible: absent or out of scope.
        """
        found = self.kept.subjects.get(ref)
        if found is None or not _sees(actor, found):
            raise NotVisible
        return found

    def open_records(self, order_ref: str) -> Iterator[Loaded]:
        """Yield the open records of an order in the order they were made."""
        for ref in self._records.get(order_ref, ()):
            record = self.kept.subjects[ref]
            if record.category in ("open", "waiting"):
                yield record

    # --- writing ------------------------------------------------------------------------------------------------

    def take_seat(self, ref: str, found: Mapping[str, Any]) -> None:
        self._country.take(ref, found["station_no"], found["line"], found["day"])
        self._undo.append(lambda: self._country.give_back(ref))

    def write(self, change: Change) -> None:
        """Keep the row, its history entry, its timers and its messages: what `mendline_write` does."""
        kept, before, new, at = self.kept, change.before, change.after, change.now.astimezone(UTC)
        if before is None:
            new = self._added(new, at)
        self._undo.append(lambda: _put_back(kept.subjects, change.after.ref, before))
        kept.subjects[new.ref] = new
        kept.entries.append((
            at, new.ref, change.kind, new.process, before.state if before else "new", new.state, new.revision,
            change.actor.person_id, change.actor.name, change.actor.role, new.station_no, new.region,
            orjson.dumps(change.data).decode(),
        ))  # fmt: skip
        for timer in self._open_timers.get(new.ref, ()) if change.ended_clocks else ():
            if timer.state == "open" and timer.clock in change.ended_clocks:
                self.settle(timer, "void")
        for planned in change.timers:
            self._plan(
                KeptTimer(next(self._ids), new.ref, planned.clock, planned.step, planned.generation, planned.due_at)
            )
        for told in change.messages:
            kept.outgoing.append((
                told["key"], at, new.ref, told["notice"], told["channel"], told["role"], told["station_no"],
                told["region"], orjson.dumps(told["data"]).decode(), told["state"],
            ))  # fmt: skip

    def _added(self, new: Loaded, at: datetime) -> Loaded:
        facts = dict(new.facts)
        if new.table == "order":
            for column in store.ORDER_COLUMNS:
                facts.setdefault(column, None if column == "assignee_id" else "")
            customer = facts["customer"]
            known = self.kept.customers.get(customer["phone"])
            self.kept.customers[customer["phone"]] = (
                customer["name"], facts["area"], facts["address"], known[3] if known else at, at,
            )  # fmt: skip
            self._undo.append(lambda: _put_back(self.kept.customers, customer["phone"], known))
            self._country.remember(new.ref, customer["phone"], facts["serial_no"])
            self._undo.append(lambda: self._country.forget(new.ref, customer["phone"], facts["serial_no"]))
        else:
            records = self._records.setdefault(new.order_ref, [])
            records.append(new.ref)
            self._undo.append(records.pop)
        facts |= {"ref": new.ref, "station_no": new.station_no, "region": new.region}
        return replace(new, facts=facts)

    def give_back_seat(self, order_ref: str) -> None:
        taken = self._country.give_back(order_ref)
        if taken is not None:
            self._undo.append(lambda: self._country.take(*taken))

    # --- timers -------------------------------------------------------------------------------------------------

    def _plan(self, timer: KeptTimer) -> None:
        self.kept.timers.append(timer)
        mine = self._open_timers.setdefault(timer.subject, [])
        mine.append(timer)
        heapq.heappush(self._agenda, (timer.due_at, timer.id, timer))
        self._undo.append(lambda: self._unplan(timer))

    def _unplan(self, timer: KeptTimer) -> None:
        timer.state = "void"  # it may still lie in the agenda
        self._open_timers[timer.subject].remove(timer)
        self.kept.timers.remove(timer)

    def settle(self, timer: KeptTimer, state: str, at: datetime | None = None) -> None:
        timer.state, timer.fired_at = state, at
        self._undo.append(lambda: _open_again(timer))

    def next_due_at(self) -> datetime | None:
        while self._agenda and self._agenda[0][2].state != "open":
            heapq.heappop(self._agenda)
        return self._agenda[0][0] if self._agenda else None

    def take_due(self, now: datetime) -> dict[str, list[KeptTimer]]:
        """Take the open timers that are due from the agenda; by subject, the earliest first."""
        found: dict[str, list[KeptTimer]] = {}
        while self._agenda and self._agenda[0][0] <= now:
            timer = heapq.heappop(self._agenda)[2]
            if timer.state == "open":
                found.setdefault(timer.subject, []).append(timer)
        return found

    def forget_settled(self, subjects: Iterable[str]) -> None:
        """A sweep is over: what it settled stays settled."""
        for subject in subjects:
            self._open_timers[subject] = [timer for timer in self._open_timers[subject] if timer.state == "open"]
        self._undo.clear()

    # --- all or nothing -----------------------------------------------------------------------------------------

    @contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """Take back what a step wrote when one of its effects is refused, as a transaction would."""
        entries, outgoing, mark = len(self.kept.entries), len(self.kept.outgoing), len(self._undo)
        self._depth += 1
        try:
            yield
        except BaseException:
            while len(self._undo) > mark:
                self._undo.pop()()
            del self.kept.entries[entries:]
            del self.kept.outgoing[outgoing:]
            raise
        finally:
            self._depth -= 1
            if not self._depth:
                self._undo.clear()


def _sees(actor: Actor, subject: Loaded) -> bool:
    if actor.sees_everything:
        return True
    if actor.role in OF_A_STATION:
        return bool(actor.station_no) and actor.station_no == subject.station_no
    return actor.role in OF_A_REGION and bool(actor.region) and actor.region == subject.region


def _put_back(kept: dict[str, Any], key: str, before: object | None) -> None:
    if before is None:
        del kept[key]
    else:
        kept[key] = before


def _open_again(timer: KeptTimer) -> None:
    timer.state, timer.fired_at = "open", None
