"""Showing a whole telephone number: only with a reason, and never without a trace."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpResponse

from mendline.kernel.errors import NotVisible
from mendline.kernel.text import Text
from mendline.orders import store
from mendline.orders.reveal import REASONS, reveal_phone
from mendline.web.console.once import already_done
from mendline.web.console.visit import Visit, screen


@screen
def reveal(visit: Visit, ref: str) -> HttpResponse:
    """Ask for the reason (GET), then show the number (POST) and write down who saw it and why."""
    order = store.load(ref, actor=visit.actor)
    if order.table != "order":
        raise NotVisible  # a record has no telephone number of its own
    reason = visit.posted.get("reason", "")
    if visit.request.method != "POST" or reason not in REASONS:
        said = Text("请先选择原因", "Choose a reason first") if visit.request.method == "POST" else None
        return visit.render("console/order/reveal.html", {"order": order, "reasons": REASONS, "problem": said})
    with transaction.atomic():
        if already_done(visit, f"{ref}.reveal_phone"):
            phone = str(order.facts["customer"]["phone"])  # the same look, clicked twice
        else:
            phone = reveal_phone(ref, reason, actor=visit.actor, now=visit.now)
    return visit.render("console/order/phone.html", {"order": order, "phone": phone})
