"""Who may have an account: people are entered by an administrator, nobody signs up."""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Mapping
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.internal.httpkit import get_client_ip
from django.http import Http404, HttpRequest, HttpResponse

log = logging.getLogger(__name__)


class NoSignUp(DefaultAccountAdapter):  # type: ignore[misc]  # the package has no types
    """The door for new accounts stays closed."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send a mail of the account pages, or log that it could not be sent; that is no fault of the page."""
        try:
            super().send_mail(template_prefix, email, context)
        except (smtplib.SMTPException, OSError) as fault:  # the server's own words may repeat what it was told
            log.error("a mail of the account pages was not sent: %s", type(fault).__name__)


def name_tried(request: HttpRequest | None, credentials: Mapping[str, Any] | None) -> str:
    """Return whose password was tried, so that failures are counted for this name and not for a whole office."""
    name = (credentials or {}).get("username") or (request.POST.get("login") if request is not None else "")
    return str(name or "")[:255]


def address_of(request: HttpRequest) -> str | None:
    """Return where a request comes from: behind our own proxy what that proxy says, and nothing that a caller says."""
    address: str | None = get_client_ip(request)
    return address


def not_for_people(request: HttpRequest) -> HttpResponse:
    """Answer that nothing is there: an administrator enters where somebody's mail goes, as it opens the way in.

    The sign-in package has a page on which people change their own, without the password. Whoever came to a desk that
    was left open could have had a new password sent to himself.
    """
    raise Http404
