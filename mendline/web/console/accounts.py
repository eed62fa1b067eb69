"""Who may have an account: people are entered by an administrator, nobody signs up."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class NoSignUp(DefaultAccountAdapter):  # type: ignore[misc]  # the package has no types
    """The door for new accounts stays closed."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
