"""What is done from the queue itself: a call noted with one tap, many orders at once, rows read anew.

Everything goes through the one door, order by order. Many at once is no transaction around all of them: what can be
done is done, and for every order the answer says whether it was, or which rule stood in the way.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.views.decorators.http import require_POST

from mendline.access.actors import OF_A_STATION, Actor
from mendline.kernel.errors import Conflict, Invalid, NotVisible, Refused
from mendline.kernel.ids import is_ref
from mendline.kernel.numbers import whole_number
from mendline.kernel.text import Text
from mendline.orders import store
from mendline.orders.queries import PAGE
from mendline.orders.queue import matching, rows_of
from mendline.orders.store import LAST_REVISION
from mendline.orders.transitions import perform
from mendline.process.definition import Process, Transition
from mendline.process.loading import latest, process_for
from mendline.web.console.choices import engineers
from mendline.web.console.once import already_done
from mendline.web.console.queue_address import PROCESS, QueueAddress, read_address
from mendline.web.console.queue_rows import OUTCOMES, Columns, rows_markup
from mendline.web.console.rows import order_rows
from mendline.web.console.visit import Visit, screen

AT_ONCE = ("download", "assign_engineer", "print_order", "dispatch")
CALL = "log_contact"
AT_MOST = 4 * PAGE
ABSENT = Text("没有找到，或不在您的管辖范围内", "not found, or not in your scope")


@dataclass(frozen=True, slots=True)
class Action:
    """A step that can be taken on many orders, and whether it needs an engineer to be named."""

    name: str
    label: Text
    needs_engineer: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one order."""

    ref: str
    done: bool
    text: Text
    rule: str = ""


def actions_for(actor: Actor) -> list[Action]:
    """Return the steps that this role may take on many orders at once."""
    return [Action(step.name, step.label, "engineer" in step.requires) for step in steps_for(actor.role)]


def steps_for(role: str) -> list[Transition]:
    return [step for step in (latest(PROCESS).transitions[name] for name in AT_ONCE) if role in step.by]


def columns_for(actor: Actor) -> Columns:
    """Return what the queue shows to this role."""
    return Columns(
        station=actor.role not in OF_A_STATION,
        picks=bool(steps_for(actor.role)),
        calls=True,
        may_call=actor.role in latest(PROCESS).transitions[CALL].by,
    )


@screen
def engineer_options(visit: Visit) -> HttpResponse:
    """The station's engineers, for the field that names one; asked for when the first order is ticked."""
    return visit.render("console/queue/engineers.html", {"engineers": engineers(visit.actor.station_no)})


@require_POST
@screen
def call(visit: Visit, ref: str) -> HttpResponse:
    """Note one call with its outcome (STN-19, STN-25) and answer with the row as it is then.

    The revision of the row goes along: a second tap before the first has answered is told so and counts no call.
    """
    outcome = visit.posted.get("outcome", "")
    seen = whole_number(visit.posted.get("revision", ""), most=LAST_REVISION)
    if outcome not in OUTCOMES:
        raise Refused("unknown_outcome", Text("请选择联系结果", "choose an outcome"))
    try:
        after = perform(
            ref, CALL, actor=visit.actor, now=visit.now, given={"contact_outcome": outcome}, expected_revision=seen
        )
    except (Refused, Conflict) as problem:
        said, rule = _said_of(problem), getattr(problem, "rule", "")
        return _row(
            visit, ref, Text(f"{said.zh} {rule}".strip(), f"{said.en} {rule}".strip()), "danger", problem.status
        )
    said = _outcome_words(process_for(after.process, after.process_version), outcome)
    return _row(visit, ref, Text(f"已记录：{said.zh}", f"Noted: {said.en}"), "success", 200)


@require_POST
@screen
def many(visit: Visit) -> HttpResponse:
    """Take one step on every chosen order and say for each what became of it."""
    name, refs = visit.posted.get("do", ""), _refs(visit.request.POST.getlist("ref"))
    step = next((step for step in steps_for(visit.actor.role) if step.name == name), None)
    if step is None:
        raise NotVisible
    given = {"engineer": visit.posted.get("engineer", "")} if "engineer" in step.requires else {}
    outcomes = [_carried_out(visit, ref, step, given) for ref in refs]
    done = [outcome.ref for outcome in outcomes if outcome.done]
    context = {
        "step": step,
        "outcomes": sorted(outcomes, key=lambda outcome: outcome.done),  # what needs somebody comes first
        "done": done,
        "refused": len(outcomes) - len(done),
        "prints": done if name == "print_order" else [],
    }
    template = "console/queue/outcomes.html" if visit.by_htmx else "console/queue/outcomes_page.html"
    response = visit.render(template, context)
    response["HX-Trigger"] = json.dumps({"orders-changed": {"refs": done}})
    return response


@screen
def some_rows(visit: Visit) -> HttpResponse:
    """Some rows of the list as they are now; one that no longer belongs to it stays where it is, and says so."""
    refs = _refs(visit.request.GET.getlist("ref"))
    return HttpResponse(_markup(visit, refs, read_address(visit.request.GET.dict())))


def _markup(visit: Visit, refs: list[str], address: QueueAddress) -> str:
    rows = order_rows(rows_of(visit.actor, refs), visit.now)
    staying = matching(visit.actor, address.filters(visit.actor, visit.now), refs)
    return rows_markup(rows, columns_for(visit.actor), visit.language, gone=frozenset(refs) - staying)


def _row(visit: Visit, ref: str, said: Text, tone: str, status: int) -> HttpResponse:
    body = _markup(visit, [ref], read_address(visit.posted))
    toast = {"toast": {"zh": f"{ref} {said.zh}", "en": f"{ref} {said.en}", "tone": tone}}
    return HttpResponse(body, status=status, headers={"HX-Trigger": json.dumps(toast)})


def _carried_out(visit: Visit, ref: str, step: Transition, given: Mapping[str, Any]) -> Outcome:
    try:
        with transaction.atomic():
            if already_done(visit, f"{ref}.{step.name}", part=f":{ref}"):
                after = store.load(ref, actor=visit.actor)
            else:
                after = perform(ref, step.name, actor=visit.actor, now=visit.now, given=given)
    except NotVisible:
        return Outcome(ref, False, ABSENT)
    except (Refused, Conflict) as problem:
        return Outcome(ref, False, _said_of(problem), getattr(problem, "rule", ""))
    return Outcome(ref, True, process_for(after.process, after.process_version).states[after.state].label)


def _said_of(problem: Refused | Conflict) -> Text:
    """Return why not, in words; of a form that is not complete, what is to be mended."""
    if isinstance(problem, Invalid) and problem.fields:
        said = list(problem.fields.values())
        return Text("；".join(one.zh for one in said), "; ".join(one.en for one in said))
    return problem.detail


def _outcome_words(process: Process, outcome: str) -> Text:
    return process.facts["contact_outcome"].of.get(outcome, Text(outcome, outcome))


def _refs(given: list[str]) -> list[str]:
    return list(dict.fromkeys(ref for ref in given if is_ref(ref)))[:AT_MOST]
