"""Where somebody is signed in: noted while it is used, shown to that person, ended when idle, too old or unwanted.

A row stands beside each session of the database and goes with it, whoever ends it (a foreign key of the database
sees to it). Ending one deletes the session: the next request of that browser is a stranger's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.sessions.models import Session
from django.db import IntegrityError, transaction

from mendline.access.models import SignIn
from mendline.access.own_rows import rows_of


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a sign-in lasts. `idle` is None where nothing ends it for inactivity."""

    longest: timedelta
    idle: timedelta | None = None

    def is_over(self, began_at: datetime, seen_at: datetime, now: datetime) -> bool:
        return now - began_at >= self.longest or (self.idle is not None and now - seen_at >= self.idle)


@dataclass(frozen=True, slots=True)
class Came:
    """From where: the browser in words, the address without its last part."""

    browser: str
    address: str


@dataclass(frozen=True, slots=True)
class Lasting:
    """A sign-in that still holds."""

    began_at: datetime
    seen_at: datetime


def look(
    person_id: int, session_key: str, *, came: Came, limits: Limits, now: datetime, is_active: bool
) -> Lasting | None:
    """Return the sign-in if it still holds, and None when it is over; then the session is gone.

    `is_active` says whether a person did something, and not a page by itself: only then it counts as seen now. One that
    nobody noted yet begins now (of the release before, or just made).
    """
    try:
        with rows_of(person_id):
            kept = SignIn.objects.filter(pk=session_key).first()
            if kept is None:
                row = SignIn(
                    session_key=session_key, person_id=person_id, browser=came.browser, address=came.address,
                    began_at=now, seen_at=now,
                )  # fmt: skip
                SignIn.objects.bulk_create([row], ignore_conflicts=True)
                return Lasting(now, now)
            if limits.is_over(kept.began_at, kept.seen_at, now):
                Session.objects.filter(pk=session_key).delete()
                return None
            if is_active:
                SignIn.objects.filter(pk=session_key, seen_at__lt=now).update(seen_at=now)
                return Lasting(kept.began_at, now)
            return Lasting(kept.began_at, kept.seen_at)
    except IntegrityError:  # the session was ended at this very moment
        return None


def of_person(person_id: int) -> list[SignIn]:
    """Return where this person is signed in, the one used last first."""
    with rows_of(person_id):
        return list(SignIn.objects.filter(person_id=person_id).order_by("-seen_at", "session_key"))


def public_name(session_key: str) -> str:
    """Return what a page calls a sign-in: enough to choose one, useless for taking it over."""
    return hashlib.sha256(b"mendline.signin:" + session_key.encode()).hexdigest()[:24]


@transaction.atomic
def end(person_id: int, names: Sequence[str]) -> int:
    """End the sign-ins of this person that have one of these public names; return how many there were."""
    keys = [one.session_key for one in of_person(person_id) if public_name(one.session_key) in names]
    return _end(keys)


@transaction.atomic
def end_all(person_id: int, *, but: str | None = None) -> int:
    """End every sign-in of this person, but the session with the key `but`; return how many were ended."""
    return _end([one.session_key for one in of_person(person_id) if one.session_key != but])


def _end(keys: Sequence[str]) -> int:
    """Delete sessions; their rows go with them. Counted are the sessions."""
    count, _ = Session.objects.filter(pk__in=keys).delete()
    return int(count)
