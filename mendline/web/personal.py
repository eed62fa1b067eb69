"""What a person chose for every page: the language and the clock. Kept with the person, whatever the machine."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone, translation

from mendline.access.choices import ZONES
from mendline.access.models import Person
from mendline.kernel.time import SHANGHAI


class PersonalSettings:
    """Middleware that stands after those of sessions, languages and signing in.

    A language that was switched in this browser before signing in gives way to the person's own. Pages that nobody
    signed in for, and those of a person who chose nothing, stay as the browser asks.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        person = _person(request)
        zone = ZoneInfo(person.zone) if person is not None and person.zone in ZONES else SHANGHAI
        if person is not None and person.language in dict(settings.LANGUAGES):
            translation.activate(person.language)
            request.LANGUAGE_CODE = translation.get_language()
        with timezone.override(zone):
            return self.get_response(request)


def _person(request: HttpRequest) -> Person | None:
    """Return who is signed in; nobody without a session, so that a stranger's page asks the database nothing."""
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return None
    try:
        return request.user if isinstance(request.user, Person) else None
    except (DatabaseError, InterfaceError):  # the page of the state of things must come even then
        return None
