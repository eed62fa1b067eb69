"""Reading the queue as a station, a region and the call centre do. Jobs for `member.py`."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import partial

from django.db import connection
from django.test import Client
from django.utils import timezone

from mendline.access.actors import Actor
from mendline.access.models import Person
from mendline.orders.queries import PAGE, OrderFilters
from mendline.orders.queue import queue_page, standing

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
ROLES = {"station": "station_coordinator", "region": "region_interface", "everywhere": "cc_agent"}


def read_queue(whose: str, number: int, seed: int) -> dict[str, object]:
    """Read the first page of the queue `number` times; returns milliseconds of each."""
    filters = OrderFilters()

    def read(actor: Actor) -> int:
        return len(queue_page(actor, filters).rows)

    return _timed([partial(read, actor) for actor in _actors(whose, number, seed)])


def count_queue(whose: str, number: int, seed: int) -> dict[str, object]:
    """Count the open orders above the queue `number` times; returns milliseconds of each."""
    now = timezone.now()

    def count(actor: Actor) -> int:
        return standing(actor, now).open

    return _timed([partial(count, actor) for actor in _actors(whose, number, seed)])


def render_queue(whose: str, number: int, seed: int) -> dict[str, object]:
    """Ask for the whole page, signed in, through all middleware and templates; returns milliseconds of each."""
    clients = {tuple(place.items()): signed_in(whose, place) for place in _places(whose, 12, seed=1)}
    chosen = random.Random(seed).choices(list(clients.values()), k=number)

    def render(client: Client) -> int:
        response = client.get("/queue/", SERVER_NAME="127.0.0.1")
        if response.status_code != 200:
            raise RuntimeError(f"the queue page answers {response.status_code}: {response.content[:500]!r}")
        return len(response.content)

    return _timed([partial(render, client) for client in chosen])


def _timed(reads: list[Callable[[], int]]) -> dict[str, object]:
    for read in reads[:6]:
        read()  # statements are prepared from the sixth time on
    cpu = time.process_time()
    taken: list[float] = []
    sizes: list[int] = []
    for read in reads:
        begun = time.perf_counter()
        sizes.append(read())
        taken.append(1000 * (time.perf_counter() - begun))
    return {"ms": taken, "cpu_ms": 1000 * (time.process_time() - cpu) / len(reads), "size": sum(sizes) / len(sizes)}


def _actors(whose: str, number: int, seed: int) -> list[Actor]:
    return [Actor(None, "测量", ROLES[whose], **place) for place in _places(whose, number, seed)]


def signed_in(whose: str, place: dict[str, str]) -> Client:
    username = f"queue-{whose}-{'-'.join(place.values())}"
    person, _ = Person.objects.get_or_create(
        username=username, defaults={"name": "测量", "role": ROLES[whose], **place}
    )
    client = Client(headers={"accept-language": "zh-hans"})
    client.force_login(person, backend=BACKEND)
    return client


def _places(whose: str, number: int, seed: int) -> list[dict[str, str]]:
    """Return scopes to read with, the busy ones as often as they are busy; only those whose page is full."""
    column = {"station": "station_no", "region": "region"}.get(whose)
    if column is None:
        return [{} for _ in range(number)]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {column}, count(*) FROM orders_repairorder WHERE category IN ('open', 'waiting')"
            f" GROUP BY 1 HAVING count(*) > {PAGE} ORDER BY 1"
        )
        rows = cursor.fetchall()
    if not rows:
        raise RuntimeError(f"no {whose} has a full page of open orders at {timezone.now()}")
    names, weights = [row[0] for row in rows], [row[1] for row in rows]
    return [{column: name} for name in random.Random(seed).choices(names, weights, k=number)]
