"""Calls with a key go straight to the interface, past everything that is made for people with a browser."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import ResolverMatch, resolve

PREFIX = "/api/v1/"


class StraightToApi:
    """Middleware that stands after Django's `SecurityMiddleware` and before all others.

    A call with `Authorization` has no session, cookie, form or page, so sessions, CSRF, messages,
    content policy and lock-outs have nothing to do with it; they took a third of its time. Calls
    without it (browsers) go the usual way.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if "HTTP_AUTHORIZATION" not in request.META or not request.path_info.startswith(PREFIX):
            return self.get_response(request)
        match = request.resolver_match = _match(request.path_info)
        response: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
        return response


@lru_cache(maxsize=256)
def _match(path: str) -> ResolverMatch:
    """Return where an address leads. Most calls go to the same few; an unknown one raises and is not kept."""
    return resolve(path)
