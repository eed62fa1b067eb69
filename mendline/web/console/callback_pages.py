"""Closed orders whose user is still to be called."""

from __future__ import annotations

from django.http import HttpResponse

from mendline.kernel.errors import NotVisible
from mendline.orders import queries
from mendline.web.console.rows import record_rows
from mendline.web.console.shell import CALLS_BACK
from mendline.web.console.visit import Visit, screen


@screen
def callbacks(visit: Visit) -> HttpResponse:
    """Closed orders whose user is still to be called (STN-48)."""
    if visit.actor.role not in CALLS_BACK:
        raise NotVisible
    records = queries.inbox_of_records(visit.actor, ("callback",))
    return visit.render("console/callbacks.html", {"records": record_rows(records, visit.now)})
