"""Errors as problem documents (RFC 9457). One table for faults of the edge, one function for the domain's."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import orjson
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.db import DatabaseError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import get_language_from_request
from psycopg import errors as pg

from mendline.kernel.errors import Conflict, Invalid, MendlineError, NotVisible, Refused, TooOften
from mendline.kernel.text import Text

MEDIA_TYPE = "application/problem+json"

TITLES: Mapping[int, Text] = {
    400: Text("请求无法读取", "The request cannot be read"),
    401: Text("需要登录", "Not signed in"),
    403: Text("无权执行", "Not yours to do"),
    404: Text("不存在", "Not found"),
    405: Text("不支持该方法", "Method not possible here"),
    409: Text("冲突", "Conflict"),
    413: Text("内容太大", "Too large"),
    422: Text("未被接受", "Not accepted"),
    429: Text("请求太频繁", "Too many requests"),
    500: Text("系统出错", "Our fault"),
    503: Text("暂时无法处理", "Not available at the moment"),
}
NOT_FOUND = Text("没有这条记录", "there is no such record")
TOO_MUCH = Text(
    "请求的参数、栏目或文件太多，或无法读取", "the request has too many parameters, fields or files, or cannot be read"
)
OUR_FAULT = Text(
    "系统出错，已记录；请凭 X-Request-Id 联系管理员",
    "our fault, and logged; give X-Request-Id to the administrator",
)
BUSY = Text("记录正被他人更新，请重试", "the record is being changed by somebody else; try again")
UNAVAILABLE = Text("数据库暂时不可用，请稍后重试", "the database is not available at the moment; try again shortly")
# What the database answers when two were at the same row, which is nobody's fault.
CONTENTION = (pg.LockNotAvailable, pg.DeadlockDetected, pg.SerializationFailure)

REQUEST_NUMBER = "mendline.request_number"  # where the edge leaves the number that the answer and the log carry

log = logging.getLogger("mendline.api")


class EdgeError(Exception):
    """A request that does not reach the domain: unreadable, not signed in, too large, too often."""

    def __init__(self, status: int, code: str, detail: Text, *, retry_after: int = 0) -> None:
        super().__init__(detail.en)
        self.retry_after = retry_after  # seconds; 0: trying again does not help
        self.status = status
        self.code = code
        self.detail = detail


def problem(
    request: HttpRequest,
    status: int,
    code: str,
    detail: Text,
    *,
    rule: str = "",
    rules: tuple[str, ...] = (),
    fields: Mapping[str, Text] | None = None,
) -> HttpResponse:
    """Return a problem document in the language that the request asks for, with both languages beside it.

    It never names what was asked for, so that absent and out of scope are the same bytes.
    """
    language = get_language_from_request(request)
    document: dict[str, Any] = {
        "type": f"urn:mendline:problem:{code}",
        "title": TITLES[status].in_language(language),
        "status": status,
        "code": code,
        "detail": detail.in_language(language),
        "rule": rule,
        "rules": rules,
        "texts": detail.as_dict(),
    }
    if fields:
        document["fields"] = {name: text.as_dict() for name, text in fields.items()}
    return HttpResponse(orjson.dumps(document), status=status, content_type=MEDIA_TYPE)


def answer_to(request: HttpRequest, error: Exception) -> HttpResponse:
    """Return the answer that an error deserves. Refusals are answers and are not logged; surprises are."""
    if isinstance(error, EdgeError):
        response = problem(request, error.status, error.code, error.detail)
        if error.status == 401:
            response["WWW-Authenticate"] = 'Bearer realm="mendline"'
        if error.retry_after:
            response["Retry-After"] = str(error.retry_after)
        return response
    if isinstance(error, (NotVisible, Http404)):
        return not_found(request)
    if isinstance(error, Refused):
        fields = error.fields if isinstance(error, Invalid) else {error.field: error.detail} if error.field else None
        response = problem(
            request, error.status, error.code, error.detail, rule=error.rule, rules=error.rules, fields=fields
        )
        if isinstance(error, TooOften):
            response["Retry-After"] = str(error.seconds)
        return response
    if isinstance(error, Conflict):
        return problem(request, 409, error.code, error.detail)
    if isinstance(error, (SuspiciousOperation, BadRequest)):
        return problem(request, 400, "unreadable_request", TOO_MUCH)
    if isinstance(error, DatabaseError) and not isinstance(error, MendlineError):
        answered = _answer_of_database(request, error)
        if answered is not None:
            return answered
    number = request.META.get(REQUEST_NUMBER, "-")
    log.error("%s %r failed, X-Request-Id %s", request.method, request.path, number, exc_info=error)
    return problem(request, 500, "internal_error", OUR_FAULT)


def not_found(request: HttpRequest) -> HttpResponse:
    return problem(request, 404, NotVisible.code, NOT_FOUND)


def _answer_of_database(request: HttpRequest, error: DatabaseError) -> HttpResponse | None:
    if isinstance(error.__cause__, CONTENTION):
        return problem(request, 409, "busy", BUSY)
    if isinstance(error, OperationalError):
        log.warning("the database did not answer: %s", error)
        response = problem(request, 503, "unavailable", UNAVAILABLE)
        response["Retry-After"] = "2"
        return response
    return None
