"""The secrets of second factors are sealed in the database: whoever reads a copy of it cannot make codes."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.totp.internal.auth import generate_totp_secret
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from mendline.access.own_rows import factor_kinds

PREFIX = "sealed:"  # what was kept before has none and is read as it is


class SealedSecrets(DefaultMFAAdapter):  # type: ignore[misc]  # the package has no types
    """Seals with a key made of SECRET_KEY; SECRET_KEY_FALLBACKS still open what was sealed before."""

    def encrypt(self, text: str) -> str:
        return PREFIX + _seal().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Return the secret; for one that no key opens any more another that nobody has, so that no code fits it.

        An empty one would do for nobody but a guesser, who can make its codes.
        """
        if not encrypted_text.startswith(PREFIX):
            return encrypted_text
        try:
            opened: bytes = _seal().decrypt(encrypted_text.removeprefix(PREFIX).encode())
        except InvalidToken:
            opened = generate_totp_secret().encode()
        return opened.decode()

    def is_mfa_enabled(self, user: Any, types: Iterable[str] | None = None) -> bool:
        """Ask at the narrow door: at the password nobody is known yet, and no answer must not mean no factor."""
        if user.is_anonymous:
            return False
        kinds = factor_kinds([user.pk]).get(user.pk, frozenset())
        return bool(kinds if types is None else kinds & {str(one) for one in types})

    def can_delete_authenticator(self, authenticator: Any) -> bool:
        """Whoever must have a second factor keeps it; an administrator can reset it."""
        return authenticator.type == "recovery_codes" or authenticator.user.role not in settings.SECOND_FACTOR_ROLES


def _seal() -> MultiFernet:
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return MultiFernet([Fernet(_key_of(secret)) for secret in secrets])


def _key_of(secret: str) -> bytes:
    """Return 256 bits of a secret, for this use alone."""
    return base64.urlsafe_b64encode(hashlib.sha256(b"mendline.second_factor:" + secret.encode()).digest())
