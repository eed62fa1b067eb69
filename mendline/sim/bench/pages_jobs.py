"""Asking for every page of the console as each role does, by real HTTP. Jobs for `member.py`."""

from __future__ import annotations

import gzip
import http.client
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from mendline.access.actors import Actor
from mendline.access.models import Person, Role
from mendline.care.scorecards import refresh_scorecards
from mendline.figures import facts
from mendline.orders.models import Record, RepairOrder
from mendline.search import index
from mendline.sim.bench.queue_jobs import BACKEND
from mendline.sim.national import load_national
from mendline.sim.national_huge import load_huge

WHY = "which pages there are to measure"
SLOW_SECONDS = 1.0
READS_OF_A_SLOW_PAGE = 4
# Answers that never end, change something, or belong to what somebody uploaded.
LEFT_OUT = frozenset(
    ("changes", "ticket", "remove_view", "network_upload", "network_faults", "keep_theme", "queue_many", "queue_call",
     "acknowledge", "remind", "step", "reveal", "read_line")
)  # fmt: skip
RECORD_OF_PAGE = {
    "verdict": ("cancellation_request", "special_situation", "coverage_change"), "callback": ("callback",),
    "change_effect": ("coverage_change",), "document": ("procedure_document",), "record": (),
}  # fmt: skip
ASKED_WITH = {"search": "?q=王", "palette": "?q=人民", "areas": "?q=朝阳", "caller": "?customer.phone=13900000097"}


def fill_country(orders: int, stations: int, seed: int) -> dict[str, float]:
    """Write the demo of that size, and everything that the worker prepares from it; returns seconds of each."""
    taken: dict[str, float] = {}

    def note(name: str, begun: float) -> None:
        taken[name] = round(time.perf_counter() - begun, 1)

    now, begun = timezone.now(), time.perf_counter()
    if stations > 300:
        load_huge(now, seed=seed, progress=lambda share: None, orders=orders, stations=stations)
    else:
        load_national(now, seed=seed, progress=lambda share: None, orders=orders)
    note("orders", begun)
    begun = time.perf_counter()
    index.start_over(now, lambda done: None)
    note("search", begun)
    begun = time.perf_counter()
    facts.start_over(now, lambda done: None)
    note("figures", begun)
    begun = time.perf_counter()
    refresh_scorecards(now)
    note("scorecards", begun)
    return taken


def visitors() -> list[dict[str, str]]:
    """Sign one person of every role in; of those bound to a place, the busiest one's."""
    busy = _busiest()
    found: list[dict[str, str]] = []
    for role in Role.values:
        people = Person.objects.filter(role=role, is_active=True)
        person = people.filter(**busy.get(role, {})).order_by("id").first() or people.order_by("id").first()
        if person is None:
            continue
        client = Client()
        client.force_login(person, backend=BACKEND)
        found.append({
            "role": role, "username": person.username, "session": client.cookies["sessionid"].value,
            "station_no": person.station_no, "region": person.region,
        })  # fmt: skip
    return found


def _busiest() -> dict[str, dict[str, str]]:
    orders = RepairOrder.objects.unscoped(WHY).filter(category="open", due_at__isnull=False)
    newest = list(orders.order_by("due_at", "id").values_list("station_no", "region")[:4000])
    stations = [station for station, _ in newest if station]
    if not stations:
        return {}
    station = max(set(stations), key=stations.count)
    region = next(region for number, region in newest if number == station)
    at_station, of_region = {"station_no": station}, {"region": region}
    return {
        "station_coordinator": at_station, "station_engineer": at_station, "region_interface": of_region,
        "region_channel_specialist": of_region,
    }  # fmt: skip


def pages_for(who: Mapping[str, str]) -> dict[str, str]:
    """Return every page of the console by its name, with an address that this visitor may see."""
    person = Person.objects.get(username=who["username"])
    actor = Actor(person.pk, person.name, person.role, person.region, person.station_no)
    found: dict[str, str] = {}
    for name, route in routes():
        if name in LEFT_OUT:
            continue
        address = _address(name, route, actor)
        if address:
            found[name] = f"/{address}{ASKED_WITH.get(name, '')}"
    return found


def routes() -> Iterator[tuple[str, str]]:
    """Yield name and route of every address of the console, as the address table has them."""

    def below(resolver: URLResolver, prefix: str) -> Iterator[tuple[str, str]]:
        for entry in resolver.url_patterns:
            route = prefix + str(entry.pattern)
            if isinstance(entry, URLResolver):
                yield from below(entry, route)
            elif isinstance(entry, URLPattern) and entry.name:
                yield entry.name, route

    for entry in get_resolver().url_patterns:
        if isinstance(entry, URLResolver) and entry.app_name == "console":
            yield from below(entry, "")


def _address(name: str, route: str, actor: Actor) -> str:
    """Fill the places of a route with what the visitor may see; empty where there is nothing of the kind."""
    for place in places_in(route):
        value = _value(name, place.split(":")[-1], actor)
        if not value:
            return ""
        route = route.replace(f"<{place}>", value)
    return route


def places_in(route: str) -> list[str]:
    """Return what stands for something in a route.

    >>> places_in("network/capacity/<str:number>/<str:line>/")
    ['str:number', 'str:line']
    """
    return [part.split(">")[0] for part in route.split("<")[1:]]


def _value(name: str, argument: str, actor: Actor) -> str:
    match argument:
        case "ref":
            return _record(RECORD_OF_PAGE[name], actor) if name in RECORD_OF_PAGE else _order(actor)
        case "number":
            return actor.station_no or "000001"
        case "line":
            return "desktop"
        case "code":
            return "unified_repair"
        case "version":
            return "3"
        case "name":
            return "report" if name == "create" else "overview"
    return ""


def _order(actor: Actor) -> str:
    """Return an order with something behind it: the newest that somebody promised a time for."""
    seen = RepairOrder.objects.visible_to(actor)
    found = seen.filter(state__in=["promised", "printed"]).order_by("-created_at").values_list("ref", flat=True).first()
    return str(found or seen.order_by("-created_at").values_list("ref", flat=True).first() or "")


def _record(processes: tuple[str, ...], actor: Actor) -> str:
    seen = Record.objects.visible_to(actor)
    if processes:
        seen = seen.filter(process__in=processes)
    waiting = seen.filter(category="open").order_by("-id").values_list("ref", flat=True).first()
    return str(waiting or seen.order_by("-id").values_list("ref", flat=True).first() or "")


def visit_pages(port: int, who: Mapping[str, str], reads: int) -> dict[str, dict[str, Any]]:
    """Ask for every page `reads` times; returns milliseconds, status and gzipped bytes of each."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Cookie": f"sessionid={who['session']}", "Accept-Encoding": "gzip", "Accept-Language": "zh-hans"}
    found: dict[str, dict[str, Any]] = {}
    for name, address in pages_for(who).items():
        status, _, took = _asked(connection, address, headers)  # the first answer makes what later ones find made
        if status != 200:
            found[name] = {"status": status, "ms": [], "bytes": 0, "address": address}
            continue
        number = reads if took < SLOW_SECONDS else min(reads, READS_OF_A_SLOW_PAGE)
        asked = [_asked(connection, address, headers) for _ in range(number)]
        found[name] = {
            "status": max(one[0] for one in asked), "ms": [1000 * one[2] for one in asked], "bytes": asked[-1][1],
            "address": address,
        }  # fmt: skip
    return found


def _asked(connection: http.client.HTTPConnection, address: str, headers: Mapping[str, str]) -> tuple[int, int, float]:
    """Return status, bytes as they would be sent gzipped, and seconds until the last byte."""
    begun = time.perf_counter()
    connection.request("GET", _quoted(address), headers=dict(headers))
    answer = connection.getresponse()
    body = answer.read()
    took = time.perf_counter() - begun
    size = len(body) if answer.headers.get("Content-Encoding") == "gzip" else len(gzip.compress(body, 6))
    return answer.status, size, took


def _quoted(address: str) -> str:
    return quote(address, safe="/?=&.")


def a_known_phone() -> str:
    """Return the telephone number of somebody who called some days ago and whose order has ended."""
    ended = RepairOrder.objects.unscoped(WHY).filter(category="done").order_by("-created_at")
    return str(ended.values_list("phone", flat=True)[50]).removeprefix("+86")
