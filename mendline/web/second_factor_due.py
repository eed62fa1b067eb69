"""Roles that must have a second factor set it up right after the password, and can do nothing else until then.

Wherever they go, directly, by a part of a page or through the interface, they are led to the page that switches it on.
A session knows whether a second factor opened it, so nobody who has one pays a question for this.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import ResolverMatch, resolve, reverse
from django.utils.translation import get_language

from mendline.access import signins
from mendline.access.models import Person
from mendline.access.own_rows import has_factor
from mendline.kernel.text import Text
from mendline.web.api.problems import problem

SET_UP = "mfa_activate_totp"
CHANGES = frozenset({SET_UP, "mfa_deactivate_totp"})
# What somebody may do meanwhile: set it up, prove who it is, go, read it in the other language.
OPEN = frozenset({SET_UP, "account_reauthenticate", "account_logout", "account_login", "set_language", "status"})
MARK = "second_factor_set_up"  # in a session that set it up itself; others were opened by it
DUE = Text(
    "您的角色必须使用双重验证。请先设置，然后继续工作。", "Your role needs a second factor. Set it up, then go on."
)
SIGN_IN_WITH_IT = Text(
    "双重验证已在另一处启用，请用它重新登录。", "The second factor was set up elsewhere: sign in with it."
)


class SecondFactorDue:
    """Middleware after those of signing in and of messages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        person = self._who_must_set_up(request)
        if person is not None and has_factor(person.pk):
            # Whoever knows the password alone must not become a person with two by waiting for the other to set it up.
            request.session.flush()
            request.user = AnonymousUser()
            messages.info(request, SIGN_IN_WITH_IT.in_language(_language()))
            person = None
        request.second_factor_due = person is not None  # type: ignore[attr-defined]  # for the layout of the pages
        response = self.get_response(request)
        if request.method == "POST" and response.status_code == 302 and request.user.is_authenticated:
            self._note_change(request, was_due=person is not None)
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponseBase], args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        """Lead away from everything but setting it up."""
        match = request.resolver_match
        if not getattr(request, "second_factor_due", False) or match is None or match.url_name in OPEN:
            return None
        if request.path_info.startswith("/api/"):
            return problem(request, 403, "second_factor_due", DUE)
        address = reverse(SET_UP)
        if request.headers.get("HX-Request") == "true":
            return HttpResponse(status=403, headers={"HX-Redirect": address})
        return HttpResponseRedirect(address)

    def _who_must_set_up(self, request: HttpRequest) -> Person | None:
        """Return the person who is signed in without a second factor although the role must have one."""
        if not settings.SECOND_FACTOR_ROLES or settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return None
        person = request.user
        if not isinstance(person, Person) or person.role not in settings.SECOND_FACTOR_ROLES:
            return None
        if request.session.get(MARK) == person.pk:
            return None
        methods = {record.get("method") for record in get_authentication_records(request, person)}
        return None if "mfa" in methods else person

    def _note_change(self, request: HttpRequest, *, was_due: bool) -> None:
        """After a factor was switched on or off: this session goes on, all others of this person are ended."""
        match: ResolverMatch = request.resolver_match or resolve(request.path_info)
        person = request.user
        if match.url_name not in CHANGES or not isinstance(person, Person):
            return
        if has_factor(person.pk) != (match.url_name == SET_UP):
            return  # it led elsewhere and changed nothing
        if was_due:
            request.session[MARK] = person.pk
        signins.end_all(person.pk, but=request.session.session_key)


def _language() -> str:
    return get_language() or "zh-hans"
