"""Notes when a key of a machine was last used, beside the call and not in it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime

from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from mendline.access import tokens

logger = logging.getLogger(__name__)
BEARER = "Bearer "
MOST_REMEMBERED = 10_000


class KeyUse:
    """Middleware before the short way to the interface: after an answer, at most once in five minutes for each key.

    What this process noted lately is remembered, so that all other calls cost a look into a dictionary.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._noted: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        sent: str = request.META.get("HTTP_AUTHORIZATION", "")
        if sent.startswith(BEARER) and response.status_code != 401:
            self._note(sent.removeprefix(BEARER).strip())
        return response

    def _note(self, secret: str) -> None:
        now = timezone.now()
        with self._lock:
            last = self._noted.get(secret)
            if last is not None and now - last < tokens.USE_NOTED_EVERY:
                return
            if len(self._noted) >= MOST_REMEMBERED:
                self._noted.clear()
            self._noted[secret] = now
        try:
            tokens.note_use(secret, now)
        except (DatabaseError, InterfaceError):  # the answer is there already; the next one will be noted
            logger.warning("the use of a key could not be noted", exc_info=True)
