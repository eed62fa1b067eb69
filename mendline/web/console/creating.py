"""What a person may begin: a report, or a request beside an order."""

from __future__ import annotations

from dataclasses import dataclass

from django.core import signing

from mendline.access.actors import Actor
from mendline.kernel.errors import NotVisible
from mendline.orders import queries
from mendline.orders.store import Loaded
from mendline.process.definition import Process, Transition
from mendline.process.loading import latest, processes

ORDER_KIND = "repair"
STAND_ALONE = frozenset({"coverage_change", "document"})  # kinds of records that belong to no order
# Steps of the order open the first two; limits are proposed on the page of their edition.
OPENED_BY_STEPS = frozenset({"part_order", "callback", "parameter_change"})
TICKET_AGE = 12 * 60 * 60  # seconds a form may stay open
SALT = "console.ticket"


@dataclass(frozen=True, slots=True)
class Creation:
    """A creating step that this role has."""

    process: Process
    step: Transition

    @property
    def needs_order(self) -> bool:
        """Whether it is about an order; others stand alone."""
        return self.process.kind != ORDER_KIND and self.process.kind not in STAND_ALONE


def creation(actor: Actor, code: str, name: str) -> Creation:
    """Return the creating step, or raise NotVisible when there is none or not for this role."""
    if code not in {known for known, _ in processes()}:
        raise NotVisible
    process = latest(code)
    step = process.transitions.get(name)
    if step is None or not step.creates or actor.role not in step.by:
        raise NotVisible
    return Creation(process, step)


def creations_for(actor: Actor, order: Loaded | None) -> list[Creation]:
    """Return what this actor may begin beside `order`, or without an order where it is None."""
    found: list[Creation] = []
    for code in sorted({code for code, _ in processes()} - OPENED_BY_STEPS):
        process = latest(code)
        if process.kind != ORDER_KIND and (process.kind in STAND_ALONE) == (order is None):
            if order is None or order.category in ("open", "waiting"):
                found += [Creation(process, step) for step in queries.creating_steps(actor, process)]
    return found


def ticket_for(ref: str, actor: Actor) -> str:
    """Return a signed slip with the number that the form will create. Sent twice, it still creates one."""
    return signing.dumps([ref, actor.person_id], salt=SALT)


def ref_of_ticket(ticket: str, actor: Actor) -> str:
    """Return the number on the slip; empty when it is missing, too old, forged or somebody else's."""
    try:
        ref, person_id = signing.loads(ticket, salt=SALT, max_age=TICKET_AGE)
    except (signing.BadSignature, ValueError, TypeError):
        return ""
    return str(ref) if person_id == actor.person_id else ""
