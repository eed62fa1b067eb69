"""`/status/`: does everything work? One word for a monitor, and for an administrator what to do."""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from mendline.access.models import Person
from mendline.contact.condition import Finding, findings
from mendline.kernel.text import Text

SEES_DETAILS = frozenset({"admin", "process_owner"})
LOOKED_AT_FOR = 5.0  # seconds; anybody may ask, so asking often must cost nothing
NO_DATABASE = Finding(
    "database",
    Text("数据库", "Database"),
    False,
    Text("没有应答", "does not answer"),
    Text("请检查数据库服务与 DATABASE_URL", "check the database server and DATABASE_URL"),
)


@dataclass(slots=True)
class _Looked:
    at: float = float("-inf")
    found: tuple[Finding, ...] = ()


_last = _Looked()


@never_cache
@require_safe
def status(request: HttpRequest) -> HttpResponse:
    """Answer 200 when nothing needs to be done, otherwise 503; JSON where it is asked for, no details for strangers."""
    found = _findings()
    ok = all(one.ok for one in found)
    code = 200 if ok else 503
    if request.headers.get("Accept", "").startswith("application/json"):
        return JsonResponse({"ok": ok, "findings": {one.code: one.ok for one in found}}, status=code)
    return render(
        request, "console/status.html", {"ok": ok, "findings": found, "detailed": _may_see(request)}, status=code
    )


def forget_findings() -> None:
    """Look anew at the next request."""
    _last.at = float("-inf")


def _findings() -> tuple[Finding, ...]:
    if time.monotonic() - _last.at > LOOKED_AT_FOR:
        try:
            _last.found = tuple(findings(timezone.now()))
        except DatabaseError:
            return (NO_DATABASE,)
        _last.at = time.monotonic()
    return _last.found


def _may_see(request: HttpRequest) -> bool:
    try:
        return isinstance(request.user, Person) and request.user.role in SEES_DETAILS
    except DatabaseError:
        return False
