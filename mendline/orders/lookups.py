"""Where guards and changes of orders get the facts that the order's own row does not hold."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from mendline.access.actors import THE_CLOCK, Actor
from mendline.access.models import Person, Role
from mendline.kernel.ids import new_ref
from mendline.kernel.phones import NotAPhone, parse_phone
from mendline.network.models import Station
from mendline.orders import store
from mendline.orders.models import Record
from mendline.process.loading import process_for
from mendline.process.registry import Facts, Question, lookup
from mendline.process.values import stored_moment

DEFAULT_DELIVERY_DAYS = 3
_DUPLICATE = """
    SELECT to_json(ref) FROM (
        (SELECT ref, created_at FROM orders_repairorder
         WHERE phone = %s AND category IN ('open', 'waiting') ORDER BY created_at DESC LIMIT 1)
        UNION ALL
        (SELECT ref, created_at FROM orders_repairorder
         WHERE serial_no = %s AND serial_no <> '' AND category IN ('open', 'waiting') ORDER BY created_at DESC LIMIT 1)
    ) AS same ORDER BY created_at DESC LIMIT 1
"""


@lookup("engineer_entry", held=False)
def engineer_entry(facts: Facts, actor: Actor, now: datetime) -> dict[str, Any] | None:
    """The named engineer, if he works at this order's station; None when nobody is named or he does not."""
    named = facts.get("engineer")
    if not named:
        return None
    person = Person.objects.filter(
        username=named, role=Role.STATION_ENGINEER, station_no=facts.get("station_no"), is_active=True
    ).first()
    return {"id": person.pk, "name": person.name} if person else None


@lookup("open_requests")
def open_requests(facts: Facts, actor: Actor, now: datetime) -> list[str]:
    """Cancellation requests of this order that the region has not settled."""
    order_ref = facts.get("order_ref") or facts.get("ref")
    waiting = Record.objects.unscoped("a guard of the same order").filter(
        order_ref=order_ref, process="cancellation_request", category__in=["open", "waiting"]
    )
    return list(waiting.values_list("ref", flat=True))


@lookup("likely_duplicate", held=False)
def likely_duplicate(facts: Facts, actor: Actor, now: datetime) -> Question | str:
    """The newest open order of the same telephone or serial number: probably the same trouble, reported twice."""
    customer = facts.get("customer")
    try:
        phone = parse_phone(str(customer.get("phone", ""))) if isinstance(customer, Mapping) else ""
    except NotAPhone:
        return ""
    return Question(_DUPLICATE, (phone, str(facts.get("serial_no") or "")), lambda ref: ref or "")


@lookup("part_due_at_default", held=False)
def part_due_at_default(facts: Facts, actor: Actor, now: datetime) -> str:
    """When a part ordered now is promised, by the delivery terms of the station's contract (STN-36)."""
    if not facts.get("part_code"):
        return stored_moment(now)
    days = Station.objects.filter(number=facts.get("station_no")).values_list("part_delivery_days", flat=True).first()
    return stored_moment(now + timedelta(days=DEFAULT_DELIVERY_DAYS if days is None else days))


@lookup("new_part_order_ref", held=False)
def new_part_order_ref(facts: Facts, actor: Actor, now: datetime) -> str:
    return new_ref("part_order", now)


@lookup("new_order_ref", held=False)
def new_order_ref(facts: Facts, actor: Actor, now: datetime) -> str:
    return new_ref("unified_repair", now)


@lookup("order")
def order(facts: Facts, actor: Actor, now: datetime) -> dict[str, Any]:
    """The order a record belongs to, with the parameters of the version it lives under."""
    loaded = store.load(str(facts["order_ref"]), actor=THE_CLOCK)
    process = process_for(loaded.process, loaded.process_version)
    return {
        **loaded.facts,
        "state": loaded.state,
        "category": loaded.category,
        "clocks": loaded.clocks,
        "process_version": loaded.process_version,
        "parameters": process.parameters,
    }
