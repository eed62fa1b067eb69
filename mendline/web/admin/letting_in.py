"""Letting somebody in: the first-password link, lock-outs, and who has a second factor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from axes.utils import reset

from mendline.access.actors import subject_of
from mendline.access.models import Person
from mendline.access.own_rows import factor_kinds
from mendline.access.people import note_password_link
from mendline.access.traces import note_change
from mendline.kernel.text import Text
from mendline.web import password_mail
from mendline.web.console.visit import Visit


def with_factors(people: Sequence[Person]) -> list[tuple[Person, bool]]:
    """Return each person with whether a second factor is set up; one query for all."""
    kinds = factor_kinds([person.pk for person in people])
    return [(person, bool(kinds.get(person.pk, frozenset()) - {"recovery_codes"})) for person in people]


def password_link(person: Person, visit: Visit) -> dict[str, Any] | None:
    """Send the link for choosing a password, or return it to be shown once where there is no e-mail address."""
    link = visit.request.build_absolute_uri(password_mail.path_for(person))
    note_password_link(person, by_mail=bool(person.email), actor=visit.actor, now=visit.now)
    if not person.email:
        return {
            "label": Text("首次设密链接", "First-password link"),
            "value": link,
            "help": Text("只显示这一次，请当面转交本人", "Shown this once: hand it over in person"),
        }
    password_mail.send(person, link)
    return None


def unlock(person: Person, visit: Visit) -> None:
    """Forget the wrong passwords that were tried for this name."""
    if reset(username=person.username):
        note_change(subject_of(person.pk), "person.unlock", actor=visit.actor, now=visit.now)
