"""The one door: every change of an order or record goes through `begin` or `perform`.

Console, API, inbound messages and effects call them; the sweeper (`orders/sweep.py`) shares their
writing. Decide purely, then write everything in one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from django.db import IntegrityError, transaction

from mendline.access.actors import Actor
from mendline.kernel.errors import Conflict, Refused
from mendline.kernel.ids import new_ref
from mendline.kernel.text import Text
from mendline.network.directory import product_entry
from mendline.orders import messages, store
from mendline.orders.store import Change, Loaded
from mendline.process.calendar_table import calendars_for
from mendline.process.decide import Decision, decide
from mendline.process.definition import NEW, Process, Transition
from mendline.process.loading import in_force, process_for
from mendline.process.registry import CHANGES, EFFECTS, GUARDS, LOOKUPS, Happening
from mendline.process.values import accept_given

ORDER_KIND = "repair"


def begin_joined(
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
) -> Loaded:
    """Create an order or record by its creating transition `name`, and return it.

    This is `begin` without a transaction or savepoint of its own, for an edge that writes a row of
    its own beside the step: when it raises, the caller's transaction must be given up as a whole.

    `links` are facts that only the system sets (`replaces`, `excluded_stations`, `station_no` of
    the order a record belongs to). The version is the one in force for the product line (UDS-07)
    unless `version` names it; the record keeps it for life.

    Raises:
        Invalid, Refused, Forbidden: as `decide` does.
    """
    facts = {**(links or {}), **_order_of(order_ref, actor)}
    process = process_for(process_code, version or in_force(process_code, line_of(given), now))
    number = ref or new_ref(process_code, now)
    context = {**_about(actor), **facts, "ref": number, "order_ref": order_ref, "process_version": process.version}
    decision, context = _decide(process, name, NEW, actor, given, context, {}, now)
    fresh = Loaded(
        table="order" if process.kind == ORDER_KIND else "record",
        id=0,
        ref=number,
        process=process.code,
        process_version=process.version,
        state=decision.to_state,
        category=decision.category,
        region=str(decision.changes.get("region", facts.get("region", ""))),
        station_no=str(decision.changes.get("station_no", facts.get("station_no", ""))),
        revision=0,
        facts={**_kept_links(links), **decision.changes, "ref": number},
        clocks=dict(decision.clocks),
        due_at=store.next_due(decision.clocks),
        created_at=now.astimezone(UTC),
        updated_at=now.astimezone(UTC),
        created_by=actor.person_id,
        order_ref=order_ref,
    )
    return _carry_out(process, decision, None, fresh, given=given, actor=actor, now=now, context=context)


begin = transaction.atomic(begin_joined)


def perform_joined(
    ref: str,
    name: str,
    *,
    actor: Actor,
    now: datetime,
    given: Mapping[str, Any] | None = None,
    expected_revision: int | None = None,
    links: Mapping[str, Any] | None = None,
) -> Loaded:
    """Carry out transition `name` on the order or record `ref`, and return it as it stands then.

    This is `perform` without a transaction or savepoint of its own; see `begin_joined`.

    `given` is what the actor supplies with it; only facts the process file names are taken.
    `expected_revision` is what the actor last saw. `links` are facts that only the system sets.

    Raises:
        NotVisible: the record is outside the actor's scope.
        Conflict: it moved on since `expected_revision`.
        Invalid, Refused, Forbidden: the process file or a guard says no; cites the rule.
    """
    given = given or {}
    before = store.load(ref, actor=actor, lock=True)
    if expected_revision is not None and expected_revision != before.revision:
        raise Conflict(
            "changed",
            Text(
                "维修单已被他人更新，请刷新后重试",
                f"{ref} was changed meanwhile (now revision {before.revision}); reload and try again",
            ),
        )
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
    return _carry_out(process, decision, before, new, given=given, actor=actor, now=now, context=context)


perform = transaction.atomic(perform_joined)


def _decide(
    process: Process,
    name: str,
    state: str,
    actor: Actor,
    given: Mapping[str, Any],
    facts: dict[str, Any],
    clocks: Mapping[str, Any],
    now: datetime,
) -> tuple[Decision, dict[str, Any]]:
    """Look up what the step's guards and changes name, then decide."""
    step = process.transitions.get(name)
    context = dict(facts)
    taken: Mapping[str, Any] | None = None
    if step is not None and actor.role in step.by and state in step.sources:
        taken = accept_given(process, step, given)  # lookups go to the database with checked values only
        for needed in needs_of(step):
            if needed not in context:
                context[needed] = LOOKUPS[needed]({**context, **taken}, actor, now)
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
    )
    try:
        [row_id] = store.write([change])
    except IntegrityError as problem:
        if before is None and "ref" in str(problem):
            raise Conflict("number_taken", Text("编号冲突，请重试", "the number was taken; try again")) from problem
        raise
    written = replace(new, id=row_id)
    for effect in decision.effects:
        EFFECTS[effect](Happening(written, decision.transition, given, actor, now, context))
    return written


def given_for_history(process: Process, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was given, with personal data left out: the history outlives an erasure."""
    return {
        name: "•" if name in process.facts and process.facts[name].personal else value for name, value in given.items()
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
