"""P13: a world in which every hostile word stands wherever people write, and lists long enough to show all at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mendline.access.models import Person, Token
from mendline.channels.webhook.models import Webhook
from mendline.journal.models import Entry, Outgoing
from mendline.network.models import Product, ProductLine, Region, Station
from mendline.orders.models import Attachment, Record, RepairOrder
from mendline.orders.queue import queue_page
from mendline.orders.transitions import begin
from mendline.web.admin import audit_pages
from mendline.web.admin.tables import page_of
from mendline.web.console import search_page
from tests.browser.hostile_words import unseen_words
from tests.make import LONG_AGO, a_report, an_actor, do

PHONE = "13800000001"
CUSTOMER, NAME, LINE = 60, 40, 200  # characters of a customer's name, of most others, and of a line of text
LONG = 1_000  # rows of a list, so that one page of it has every word


def pages_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one page show what would be on many; which rows a page has is another test's subject."""
    monkeypatch.setattr(queue_page, "__kwdefaults__", {"after": None, "limit": LONG})
    monkeypatch.setattr(page_of, "__kwdefaults__", {"newest_first": True, "size": LONG})
    monkeypatch.setattr(audit_pages, "PAGE", LONG)
    monkeypatch.setattr(search_page, "ON_THE_PAGE", LONG)


def lines_of(words: Sequence[str]) -> list[str]:
    """Return the words a few at a time, so many as fit into a line: fewer rows, and every word is on the page."""
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + 1 + len(word) <= LINE:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def put(words: Sequence[str], lines: Sequence[str]) -> dict[str, str]:
    """Have every word stand wherever somebody may write; returns the numbers of what pages are about.

    `lines` are the same words as they stand in the history, in messages and as names of files.
    """
    now = datetime.now(UTC)
    hour = timedelta(hours=1)
    for word in words:
        a_report(now=now - hour, customer={"name": word[:CUSTOMER], "phone": PHONE}, address=word, fault=word)
    order = a_report(now=now - 6 * hour)
    do(order, "download", now=now - 5 * hour)
    do(order, "log_contact", now=now - 4.5 * hour, contact_outcome="no_answer", contact_note=words[0])
    printed = a_report(now=now - 2 * hour)
    do(printed, "promise", now=now - hour, promised_at=(now + 5 * hour).isoformat())
    do(printed, "print_order", now=now - hour / 2)
    solved = a_report(now=now - hour)
    do(solved, "resolve_remotely", now=now - hour / 2, promise_reason="软件问题,电话解决", findings=words[0])
    request = begin(
        "cancellation_request", "submit", actor=an_actor("station_coordinator"), now=now - hour, order_ref=order.ref,
        given={"cancel_reason": "user_solved", "cancel_detail": words[0]},
    )  # fmt: skip
    callback = Record.objects.unscoped("a test looks").get(order_ref=solved.ref, process="callback")
    refs = {"order": order.ref, "printed": printed.ref, "request": request.ref, "callback": callback.ref}
    _all_in_one(words, refs)
    _in_the_history([*lines, *unseen_words()], order.ref, now)
    _in_the_administration(words, now)
    return refs


def _all_in_one(words: Sequence[str], refs: dict[str, str]) -> None:
    """Put all words one after the other into each text of an order and its records, far beyond what a form takes."""
    text = "\n".join(words)
    asked = "a test puts words past every door"
    for order in RepairOrder.objects.unscoped(asked).filter(ref__in=refs.values()):
        facts = order.facts | {"address": text, "fault": text, "contact_note": text, "findings": text}
        RepairOrder.objects.unscoped(asked).filter(pk=order.pk).update(facts=facts, fault=text, customer_name=words[0])
    for record in Record.objects.unscoped(asked).filter(ref__in=refs.values()):
        facts = record.facts | {"cancel_detail": text, "callback_note": text, "findings": text}
        Record.objects.unscoped(asked).filter(pk=record.pk).update(facts=facts)


def _in_the_history(lines: Sequence[str], ref: str, now: datetime) -> None:
    """What was written down, sent and kept as a file; here as well words with signs that the door refuses."""
    Entry.objects.bulk_create(
        Entry(at=now, subject=ref, kind="person.change", process="administration", revision=0, actor_name=line[:80],
              actor_role="admin",
              data={"before": {"name": line}, "after": {line: line}, "given": {"contact_note": line}})
        for line in lines
    )  # fmt: skip
    Outgoing.objects.bulk_create(
        Outgoing(key=f"hostile-{place}", at=now, subject=ref, notice=line[:NAME], channel="email", address=line,
                 data={"zh": line, "en": line, line: line}, state="failed", error=line, next_try_at=now)
        for place, line in enumerate(lines)
    )  # fmt: skip
    Attachment.objects.bulk_create(
        Attachment(order_ref=ref, name=line[:120], stored_as=f"hostile-{place}", media_type="image/jpeg", size=1,
                   sha256="0" * 64, uploaded_by=1, uploaded_at=now)
        for place, line in enumerate(lines)
    )  # fmt: skip


def _in_the_administration(words: Sequence[str], now: datetime) -> None:
    """Names of people, keys, stations, regions, products and webhooks."""
    north = Region.objects.get(code="north")
    line = ProductLine.objects.get(code="desktop")
    named = list(enumerate(word[:NAME] for word in words))
    numbers: dict[str, Any] = {"role": "cc_agent", "is_active": True}
    people = Person.objects.bulk_create(
        Person(username=f"hostile{place}", name=name, phone=name[:20], email=name, **numbers) for place, name in named
    )
    Token.objects.bulk_create(
        Token(person=person, name=person.name, digest=f"hostile-{person.username}", created_at=now)
        for person in people
    )  # fmt: skip
    Region.objects.bulk_create(Region(code=f"r{place}", name=name) for place, name in named)
    Station.objects.bulk_create(
        Station(number=f"9{place:05}", name=name, address=words[place], phone=name[:20], region=north, area="110108",
                active_from=LONG_AGO)
        for place, name in named
    )  # fmt: skip
    Station.objects.filter(number="000001").update(name=words[0][:NAME], address=words[1])
    Product.objects.bulk_create(
        Product(code=f"p{place:03}", line=line, name_zh=name, name_en=name) for place, name in named
    )
    Webhook.objects.bulk_create(
        Webhook(url=f"https://x.example/{word}", events=[word], created_at=now) for word in words
    )
