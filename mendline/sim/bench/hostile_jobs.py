"""The people of a measurement under hostile load. Jobs for `member.py`."""

from __future__ import annotations

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.test import Client
from django.utils import timezone

from mendline.access import tokens
from mendline.access.models import Person
from mendline.orders.models import RepairOrder
from mendline.search import index
from mendline.sim.bench.queue_jobs import BACKEND

WHY = "which orders somebody at the busiest station has open"
ORDERS = 200


def cast_hostile() -> dict[str, object]:
    """Make the people, prepare the search, and return keys, sessions, and orders of the busiest station.

    `agent` and `coordinator` are the normal users; `key`, `seeker` and `manager` send what is hostile.
    """
    index.start_over(timezone.now(), lambda done: None)
    station = _busiest()
    agent = _person("load-agent", "cc_agent")
    coordinator = _person("load-coordinator", "station_coordinator", station)
    mine = RepairOrder.objects.unscoped(WHY).filter(station_no=station, category="open").order_by("-id")
    return {
        "agent": tokens.issue(agent, "bench"),
        "coordinator": _session(coordinator),
        "key": tokens.issue(_person("load-key", "cc_agent"), "bench"),
        "seeker": _session(_person("load-seeker", "cc_agent")),
        "manager": _session(_person("load-manager", "channel_management")),
        "orders": list(mine.values_list("ref", flat=True)[:ORDERS]),
    }


def _busiest() -> str:
    newest = list(
        RepairOrder.objects.unscoped(WHY)
        .filter(category="open")
        .order_by("-id")
        .values_list("station_no", flat=True)[:4000]
    )
    return max(set(newest), key=newest.count)


def _person(username: str, role: str, station: str = "") -> Person:
    unusable = UNUSABLE_PASSWORD_PREFIX + "bench"
    return Person.objects.create(username=username, name=username, role=role, station_no=station, password=unusable)


def _session(person: Person) -> str:
    client = Client()
    client.force_login(person, backend=BACKEND)
    return client.cookies["sessionid"].value
