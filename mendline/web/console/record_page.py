"""One record on a page of its own: a change of coverage, a procedure document, a request of an order."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse

from mendline.kernel.ids import PREFIXES, process_prefix
from mendline.orders import queries, store
from mendline.web.console.order_page import sheets_of
from mendline.web.console.picture import picture_of
from mendline.web.console.visit import Visit, screen

DOCUMENTS = frozenset({PREFIXES["procedure_document"], PREFIXES["parameter_change"]})


@screen
def record(visit: Visit, ref: str) -> HttpResponse:
    """The record's page; beside a list, its body alone."""
    beside = visit.request.headers.get("X-Beside") == "1"
    template = "console/order/record_beside.html" if beside else "console/order/record_page.html"
    return visit.render(template, record_body_of(visit, ref) | {"beside": beside})


def record_body_of(visit: Visit, ref: str) -> dict[str, Any]:
    """Return everything that the body of a record's page shows.

    Raises NotVisible.
    """
    page = queries.subject_page(visit.actor, ref, visit.now)
    return {**sheets_of(visit, page), "picture": picture_of(page, visit.language, visit.now)}


@screen
def subject(visit: Visit, ref: str) -> HttpResponse:
    """Where a notice leads: the order, or the order that the record belongs to, or the record or document itself."""
    if process_prefix(ref) in DOCUMENTS and not visit.actor.sees_everything:
        return HttpResponseRedirect(reverse("console:document", args=[ref]))
    found = store.load(ref, actor=visit.actor)
    if found.order_ref:
        return HttpResponseRedirect(reverse("console:order", args=[found.order_ref]))
    name = "document" if process_prefix(ref) in DOCUMENTS and found.category in ("done", "void") else "record"
    return HttpResponseRedirect(reverse(f"console:{name}", args=[ref]))
