"""From an audience to people: one row of the outbox for each person who is to get a message."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from mendline.access.choices import choices_of, quiet_ends_at
from mendline.access.models import Person
from mendline.contact.copies import is_breach
from mendline.contact.notice_kinds import allowed
from mendline.contact.pauses import GIVE_UP_AFTER, pause_after
from mendline.journal.models import Outgoing

BATCH = 50
NOBODY = "没有留邮箱的收件人 nobody of this role has an e-mail address"


def address_due(now: datetime, limit: int = BATCH) -> int:
    """Address e-mails that so far name only a role; return how many audiences were looked at.

    The row of the audience becomes that of the first person, the others get rows of their own; the
    keys come from the audience's key and the person, so nobody is written to twice. All in one
    transaction. An audience without anybody is tried again like a failed delivery: an address may
    be entered tomorrow. Where everybody chose to go without, the row ends as `declined`.
    """
    with transaction.atomic():
        waiting = list(
            Outgoing.objects.select_for_update(skip_locked=True)
            .filter(state="pending", channel="email", address="", next_try_at__lte=now)
            .order_by("next_try_at", "id")[:limit]
        )
        copies: list[Outgoing] = []
        for row in waiting:
            people = list(people_of(row))
            wanting = [person for person in people if wants(person, row.notice)]
            if wanting:
                copies += _hand_to(row, wanting, now)
            elif people:
                row.state, row.next_try_at, row.error = "declined", None, ""
            else:
                _put_off(row, now)
        Outgoing.objects.bulk_create(copies, ignore_conflicts=True)
        fields = ["person_id", "address", "attempts", "next_try_at", "state", "error"]
        Outgoing.objects.bulk_update(waiting, fields)
    return len(waiting)


def people_of(row: Outgoing) -> Iterable[Person]:
    """Return the active people of the row's role and scope who have an e-mail address, in a lasting order."""
    if row.person_id is not None:
        whose = Q(pk=row.person_id)
    else:
        whose = Q(role=row.role)
        if row.station_no:
            whose &= Q(station_no=row.station_no)
        if row.region:
            whose &= Q(region=row.region)
    return Person.objects.filter(whose, is_active=True).exclude(email="").order_by("pk")


def wants(person: Person, notice: str) -> bool:
    """Tell whether somebody is to get a notice that the procedure sends by e-mail; some nobody can do without."""
    return notice not in allowed(person.role, choices_of(person.notice_choices)).unmailed


def _hand_to(row: Outgoing, people: list[Person], now: datetime) -> list[Outgoing]:
    """Give the row to the first person and return copies for the others; one copy for each address.

    Whoever has a quiet hour gets it afterwards, unless it says that a limit has passed.
    """
    due = row.next_try_at
    by_address: dict[str, Person] = {}
    for person in people:
        by_address.setdefault(person.email.lower(), person)
    first, *others = by_address.values()
    row.person_id, row.address, row.error = first.pk, first.email, ""
    urgent = is_breach(row)
    row.next_try_at = due if urgent else quiet_ends_at(first, now) or due
    return [
        Outgoing(
            key=f"{row.key}:{person.pk}", at=row.at, subject=row.subject, notice=row.notice, channel=row.channel,
            role=row.role, station_no=row.station_no, region=row.region, person_id=person.pk, address=person.email,
            data=row.data, state="pending", attempts=row.attempts,
            next_try_at=due if urgent else quiet_ends_at(person, now) or due,
        )
        for person in others
    ]  # fmt: skip


def _put_off(row: Outgoing, now: datetime) -> None:
    row.attempts += 1
    row.error = NOBODY
    if now - row.at > GIVE_UP_AFTER:
        row.state, row.next_try_at = "failed", None
    else:
        row.next_try_at = now + pause_after(row.attempts)
