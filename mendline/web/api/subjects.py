"""What orders and records have in common over HTTP: their page, their history, their steps."""

from __future__ import annotations

import re
from typing import Any

from django.http import HttpResponse

from mendline.journal.models import Entry
from mendline.kernel.errors import NotVisible
from mendline.orders import store
from mendline.orders.queries import SubjectPage
from mendline.orders.store import Table
from mendline.orders.transitions import perform
from mendline.process.loading import process_for
from mendline.web.api import shown
from mendline.web.api.bodies import given_of, only, revision_of
from mendline.web.api.calls import Call, answer

_REF = re.compile(r"[0-9A-Za-z_-]{1,32}", re.ASCII)


def known_ref(ref: str, table: Table) -> str:
    """Return the number if it can be one of that table's.

    Raises NotVisible, as for every number that does not exist.
    """
    if _REF.fullmatch(ref) is None or store.table_of(ref) != table:
        raise NotVisible
    return ref


def the_subject(page: SubjectPage, role: str) -> dict[str, Any]:
    return {
        **shown.subject_full(page.subject, page.process, role),
        "may": [shown.step_offered(step, page.process) for step in page.steps],
    }


def subject_history(call: Call, ref: str, after: int, limit: int) -> HttpResponse:
    """Return a page of the history of an order or record in scope."""
    subject = store.load(ref, actor=call.actor)
    process = process_for(subject.process, subject.process_version)
    after = min(max(after, 0), 2**63 - 1)
    rows = list(Entry.objects.filter(subject=ref, id__gt=after).order_by("id")[: limit + 1])
    kept = rows[:limit]
    return answer(
        {
            "items": [shown.entry(row, process, call.actor.role) for row in kept],
            "next": kept[-1].pk if len(rows) > limit else None,
        }
    )


def carry_out(call: Call, ref: str, name: str) -> HttpResponse:
    """Carry out a step on an order or record and return how it stands then."""
    only(call.body, "given", "revision")
    subject = perform(
        ref,
        name,
        actor=call.actor,
        now=call.now,
        given=given_of(call.body),
        expected_revision=revision_of(call.body),
        once=call.once(shown.receipt),
    )
    return answer(shown.receipt(subject))
