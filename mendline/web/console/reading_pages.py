"""What a person is to read, the document itself, and, for those who published it, who has read it (UDS-04)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from mendline.kernel.errors import NotVisible
from mendline.kernel.text import Text
from mendline.orders import readings
from mendline.orders.readings import Reader
from mendline.orders.store import Loaded
from mendline.process.definition import base_of, version_of
from mendline.process.loading import process_for, processes
from mendline.web.console.editions import WRITES_PROCEDURES, editions_of
from mendline.web.console.fact_words import facts_shown
from mendline.web.console.visit import Visit, go, screen

FOLLOWS = WRITES_PROCEDURES | {"service_support_dept"}
MOST_READERS = 200
# Told elsewhere on the page, or of no use to whoever is to read it.
NOT_SHOWN = frozenset(
    {"title", "publishes_process", "publishes_version", "changes_process", "changes_version", "new_limits", "edition",
     "circulate", "file_after_reading", "other_handling", "pages", "attachment"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Subject:
    """The edition that a document is about, and the one before it."""

    label: Text
    version: int
    code: str
    edition: str
    before: int  # 0: it is the first


@screen
def reading(visit: Visit) -> HttpResponse:
    """This person's list: the unread first."""
    listed = readings.to_read(visit.actor)
    unread = [one for one in listed if one.read_at is None]
    context = {"unread": unread, "read": [one for one in listed if one.read_at is not None]}
    return visit.render("console/procedure/reading.html", context)


@screen
def document(visit: Visit, ref: str) -> HttpResponse:
    """One document to read; opening it is kept. Who publishes sees who has read."""
    found = readings.document_for(visit.actor, ref)
    if found.process not in ("procedure_document", "parameter_change"):
        raise NotVisible
    readings.note_opened(ref, actor=visit.actor, now=visit.now)
    process = process_for(found.process, found.process_version)
    own = next((one for one in readings.to_read(visit.actor) if one.ref == ref), None)
    context: dict[str, Any] = {
        "document": found,
        "state": process.states[found.state],
        "label": process.label,
        "facts": facts_shown(process, found.facts, visit.actor, leave_out=NOT_SHOWN),
        "subject": _subject(found),
        "own": own,
        "words": found.facts.get("limit_words") or [],
        "sees_record": visit.actor.sees_everything,
    }
    if visit.actor.role in FOLLOWS:
        context |= _followed(visit, ref)
    return visit.render("console/procedure/document.html", context)


@screen
def acknowledge(visit: Visit, ref: str) -> HttpResponse:
    """我已阅读."""
    readings.acknowledge(ref, actor=visit.actor, now=visit.now)
    return go(visit, reverse("console:reading"), Text("已记录：您已阅读。", "Noted: you have read it."))


@screen
def remind(visit: Visit, ref: str) -> HttpResponse:
    """One click reminds everybody who has not read yet."""
    if visit.actor.role not in FOLLOWS:
        raise NotVisible
    count = readings.remind(ref, actor=visit.actor, now=visit.now)
    said = Text(f"已提醒 {count} 人（站内和邮件）。", f"{count} reminded, in-app and by e-mail.")
    if not count:
        said = Text(
            "没有需要提醒的人：都已阅读，或今天已提醒过。", "Nobody to remind: all have read, or were reminded today."
        )
    return go(visit, reverse("console:document", args=[ref]), said)


acknowledge_once, remind_once = require_POST(acknowledge), require_POST(remind)


def _followed(visit: Visit, ref: str) -> dict[str, Any]:
    everybody = readings.readers_of(ref)
    people = [reader for reader in everybody if reader.person_id is not None]
    chosen = visit.asked("who") if visit.asked("who") in ("unread", "read", "missed") else ""
    role = visit.asked("role", 40)
    shown = [reader for reader in everybody if _fits(reader, chosen, role)]
    read = sum(not reader.is_unread for reader in people)
    return {
        "follows": True,
        "readers": shown[:MOST_READERS],
        "more": max(0, len(shown) - MOST_READERS),
        "shares": readings.shares_of(everybody),
        "told": len(people),
        "read": read,
        "unread": len(people) - read,
        "missed": sum(reader.was_missed for reader in everybody),
        "percent": 100 * read // len(people) if people else 0,
        "who": chosen,
        "role": role,
    }


def _fits(reader: Reader, chosen: str, role: str) -> bool:
    if role and reader.role != role:
        return False
    return {"": True, "unread": reader.is_unread, "read": reader.read_at is not None, "missed": reader.was_missed}[
        chosen
    ]


def _subject(found: Loaded) -> Subject | None:
    """Return the edition that the document is about; None while it has none."""
    if found.process == "parameter_change":
        code, version = str(found.facts["changes_process"]), version_of(str(found.facts.get("edition") or ""))
        version = version or int(found.facts["changes_version"])
    else:
        code, version = str(found.facts.get("publishes_process") or ""), int(found.facts.get("publishes_version") or 0)
    base = processes().get((code, base_of(version)))
    if base is None:
        return None
    names = {one.version: one for one in editions_of(code)}
    if version not in names:
        return None
    older = [one for one in sorted(names) if one < base.version] if version == base.version else [base.version]
    return Subject(base.label, version, code, names[version].name, older[-1] if older else 0)
