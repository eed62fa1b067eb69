"""Who may listen to what: a signed ticket with the person and the scope in it, so that listening costs no session."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.core import signing

from mendline.access.actors import Actor

SALT = "mendline.live"
GOOD_FOR = 15 * 60  # seconds; then the page asks for a new one, with its session


@dataclass(frozen=True, slots=True)
class Listening:
    """What a page needs to be told of changes. Without an address it asks every few seconds instead."""

    address: str
    ticket: str
    since: int  # the newest entry of the history when the page was drawn


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a ticket says. Whatever happened to its person since `made_at` may have ended what it stands for."""

    actor: Actor
    made_at: datetime


def ticket_for(actor: Actor) -> str:
    said = [actor.role, actor.region, actor.station_no, actor.person_id, int(time.time())]
    return signing.dumps(said, salt=SALT)


def read_ticket(ticket: str) -> Ticket | None:
    """Return what a ticket says; None when it is forged, broken or too old."""
    try:
        role, region, station_no, person_id, made_at = signing.loads(ticket, salt=SALT, max_age=GOOD_FOR)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return Ticket(Actor(person_id, "", role, region, station_no, "live"), datetime.fromtimestamp(made_at, UTC))


def listening_for(actor: Actor, since: int) -> Listening:
    return Listening(settings.LIVE_ADDRESS, ticket_for(actor), since)
