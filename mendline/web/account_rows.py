"""Pages about signing in see the second factor of the one person they are about, in one transaction."""

from __future__ import annotations

from collections.abc import Callable

from allauth.account.internal.stagekit import unstash_login
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from mendline.access.own_rows import rows_of

PAGES = "/accounts/"


class AccountRows:
    """Middleware after that of signing in.

    The person is whoever is signed in, or whose password was right a moment ago and who is asked for the code now. At
    the password itself nobody is known yet, and only `mendline_factors` is asked.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(PAGES) and settings.SESSION_COOKIE_NAME in request.COOKIES:
            person_id = _whom_it_is_about(request)
            if person_id is not None:
                with rows_of(person_id):
                    return self.get_response(request)
        return self.get_response(request)


def _whom_it_is_about(request: HttpRequest) -> int | None:
    if request.user.is_authenticated:
        return int(request.user.pk)
    pending = unstash_login(request, peek=True)
    return int(pending.user.pk) if pending is not None and pending.user is not None else None
