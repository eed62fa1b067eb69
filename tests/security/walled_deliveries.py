"""What the product's sender of webhooks does in a country where every address answers; tells it as JSON.

A process of its own (`python -m tests.security.walled_deliveries FOLDER PHASE...`), run by `walled_sender.py` inside
namespaces. The sender is the one that the worker calls, with everything below it; only its table of webhooks is not
there. Each phase counts the kernel's packets before and after.
"""

from __future__ import annotations

import http.client
import json
import os
import ssl
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import django
from django.test import override_settings

django.setup()

from mendline.channels.webhook import adapter  # noqa: E402
from mendline.channels.webhook.guard import AddressRefused, NoAnswer, resolve, target_of  # noqa: E402
from mendline.channels.webhook.models import Webhook  # noqa: E402
from mendline.contact.ports import DeliveryFailed, Message  # noqa: E402
from mendline.kernel.text import Text  # noqa: E402
from tests.security.test_webhook_targets import CLOSED, INSIDE, ODD, V4_INSIDE, forms, wrapped  # noqa: E402
from tests.security.walled_country import (  # noqa: E402
    FINE,
    FINE_6,
    NEVER_ANSWERED,
    Addresses,
    Country,
    build,
    count,
)

TIMES = 100  # a name server changes its mind
EVIL = (
    *("silent", "drip-head", "drip-body", "handshake", "mute", "mute-then-drip", "flood", "chunks", "heads"),
    *("continues", "loop", "to-inside", "to-metadata", "to-itself"),
)
ABSENT = ("absent.example", "no-such-host.test", NEVER_ANSWERED)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What an administrator reads of one (`told`), how long it took (s), and the bytes that its thread read."""

    url: str
    told: str
    seconds: float
    read: int


def deliver(url: str) -> Delivery:
    began, before = time.monotonic(), _bytes_read()
    message = Message(1, "1", datetime.now(UTC), "WX1", "order.report", url, Text("", ""), {"event_id": 1})
    try:
        told = adapter.WebhookChannel().send(message)
    except DeliveryFailed as failed:
        told = str(failed)
    return Delivery(url, told, time.monotonic() - began, _bytes_read() - before)


def _bytes_read() -> int:
    """Return what this thread has read from anywhere, by the kernel's account."""
    lines = Path("/proc/thread-self/io").read_text(encoding="ascii").splitlines()
    return int(lines[0].removeprefix("rchar: "))


def inside_by_name(country: Country) -> list[str]:
    """Give names to all inside addresses, alone, behind a public one, and before one; return the names."""
    for number, address in enumerate((*INSIDE, *(one for v4 in V4_INSIDE for one in wrapped(v4)))):
        country.names[f"n{number}.inside.example"] = [address]
        country.names[f"a{number}.inside.example"] = [FINE, address]
        country.names[f"b{number}.inside.example"] = [address, FINE]
    return [name for name in country.names if name.endswith(".inside.example")]


def phase_written(country: Country) -> list[Delivery]:
    """All ways of writing inside addresses, and all that is no address, with http allowed and not."""
    found = [deliver(f"https://{form}/hook") for form in forms()] + [deliver(url) for url in ODD]
    with override_settings(WEBHOOK_ALLOW_HTTP=True):
        found += [deliver(f"http://{form}/hook") for form in forms()]
    return found


def phase_named(country: Country) -> list[Delivery]:
    return [deliver(f"https://{name}/hook") for name in inside_by_name(country)]


def phase_changing(country: Country) -> list[Delivery]:
    """A name server that changes its mind between two questions, a hundred times in each of three ways."""
    turns: Mapping[str, Sequence[Addresses]] = {
        "turn.example": ([FINE], ["127.0.0.1"]),
        "turn6.example": ([FINE, FINE_6], [FINE, "::1"], ["169.254.169.254", FINE_6]),
        "turn-mapped.example": ([FINE, "::ffff:10.0.0.1"], [FINE], ["10.0.0.1"]),
    }
    country.turns = dict(turns)
    return [deliver(f"https://{name}/") for name in turns for _ in range(TIMES)]


def phase_fine(country: Country) -> list[Delivery]:
    """Control: public addresses are reached, by name and by number, over both kinds of address."""
    return [deliver(f"https://{host}/") for host in ("fine.example", "fine6.example", FINE)]


def phase_evil(country: Country) -> list[Delivery]:
    """Public servers that keep the line, send without end, or lead elsewhere; and names that are not there."""
    urls = [f"https://{name}.example/" for name in EVIL] + [f"https://{name}/" for name in ABSENT]
    with ThreadPoolExecutor(len(urls)) as threads:
        return list(threads.map(deliver, urls))


def phase_unguarded(country: Country) -> list[Delivery]:
    """Control: the same sender with its guard switched off."""
    with override_settings(WEBHOOK_ALLOW_HTTP=True, WEBHOOK_ALLOW_PRIVATE=True):
        return [deliver(f"http://{form}/hook") for form in forms()]


def phase_asked_twice(country: Country) -> list[Delivery]:
    """Control: whoever looks at the addresses and lets the client ask once more."""
    country.turns = {"turn.example": ([FINE], ["127.0.0.1"])}

    def careless(url: str) -> None:
        resolve(target_of(url, CLOSED), CLOSED)
        http.client.HTTPConnection("turn.example", 80, timeout=5).request("GET", "/")

    return list(_tried(careless, ["https://turn.example/"] * TIMES))


def phase_followed(country: Country) -> list[Delivery]:
    """Control: whoever follows where an answer leads."""
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    followed = partial(urllib.request.urlopen, timeout=5, context=trusting)
    return list(_tried(followed, [f"https://{one}.example/" for one in ("to-inside", "to-metadata")]))


def _tried(careless: Callable[[str], object], urls: Sequence[str]) -> Iterator[Delivery]:
    for url in urls:
        try:
            careless(url)
        except (AddressRefused, NoAnswer, OSError, urllib.error.URLError):
            continue
        yield Delivery(url, "", 0.0, 0)


PHASES: Mapping[str, Callable[[Country], list[Delivery]]] = {
    "written": phase_written,
    "named": phase_named,
    "changing": phase_changing,
    "fine": phase_fine,
    "evil": phase_evil,
    "unguarded": phase_unguarded,
    "asked_twice": phase_asked_twice,
    "followed": phase_followed,
}


def _webhook(pk: str, **_: object) -> SimpleNamespace:
    return SimpleNamespace(first=lambda: Webhook(url=pk, secret="s3cret", active=True))


def main(folder: str, *phases: str) -> None:
    country, told = build(Path(folder)), {}
    table = SimpleNamespace(objects=SimpleNamespace(filter=_webhook))
    with mock.patch.object(adapter, "PREFIX", ""), mock.patch.object(adapter, "Webhook", table):
        for phase in phases:
            country.reached.clear()
            country.turns = {}
            before = count()
            deliveries = PHASES[phase](country)
            packets = count().since(before)
            told[phase] = {
                "packets": asdict(packets),
                "reached": dict(country.reached),
                "deliveries": [asdict(one) for one in deliveries],
            }
    json.dump(told, sys.stdout)
    sys.stdout.flush()
    os._exit(0)  # servers that drip would still be dripping


if __name__ == "__main__":
    main(*sys.argv[1:])
