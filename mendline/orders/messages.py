"""Notices of a decision as rows of the outbox: one for each audience and channel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from mendline.access.actors import OF_A_REGION, OF_A_STATION
from mendline.access.models import Person
from mendline.journal.models import Outgoing
from mendline.kernel.text import Text
from mendline.orders.store import Loaded
from mendline.process.definition import Notice, Process

DOCUMENT = "document"


def of(process: Process, notices: Iterable[Notice], subject: Loaded, cause: str) -> Iterator[dict[str, Any]]:
    """Yield the messages that `cause` brings about. The key makes each of them unique for ever.

    A role bound to a station or region hears of its own only; an order without a station tells no
    station. A procedure document belongs to none and goes to all of them (UDS-04).
    """
    for notice in notices:
        text = notice.text.filled(**wording(process, subject))
        for role in notice.to:
            station_no = subject.station_no if role in OF_A_STATION else ""
            if role in OF_A_STATION and not station_no and process.kind != DOCUMENT:
                continue
            for channel in notice.channels:
                yield {
                    "key": f"{subject.ref}:{subject.revision}:{notice.name}:{role}:{channel}",
                    "notice": notice.name,
                    "channel": channel,
                    "role": role,
                    "station_no": station_no,
                    "region": subject.region if role in OF_A_REGION else "",
                    "state": "shown" if channel == "inbox" else "pending",
                    "data": {"zh": text.zh, "en": text.en, "cause": cause},
                }


def copied(
    process: Process, name: str, subject: Loaded, to: Iterable[Mapping[str, Any]], now: datetime
) -> Iterator[Outgoing]:
    """Yield the messages of notice `name` for a copy list; whom the notice reaches by role is left out.

    An entry is a `role`, a `station_no` (everybody there), a `person`, or an e-mail `address` without an account.
    """
    notice = next(one for one in process.notices if one.name == name)
    text = notice.text.filled(**wording(process, subject))
    for whose, fields in _audiences_of(to, set(notice.to)):
        for channel in notice.channels if "address" not in fields else ("email",):
            yield Outgoing(
                key=f"{subject.ref}:{subject.revision}:{name}:copy:{whose}:{channel}"[:120], at=now,
                subject=subject.ref, notice=name, channel=channel, state="shown" if channel == "inbox" else "pending",
                next_try_at=None if channel == "inbox" else now, data={"zh": text.zh, "en": text.en, "cause": "copy"},
                **fields,
            )  # fmt: skip


def _audiences_of(to: Iterable[Mapping[str, Any]], told: set[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a name for the key and the fields of the row for each audience that is not told already."""
    for entry in to:
        if "role" in entry and entry["role"] not in told:
            yield str(entry["role"]), {"role": entry["role"]}
        elif "station_no" in entry:
            for role in sorted(OF_A_STATION - told):
                yield f"{role}@{entry['station_no']}", {"role": role, "station_no": entry["station_no"]}
        elif "address" in entry:
            yield entry["address"], {"address": entry["address"]}
        elif "person" in entry:
            person = Person.objects.filter(pk=entry["person"], is_active=True).first()
            if person is not None and person.role not in told:
                place = {"station_no": person.station_no, "region": person.region}
                yield f"person{person.pk}", {"role": person.role, "person_id": person.pk, **place}


def wording(process: Process, subject: Loaded) -> dict[str, str | Text]:
    """Return what the places of a notice are filled with; personal data stays out of notices."""
    words: dict[str, str | Text] = {
        "ref": subject.ref,
        "order_ref": subject.order_ref,
        "station_no": subject.station_no,
    }
    for name, fact in process.facts.items():
        value = subject.facts.get(name)
        if fact.personal or value is None:
            continue
        if fact.type == "choice" and value in fact.of:
            words[name] = fact.of[value]
        elif isinstance(value, (str, int, float)):
            words[name] = str(value)[:60]
    return words
