"""Facts that a record's own row does not hold, answered from memory: the network, its days, who works where."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from mendline.access.actors import THE_CLOCK, Actor
from mendline.dispatch.choice import Wanted, field_of, rank
from mendline.dispatch.choosing import Found
from mendline.dispatch.current import read_index
from mendline.dispatch.index import Index
from mendline.kernel.phones import NotAPhone, parse_phone
from mendline.kernel.time import local_day
from mendline.network import areas
from mendline.network.directory import Directory, ProductEntry, read_directory
from mendline.process.loading import process_for
from mendline.process.registry import Facts
from mendline.process.values import stored_moment
from mendline.sim.worlds import World

if TYPE_CHECKING:
    from mendline.sim.national_door import MemoryDoor

Line: TypeAlias = "tuple[str, str, str]"  # station, product line, day (ISO)
Lookup: TypeAlias = "Callable[[MemoryDoor, Facts, Actor, datetime], Any]"


@dataclass(slots=True)
class Day:
    """A row of `network_dayload`."""

    capacity: int
    taken: int = 0


@dataclass
class Country:
    """The network as choosing sees it, the seats of its days, its engineers, and who has an open order."""

    index: Index
    directory: Directory
    engineers: Mapping[str, tuple[int, str, str]]  # user name → id, name, station
    delivery_days: Mapping[str, int]
    days: dict[Line, Day] = field(default_factory=dict)
    seats: dict[str, Line] = field(default_factory=dict)
    by_phone: dict[str, list[str]] = field(default_factory=dict)
    by_serial: dict[str, list[str]] = field(default_factory=dict)

    def line_of(self, given: Mapping[str, Any]) -> str:
        named = str(given.get("product") or given.get("product_line") or "")
        entry = self.product(named)
        return entry.line if entry else named

    def product(self, code: str) -> ProductEntry | None:
        return self.directory.product(code) if code else None

    def take(self, ref: str, station_no: str, line: str, day: str) -> None:
        """Take a seat (COM-10). Nobody else decides meanwhile, so what was free is free."""
        key = (station_no, line, day)
        load = self.days.get(key)
        if load is None:
            load = self.days[key] = Day(self.index.per_day(station_no, line, date.fromisoformat(day).toordinal()) or 0)
        if load.taken >= load.capacity:
            raise RuntimeError(f"station {station_no} has no seat left on {day}")
        load.taken += 1
        self.seats[ref] = key

    def give_back(self, ref: str) -> tuple[str, str, str, str] | None:
        """Give a seat back; returns what `take` would need to undo it, None when the order had none."""
        key = self.seats.pop(ref, None)
        if key is None:
            return None
        self.days[key].taken -= 1
        return (ref, *key)

    def remember(self, ref: str, phone: str, serial_no: str) -> None:
        self.by_phone.setdefault(phone, []).append(ref)
        if serial_no:
            self.by_serial.setdefault(serial_no, []).append(ref)

    def forget(self, ref: str, phone: str, serial_no: str) -> None:
        self.by_phone[phone].remove(ref)
        if serial_no:
            self.by_serial[serial_no].remove(ref)


def _engineer_entry(door: MemoryDoor, facts: Facts, actor: Actor, now: datetime) -> dict[str, Any] | None:
    found = door.country.engineers.get(str(facts.get("engineer") or ""))
    if found is None or found[2] != facts.get("station_no"):
        return None
    return {"id": found[0], "name": found[1]}


def _open_requests(door: MemoryDoor, facts: Facts, actor: Actor, now: datetime) -> list[str]:
    order_ref = str(facts.get("order_ref") or facts.get("ref"))
    return [record.ref for record in door.memory.open_records(order_ref) if record.process == "cancellation_request"]


def _likely_duplicate(door: MemoryDoor, facts: Facts, actor: Actor, now: datetime) -> str:
    customer = facts.get("customer")
    try:
        phone = parse_phone(str(customer.get("phone", ""))) if isinstance(customer, Mapping) else ""
    except NotAPhone:
        return ""
    same = (
        door.country.by_phone.get(phone, [])[-3:]
        + door.country.by_serial.get(str(facts.get("serial_no") or ""), [])[-3:]
    )
    waiting = [door.memory.kept.subjects[ref] for ref in same]
    waiting = [order for order in waiting if order.category in ("open", "waiting")]
    return max(waiting, key=lambda order: order.created_at).ref if waiting else ""


def _part_due_at_default(door: MemoryDoor, facts: Facts, actor: Actor, now: datetime) -> str:
    if not facts.get("part_code"):
        return stored_moment(now)
    return stored_moment(now + timedelta(days=door.country.delivery_days[str(facts.get("station_no"))]))


def _order(door: MemoryDoor, facts: Facts, actor: Actor, now: datetime) -> dict[str, Any]:
    loaded = door.memory.load(str(facts["order_ref"]), THE_CLOCK)
    process = process_for(loaded.process, loaded.process_version)
    return {
        **loaded.facts, "state": loaded.state, "category": loaded.category, "clocks": loaded.clocks,
        "process_version": loaded.process_version, "parameters": process.parameters,
    }  # fmt: skip


def _chosen_station(door: MemoryDoor, facts: Facts, actor: Actor, now: datetime) -> dict[str, Any]:
    country = door.country
    entry = country.product(str(facts.get("product") or ""))
    wanted = Wanted(
        area=str(facts.get("area") or ""),
        line=entry.line if entry else str(facts.get("product_line") or ""),
        day=local_day(now),
        wish=str(facts.get("station_wish") or ""),
        excluded=frozenset(str(number) for number in facts.get("excluded_stations") or ()),
    )
    competing, day = field_of(country.index, wanted), wanted.day.isoformat()
    opened = ((number, country.days.get((number, wanted.line, day))) for number in competing.stations)
    choice = rank(competing, {number: (load.taken, load.capacity) for number, load in opened if load is not None})
    number = choice.ranked[0] if choice.ranked else ""
    region = country.index.stations[number].region if number else country.directory.region_of(wanted.area)
    return Found(number, region, choice, wanted).as_fact()


def _own_station(door: MemoryDoor, facts: Facts, actor: Actor, now: datetime) -> dict[str, str]:
    station = door.country.index.stations.get(actor.station_no)
    return {"station_no": actor.station_no, "region": station.region if station else actor.region}


def _own_seat(door: MemoryDoor, facts: Facts, actor: Actor, now: datetime) -> dict[str, str] | None:
    entry, day = door.country.product(str(facts.get("product") or "")), local_day(now)
    if entry is None:
        return None
    load = door.country.days.get((actor.station_no, entry.line, day.isoformat()))
    per_day = door.country.index.per_day(actor.station_no, entry.line, day.toordinal()) or 0
    if (load.capacity - load.taken if load else per_day) <= 0:
        return None
    return {"station_no": actor.station_no, "line": entry.line, "day": day.isoformat()}


def _product_entry(door: MemoryDoor, facts: Facts, actor: Actor, now: datetime) -> dict[str, str] | None:
    entry = door.country.product(str(facts.get("product") or ""))
    return {"product": entry.product, "line": entry.line, "channel": entry.channel} if entry else None


LOOKUPS_IN_MEMORY: Mapping[str, Lookup] = {
    "engineer_entry": _engineer_entry,
    "open_requests": _open_requests,
    "likely_duplicate": _likely_duplicate,
    "part_due_at_default": _part_due_at_default,
    "new_part_order_ref": lambda door, facts, actor, now: door.refs.new("part_order", now),
    "new_order_ref": lambda door, facts, actor, now: door.refs.new("unified_repair", now),
    "order": _order,
    "chosen_station": _chosen_station,
    "area_known": lambda door, facts, actor, now: areas.exists(str(facts.get("area") or "")),
    "area_has_800": lambda door, facts, actor, now: door.country.directory.has_800(
        str(facts.get("area") or ""), local_day(now)
    ),
    "product_entry": _product_entry,
    "own_station": _own_station,
    "own_seat": _own_seat,
}


def country_of(world: World, since: date) -> Country:
    """Read the network that the world was built into; `since` is the first day on which anything happens."""
    contents = world.contents
    engineers = {
        person.username: (world.person_ids[person.username], person.name, person.station_no)
        for person in world.people("station_engineer")
    }
    days = {station.number: station.part_delivery_days for station in contents.stations.values()}
    return Country(read_index(since), read_directory(), engineers, days)
