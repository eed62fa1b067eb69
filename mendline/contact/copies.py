"""E-mail for notices that somebody wants by e-mail as well: one for each, or one a day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from hashlib import sha256

from django.db import transaction
from django.db.models import Max

from mendline.access.actors import OF_A_REGION, OF_A_STATION
from mendline.access.choices import choices_of, quiet_ends_at, zone_of
from mendline.access.models import Person
from mendline.contact.models import CopyCursor
from mendline.contact.notice_kinds import allowed
from mendline.journal.models import Outgoing
from mendline.orders.queries import notices_for

# A notice with a lower number may be committed after one with a higher, but not a minute after it was written.
SETTLED_AFTER = timedelta(minutes=1)
NO_OLDER_THAN = timedelta(days=1)
BATCH = 5000
DAY = timedelta(days=1)
MOST_IN_A_DIGEST = 100


def copy_notices(now: datetime) -> bool:
    """Write e-mails for what people chose to get by e-mail; never two for the same person and notice.

    What was written within the last minute is looked at again each time, so that nothing is missed whoever commits
    first; the key of the copy makes that harmless. Returns False: there is never more to do at once.
    """
    with transaction.atomic():
        CopyCursor.objects.get_or_create(pk=1, defaults={"settled_id": _newest()})
        cursor = CopyCursor.objects.select_for_update().get(pk=1)
        people = _choosers()
        settled = _copy_for(people, cursor.settled_id, now) if people else _newest()
        if settled > cursor.settled_id:
            cursor.settled_id = settled
            cursor.save(update_fields=["settled_id"])
    return False


def _newest() -> int:
    return Outgoing.objects.aggregate(newest=Max("id"))["newest"] or 0


def _choosers() -> dict[str, list[tuple[Person, frozenset[str]]]]:
    """Return who wants which notices at once, by role."""
    found: dict[str, list[tuple[Person, frozenset[str]]]] = {}
    asked = Person.objects.filter(is_active=True, digest_at=None, notice_choices__has_key="mailed").exclude(email="")
    for person in asked.order_by("pk"):
        wanted = allowed(person.role, choices_of(person.notice_choices)).mailed
        if wanted:
            found.setdefault(person.role, []).append((person, wanted))
    return found


def _copy_for(people: dict[str, list[tuple[Person, frozenset[str]]]], after: int, now: datetime) -> int:
    """Write the copies of the notices after a number; return up to which number nothing can come in between."""
    rows = list(Outgoing.objects.filter(id__gt=after).order_by("id")[:BATCH])
    copies = [
        _copy(row, person, now)
        for row in rows
        if row.channel == "inbox" and now - row.at < NO_OLDER_THAN
        for person, wanted in people.get(row.role, ())
        if row.notice in wanted and is_for(row, person)
    ]
    Outgoing.objects.bulk_create(copies, ignore_conflicts=True)
    return max((row.pk for row in rows if now - row.at > SETTLED_AFTER), default=after)


def is_for(row: Outgoing, person: Person) -> bool:
    """Tell whether a notice of this person's role is also meant for this person's place."""
    if row.person_id is not None:
        return row.person_id == person.pk
    if person.role in OF_A_STATION:
        return row.station_no in ("", person.station_no)
    if person.role in OF_A_REGION:
        return row.region in ("", person.region)
    return True


def _copy(row: Outgoing, person: Person, now: datetime) -> Outgoing:
    urgent = is_breach(row)
    return Outgoing(
        key=key_of_copy(row.key, person.pk), at=row.at, subject=row.subject, notice=row.notice, channel="email",
        role=row.role, station_no=row.station_no, region=row.region, person_id=person.pk, address=person.email,
        data=row.data, state="pending", next_try_at=now if urgent else quiet_ends_at(person, now) or now,
    )  # fmt: skip


def is_breach(row: Outgoing) -> bool:
    """Tell whether a message says that a limit has passed: such a one waits for no morning."""
    return str(row.data.get("cause", "")).endswith(".breach")


def key_of_copy(key: str, person_id: int) -> str:
    """Return the key of a person's copy, at most 120 characters.

    >>> key_of_copy("WX1:0:new_order:station_coordinator:inbox", 7)
    'WX1:0:new_order:station_coordinator:inbox:mail:7'
    """
    whole = f"{key}:mail:{person_id}"
    return whole if len(whole) <= 120 else f"{sha256(key.encode()).hexdigest()}:mail:{person_id}"


def send_digests(now: datetime) -> bool:
    """Write the daily e-mail of everybody whose hour has come; False: there is never more to do at once."""
    waiting = Person.objects.filter(is_active=True).exclude(digest_at=None).exclude(email="").order_by("pk")
    for person in waiting:
        local = now.astimezone(zone_of(person))
        if person.digest_at is not None and local.time() >= person.digest_at and person.digest_sent_on != local.date():
            _digest(person.pk, now)
    return False


@transaction.atomic
def _digest(person_id: int, now: datetime) -> None:
    """Write one, unless another worker just did. A day without notices is no e-mail."""
    person = Person.objects.select_for_update().get(pk=person_id)
    today = now.astimezone(zone_of(person)).date()
    if person.digest_sent_on == today:
        return
    person.digest_sent_on = today
    person.save(update_fields=["digest_sent_on"])
    found = list(_of_the_day(person, now))
    if not found:
        return
    Outgoing.objects.create(
        key=f"digest:{person.pk}:{today}", at=now, subject="汇总", notice="digest", channel="email",
        role=person.role, station_no=person.station_no, region=person.region, person_id=person.pk,
        address=person.email, data=_listed(found), state="pending", next_try_at=now,
    )  # fmt: skip


def _of_the_day(person: Person, now: datetime) -> Iterator[Outgoing]:
    chosen = allowed(person.role, choices_of(person.notice_choices))
    for row in notices_for(person.as_actor("worker"), limit=MOST_IN_A_DIGEST):
        if (
            now - row.at <= DAY
            and row.notice not in chosen.hidden
            and (row.notice in chosen.mailed or not chosen.mailed)
        ):
            yield row


def _listed(rows: Iterable[Outgoing]) -> dict[str, str]:
    zh = [str(row.data.get("zh", "")) for row in rows]
    en = [str(row.data.get("en", "")) for row in rows]
    more = "+" if len(zh) >= MOST_IN_A_DIGEST else ""
    return {
        "zh": f"通知汇总：过去一天 {len(zh)}{more} 条。\n" + "\n".join(f"· {line}" for line in zh),
        "en": f"Summary: {len(en)}{more} notices of the last day.\n" + "\n".join(f"· {line}" for line in en),
        "cause": "digest",
    }
