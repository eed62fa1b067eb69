"""The one door, in memory: what `begin`, `perform` and the sweeper would have written, without a database.

A month of a whole country is some two hundred thousand steps, and sending each of them to the database
takes ten minutes. Everything that decides is the engine's own and pure (`decide`, `decide_timer`,
guards, changes, notices, choosing a station); only looking up, keeping and the rows beside the order
are done here. `tests/sim/test_national_door.py` plays the same stories through both doors and
compares every row, so the two cannot drift apart unnoticed.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import count
from typing import Any

import orjson

from mendline.access.actors import OF_A_REGION, OF_A_STATION, THE_CLOCK, Actor
from mendline.kernel.errors import NotVisible, Refused
from mendline.network.directory import Directory
from mendline.orders import messages, store
from mendline.orders.store import Change, Loaded
from mendline.orders.transitions import given_for_history, needs_of
from mendline.process.calendar_table import calendars_for
from mendline.process.decide import Decision, TimerDecision, decide, decide_timer
from mendline.process.definition import NEW, Process, Transition
from mendline.process.loading import in_force, process_for, processes
from mendline.process.registry import Happening
from mendline.process.values import accept_given
from mendline.sim.national_effects import EFFECTS_IN_MEMORY
from mendline.sim.national_lookups import LOOKUPS_IN_MEMORY, Country
from mendline.sim.national_refs import Refs

SWEPT_AFTER = timedelta(seconds=1)  # how soon a running worker would notice


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


class MemoryDoor:
    """Where steps are taken and kept. `country` answers what an order's own row does not hold."""

    country: Country
    refs: Refs

    def __init__(self, country: Country, refs: Refs) -> None:
        self.country, self.refs = country, refs
        self.kept = Kept()
        self._records: dict[str, list[str]] = {}  # of an order, in the order they were made
        self._open_timers: dict[str, list[KeptTimer]] = {}
        self._agenda: list[tuple[datetime, int, KeptTimer]] = []
        self._ids = count()
        self._versions: dict[tuple[str, str], int] = {}
        self._undo: list[Callable[[], object]] = []
        self._depth = 0

    # --- what stories and effects ask for -----------------------------------------------------------------------

    def begin(
        self,
        process_code: str,
        name: str,
        *,
        actor: Actor,
        now: datetime,
        given: Mapping[str, Any],
        order_ref: str = "",
        links: Mapping[str, Any] | None = None,
        ref: str = "",
    ) -> Loaded:
        """Create an order or record, as `orders.transitions.begin` does."""
        process = self._in_force(process_code, self.country.line_of(given), now)
        with self._all_or_nothing():
            facts = {**(links or {}), **self._order_of(order_ref, actor)}
            number = ref or self.refs.new(process_code, now)
            context = {
                **_about(actor), **facts, "ref": number, "order_ref": order_ref, "process_version": process.version,
            }  # fmt: skip
            decision, context = self._decide(process, name, NEW, actor, given, context, {}, now)
            fresh = _fresh(process, decision, actor, now, context, links or {})
            return self._carry_out(process, decision, None, fresh, given, actor, now, context)

    def perform(
        self,
        ref: str,
        name: str,
        *,
        actor: Actor,
        now: datetime,
        given: Mapping[str, Any] | None = None,
        links: Mapping[str, Any] | None = None,
    ) -> Loaded:
        """Carry out a step, as `orders.transitions.perform` does."""
        given = given or {}
        with self._all_or_nothing():
            before = self.load(ref, actor)
            process = process_for(before.process, before.process_version)
            context = {**_about(actor), **before.facts, "process_version": before.process_version, **(links or {})}
            if before.table == "record":
                context["order_ref"] = before.order_ref
            decision, context = self._decide(process, name, before.state, actor, given, context, before.clocks, now)
            facts = {**before.facts, **decision.changes}
            station_no, region = str(facts.get("station_no", "")), str(facts.get("region", ""))
            new = store.after(
                before, state=decision.to_state, category=decision.category, facts=facts, station_no=station_no,
                region=region, clocks=dict(decision.clocks), due_at=store.next_due(decision.clocks),
                updated_at=now.astimezone(UTC),
            )  # fmt: skip
            return self._carry_out(process, decision, before, new, given, actor, now, context)

    def look(self, ref: str) -> Loaded:
        return self.load(ref, THE_CLOCK)

    def newest_open(self, order_ref: str, process: str) -> str:
        """Return the newest open record of that process that hangs on the order."""
        return next(record.ref for record in reversed(list(self.open_records(order_ref))) if record.process == process)

    def let_time_pass(self, until: datetime) -> None:
        """Let every timer take effect a moment after it is due, as with a worker that is always there."""
        while (due := self._next_due_at()) is not None and due <= until:
            self._sweep(min(due + SWEPT_AFTER, until))

    def ask_beforehand(self, now: datetime, directory: Directory) -> None:
        """Ask the database now for versions and calendars, so that playing needs it no more."""
        lines = {"", *(entry.line for entry in directory.products.values())}
        for code in {code for code, _ in processes()}:
            for line in lines:
                self._in_force(code, line, now)
        for code in ("always", "working_hours", "working_days"):
            calendars_for("")(code)

    # --- what is kept -------------------------------------------------------------------------------------------

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

    def give_back_seat(self, order_ref: str) -> None:
        taken = self.country.give_back(order_ref)
        if taken is not None:
            self._undo.append(lambda: self.country.take(*taken))

    # --- deciding and writing -----------------------------------------------------------------------------------

    def _in_force(self, code: str, line: str, now: datetime) -> Process:
        """Nothing is published while the country plays, so each version is asked for once."""
        version = self._versions.get((code, line))
        if version is None:
            version = self._versions[code, line] = in_force(code, line, now)
        return process_for(code, version)

    def _order_of(self, order_ref: str, actor: Actor) -> dict[str, Any]:
        if not order_ref:
            return {}
        order = self.load(order_ref, actor)
        return {"region": order.region, "station_no": order.station_no}

    def _decide(
        self,
        process: Process,
        name: str,
        state: str,
        actor: Actor,
        given: Mapping[str, Any],
        context: dict[str, Any],
        clocks: Mapping[str, Any],
        now: datetime,
    ) -> tuple[Decision, dict[str, Any]]:
        step = process.transitions.get(name)
        taken: Mapping[str, Any] | None = None
        if step is not None and actor.role in step.by and state in step.sources:
            taken = accept_given(process, step, given)
            missing = [needed for needed in self._needs(step) if needed not in context]
            if missing:
                asked = {**context, **taken}
                context |= {needed: LOOKUPS_IN_MEMORY[needed](self, asked, actor, now) for needed in missing}
        calendars = calendars_for(str(context.get("station_no", "")))
        decision = decide(
            process, name, state=state, role=actor.role, given=given, facts=context, clocks=clocks, now=now,
            calendars=calendars, taken=taken,
        )  # fmt: skip
        return decision, context

    @cached_property
    def _needs(self) -> Callable[[Transition], list[str]]:
        known: dict[int, list[str]] = {}

        def needs(step: Transition) -> list[str]:
            found = known.get(id(step))
            if found is None:
                found = known[id(step)] = needs_of(step)
            return found

        return needs

    def _carry_out(
        self,
        process: Process,
        decision: Decision,
        before: Loaded | None,
        new: Loaded,
        given: Mapping[str, Any],
        actor: Actor,
        now: datetime,
        context: dict[str, Any],
    ) -> Loaded:
        data: dict[str, Any] = {
            "given": given_for_history(process, given),
            "changed": {name: value for name, value in decision.changes.items() if name not in given},
            "clocks": store.clock_events_json(decision.clock_events),
            "rules": decision.rules,
        }
        if "chosen_station" in context:
            data["station_choice"] = context["chosen_station"]
        told = tuple(messages.of(process, decision.notices, new, decision.transition))
        kind = f"{'order' if new.table == 'order' else process.code}.{decision.transition}"
        for name in ("chosen_station", "own_seat"):
            found = context.get(name)
            if found and found["station_no"]:
                self._take_seat(new.ref, found)
                break
        self._write(
            Change(
                before=before, after=new, kind=kind, actor=actor, now=now, data=data,
                ended_clocks=decision.ended_clocks, timers=decision.timers, messages=told,
            )
        )  # fmt: skip
        written = self.kept.subjects[new.ref]
        for effect in decision.effects:
            EFFECTS_IN_MEMORY[effect](self, Happening(written, decision.transition, given, actor, now, context))
        return self.kept.subjects[new.ref]

    def _take_seat(self, ref: str, found: Mapping[str, Any]) -> None:
        self.country.take(ref, found["station_no"], found["line"], found["day"])
        self._undo.append(lambda: self.country.give_back(ref))

    def _write(self, change: Change) -> None:
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
                self._settle(timer, "void")
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
            self.country.remember(new.ref, customer["phone"], facts["serial_no"])
            self._undo.append(lambda: self.country.forget(new.ref, customer["phone"], facts["serial_no"]))
        else:
            records = self._records.setdefault(new.order_ref, [])
            records.append(new.ref)
            self._undo.append(records.pop)
        facts |= {"ref": new.ref, "station_no": new.station_no, "region": new.region}
        return replace(new, facts=facts)

    # --- time ---------------------------------------------------------------------------------------------------

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

    def _settle(self, timer: KeptTimer, state: str, at: datetime | None = None) -> None:
        timer.state, timer.fired_at = state, at
        self._undo.append(lambda: _open_again(timer))

    def _next_due_at(self) -> datetime | None:
        while self._agenda and self._agenda[0][2].state != "open":
            heapq.heappop(self._agenda)
        return self._agenda[0][0] if self._agenda else None

    def _sweep(self, now: datetime) -> None:
        """Settle what is due, as `orders.sweep` does: marks first, then the breaches that make the clock act."""
        due: list[KeptTimer] = []
        while self._agenda and self._agenda[0][0] <= now:
            timer = heapq.heappop(self._agenda)[2]
            if timer.state == "open":
                due.append(timer)
        by_subject: dict[str, list[KeptTimer]] = {}
        for timer in due:
            by_subject.setdefault(timer.subject, []).append(timer)
        acting = [timer for timers in by_subject.values() for timer in self._settle_subject(timers, now)]
        for timer in acting:
            self._act(timer, now)
        for subject in by_subject:
            self._open_timers[subject] = [timer for timer in self._open_timers[subject] if timer.state == "open"]
        self._undo.clear()

    def _settle_subject(self, timers: list[KeptTimer], now: datetime) -> Iterable[KeptTimer]:
        acting: list[KeptTimer] = []
        for place, timer in enumerate(timers):
            later = timers[place + 1 :]
            if any(one.clock == timer.clock and one.generation == timer.generation for one in later):
                self._settle(timer, "void", now)
                continue
            subject = self.kept.subjects[timer.subject]
            process = process_for(subject.process, subject.process_version)
            clock = process.clocks.get(timer.clock)
            if clock is not None and clock.on_breach and timer.step == "breach":
                acting.append(timer)
                continue
            decision = self._decide_timer(subject, timer, now)
            if decision is None:
                self._settle(timer, "void", now)
                continue
            self._write(_change_of(subject, timer, decision, now))
            self._settle(timer, "fired", now)
        return acting

    def _act(self, timer: KeptTimer, now: datetime) -> None:
        subject = self.kept.subjects[timer.subject]
        decision = self._decide_timer(subject, timer, now) if timer.state == "open" else None
        if decision is None:
            if timer.state == "open":
                self._settle(timer, "void", now)
            return
        self._write(_change_of(subject, timer, decision, now))
        self._settle(timer, "fired", now)
        for name in decision.then:
            try:
                self.perform(subject.ref, name, actor=THE_CLOCK, now=now)
            except Refused as refusal:
                if refusal.code != "wrong_state":
                    raise

    def _decide_timer(self, subject: Loaded, timer: KeptTimer, now: datetime) -> TimerDecision | None:
        return decide_timer(
            process_for(subject.process, subject.process_version), timer.clock, timer.step, timer.generation,
            facts=subject.facts, state=subject.state, clocks=subject.clocks, now=now,
            calendars=calendars_for(subject.station_no),
        )  # fmt: skip

    # --- all or nothing -----------------------------------------------------------------------------------------

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
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


def _about(actor: Actor) -> dict[str, Any]:
    return {
        "actor_id": actor.person_id, "actor_name": actor.name, "actor_station_no": actor.station_no,
        "actor_region": actor.region,
    }  # fmt: skip


def _fresh(
    process: Process,
    decision: Decision,
    actor: Actor,
    now: datetime,
    context: Mapping[str, Any],
    links: Mapping[str, Any],
) -> Loaded:
    changes = decision.changes
    kept_links = {name: value for name, value in links.items() if name not in ("region", "station_no")}
    return Loaded(
        table="order" if process.kind == "repair" else "record",
        id=0,
        ref=str(context["ref"]),
        process=process.code,
        process_version=process.version,
        state=decision.to_state,
        category=decision.category,
        region=str(changes.get("region", context.get("region", ""))),
        station_no=str(changes.get("station_no", context.get("station_no", ""))),
        revision=0,
        facts={**kept_links, **changes, "ref": context["ref"]},
        clocks=dict(decision.clocks),
        due_at=store.next_due(decision.clocks),
        created_at=now.astimezone(UTC),
        updated_at=now.astimezone(UTC),
        created_by=actor.person_id,
        order_ref=str(context["order_ref"]),
    )


def _change_of(subject: Loaded, timer: KeptTimer, decision: TimerDecision, now: datetime) -> Change:
    process = process_for(subject.process, subject.process_version)
    new = store.after(
        subject, clocks=dict(decision.clocks), due_at=store.next_due(decision.clocks), updated_at=now.astimezone(UTC)
    )
    verb = "breach" if timer.step == "breach" else "warn"
    data = {
        "clocks": [decision.event.as_json()], "step": timer.step, "due": timer.due_at.isoformat(),
        "fired": now.isoformat(), "rules": decision.rules,
    }  # fmt: skip
    told = tuple(messages.of(process, decision.notices, new, f"{timer.clock}.{verb}"))
    return Change(before=subject, after=new, kind=f"clock.{verb}", actor=THE_CLOCK, now=now, data=data, messages=told)


def _put_back(kept: dict[str, Any], key: str, before: object | None) -> None:
    if before is None:
        del kept[key]
    else:
        kept[key] = before


def _open_again(timer: KeptTimer) -> None:
    timer.state, timer.fired_at = "open", None
