"""What a search found."""

from __future__ import annotations

from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse

from mendline.access.actors import OF_A_STATION
from mendline.orders import queries
from mendline.web.console.rows import order_rows
from mendline.web.console.visit import Visit, screen


@screen
def search(visit: Visit) -> HttpResponse:
    """Find by number, telephone, name or serial number; a single hit opens at once."""
    words = visit.asked("q", 80)
    found = queries.search(visit.actor, words) if words else []
    if len(found) == 1 and words.upper() == found[0].ref:
        return HttpResponseRedirect(reverse("console:order", args=[found[0].ref]))
    context = {
        "searched": words,
        "rows": order_rows(found, visit.now),
        "with_station": visit.actor.role not in OF_A_STATION,
    }
    return visit.render("console/search.html", context)
