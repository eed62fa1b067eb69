"""The second factor is guessed at no more often than the password, and a code opens the door once.

Both counts stand in the row of the person's factor and not in a cache: there are several web processes, and each
has a cache of its own. A guess holds the row, so that two at the same moment are counted as two, and a code that
two browsers send together lets one of them in.
"""

from __future__ import annotations

import hashlib
import logging
from datetime import datetime, timedelta
from typing import Any

from allauth.account.adapter import get_adapter as account_adapter
from allauth.mfa.adapter import get_adapter as factor_adapter
from allauth.mfa.base import forms
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

NOTES = "mendline"  # where in the row's data our own notes stand
REMEMBERED = timedelta(minutes=2)  # a code is good for 30 seconds; afterwards it may come up again by chance

log = logging.getLogger("mendline.access")


class _Counted:
    """A form with a code. Mixed in before the package's own form, which knows what a right code is."""

    user: Any
    cleaned_data: dict[str, Any]

    def clean_code(self) -> str:
        code, now = str(self.cleaned_data["code"]), timezone.now()
        with transaction.atomic():
            row = _held(self.user.pk)
            notes = _Notes.of(row, now)
            problem = self._tried(code, notes, now)
            _keep(row, notes)
        if problem is not None:
            log.warning("a second factor of person %s was refused", self.user.pk)
            raise problem
        return code

    def _tried(self, code: str, notes: _Notes, now: datetime) -> ValidationError | None:
        """Try a code and note how it went. Returns the refusal, because raising would undo the note."""
        if len(notes.failures) >= settings.AXES_FAILURE_LIMIT:
            refused: ValidationError = account_adapter().validation_error("too_many_login_attempts")
            return refused
        digest = hashlib.sha256(code.strip().encode(errors="replace")).hexdigest()
        try:
            super().clean_code()  # type: ignore[misc]  # the form that this is mixed into
            if digest in notes.used:
                raise factor_adapter().validation_error("incorrect_code")
        except ValidationError as problem:
            notes.failures.append(now.timestamp())
            return problem
        notes.used[digest] = now.timestamp()
        notes.failures.clear()
        return None


class _Notes:
    """When codes were wrong within the time of a lock-out, and which were right lately; seconds since 1970."""

    def __init__(self, failures: list[float], used: dict[str, float]) -> None:
        self.failures = failures
        self.used = used

    @classmethod
    def of(cls, row: Authenticator | None, now: datetime) -> _Notes:
        kept: dict[str, Any] = (row.data.get(NOTES) if row is not None else None) or {}
        oldest_failure = (now - timedelta(hours=settings.AXES_COOLOFF_TIME)).timestamp()
        oldest_use = (now - REMEMBERED).timestamp()
        return cls(
            [at for at in kept.get("failures", []) if at > oldest_failure],
            {digest: at for digest, at in kept.get("used", {}).items() if at > oldest_use},
        )


def _held(person_id: int) -> Authenticator | None:
    """Return the row that carries the notes, locked; None for somebody without a factor that has codes."""
    rows = Authenticator.objects.select_for_update().filter(user_id=person_id).exclude(type="webauthn")
    return rows.order_by("pk").first()


def _keep(row: Authenticator | None, notes: _Notes) -> None:
    """Write the notes into the row as it is now: checking a recovery code has changed it meanwhile."""
    if row is None:
        return
    now = Authenticator.objects.get(pk=row.pk)
    now.data = {**now.data, NOTES: {"failures": notes.failures, "used": notes.used}}
    now.save(update_fields=["data"])


class AuthenticateForm(_Counted, forms.AuthenticateForm):  # type: ignore[misc]  # the package has no types
    """Signing in."""


class ReauthenticateForm(_Counted, forms.ReauthenticateForm):  # type: ignore[misc]
    """Proving once more who one is."""
