"""The one door, in memory: what `begin`, `perform` and the sweeper would have written, without a database.

A month of a whole country is some two hundred thousand steps, and sending each of them to the database
takes ten minutes. Everything that decides is the engine's own and pure (`decide`, `decide_timer`,
guards, changes, notices, choosing a station); only looking up and the rows beside the order are done here,
and keeping in `national_memory`. `tests/sim/test_national_door.py` plays the same stories through both doors and
compares every row, so the two cannot drift apart unnoticed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from mendline.access.actors import THE_CLOCK, Actor
from mendline.kernel.errors import Refused
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
from mendline.sim.national_memory import KeptTimer, Memory
from mendline.sim.national_refs import Refs

SWEPT_AFTER = timedelta(seconds=1)  # how soon a running worker would notice


class MemoryDoor:
    """Where steps are taken and kept. `country` answers what an order's own row does not hold."""

    country: Country
    memory: Memory
    refs: Refs

    def __init__(self, country: Country, refs: Refs) -> None:
        self.country, self.refs = country, refs
        self.memory = Memory(country)
        self._versions: dict[tuple[str, str], int] = {}

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
        with self.memory.all_or_nothing():
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
        with self.memory.all_or_nothing():
            before = self.memory.load(ref, actor)
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
        return self.memory.load(ref, THE_CLOCK)

    def newest_open(self, order_ref: str, process: str) -> str:
        """Return the newest open record of that process that hangs on the order."""
        return next(
            record.ref for record in reversed(list(self.memory.open_records(order_ref))) if record.process == process
        )

    def let_time_pass(self, until: datetime) -> None:
        """Let every timer take effect a moment after it is due, as with a worker that is always there."""
        while (due := self.memory.next_due_at()) is not None and due <= until:
            self._sweep(min(due + SWEPT_AFTER, until))

    def ask_beforehand(self, now: datetime, directory: Directory) -> None:
        """Ask the database now for versions and calendars, so that playing needs it no more."""
        lines = {"", *(entry.line for entry in directory.products.values())}
        for code in {code for code, _ in processes()}:
            for line in lines:
                self._in_force(code, line, now)
        for code in ("always", "working_hours", "working_days"):
            calendars_for("")(code)

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
        order = self.memory.load(order_ref, actor)
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
                self.memory.take_seat(new.ref, found)
                break
        self.memory.write(
            Change(
                before=before, after=new, kind=kind, actor=actor, now=now, data=data,
                ended_clocks=decision.ended_clocks, timers=decision.timers, messages=told,
            )
        )  # fmt: skip
        written = self.memory.kept.subjects[new.ref]
        for effect in decision.effects:
            EFFECTS_IN_MEMORY[effect](self, Happening(written, decision.transition, given, actor, now, context))
        return self.memory.kept.subjects[new.ref]

    # --- time ---------------------------------------------------------------------------------------------------

    def _sweep(self, now: datetime) -> None:
        """Settle what is due, as `orders.sweep` does: marks first, then the breaches that make the clock act."""
        by_subject = self.memory.take_due(now)
        acting = [timer for timers in by_subject.values() for timer in self._settle_subject(timers, now)]
        for timer in acting:
            self._act(timer, now)
        self.memory.forget_settled(by_subject)

    def _settle_subject(self, timers: list[KeptTimer], now: datetime) -> Iterable[KeptTimer]:
        acting: list[KeptTimer] = []
        for place, timer in enumerate(timers):
            later = timers[place + 1 :]
            if any(one.clock == timer.clock and one.generation == timer.generation for one in later):
                self.memory.settle(timer, "void", now)
                continue
            subject = self.memory.kept.subjects[timer.subject]
            process = process_for(subject.process, subject.process_version)
            clock = process.clocks.get(timer.clock)
            if clock is not None and clock.on_breach and timer.step == "breach":
                acting.append(timer)
                continue
            decision = self._decide_timer(subject, timer, now)
            if decision is None:
                self.memory.settle(timer, "void", now)
                continue
            self.memory.write(_change_of(subject, timer, decision, now))
            self.memory.settle(timer, "fired", now)
        return acting

    def _act(self, timer: KeptTimer, now: datetime) -> None:
        subject = self.memory.kept.subjects[timer.subject]
        decision = self._decide_timer(subject, timer, now) if timer.state == "open" else None
        if decision is None:
            if timer.state == "open":
                self.memory.settle(timer, "void", now)
            return
        self.memory.write(_change_of(subject, timer, decision, now))
        self.memory.settle(timer, "fired", now)
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
