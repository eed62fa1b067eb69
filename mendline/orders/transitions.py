"""The one door: every change of an order or record goes through `begin` or `perform`.

Console, API, inbound messages and effects call them; the sweeper (`orders/sweep.py`) shares their
writing. Decide purely, then write everything in one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from django.db import connection, transaction

from mendline.access.actors import Actor
from mendline.kernel.errors import Conflict, Refused
from mendline.kernel.ids import new_ref
from mendline.kernel.text import Text
from mendline.network.directory import product_entry
from mendline.orders import messages, store
from mendline.orders.store import Change, Loaded, Once, Overtaken, Seat
from mendline.process.calendar_table import calendars_for
from mendline.process.decide import Decision, decide
from mendline.process.definition import NEW, Process, Transition
from mendline.process.loading import in_force, process_for, processes
from mendline.process.looking_up import look_up
from mendline.process.registry import CHANGES, EFFECTS, GUARDS, HELD_BY_NO_LOCK, Happening, Question
from mendline.process.values import accept_given

ORDER_KIND = "repair"
HIDDEN = "•"  # what the history holds in place of personal data
# Whoever is overtaken tries again; each time somebody else got on, so more than a few are never needed.
MOST_ATTEMPTS = 24


def begin(
    process_code: str,
    name: str,
    *,
    actor: Actor,
    now: datetime,
    given: Mapping[str, Any],
    order_ref: str = "",
    links: Mapping[str, Any] | None = None,
    ref: str = "",
    version: int | None = None,
    once: Once | None = None,
) -> Loaded:
    """Create an order or record by its creating transition `name`, and return it.

    `links` are facts that only the system sets (`replaces`, `excluded_stations`, `station_no` of
    the order a record belongs to). The version is the one in force for the product line (UDS-07)
    unless `version` names it; the record keeps it for life. `once` is the caller's own number.

    Raises:
        Invalid, Refused, Forbidden: as `decide` does.
        AnsweredMeanwhile, Conflict: as `store.write` does.
    """
    process = process_for(process_code, version or in_force(process_code, line_of(given), now))
    confirm = once.confirm if once is not None else None

    def attempt(locking: bool) -> Loaded:
        facts = {**(links or {}), **_order_of(order_ref, actor)}
        number = ref or new_ref(process_code, now)
        context = {**_about(actor), **facts, "ref": number, "order_ref": order_ref, "process_version": process.version}
        decision, context = _decide(process, name, NEW, actor, given, context, {}, now, confirm)
        fresh = _fresh(process, decision, actor=actor, now=now, context=context, links=links or {})
        return _carry_out(process, decision, None, fresh, given=given, actor=actor, now=now, context=context, once=once)

    step = process.transitions.get(name)
    return _until_it_holds(attempt, alone=not order_ref and step is not None and _writes_nothing_beside(step))


def perform(
    ref: str,
    name: str,
    *,
    actor: Actor,
    now: datetime,
    given: Mapping[str, Any] | None = None,
    expected_revision: int | None = None,
    links: Mapping[str, Any] | None = None,
    once: Once | None = None,
) -> Loaded:
    """Carry out transition `name` on the order or record `ref`, and return it as it stands then.

    `given` is what the actor supplies with it; only facts the process file names are taken.
    `expected_revision` is what the actor last saw. `links` are facts that only the system sets.
    `once` is the caller's own number.

    Raises:
        NotVisible: the record is outside the actor's scope.
        Conflict: it moved on since `expected_revision`, or as `store.write` does.
        Invalid, Refused, Forbidden: the process file or a guard says no; cites the rule.
        AnsweredMeanwhile: as `store.write` does.
    """
    given = given or {}
    confirm = once.confirm if once is not None else None

    def attempt(locking: bool) -> Loaded:
        before = store.load(ref, actor=actor, lock=locking, confirm=confirm)
        _refuse_an_old_screen(before, expected_revision)
        process = process_for(before.process, before.process_version)
        context = {**_about(actor), **before.facts, "process_version": before.process_version, **(links or {})}
        if before.table == "record":
            context["order_ref"] = before.order_ref
        decision, context = _decide(process, name, before.state, actor, given, context, before.clocks, now)
        new = store.after(
            before,
            state=decision.to_state,
            category=decision.category,
            facts={**before.facts, **decision.changes},
            station_no=str(decision.changes.get("station_no", before.station_no)),
            region=str(decision.changes.get("region", before.region)),
            clocks=dict(decision.clocks),
            due_at=store.next_due(decision.clocks),
            updated_at=now.astimezone(UTC),
        )
        return _carry_out(process, decision, before, new, given=given, actor=actor, now=now, context=context, once=once)

    return _until_it_holds(attempt, alone=store.table_of(ref) == "order" and _is_decided_by_its_row(name))


def _fresh(
    process: Process,
    decision: Decision,
    *,
    actor: Actor,
    now: datetime,
    context: Mapping[str, Any],
    links: Mapping[str, Any],
) -> Loaded:
    """Return the new record as its creating step leaves it."""
    return Loaded(
        table="order" if process.kind == ORDER_KIND else "record",
        id=0,
        ref=str(context["ref"]),
        process=process.code,
        process_version=process.version,
        state=decision.to_state,
        category=decision.category,
        region=str(decision.changes.get("region", context.get("region", ""))),
        station_no=str(decision.changes.get("station_no", context.get("station_no", ""))),
        revision=0,
        facts={**_kept_links(links), **decision.changes, "ref": context["ref"]},
        clocks=dict(decision.clocks),
        due_at=store.next_due(decision.clocks),
        created_at=now.astimezone(UTC),
        updated_at=now.astimezone(UTC),
        created_by=actor.person_id,
        order_ref=str(context["order_ref"]),
    )


def _refuse_an_old_screen(before: Loaded, expected_revision: int | None) -> None:
    if expected_revision is not None and expected_revision != before.revision:
        raise Conflict(
            "changed",
            Text(
                "维修单已被他人更新，请刷新后重试",
                f"{before.ref} was changed meanwhile (now revision {before.revision}); reload and try again",
            ),
        )


def _until_it_holds(attempt: Callable[[bool], Loaded], *, alone: bool) -> Loaded:
    """Decide and write, and again from the start when what was decided did not hold any more.

    A step that stands `alone` is one write, and nothing it was decided on could change without the
    write noticing: the revision tells of the order, the day's counter of the seat. It needs no
    lock and no transaction around it. All others hold their rows (`attempt(True)`) until they are done.
    """
    for left in reversed(range(MOST_ATTEMPTS)):
        try:
            if alone and not connection.in_atomic_block:
                return attempt(False)
            with transaction.atomic():
                return attempt(True)
        except Overtaken as overtaken:
            if not left:
                said = Text("此刻操作过于集中，请稍后重试", "too many others act on the same things; try again shortly")
                raise Conflict("busy", said) from overtaken
    raise AssertionError


def _writes_nothing_beside(step: Transition) -> bool:
    return not any(name in EFFECTS for name in step.effects)


@cache
def _is_decided_by_its_row(name: str) -> bool:
    """Tell whether a lock would hold nothing still but the row, of which the revision tells; in all versions."""
    for process in processes().values():
        step = process.transitions.get(name) if process.kind == ORDER_KIND else None
        if step is None:
            continue
        if not _writes_nothing_beside(step) or not HELD_BY_NO_LOCK.issuperset(needs_of(step)):
            return False
    return True


def _decide(
    process: Process,
    name: str,
    state: str,
    actor: Actor,
    given: Mapping[str, Any],
    facts: dict[str, Any],
    clocks: Mapping[str, Any],
    now: datetime,
    confirm: Question | None = None,
) -> tuple[Decision, dict[str, Any]]:
    """Look up what the step's guards and changes name, then decide."""
    step = process.transitions.get(name)
    context = dict(facts)
    taken: Mapping[str, Any] | None = None
    if step is not None and actor.role in step.by and state in step.sources:
        taken = accept_given(process, step, given)  # lookups go to the database with checked values only
        missing = [needed for needed in needs_of(step) if needed not in context]
        if missing or confirm is not None:
            context |= look_up(missing, {**context, **taken}, actor, now, confirm)
    decision = decide(
        process,
        name,
        state=state,
        role=actor.role,
        given=given,
        facts=context,
        clocks=clocks,
        now=now,
        calendars=calendars_for(str(context.get("station_no", ""))),
        taken=taken,
    )
    return decision, context


def needs_of(step: Transition) -> list[str]:
    """Return the facts to look up for a step, in the order its guards, diverts and changes name them."""
    names = [need for check in (*step.guards, *step.diverts) for need in GUARDS[check].needs]
    names += [need for effect in step.effects if effect in CHANGES for need in CHANGES[effect].needs]
    return list(dict.fromkeys(names))


def _carry_out(
    process: Process,
    decision: Decision,
    before: Loaded | None,
    new: Loaded,
    *,
    given: Mapping[str, Any],
    actor: Actor,
    now: datetime,
    context: dict[str, Any],
    once: Once | None,
) -> Loaded:
    """Write row, history, timers and messages, then run the effects; all in the caller's transaction."""
    subject = "order" if new.table == "order" else process.code
    data: dict[str, Any] = {
        "given": given_for_history(process, given),
        "changed": {name: value for name, value in decision.changes.items() if name not in given},
        "clocks": store.clock_events_json(decision.clock_events),
        "rules": decision.rules,
    }
    if "chosen_station" in context:
        data["station_choice"] = context["chosen_station"]  # why this station: kept once, in the history
    change = Change(
        before=before,
        after=new,
        kind=f"{subject}.{decision.transition}",
        actor=actor,
        now=now,
        data=data,
        ended_clocks=decision.ended_clocks,
        timers=decision.timers,
        messages=tuple(messages.of(process, decision.notices, new, decision.transition)),
        seat=_seat_found(context),
        once=once,
    )
    [row_id] = store.write([change])
    written = replace(new, id=row_id)
    for effect in decision.effects:
        EFFECTS[effect](Happening(written, decision.transition, given, actor, now, context))
    return written


def _seat_found(context: Mapping[str, Any]) -> Seat | None:
    """Return the seat that goes with the station which the step looked for, or with the acting station's own order."""
    for name in ("chosen_station", "own_seat"):
        found = context.get(name)
        if found and found["station_no"]:
            return Seat(found["station_no"], found["line"], found["day"])
    return None


def given_for_history(process: Process, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was given, with personal data left out: the history outlives an erasure."""
    return {
        name: HIDDEN if name in process.facts and process.facts[name].personal else value
        for name, value in given.items()
    }


def _about(actor: Actor) -> dict[str, Any]:
    return {
        "actor_id": actor.person_id,
        "actor_name": actor.name,
        "actor_station_no": actor.station_no,
        "actor_region": actor.region,
    }


def line_of(given: Mapping[str, Any]) -> str:
    """Return the product line whose procedure counts (UDS-07): the line of the product given, or the line given."""
    named = str(given.get("product") or given.get("product_line") or "")
    entry = product_entry(named) if named else None
    return entry.line if entry else named


def _order_of(order_ref: str, actor: Actor) -> dict[str, Any]:
    """Return whose a record is: it takes region and station of its order, which the actor must see."""
    if not order_ref:
        return {}
    order = store.load(order_ref, actor=actor, lock=True)
    return {"region": order.region, "station_no": order.station_no}


def _kept_links(links: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (links or {}).items() if name not in ("region", "station_no")}


def refuse_unknown(kind: str, name: str) -> Refused:
    return Refused(f"unknown_{kind}", Text(f"没有“{name}”", f"there is no {kind} {name!r}"))
