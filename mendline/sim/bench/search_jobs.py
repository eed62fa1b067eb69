"""Searching as people do who type: words taken from orders that exist. Jobs for `member.py`."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping

from django.db import connection
from django.test import Client
from django.utils import timezone

from mendline.access.actors import Actor
from mendline.orders.models import RepairOrder
from mendline.search import index
from mendline.search.finding import find
from mendline.search.pinyin import initials_of
from mendline.search.words import plain
from mendline.sim.bench.queue_jobs import ROLES, signed_in

WHY = "words to measure with"
Typed = Callable[[RepairOrder], str]

# What is typed, taken from an order that the person may see; so a frequent word is typed frequently.
KINDS: Mapping[str, Typed] = {
    "number": lambda order: order.ref,
    "number, last five": lambda order: order.ref[-5:],
    "telephone": lambda order: order.phone.removeprefix("+86"),
    "telephone, last four": lambda order: order.phone[-4:],
    "telephone, last seven": lambda order: order.phone[-7:],
    "serial number, first six": lambda order: order.serial_no[:6],
    "name": lambda order: order.customer_name,
    "pinyin initials": lambda order: initials_of(order.customer_name),
    "two characters of the address": lambda order: order.address[:2],
    "street and house": lambda order: order.address,
    "name and two characters": lambda order: f"{order.customer_name} {order.address[:2]}",
    "first of a name": lambda order: order.customer_name[:1],
    "the most frequent word": lambda order: "北京",
    "two frequent words": lambda order: "北京 人民",
    "nothing there": lambda order: "鑿鑿",
}


def fill_search() -> dict[str, object]:
    """Make the index of all orders, as `mendline search rebuild` does; returns seconds and processor seconds."""
    begun, cpu = time.perf_counter(), time.process_time()
    index.start_over(timezone.now(), lambda done: None)
    return {"seconds": time.perf_counter() - begun, "cpu_seconds": time.process_time() - cpu}


def search_orders(whose: str, kind: str, number: int, seed: int, everything: bool = False) -> dict[str, object]:
    """Search `number` times; returns milliseconds of each, and how often something was found or was cut off."""
    taken: list[float] = []
    found = stopped = 0
    for actor, text in _typed(whose, kind, number, seed):
        begun = time.perf_counter()
        answer = find(actor, text, everything=everything)
        taken.append(1000 * (time.perf_counter() - begun))
        found += bool(answer.orders)
        stopped += answer.stopped
    return {"ms": taken, "found": found, "stopped": stopped}


def render_palette(whose: str, number: int, seed: int) -> dict[str, object]:
    """Ask for the hits under the box, signed in, through all middleware; every kind in turn. Returns milliseconds."""
    kinds = list(KINDS)
    taken: list[float] = []
    clients: dict[str, Client] = {}
    for place in range(-1, number):  # the first answer reads process files and templates, and does not count
        actor, text = _typed(whose, kinds[place % len(kinds)], 1, seed + place)[0]
        scope = (
            {"station_no": actor.station_no} if actor.station_no else {"region": actor.region} if actor.region else {}
        )
        client = clients.setdefault(str(scope), signed_in(whose, scope))
        begun = time.perf_counter()
        response = client.get("/palette/", {"q": text}, SERVER_NAME="127.0.0.1", headers={"HX-Request": "true"})
        taken.append(1000 * (time.perf_counter() - begun))
        if response.status_code != 200:
            raise RuntimeError(f"the palette answers {response.status_code}")
    return {"ms": taken[1:]}


def _typed(whose: str, kind: str, number: int, seed: int) -> list[tuple[Actor, str]]:
    """Return who searches for what. The person is one who may see the order that the words are taken from."""
    orders = _some_orders(number, seed)
    return [(_actor(whose, order), plain(KINDS[kind](order)) if kind == "nothing there" else KINDS[kind](order))
            for order in orders]  # fmt: skip


def _actor(whose: str, order: RepairOrder) -> Actor:
    place = {"station": {"station_no": order.station_no}, "region": {"region": order.region}}.get(whose, {})
    return Actor(None, "测量", ROLES[whose], via="bench", **place)


def _some_orders(number: int, seed: int) -> list[RepairOrder]:
    """Return orders at random of those that people ask for: open or of the last twelve months."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(id), max(id) FROM orders_repairorder")
        row = cursor.fetchone()
    assert row is not None
    chance, oldest = random.Random(seed), timezone.now() - index.CURRENT_FOR
    found: list[RepairOrder] = []
    while len(found) < number:
        ids = [chance.randint(row[0], row[1]) for _ in range(number * 4)]
        recent = RepairOrder.objects.unscoped(WHY).filter(pk__in=ids, created_at__gte=oldest).order_by("id")
        found += list(
            recent.only("id", "ref", "phone", "serial_no", "customer_name", "address", "region", "station_no")
        )
    chance.shuffle(found)
    return found[:number]
