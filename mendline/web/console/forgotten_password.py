"""Asking for a new password: what is done while somebody waits is the same for every address."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import ResetPasswordForm
from django.http import HttpRequest
from django.utils import timezone

from mendline.web.jobs import send_password_link


class AskForPassword(ResetPasswordForm):  # type: ignore[misc]  # the package has no types
    """Looks nobody up and sends nothing: a known address would take longer, and that tells who is known."""

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()

    def save(self, request: HttpRequest, **_: Any) -> str:
        email: str = self.cleaned_data["email"]
        server = request.build_absolute_uri("/").rstrip("/")
        send_password_link.defer(email=email, server=server, asked_at=timezone.now().isoformat())
        return email
