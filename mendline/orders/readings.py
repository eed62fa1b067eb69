"""Who was told of a procedure document, and who has read it (UDS-04).

Telling and reading are kept apart: what was sent stands in the outbox, what was read in the history, which is only
ever added to. Opening the document counts as having read it; saying so (`acknowledge`) is a stronger word
and is kept as its own entry.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from mendline.access.actors import Actor
from mendline.access.models import Person
from mendline.journal.models import Entry, Outgoing
from mendline.kernel.errors import NotVisible, Refused
from mendline.kernel.text import Text
from mendline.kernel.time import local_day
from mendline.orders import store
from mendline.orders.models import Record
from mendline.orders.store import Loaded

PUBLISHED = ("version_published", "limits_in_force")  # notices that tell of something to be read
REMINDER = "reading_reminder"
OPENED, ACKNOWLEDGED, REMINDED = "document.opened", "document.acknowledged", "document.reminded"
_SYSTEM = Actor(None, "", "timer", via="system")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to somebody: by which channel, how it went, and why it did not."""

    channel: str
    state: str  # pending | sent | failed | shown | no_address
    at: datetime
    error: str = ""


@dataclass(frozen=True, slots=True)
class Reader:
    """One person who was told. Without an account it is an e-mail address, of which nobody knows whether it reads."""

    person_id: int | None
    name: str
    role: str
    station_no: str
    region: str
    told_at: datetime
    deliveries: tuple[Delivery, ...]
    opened_at: datetime | None = None
    acknowledged_at: datetime | None = None
    reminded_at: datetime | None = None

    @property
    def read_at(self) -> datetime | None:
        return min(filter(None, (self.opened_at, self.acknowledged_at)), default=None)

    @property
    def is_unread(self) -> bool:
        return self.person_id is not None and self.read_at is None

    @property
    def was_missed(self) -> bool:
        """Whether some message to this person could not be delivered."""
        return any(delivery.state in ("failed", "no_address") for delivery in self.deliveries)


@dataclass(frozen=True, slots=True)
class Share:
    """How many of a department were told and have read."""

    role: str
    told: int
    read: int

    @property
    def percent(self) -> int:
        """Rounded down: 100 only when everybody has."""
        return 100 * self.read // self.told if self.told else 100


@dataclass(frozen=True, slots=True)
class ToRead:
    """One document on a person's list."""

    ref: str
    title: str
    number: str
    told_at: datetime
    read_at: datetime | None
    acknowledged_at: datetime | None


def document_for(actor: Actor, ref: str) -> Loaded:
    """Return a document that the actor may read: everybody whom it was sent to, and who sees every record.

    Whether he was told is asked first: what was sent to others takes as long as what is nowhere (P11).

    Raises NotVisible.
    """
    if not actor.sees_everything and not _told(ref).filter(_reaches(actor)).exists():
        raise NotVisible
    return store.load(ref, actor=_SYSTEM)


def readers_of(ref: str) -> list[Reader]:
    """Return everybody who was told, those first who have not read: by role, station and name."""
    rows = list(_told(ref).order_by("id"))
    read = _reads(Entry.objects.filter(subject=ref, kind__in=[OPENED, ACKNOWLEDGED]).order_by("id"))
    audiences = [row for row in rows if row.person_id is None]
    named: dict[int, list[Outgoing]] = {}
    for row in rows:
        if row.person_id is not None:
            named.setdefault(row.person_id, []).append(row)
    found = [
        _reader(person, [*audiences, *named.get(person.pk, ())], read.get(person.pk, {}))
        for person in _people_among(rows)
    ]
    found += [_address(row) for row in rows if row.address and row.person_id is None and not row.role]
    return sorted(found, key=lambda one: (not one.is_unread, one.role, one.region, one.station_no, one.name))


def shares_of(readers: Iterable[Reader]) -> list[Share]:
    """Return told and read by department, the least read first."""
    told: dict[str, list[Reader]] = {}
    for reader in readers:
        if reader.person_id is not None:
            told.setdefault(reader.role, []).append(reader)
    shares = [Share(role, len(them), sum(not one.is_unread for one in them)) for role, them in told.items()]
    return sorted(shares, key=lambda share: (share.percent, share.role))


def to_read(actor: Actor) -> list[ToRead]:
    """Return what this person was told to read and what holds, the unread first, then the newest."""
    rows = Outgoing.objects.filter(_reaches(actor), notice__in=PUBLISHED, channel="inbox").order_by("id")
    told = {row.subject: row.at for row in reversed(rows)}
    records = Record.objects.unscoped("a person's own list").filter(ref__in=told, state="in_force")
    read = Entry.objects.filter(subject__in=told, kind__in=[OPENED, ACKNOWLEDGED], actor_id=actor.person_id)
    moments: dict[str, dict[str, datetime]] = {}
    for entry in read.order_by("id"):
        moments.setdefault(entry.subject, {}).setdefault(entry.kind, entry.at)
    found = [_listed(record, told[record.ref], moments.get(record.ref, {})) for record in records]
    return sorted(found, key=lambda one: (one.read_at is not None, -one.told_at.timestamp()))


def note_opened(ref: str, *, actor: Actor, now: datetime) -> None:
    """Keep that this person has opened the document; of those it was sent to only, and once."""
    if actor.person_id is not None and _told(ref).filter(_reaches(actor)).exists():
        _note(OPENED, ref, actor=actor, now=now)


def acknowledge(ref: str, *, actor: Actor, now: datetime) -> None:
    """Keep that this person says to have read the document. Said twice, it is kept once.

    Raises:
        NotVisible: the document is none of this person's.
        Refused: it was not sent to this person (UDS-04).
    """
    document_for(actor, ref)
    if actor.person_id is None or not _told(ref).filter(_reaches(actor)).exists():
        said = Text("您不在收文或抄送名单中，无需确认阅读", "it was not sent to you, so there is nothing to confirm")
        raise Refused("not_addressed", said, "UDS-04")
    _note(ACKNOWLEDGED, ref, actor=actor, now=now)


def remind(ref: str, *, actor: Actor, now: datetime) -> int:
    """Tell once more, in-app and by e-mail, whoever has not read yet; return how many people. Once a day for each."""
    document = store.load(ref, actor=actor)
    unread = [reader for reader in readers_of(ref) if reader.is_unread]
    title = str(document.facts.get("title", ref))
    text = Text(f"请阅读《{title}》（{actor.name} 提醒）。", f"{actor.name} reminds you to read: {title}")
    rows = [row for reader in unread for row in _reminders(document, reader, text, now)]
    before = Outgoing.objects.filter(subject=ref, notice=REMINDER, channel="inbox").count()
    Outgoing.objects.bulk_create(rows, ignore_conflicts=True)
    count = Outgoing.objects.filter(subject=ref, notice=REMINDER, channel="inbox").count() - before
    if count:
        _enter(REMINDED, document, actor=actor, now=now, data={"people": count})
    return count


def _reminders(document: Loaded, reader: Reader, text: Text, now: datetime) -> list[Outgoing]:
    day = local_day(now).isoformat()
    return [
        Outgoing(
            key=f"{document.ref}:remind:{day}:{reader.person_id}:{channel}", at=now, subject=document.ref,
            notice=REMINDER, channel=channel, role=reader.role, station_no=reader.station_no, region=reader.region,
            person_id=reader.person_id, state="shown" if channel == "inbox" else "pending",
            next_try_at=None if channel == "inbox" else now, data={"zh": text.zh, "en": text.en, "cause": "remind"},
        )
        for channel in ("inbox", "email")
    ]  # fmt: skip


def _told(ref: str) -> Any:
    return Outgoing.objects.filter(subject=ref, notice__in=(*PUBLISHED, REMINDER))


def _reaches(actor: Actor) -> Q:
    """Match the rows that reach this person: by name, or by role and place."""
    places = Q(station_no__in=["", actor.station_no], region__in=["", actor.region])
    return Q(person_id=actor.person_id, person_id__isnull=False) | (Q(role=actor.role, person_id=None) & places)


def _people_among(rows: Iterable[Outgoing]) -> list[Person]:
    """Return the active people that rows reach now: whoever took up the role since is to read it as well."""
    whose = Q(pk__in=[row.person_id for row in rows if row.person_id is not None])
    for role, station_no, region in {(row.role, row.station_no, row.region) for row in rows if row.person_id is None}:
        if role:
            place = Q(role=role)
            place &= Q(station_no=station_no) if station_no else Q()
            whose |= place & (Q(region=region) if region else Q())
    return list(Person.objects.filter(whose, is_active=True))


def _reads(entries: Iterable[Entry]) -> dict[int, dict[str, datetime]]:
    """Return the first of each kind, by person."""
    found: dict[int, dict[str, datetime]] = {}
    for entry in entries:
        if entry.actor_id is not None:
            found.setdefault(entry.actor_id, {}).setdefault(entry.kind, entry.at)
    return found


def _reader(person: Person, rows: Iterable[Outgoing], read: Mapping[str, datetime]) -> Reader:
    own = [row for row in rows if _is_for(row, person)]
    told = [row for row in own if row.notice != REMINDER] or own
    reminded = [row.at for row in own if row.notice == REMINDER]
    return Reader(
        person_id=person.pk, name=person.name, role=person.role, station_no=person.station_no, region=person.region,
        told_at=min(row.at for row in told), deliveries=_deliveries(person, own),
        opened_at=read.get(OPENED), acknowledged_at=read.get(ACKNOWLEDGED), reminded_at=max(reminded, default=None),
    )  # fmt: skip


def _deliveries(person: Person, rows: Iterable[Outgoing]) -> tuple[Delivery, ...]:
    """Return how each channel went, the last message of each; an audience's e-mail waits until it is addressed."""
    last: dict[str, Delivery] = {}
    for row in rows:
        named = row.person_id is not None or row.channel == "inbox"
        if not named and not person.email:
            last[row.channel] = Delivery(row.channel, "no_address", row.at)
        elif named or row.state in ("pending", "failed"):
            last[row.channel] = Delivery(row.channel, row.state, row.sent_at or row.at, row.error)
    return tuple(last.values())


def _is_for(row: Outgoing, person: Person) -> bool:
    if row.person_id is not None:
        return row.person_id == person.pk
    return row.role == person.role and row.station_no in ("", person.station_no) and row.region in ("", person.region)


def _address(row: Outgoing) -> Reader:
    delivery = Delivery(row.channel, row.state, row.sent_at or row.at, row.error)
    return Reader(None, row.address, "", "", "", row.at, (delivery,))


def _listed(record: Record, told_at: datetime, moments: Mapping[str, datetime]) -> ToRead:
    opened, acknowledged = moments.get(OPENED), moments.get(ACKNOWLEDGED)
    return ToRead(
        ref=record.ref,
        title=str(record.facts.get("title", record.ref)),
        number=str(record.facts.get("document_number") or record.facts.get("edition") or ""),
        told_at=told_at,
        read_at=min(filter(None, (opened, acknowledged)), default=None),
        acknowledged_at=acknowledged,
    )


def _note(kind: str, ref: str, *, actor: Actor, now: datetime) -> None:
    if Entry.objects.filter(subject=ref, kind=kind, actor_id=actor.person_id).exists():
        return
    _enter(kind, store.load(ref, actor=_SYSTEM), actor=actor, now=now, data={})


def _enter(kind: str, document: Loaded, *, actor: Actor, now: datetime, data: Mapping[str, Any]) -> None:
    Entry.objects.create(
        at=now, subject=document.ref, kind=kind, process=document.process, from_state=document.state,
        to_state=document.state, revision=document.revision, actor_id=actor.person_id, actor_name=actor.name,
        actor_role=actor.role, station_no=actor.station_no, region=actor.region, data=data,
    )  # fmt: skip
