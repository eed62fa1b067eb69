"""Closed orders whose user is still to be called: the list, one call with its script, and whether none is missing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Max, Sum
from django.http import HttpResponse

from mendline.care.models import StationScorecard
from mendline.care.scorecards import share, without_callback
from mendline.kernel.errors import NotVisible
from mendline.kernel.text import Text
from mendline.orders import queries
from mendline.orders.models import Record, RepairOrder
from mendline.orders.queries import LIST_COLUMNS, OPEN, SubjectPage
from mendline.process.definition import Process
from mendline.process.loading import process_for
from mendline.web.console.callback_script import script_for
from mendline.web.console.chips import Chip
from mendline.web.console.fact_words import product_name
from mendline.web.console.order_page import sheet_of
from mendline.web.console.rows import next_chip
from mendline.web.console.shell import CALLS_BACK
from mendline.web.console.steps import step_form
from mendline.web.console.timeline import timeline_of
from mendline.web.console.visit import Visit, screen

CALLBACK = "callback"
COUNTED = ("closed", "callbacks_satisfied", "callbacks_dissatisfied", "callbacks_not_reached", "callbacks_missing")


@dataclass(frozen=True, slots=True)
class CallbackRow:
    """One call to make."""

    ref: str
    order_ref: str
    chip: Chip | None
    customer: str
    phone: str
    product_name: Text
    fault: str
    by_phone: bool  # it was solved by telephone
    closed_at: datetime | None
    attempts: int
    wanted: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """Whether every closed order is called back (STN-48), over the orders of the last 30 days."""

    closed: int
    called: int
    satisfied_percent: int | None
    not_reached: int
    waiting: int  # on the list now, whatever their age
    overdue: int
    missing: int  # closed, and on nobody's list
    percent: int | None  # of the closed orders, those that are done or on the list
    reckoned_at: datetime | None


@screen
def callbacks(visit: Visit) -> HttpResponse:
    """Whom to call, what is due first; above it, whether any closed order is missing."""
    if visit.actor.role not in CALLS_BACK:
        raise NotVisible
    records = queries.inbox_of_records(visit.actor, (CALLBACK,))
    coverage = _coverage(visit)
    context = {
        "rows": _rows(visit, records),
        "coverage": coverage,
        "missing": without_callback(visit.actor, visit.now) if coverage.missing else [],
        "more": len(records) == queries.PAGE,
    }
    return visit.render("console/callbacks.html", context)


@screen
def callback(visit: Visit, ref: str) -> HttpResponse:
    """One call: the script, what was repaired, the outcome; beside the list, its body alone."""
    if visit.actor.role not in CALLS_BACK:
        raise NotVisible
    page = queries.subject_page(visit.actor, ref, visit.now)
    if page.process.code != CALLBACK:
        raise NotVisible
    beside = visit.request.headers.get("X-Beside") == "1"
    template = "console/callback/beside.html" if beside else "console/callback/page.html"
    return visit.render(template, {**_call(visit, page), "beside": beside})


def _call(visit: Visit, page: SubjectPage) -> dict[str, Any]:
    order = queries.order_page(visit.actor, page.subject.order_ref, visit.now)
    facts = order.subject.facts
    sheet = sheet_of(visit, page)
    rows = {row.step.name: row for row in (sheet.primary, *sheet.others, *sheet.refused) if row is not None}
    main = rows.get("complete")
    ref = page.subject.ref
    return {
        "sheet": sheet,
        "order": order.subject,
        "facts": facts,
        "product": product_name(str(facts.get("product", ""))),
        "lines": script_for(facts),
        "attempts": int(page.subject.facts.get("attempts_made") or 0),
        "wanted": _wanted(page.process),
        "form": step_form(visit, page.subject, page.process, main.step, within=ref, then="callbacks") if main else None,
        "log": rows.get("log_attempt"),
        "reopen": rows.get("reopen_order"),
        "give_up": rows.get("give_up"),
        "events": timeline_of(ref, page.timeline, page.messages, {ref: page.process}),
    }


def _wanted(process: Process) -> int:
    wanted = process.parameters.get("callback_attempts")
    return wanted if isinstance(wanted, int) else 0


def _rows(visit: Visit, records: Iterable[Record]) -> list[CallbackRow]:
    records = list(records)
    query = RepairOrder.objects.visible_to(visit.actor).filter(ref__in=[record.order_ref for record in records])
    orders = {order.ref: order for order in query.only(*LIST_COLUMNS)}
    return [_row(record, orders[record.order_ref], visit.now) for record in records if record.order_ref in orders]


def _row(record: Record, order: RepairOrder, now: datetime) -> CallbackRow:
    process = process_for(record.process, record.process_version)
    closed_at = order.facts.get("closed_at")
    return CallbackRow(
        ref=record.ref,
        order_ref=order.ref,
        chip=next_chip(process, record.clocks, now),
        customer=order.customer_name,
        phone=order.phone,
        product_name=product_name(order.product),
        fault=order.fault,
        by_phone=order.facts.get("resolution") == "resolved_remotely",
        closed_at=datetime.fromisoformat(closed_at) if closed_at else None,
        attempts=int(record.facts.get("attempts_made") or 0),
        wanted=_wanted(process),
    )


def _coverage(visit: Visit) -> Coverage:
    """Prepared counts for what is long, live ones for what waits: the open callbacks have an index of their own."""
    sums = {name: Sum(name) for name in COUNTED}
    cards = StationScorecard.objects.aggregate(**sums, reckoned_at=Max("reckoned_at"))
    closed, satisfied, dissatisfied, not_reached, missing = (int(cards[name] or 0) for name in COUNTED)
    waiting = Record.objects.visible_to(visit.actor).filter(process=CALLBACK, category__in=OPEN)
    return Coverage(
        closed=closed,
        called=satisfied + dissatisfied,
        satisfied_percent=share(satisfied, satisfied + dissatisfied),
        not_reached=not_reached,
        waiting=waiting.count(),
        overdue=waiting.filter(due_at__lt=visit.now).count(),
        missing=missing,
        percent=share(closed - missing, closed),
        reckoned_at=cards["reckoned_at"],
    )
