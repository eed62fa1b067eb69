"""Rows that belong to one person and that the database shows for that person alone (row-level security).

`mfa_authenticator` (seeds of second factors and recovery codes) and `access_signin` (who is signed in where) are small,
sensitive and read for exactly one known person. The policies compare with `mendline.person`, a setting of the
transaction: nothing of it stays on a connection that the next request uses. Tables that are listed and searched have
no policy, because there one costs many times the query.

Without the setting a sign-in is not there, and a second factor is an error instead of nothing: whoever finds none would
let the person in by password alone. What has to be known before it is known who asks (is there a second factor at
all?) is told by `mendline_factors`, which shows no secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.db import connection, transaction

SETTING = "mendline.person"


@contextmanager
def rows_of(person_id: int) -> Iterator[None]:
    """Within it, and its transaction, the rows of this person can be seen and written; afterwards as before."""
    with transaction.atomic():
        before = _named(str(person_id))
        yield
        _named(before)


def factor_kinds(people: Iterable[int]) -> dict[int, frozenset[str]]:
    """Return which kinds of second factors (`totp`, `recovery_codes`) each of these people has; one statement."""
    found: dict[int, set[str]] = {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT person_id, kind FROM mendline_factors(%s)", [list(people)])
        for person_id, kind in cursor.fetchall():
            found.setdefault(person_id, set()).add(kind)
    return {person_id: frozenset(kinds) for person_id, kinds in found.items()}


def has_factor(person_id: int) -> bool:
    """Tell whether signing in asks this person for more than the password. Recovery codes alone are none."""
    return bool(factor_kinds([person_id]).get(person_id, frozenset()) - {"recovery_codes"})


def _named(person: str) -> str:
    """Set whose rows are seen until the transaction ends; return who it was before."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(current_setting(%(setting)s, true), ''), set_config(%(setting)s, %(person)s, true)",
            {"setting": SETTING, "person": person},
        )
        return str(cursor.fetchone()[0])
