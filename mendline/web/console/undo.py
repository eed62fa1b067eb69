"""Taking back what was just done, where that is honest: nothing has left the house, and it is soon enough.

There is no second door. A step is taken back by the step that the procedure has for it, carried out by the same person
and written into the history like every other:

- a step that only mends data, is told to nobody and moves no clock: the same step with what stood there before;
- a record that was begun and told to nobody: the step of the same role that voids it.

Whatever told somebody is not offered, because nobody can be made to forget it; its form says so before it is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core import signing
from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from mendline.access.models import Person
from mendline.kernel.errors import Conflict, NotVisible, Refused
from mendline.kernel.text import Text
from mendline.orders.store import Loaded, load, table_of
from mendline.orders.transitions import perform
from mendline.process.definition import SAME, Process, Transition
from mendline.process.loading import process_for
from mendline.web.console.visit import Visit, go, screen
from mendline.web.console.words import role_name
from mendline.web.models import SavedView

SALT = "console.undo"
SECONDS = 120  # for what was a slip of the hand; later on it is a decision, and has its own steps
# What may follow a step that is taken back: these write nothing but the facts that were given.
ONLY_FACTS = frozenset({"record_engineer"})
LATE = Text("撤销的时间已过；需要更改请照常办理。", "It is too late to undo this. Change it by the usual step.")
MOVED_ON = Text("之后已有新的办理，不能再撤销。", "Something else was done since, so this cannot be undone any more.")


@dataclass(frozen=True, slots=True)
class Offer:
    """What a page needs to offer it: the slip, and how long it is good for."""

    slip: str
    seconds: int = SECONDS


def after_step(visit: Visit, process: Process, step: Transition, *, before: Loaded, after: Loaded) -> Offer | None:
    """Return the offer to take a step back; None where that would not be honest, or not whole."""
    given = {name: before.facts.get(name) for name in step.takes if before.facts.get(name) != after.facts.get(name)}
    if (
        not given
        or not _only_mends(process, step)
        or any(_is_gone(process, name, value) for name, value in given.items())
    ):
        return None
    return _offer(visit, "step", [after.ref, step.name, after.revision, given])


def after_begin(visit: Visit, process: Process, step: Transition, after: Loaded) -> Offer | None:
    """Return the offer to take back a record that was just begun; None when somebody was told of it."""
    if process.notices_on.get(step.name) or after.revision:
        return None
    for way in process.steps_from(after.state):
        ends = process.states[way.to.get(after.state, after.state)].category == "void"
        if ends and visit.actor.role in way.by and not way.requires and not process.notices_on.get(way.name):
            return _offer(visit, "step", [after.ref, way.name, after.revision, {}])
    return None


def after_removing(visit: Visit, view: SavedView) -> Offer:
    return _offer(visit, "view", [view.name, view.query])


def after_seeing(visit: Visit, seen_before: int) -> Offer:
    """`seen_before` is the newest notice that this person had opened until now."""
    return _offer(visit, "notices", [seen_before])


def told_by(process: Process, step: Transition) -> Text | None:
    """Return who is told of a step, and that it cannot be undone therefore; None when nobody is."""
    roles = dict.fromkeys(role for notice in process.notices_on.get(step.name, ()) for role in notice.to)
    if not roles:
        return None
    names = [role_name(role) for role in roles]
    return Text(
        f"提交后会通知{'、'.join(name.zh for name in names)}，不能撤销。",
        f"This tells {', '.join(name.en for name in names)} at once, so it cannot be undone.",
    )


@require_POST
@screen
def undo(visit: Visit) -> HttpResponse:
    """Take back what the slip names; sent twice it finds the thing changed and says so."""
    slip = visit.posted.get("slip", "")
    try:
        person_id, kind, given = signing.loads(slip, salt=SALT)
    except (signing.BadSignature, ValueError, TypeError):
        raise NotVisible from None
    if person_id != visit.actor.person_id or kind not in _WAYS:
        raise NotVisible  # somebody else's, however old it is
    try:
        signing.loads(slip, salt=SALT, max_age=SECONDS)
    except signing.SignatureExpired:
        raise Refused("too_late", LATE) from None
    return _WAYS[kind](visit, *given)


def _only_mends(process: Process, step: Transition) -> bool:
    stays = all(source == target or target == SAME for source, target in step.to.items())
    clocks = any(step.name in clock.starts | clock.stops | clock.pauses for clock in process.clocks.values())
    return stays and not clocks and not process.notices_on.get(step.name) and ONLY_FACTS.issuperset(step.effects)


def _is_gone(process: Process, name: str, value: Any) -> bool:
    """Tell whether what stood there cannot be given back: nothing did, or it is personal and stays out of slips."""
    return value in (None, "", {}, []) or process.facts[name].personal


def _offer(visit: Visit, kind: str, given: list[Any]) -> Offer:
    return Offer(signing.dumps([visit.actor.person_id, kind, given], salt=SALT))


def _step_back(visit: Visit, ref: str, name: str, revision: int, given: Mapping[str, Any]) -> HttpResponse:
    before = load(ref, actor=visit.actor)
    process = process_for(before.process, before.process_version)
    if before.revision != revision:
        raise Conflict("changed", MOVED_ON)
    perform(ref, name, actor=visit.actor, now=visit.now, given=given, expected_revision=revision)
    label = process.transitions[name].label
    said = Text(f"已撤销：{ref}，{label.zh}恢复原样", f"Undone: {ref}, {label.en} is as it was")
    if not given:
        said = Text(f"已撤销：{ref}", f"Undone: {ref}")
    return go(visit, reverse("console:order" if table_of(ref) == "order" else "console:record", args=[ref]), said)


def _keep_view(visit: Visit, name: str, query: str) -> HttpResponse:
    assert visit.actor.person_id is not None  # whoever visits a page has signed in
    SavedView.objects.get_or_create(person_id=visit.actor.person_id, name=name, defaults={"query": query})
    said = Text(f"已恢复视图“{name}”", f"View “{name}” is back")
    return go(visit, reverse("console:queue") + (f"?{query}" if query else ""), said)


def _not_seen(visit: Visit, seen_before: int) -> HttpResponse:
    assert visit.actor.person_id is not None
    Person.objects.filter(pk=visit.actor.person_id, notices_seen_id__gt=seen_before).update(notices_seen_id=seen_before)
    return go(visit, "/", Text("通知已恢复为未读", "The notices count as unread again"))


_WAYS: dict[str, Callable[..., HttpResponse]] = {"step": _step_back, "view": _keep_view, "notices": _not_seen}
