"""What callers get to see: plain JSON of orders, records, steps, clocks and history. Pure.

Telephone numbers are masked everywhere; `POST /orders/{ref}/reveal` shows one and leaves a trace.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from mendline.journal.models import Entry, Outgoing
from mendline.kernel.phones import masked
from mendline.kernel.text import Text
from mendline.orders.models import RepairOrder, Subject
from mendline.orders.queries import Step
from mendline.orders.store import Loaded
from mendline.process.clock_state import ClockState
from mendline.process.definition import Clock, Fact, Notice, Process, Transition
from mendline.process.rules import text_of

HIDDEN = "•"  # what the history keeps in place of personal data
# Facts of the row itself, which a process file does not describe.
PLAIN_FACTS = (
    "origin", "product_line", "assignee_name", "replaces", "replaced_by", "t1", "t2", "t4", "t3_promises",
    "promises_written", "parts", "borrowed_parts", "passes", "prints", "resolution",
)  # fmt: skip


def receipt(subject: Loaded) -> dict[str, Any]:
    """Return what a step answers: enough to go on with, and no personal data."""
    return {
        "ref": subject.ref,
        "state": subject.state,
        "station_no": subject.station_no,
        "revision": subject.revision,
        "clocks": {name: clock_brief(clock) for name, clock in subject.clocks.items()},
        "due_at": subject.due_at,
    }


def clock_brief(clock: ClockState) -> dict[str, Any]:
    return {"run": clock.run, "due_at": clock.due_at, "breached": clock.is_breached}


def clock_full(clock: ClockState, described: Clock | None) -> dict[str, Any]:
    found: dict[str, Any] = {
        **clock_brief(clock),
        "started_at": clock.started_at,
        "counted_from": clock.counted_from,
        "paused_at": clock.paused_at,
        "stopped_at": clock.stopped_at,
        "breached_at": clock.breached_at,
    }
    if described is not None:
        found |= {"label": described.label.as_dict(), "responsible": described.responsible, "rules": described.rules}
    return found


def subject_full(subject: Loaded, process: Process, role: str) -> dict[str, Any]:
    """Return an order or record with the facts that this role may see."""
    state = process.states.get(subject.state)
    return {
        "ref": subject.ref,
        "process": subject.process,
        "process_version": subject.process_version,
        "label": process.label.as_dict(),
        "state": subject.state,
        "state_label": (state.label if state else Text(subject.state, subject.state)).as_dict(),
        "category": subject.category,
        "region": subject.region,
        "station_no": subject.station_no,
        "revision": subject.revision,
        "order_ref": subject.order_ref if subject.table == "record" else None,
        "created_at": subject.created_at,
        "updated_at": subject.updated_at,
        "due_at": subject.due_at,
        "clocks": {name: clock_full(clock, process.clocks.get(name)) for name, clock in subject.clocks.items()},
        "facts": facts_for(subject.facts, process, role),
    }


def facts_for(facts: Mapping[str, Any], process: Process, role: str) -> dict[str, Any]:
    """Return the known facts that `role` may see, telephone numbers masked."""
    found: dict[str, Any] = {}
    for name, fact in process.facts.items():
        value = facts.get(name)
        if value in (None, "", [], {}) or (fact.shown_to and role not in fact.shown_to):
            continue
        found[name] = with_masks(fact, value)
    for name in PLAIN_FACTS:
        if name not in found and facts.get(name) not in (None, "", [], {}):
            found[name] = facts[name]
    return found


def with_masks(fact: Fact, value: Any) -> Any:
    if fact.type == "phone":
        return masked(str(value))
    if fact.type == "record" and isinstance(value, Mapping):
        return {name: with_masks(fact.fields[name], part) for name, part in value.items() if name in fact.fields}
    return value


def order_row(order: RepairOrder, now: datetime) -> dict[str, Any]:
    """Return one line of a list of orders."""
    return {
        **_row(order, now),
        "customer": {"name": order.customer_name, "phone": masked(order.phone)},
        "origin": order.origin,
        "product": order.product,
        "product_line": order.product_line,
        "area": order.area,
        "fault": order.fault[:200],
        "assignee_name": order.assignee_name,
    }


def record_row(record: Subject, order_ref: str, now: datetime) -> dict[str, Any]:
    return {**_row(record, now), "order_ref": order_ref}


def _row(row: Subject, now: datetime) -> dict[str, Any]:
    return {
        "ref": row.ref,
        "process": row.process,
        "state": row.state,
        "category": row.category,
        "station_no": row.station_no,
        "region": row.region,
        "revision": row.revision,
        "due_at": row.due_at,
        "overdue": row.due_at is not None and row.due_at < now and row.category in ("open", "waiting"),
        "created_at": row.created_at,
    }


def step_offered(step: Step, process: Process) -> dict[str, Any]:
    """Return a step of the caller's role: what to give with it, or what stands in its way."""
    found = transition_form(step.transition, process)
    found["permitted"] = step.permitted
    if step.refusal is not None:
        found["refusal"] = {
            "code": step.refusal.code,
            "rule": step.refusal.rule,
            "rules": step.refusal.rules,
            "texts": step.refusal.detail.as_dict(),
        }
    return found


def transition_form(step: Transition, process: Process) -> dict[str, Any]:
    return {
        "name": step.name,
        "label": step.label.as_dict(),
        "help": _text(step.help),
        "danger": step.danger,
        "form": [{**fact_form(process.facts[name]), "required": name in step.requires} for name in step.takes],
        "rules": step.rules,
    }


def fact_form(fact: Fact) -> dict[str, Any]:
    """Return a fact as a form field; what does not apply to its type is left out."""
    found: dict[str, Any] = {"name": fact.name, "type": fact.type, "label": fact.label.as_dict()}
    if fact.of:
        found["choices"] = [{"value": value, "label": label.as_dict()} for value, label in fact.of.items()]
    if fact.fields:
        found["fields"] = [{**fact_form(part), "required": True} for part in fact.fields.values()]
    if fact.type in ("text", "address", "serial", "signature"):
        found["longest"] = fact.longest
    if fact.help is not None:
        found["help"] = fact.help.as_dict()
    if fact.suggest:
        found["suggest"] = fact.suggest
    if fact.personal:
        found["personal"] = True
    return found


def entry(kept: Entry, process: Process | None, role: str) -> dict[str, Any]:
    """Return one entry of the history. The sentences about stations are left to `station_choice` readers."""
    return {
        "id": kept.pk,
        "at": kept.at,
        "kind": kept.kind,
        "from_state": kept.from_state,
        "to_state": kept.to_state,
        "revision": kept.revision,
        "by": {"name": kept.actor_name, "role": kept.actor_role},
        "station_no": kept.station_no,
        "data": _history_data(kept.data, process, role),
    }


def _history_data(data: Mapping[str, Any], process: Process | None, role: str) -> dict[str, Any]:
    found = dict(data)
    for part in ("given", "changed"):
        if isinstance(found.get(part), Mapping):
            found[part] = {name: _history_value(name, value, process, role) for name, value in found[part].items()}
    return found


def _history_value(name: str, value: Any, process: Process | None, role: str) -> Any:
    fact = process.facts.get(name) if process else None
    if fact is not None and (fact.personal or fact.type == "phone" or (fact.shown_to and role not in fact.shown_to)):
        return HIDDEN
    return value


def notice_row(row: Outgoing) -> dict[str, Any]:
    return {
        "id": row.pk,
        "at": row.at,
        "subject": row.subject,
        "notice": row.notice,
        "texts": {"zh": row.data.get("zh", row.notice), "en": row.data.get("en", row.notice)},
    }


def process_full(process: Process) -> dict[str, Any]:
    """Return a whole process version: everything a screen for it needs."""
    return {
        "code": process.code,
        "version": process.version,
        "kind": process.kind,
        "label": process.label.as_dict(),
        "source": process.source,
        "parameters": {name: parameter(value) for name, value in process.parameters.items()},
        "facts": [{**fact_form(fact), "shown_to": fact.shown_to} for fact in process.facts.values()],
        "states": [
            {"name": state.name, "label": state.label.as_dict(), "category": state.category}
            for state in process.states.values()
        ],
        "clocks": [_clock_described(clock) for clock in process.clocks.values()],
        "transitions": [_transition_full(step) for step in process.transitions.values()],
        "notices": [_notice_described(notice) for notice in process.notices],
        "close_gate": process.close_gate,
        "rules": rule_texts(_rules_of(process)),
    }


def parameter(value: object) -> object:
    """Return a parameter as people wrote it: `4h`, `5wd`, a number or a list of names."""
    return value if isinstance(value, (bool, int, float, str, tuple, list)) else str(value)


def _clock_described(clock: Clock) -> dict[str, Any]:
    return {
        "name": clock.name,
        "label": clock.label.as_dict(),
        "budget": clock.budget,
        "calendar": clock.calendar,
        "starts": sorted(clock.starts),
        "stops": sorted(clock.stops),
        "pauses": sorted(clock.pauses),
        "counts_from": clock.counts_from,
        "warns": clock.warns,
        "on_breach": clock.on_breach,
        "responsible": clock.responsible,
        "rules": clock.rules,
    }


def _transition_full(step: Transition) -> dict[str, Any]:
    return {
        "name": step.name,
        "label": step.label.as_dict(),
        "help": _text(step.help),
        "from": sorted(step.sources),
        "to": step.to,
        "diverts": step.diverts,
        "by": step.by,
        "requires": step.requires,
        "accepts": step.accepts,
        "guards": step.guards,
        "effects": step.effects,
        "danger": step.danger,
        "rules": step.rules,
    }


def _notice_described(notice: Notice) -> dict[str, Any]:
    return {
        "name": notice.name,
        "on": sorted(notice.on),
        "to": notice.to,
        "channels": notice.channels,
        "texts": notice.text.as_dict(),
        "rules": notice.rules,
    }


def _rules_of(process: Process) -> list[str]:
    cited = [rule for step in process.transitions.values() for rule in (*step.rules, step.role_rule, step.state_rule)]
    cited += [rule for clock in process.clocks.values() for rule in clock.rules]
    cited += [rule for notice in process.notices for rule in notice.rules]
    return sorted({rule for rule in cited if rule})


def rule_texts(ids: Iterable[str]) -> dict[str, dict[str, str]]:
    return {rule_id: text.as_dict() for rule_id in ids if (text := text_of(rule_id)) is not None}


def _text(text: Text | None) -> dict[str, str] | None:
    return text.as_dict() if text is not None else None
