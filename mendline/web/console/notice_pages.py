"""The in-app inbox."""

from __future__ import annotations

from django.http import HttpResponse

from mendline.access.choices import choices_of
from mendline.kernel.numbers import whole_number
from mendline.orders import queries
from mendline.web.console.undo import after_seeing
from mendline.web.console.visit import Visit, screen


@screen
def notices(visit: Visit) -> HttpResponse:
    """The in-app inbox of this role; opening it marks everything as seen."""
    before = whole_number(visit.asked("before", 18))
    hidden = choices_of(getattr(visit.request.user, "notice_choices", {})).hidden
    found = queries.notices_for(visit.actor, before_id=before, hidden=hidden)
    unseen = queries.count_unseen_notices(visit.actor, hidden=hidden)
    seen_before = int(getattr(visit.request.user, "notices_seen_id", 0) or 0)
    queries.mark_notices_seen(visit.actor)
    context = {
        "notices": found,
        "fresh": unseen,
        "undo": after_seeing(visit, seen_before) if unseen else None,
        "more": len(found) == queries.PAGE,
        "last_id": found[-1].pk if found else 0,
    }
    return visit.render("console/notices.html", context)
