"""The interface is never led from http to https: a key that came in clear was seen already, and must not come again.

Pages are led there by Django, because people type addresses without https. A machine that is led there works on, and
sends its key in clear with every call, unnoticed for years (4.1.2).
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from mendline.access import tokens
from mendline.access.models import Token
from mendline.kernel.text import Text
from mendline.web.api.problems import problem
from mendline.web.api.straight import PREFIX
from mendline.web.key_use import BEARER

log = logging.getLogger("mendline.refused")
USE_HTTPS = Text(
    "请改用 https。此密钥已在明文中传输，请由系统管理员签发新的并吊销它",
    "use https. This key travelled in clear: have an administrator issue another and revoke it",
)
USE_HTTPS_WITHOUT_KEY = Text("请改用 https", "use https")


class InClear:
    """Middleware before Django's own, which would redirect. Absent where nothing is redirected (one's own machine)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        if not settings.SECURE_SSL_REDIRECT:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.is_secure() or not request.path_info.startswith(PREFIX):
            return self.get_response(request)
        sent: str = request.META.get("HTTP_AUTHORIZATION", "")
        if sent:
            _note(sent.removeprefix(BEARER).strip())
        return problem(request, 403, "https_only", USE_HTTPS if sent else USE_HTTPS_WITHOUT_KEY)


def _note(secret: str) -> None:
    """Say which key it was, by its number alone. It is not revoked: that would let whoever listens stop a machine."""
    number: object = "unknown"
    try:
        found = Token.objects.filter(digest=tokens.digest_of(secret)).values_list("pk", flat=True).first()
        number = found if found is not None else "unknown"
    except (DatabaseError, InterfaceError):
        pass
    log.warning("a key travelled in clear: key=%s; issue another and revoke it", number)
