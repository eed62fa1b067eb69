"""What is made to fail beside the steps of procedures: a photo that is stored, a message that goes out.

A photo is a file and rows; the rows may never name a file that is not there. A message leaves the database, so it
can only be sent at least once: what matters is that it is sent, and under one number however often.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

from django.conf import settings
from django.db import connection

from mendline.contact.outbox import CLAIM, deliver_next
from mendline.contact.ports import Message
from mendline.sim.faults import nth
from mendline.sim.faults.calls import at_time, post_file
from mendline.sim.faults.nth import KINDS, Answer, Command, Fault, Found, Problem
from mendline.sim.faults.rows import Difference, Rows
from mendline.sim.faults.sending import Sending, heard_by, send
from mendline.web.api import limits

# The smallest PDF that is one: it is stored as it comes, without the child that draws pictures anew.
A_FILE = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
A_MESSAGE = """
    INSERT INTO journal_outgoing (key, at, subject, notice, channel, role, station_no, region, address, data, state,
                                  attempts, next_try_at, error)
    VALUES (%(key)s, %(now)s, 'WX0', 'new_order', 'email', '', '', '', 'a@example.org', '{"zh": "新单", "en": "new"}',
            'pending', 0, %(now)s, '')
"""


def photo(rows: Rows, secret: str, ref: str, now: datetime, forget: Callable[[Difference], None]) -> Found:
    """Store a file with an order, with every fault at every place; no row may name a file that is not there."""

    def sent() -> Answer:
        limits.UPLOADS._buckets.clear()  # nobody who uploads the same file a hundred times a minute is meant here
        with at_time(now):
            response = post_file(f"/api/v1/orders/{ref}/attachments", secret, "photo", "report.pdf", A_FILE)
        return Answer(response.status in (200, 201), f"{response.status} {response.body.decode(errors='replace')}")

    def looked_at(change: Difference) -> None:
        for name in _named_and_missing():
            found.problems.append(Problem("photo", 0, "after", "any", f"a row names {name}, which is not there"))
        forget(change)

    found = Found()
    swept, _ = nth.sweep(Command("photo", sent), rows, forget=looked_at)
    found += swept
    looked_at(rows.since(rows.now()))
    return found


def _named_and_missing() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT stored_as FROM orders_attachment")
        return [name for (name,) in cursor.fetchall() if not (Path(settings.MEDIA_ROOT) / name).exists()]


@dataclass(slots=True)
class Receiver:
    """The other side of a channel: takes everything, and counts it by its number."""

    got: Counter[str] = field(default_factory=Counter)

    def send(self, message: Message) -> str:
        def taken() -> str:
            self.got[message.key] += 1
            return "taken"

        taken_note: str = send(Sending("outbound", message.key, True), taken)
        return taken_note


def message(rows: Rows, now: datetime) -> Found:
    """Deliver a message with every fault at every place: it is received, and marked as sent only then."""
    found = Found(commands=1)
    before = rows.now()
    for place in count(1):
        happened = [_delivered_with(place, kind, now, found) for kind in KINDS]
        rows.put_back(rows.since(before))
        if not any(happened):
            return found
    raise AssertionError


def _delivered_with(place: int, kind: nth.Kind, now: datetime, found: Found) -> bool:
    key, receiver, fault = f"fault-{place}-{kind}", Receiver(), Fault(place, kind)
    with connection.cursor() as cursor:
        cursor.execute(A_MESSAGE, {"key": key, "now": now})
    with heard_by(fault):
        nth.sent(Command("message", lambda: Answer(deliver_next("email", receiver, now=now), "")))
    nth.drop_dead_line()
    if not fault.happened:
        return False
    found.faults += 1
    if _state_of(key) == "sent" and not receiver.got[key]:
        found.problems.append(Problem("message", place, kind, fault.at, "is marked as sent and nobody got it"))
    later = now + CLAIM + timedelta(minutes=30)
    while deliver_next("email", receiver, now=later):
        pass
    if _state_of(key) != "sent" or not receiver.got[key]:
        found.problems.append(Problem("message", place, kind, fault.at, f"is {_state_of(key)}, {dict(receiver.got)}"))
    if receiver.got[key] > 1:
        found.unknown += 1
    return True


def _state_of(key: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT state FROM journal_outgoing WHERE key = %s", [key])
        row = cursor.fetchone()
    return str(row[0]) if row else "gone"
