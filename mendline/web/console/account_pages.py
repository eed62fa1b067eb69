"""Where a person begins."""

from __future__ import annotations

from django.http import HttpResponse, HttpResponseRedirect

from mendline.web.console.shell import home_of
from mendline.web.console.visit import Visit, screen


@screen
def home(visit: Visit) -> HttpResponse:
    """The page this role works on in the morning."""
    return HttpResponseRedirect(home_of(visit.actor))
