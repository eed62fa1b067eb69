"""The secrets of second factors are sealed in the database: whoever reads a copy of it cannot make codes."""

from __future__ import annotations

import base64
import hashlib

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.totp.internal.auth import generate_totp_secret
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

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


def _seal() -> MultiFernet:
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return MultiFernet([Fernet(_key_of(secret)) for secret in secrets])


def _key_of(secret: str) -> bytes:
    """Return 256 bits of a secret, for this use alone."""
    return base64.urlsafe_b64encode(hashlib.sha256(b"mendline.second_factor:" + secret.encode()).digest())
