"""The interface for machines: its addresses, its description, and what surrounds every answer."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.urls import URLPattern, URLResolver, path, re_path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from ninja.errors import ValidationError

from mendline.kernel.errors import Invalid
from mendline.kernel.text import Text
from mendline.web.api import desk, figures, files, network, orders, procedure, records, webhooks
from mendline.web.api.callers import refuse_strangers
from mendline.web.api.description import described
from mendline.web.api.problems import REQUEST_NUMBER, EdgeError, answer_to, not_found, problem

REQUEST_ID = "X-Request-Id"
POLICY = "Content-Security-Policy"
_GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)

View = Callable[..., HttpResponseBase]

api = NinjaAPI(
    title="Mendline 统修",
    version="1",  # of the interface, not of the program
    urls_namespace="api",
    docs_url=None,  # a page that draws the description would need scripts from elsewhere
    openapi_url=None,
)
for part in (orders, records, files, procedure, desk, network, figures, webhooks):
    api.add_router("", part.router)


@api.exception_handler(Exception)
def on_error(request: HttpRequest, error: Exception) -> HttpResponse:
    return answer_to(request, error)


@api.exception_handler(ValidationError)
def on_parameters(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Parameters of the address that are not understood: 422, naming each; to a stranger nothing but 401."""
    try:
        refuse_strangers(request, timezone.now())
    except EdgeError as stranger:
        return answer_to(request, stranger)
    fields: dict[str, Text] = {}
    for fault in error.errors:
        fields[str(fault["loc"][-1])[:80]] = Text("不是可用的值", f"cannot be used: {str(fault['msg'])[:200]}")
    return answer_to(request, Invalid(fields))


def edge(view: View) -> View:
    """Surround an operation: nothing is cached, every answer has a request id, errors are documents."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        number = given if _GIVEN_ID.fullmatch(given) else secrets.token_hex(8)
        request.META[REQUEST_NUMBER] = number
        try:
            response = view(request, *args, **kwargs)
        except Exception as error:
            response = answer_to(request, error)
        if isinstance(response, HttpResponseNotAllowed):
            allowed = response["Allow"]
            response = problem(
                request, 405, "method_not_allowed", Text(f"可用：{allowed}", f"possible here: {allowed}")
            )
            response["Allow"] = allowed
        response[REQUEST_ID] = number
        response["Cache-Control"] = "no-store"
        if POLICY not in response:
            response[POLICY] = "default-src 'none'; frame-ancestors 'none'"
        response._has_been_logged = True  # type: ignore[attr-defined]  # an answer is no incident; faults were logged
        return response

    return wrapped


@lru_cache(maxsize=1)
def _description() -> bytes:
    return orjson.dumps(described(api), option=orjson.OPT_NON_STR_KEYS)


def description(request: HttpRequest) -> HttpResponse:
    """The OpenAPI description. Public: it holds nothing that the source does not."""
    return HttpResponse(_description(), content_type="application/json")


@csrf_exempt
def unknown(request: HttpRequest, rest: str = "") -> HttpResponse:
    return not_found(request)


def _surrounded(patterns: list[URLPattern | URLResolver]) -> list[URLPattern | URLResolver]:
    found: list[URLPattern | URLResolver] = []
    for item in patterns:
        if isinstance(item, URLPattern):
            item = URLPattern(item.pattern, edge(item.callback), item.default_args, item.name)
        found.append(item)
    return found


_patterns, _app, _namespace = api.urls
urlpatterns: list[URLPattern | URLResolver] = [
    path("openapi.json", edge(description)),
    path("", (_surrounded(_patterns), _app, _namespace)),
    re_path(r"^(?P<rest>[\s\S]*)$", edge(unknown)),
]
