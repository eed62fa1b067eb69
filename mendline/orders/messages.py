"""Notices of a decision as rows of the outbox: one for each audience and channel. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from mendline.access.actors import OF_A_REGION, OF_A_STATION
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
