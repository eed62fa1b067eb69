"""Keys of machines: made once, shown once, kept as a digest, revoked at once.

A key acts as the person it belongs to: whatever the role of that person is at the moment of a call
is the role of the call. A person who is deactivated takes all keys along.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias

from django.db import transaction
from django.db.models import Q

from mendline.access.actors import COMMAND_LINE, Actor
from mendline.access.models import Person, Token
from mendline.access.traces import note_change
from mendline.kernel.errors import Invalid
from mendline.kernel.text import Text

Scope: TypeAlias = Literal["read", "write"]
SCOPES: tuple[Scope, ...] = ("read", "write")

PREFIX = "ml_"  # so that a key found in a file or a log is recognised as one
_SECRET_BYTES = 32
_SECRET = re.compile(r"ml_[A-Za-z0-9_-]{43}", re.ASCII)


USE_NOTED_EVERY = timedelta(minutes=5)


@transaction.atomic
def issue(
    person: Person,
    name: str,
    *,
    scopes: Iterable[str] = SCOPES,
    expires_at: datetime | None = None,
    actor: Actor = COMMAND_LINE,
    now: datetime | None = None,
) -> str:
    """Make a key for `person` and return its secret, which nobody can read again. `actor` is who issues it.

    `name` says what the key is for. `write` alone is possible: such a key may report and not look.

    Raises:
        Invalid: no name, or a scope nobody knows.
    """
    wanted = tuple(dict.fromkeys(scopes))
    wrong: dict[str, Text] = {}
    if not name.strip() or len(name) > 60:
        wrong["name"] = Text("请用 1 至 60 个字说明用途", "say what it is for in 1 to 60 characters")
    if not wanted or not set(wanted) <= set(SCOPES):
        wrong["scopes"] = Text("只能是 read 和 write", "must be read, write or both")
    if wrong:
        raise Invalid(wrong)
    secret = PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
    token = Token.objects.create(
        person=person, name=name.strip(), digest=digest_of(secret), scopes=list(wanted), expires_at=expires_at
    )
    note_change(
        subject_of(token), "token.issue", actor=actor, now=now or token.created_at,
        after={
            "person": person.username, "name": token.name, "scopes": list(wanted),
            "expires_at": expires_at.astimezone(UTC).isoformat() if expires_at else None,
        },
    )  # fmt: skip
    return secret


def subject_of(token: Token) -> str:
    """Return what the history calls this key."""
    return f"token:{token.pk}"


def digest_of(secret: str) -> str:
    """Return what is stored of a secret. It has 256 random bits, so a plain digest cannot be tried out."""
    return hashlib.sha256(secret.encode()).hexdigest()


def looks_like_one(secret: str) -> bool:
    """Tell whether a text has the form of a key, before the database is asked."""
    return _SECRET.fullmatch(secret) is not None


@transaction.atomic
def revoke(token: Token, now: datetime, *, actor: Actor = COMMAND_LINE) -> bool:
    """Make a key useless from the next call on; False when it was already."""
    if not Token.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now):
        return False
    after = {"person": token.person.username, "name": token.name}
    note_change(subject_of(token), "token.revoke", actor=actor, now=now, after=after)
    return True


def note_use(secret: str, now: datetime) -> None:
    """Remember that a key was used, at most once in five minutes, so that a busy machine's row is left alone."""
    not_lately = Q(last_used_at=None) | Q(last_used_at__lt=now - USE_NOTED_EVERY)
    Token.objects.filter(not_lately, digest=digest_of(secret)).update(last_used_at=now)
