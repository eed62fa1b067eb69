"""The printed coverage table of a station (维修站覆盖与产能表): what hangs on the wall and goes to the region."""

from __future__ import annotations

from django.http import HttpResponse
from django.template.loader import render_to_string
from django.utils import translation

from mendline.kernel.time import local_day
from mendline.network.stations import rows_of, visible_station
from mendline.network.timeline import timeline_of
from mendline.web.console.network_pages import coverage_of
from mendline.web.console.seat_rows import line_names
from mendline.web.console.visit import Visit, screen
from mendline.web.print.pages import STYLES
from mendline.web.print.paper import pdf_of


@screen
def coverage_pdf(visit: Visit, number: str) -> HttpResponse:
    """The paper, always in Chinese, as of today."""
    response = HttpResponse(pdf_of(html_of(visit, number), STYLES), content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="station-{number}.pdf"'
    return response


def html_of(visit: Visit, number: str) -> str:
    """Return the paper as a page. Raises NotVisible."""
    station, today, names = visible_station(visit.actor, number), local_day(visit.now), line_names()
    timeline = timeline_of(number)
    context = {
        "station": station, "today": today, "names": names, "coverage": coverage_of(timeline, today, names),
        "seats": [row for row in timeline.standing("now", today) if row.is_capacity],
        "turns": timeline.turns(today),
        "points": rows_of(list(station.points.order_by("number")), today),
    }  # fmt: skip
    with translation.override("zh-hans"):
        return render_to_string("print/coverage.html", context)
