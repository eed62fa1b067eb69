"""What somebody else did to an order or record while a form was being filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mendline.journal.models import Entry
from mendline.kernel.text import Text
from mendline.orders.store import Loaded
from mendline.process.definition import Process
from mendline.web.console.fact_words import HIDDEN, Shown
from mendline.web.console.timeline import Event, timeline_of

CHANGED = Text("已更改（个人信息不写入历史）", "changed (personal data is not kept in the history)")


def events_since(subject: Loaded, process: Process, revision: int) -> list[Event]:
    """Return what happened after `revision`, the latest first, with every field that was given.

    `subject` was loaded within the reader's scope already.
    """
    entries = list(Entry.objects.filter(subject=subject.ref, revision__gt=revision).order_by("id"))
    events = timeline_of(subject.ref, entries, [], {subject.ref: process})
    for event, entry in zip(reversed(events), entries, strict=True):
        event.facts += _hidden(process, entry.data.get("given") or {})
    return events


def _hidden(process: Process, given: Mapping[str, Any]) -> list[Shown]:
    """Personal facts: that they were changed is told, what they became is on the order."""
    return [Shown(name, fact.label, CHANGED) for name, fact in process.facts.items() if given.get(name) == HIDDEN]
