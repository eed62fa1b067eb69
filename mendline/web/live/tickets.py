"""Who may listen to what: a signed ticket with the scope in it, so that listening costs no session and no query."""

from __future__ import annotations

from dataclasses import dataclass

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


def ticket_for(actor: Actor) -> str:
    return signing.dumps([actor.role, actor.region, actor.station_no], salt=SALT)


def listener_of(ticket: str) -> Actor | None:
    """Return an actor with the ticket's scope; None when it is forged, broken or too old."""
    try:
        role, region, station_no = signing.loads(ticket, salt=SALT, max_age=GOOD_FOR)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return Actor(None, "", role, region, station_no, "live")


def listening_for(actor: Actor, since: int) -> Listening:
    return Listening(settings.LIVE_ADDRESS, ticket_for(actor), since)
