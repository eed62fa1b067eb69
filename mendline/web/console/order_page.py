"""One order on one page: where it stands, what I can do next, what happened, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpResponse

from mendline.dispatch.choosing import explained
from mendline.kernel.errors import NotVisible, Refused
from mendline.kernel.text import Text
from mendline.network.models import Station
from mendline.orders import queries, store
from mendline.orders.queries import SubjectPage
from mendline.orders.store import Loaded
from mendline.process import rules as rule_texts
from mendline.process.definition import Process, Transition
from mendline.web.console.chips import Chip, chips_of
from mendline.web.console.creating import creations_for
from mendline.web.console.fact_words import Shown, facts_shown, moments_shown, origin_name, product_name
from mendline.web.console.late_words import late_stories
from mendline.web.console.next_step import next_step
from mendline.web.console.picture import picture_of
from mendline.web.console.timeline import SAID_IN_WORDS, TOPICS, timeline_of
from mendline.web.console.visit import Visit, screen

ORDER_KIND = "repair"
# Shown in the head of the page, not once more among the facts.
IN_THE_HEAD = frozenset({"customer", "product", "serial_no", "area", "address", "fault", "engineer"})


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step that somebody of this role may think of: possible, or refused with the rule."""

    step: Transition
    refusal: Refused | None
    ref: str

    @property
    def asks(self) -> bool:
        """Whether a form comes first: something is to be filled in, or the step cannot be undone."""
        return bool(self.step.takes) or self.step.danger

    @property
    def sentence(self) -> Text | None:
        """The rule that stands in the way, in words."""
        return rule_texts.text_of(self.refusal.rule) if self.refusal is not None and self.refusal.rule else None


@dataclass(frozen=True, slots=True)
class Sheet:
    """An order or record as its page shows it."""

    subject: Loaded
    process: Process
    state: Text
    chips: list[Chip]
    primary: StepRow | None
    others: list[StepRow]
    refused: list[StepRow]
    facts: list[Shown]
    moments: list[Shown]
    waits_for: Text  # the step that is next, and whose it is

    @property
    def ref(self) -> str:
        return self.subject.ref

    @property
    def alive(self) -> list[Chip]:
        """Clocks that still count or wait; those that ended stand further down."""
        return [chip for chip in self.chips if chip.due_at is not None or chip.tone == "paused"]


@dataclass(frozen=True, slots=True)
class Link:
    """The order this one replaces, or was replaced by (CAN-03)."""

    label: Text
    ref: str


@screen
def order(visit: Visit, ref: str) -> HttpResponse:
    """The order's page; beside a list, its body alone."""
    if store.table_of(ref) != "order":
        raise NotVisible  # records have pages of their own
    beside = visit.request.headers.get("X-Beside") == "1"
    template = "console/order/beside.html" if beside else "console/order/page.html"
    return visit.render(template, body_of(visit, ref) | {"beside": beside})


def body_of(visit: Visit, ref: str) -> dict[str, Any]:
    """Return everything that the body of an order's page shows.

    Raises NotVisible.
    """
    page = queries.order_page(visit.actor, ref, visit.now)
    facts = page.subject.facts
    return {
        **sheets_of(visit, page),
        "creations": creations_for(visit.actor, page.subject),
        "picture": picture_of(page, visit.language, visit.now),
        "stories": late_stories(page, visit.now),
        "why": why_station(page, visit.now),
        "links": links_of(page.subject),
        "product": product_name(str(facts.get("product", ""))),
        "origin": origin_name(str(facts.get("origin", ""))),
        "station": Station.objects.filter(number=page.subject.station_no).first(),
    }


def sheets_of(visit: Visit, page: SubjectPage) -> dict[str, Any]:
    """Return the sheet of the order or record, those of its records, and the history of all of them together."""
    pages = [page, *page.records]
    events = timeline_of(
        page.subject.ref,
        [entry for part in pages for entry in part.timeline],
        [message for part in pages for message in part.messages],
        {part.subject.ref: part.process for part in pages},
    )
    return {
        "sheet": sheet_of(visit, page),
        "records": [sheet_of(visit, part) for part in page.records],
        "events": events,
        "topics": [(code, label) for code, label in TOPICS.items() if any(code in event.topics for event in events)],
    }


def sheet_of(visit: Visit, page: SubjectPage) -> Sheet:
    subject, process = page.subject, page.process
    is_order = process.kind == ORDER_KIND
    rows = [StepRow(item.transition, item.refusal, subject.ref) for item in page.steps]
    possible = [row for row in rows if row.refusal is None]
    primary = possible[0] if possible else None
    if primary is not None and primary.step.danger and (is_order or subject.category == "done"):
        primary = None  # voiding an order, or what holds, is never the button that a hurried thumb hits first
    return Sheet(
        subject=subject,
        process=process,
        state=process.states[subject.state].label,
        chips=chips_of(process, subject.clocks, visit.now),
        primary=primary,
        others=[row for row in possible if row is not primary],
        refused=[row for row in rows if row.refusal is not None],
        facts=facts_shown(process, subject.facts, visit.actor, leave_out=IN_THE_HEAD if is_order else SAID_IN_WORDS),
        moments=moments_shown(subject.facts),
        waits_for=next_step(process, subject.state),
    )


def why_station(page: SubjectPage, now: datetime) -> list[dict[str, Any]]:
    """Return why this station was chosen and others were not; empty where nobody chose."""
    stored = page.station_choice or page.subject.facts.get("station_choice")
    return explained(dict(stored), now) if stored and "stations" in stored else []


def links_of(subject: Loaded) -> list[Link]:
    pairs = (("replaces", Text("替代", "Replaces")), ("replaced_by", Text("已改派为", "Replaced by")))
    return [Link(label, str(subject.facts[name])) for name, label in pairs if subject.facts.get(name)]
