"""What a page asks about changes: a new ticket, or, where no live process runs, the changes themselves."""

from __future__ import annotations

from django.http import HttpResponse, JsonResponse

from mendline.journal.feed import MOST, happened_after
from mendline.kernel.numbers import whole_number
from mendline.web.console.visit import Visit, screen
from mendline.web.live.stream import NAMED
from mendline.web.live.tickets import ticket_for


@screen
def ticket(visit: Visit) -> HttpResponse:
    """A new ticket for a page whose old one ran out."""
    return JsonResponse({"ticket": ticket_for(visit.actor)})


@screen
def changes(visit: Visit) -> HttpResponse:
    """What changed in this person's scope after an entry, as the live process would tell it."""
    since = whole_number(visit.asked("since", 18))
    if since is None:
        return JsonResponse({"refs": [], "more": False, "id": 0})
    found = happened_after(since)
    actor = visit.actor
    refs = list(dict.fromkeys(one.subject for one in found if actor.sees(region=one.region, station_no=one.station_no)))
    told = {"refs": refs[:NAMED], "more": len(refs) > NAMED or len(found) >= MOST}
    return JsonResponse({**told, "id": found[-1].id if found else int(since)})
