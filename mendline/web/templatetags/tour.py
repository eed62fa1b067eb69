"""Whether a page offers the tour, and where it begins."""

from __future__ import annotations

from django import template
from django.http import HttpRequest

from mendline.access.models import Person
from mendline.web.console.shell import home_of
from mendline.web.console.tour import is_offered

register = template.Library()


@register.simple_tag(takes_context=True)
def tour_is_offered(context: template.Context) -> bool:
    request: HttpRequest = context["request"]
    return isinstance(request.user, Person) and is_offered(request.user, request.path, request.session)


@register.simple_tag(takes_context=True)
def tour_address(context: template.Context) -> str:
    """The page on which this person's role begins its day, with the tour."""
    request: HttpRequest = context["request"]
    return f"{home_of(request.user.as_actor())}?tour=1" if isinstance(request.user, Person) else "/"
