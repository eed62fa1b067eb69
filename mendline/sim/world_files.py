"""World files: a network and its people, written down for scenarios and the demo.

A file is read to the end and all its faults are reported together, each with its line. A world may
be `like` another one: it then has all of that, its own entries are added, and an entry with the
same code, number or user name takes the other's place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from mendline.access.actors import OF_A_REGION, OF_A_STATION
from mendline.access.models import Role
from mendline.kernel import plain_yaml
from mendline.kernel.text import Text
from mendline.network import areas
from mendline.process.loading import processes
from mendline.process.reading import Fault, Reader
from mendline.sim.world_contents import (
    DEFAULT_SINCE,
    USUAL_DELIVERY_DAYS,
    WorldContents,
    WorldDay,
    WorldLine,
    WorldPerson,
    WorldProcedure,
    WorldProduct,
    WorldRegion,
    WorldStation,
)

STATION_DIGITS = 6
MAIL_DOMAIN = "example.org"  # reserved for examples: nobody can ever receive it

TOP_KEYS = {
    "world", "label", "like", "since", "capacity_per_day", "regions", "product_lines", "products", "stations",
    "no_800_areas", "people", "calendar", "procedures",
}  # fmt: skip
STATION_KEYS = {
    "number", "name", "region", "head", "area", "address", "phone", "works_in_cc_web", "central",
    "part_delivery_days", "coverage", "capacity",
}  # fmt: skip
_NAME = re.compile(r"^[a-z][a-z0-9_-]*$")

Where: TypeAlias = "tuple[str | int, ...]"
T = TypeVar("T")


class WorldFaults(Exception):
    """A world file with faults; lists all of them."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = sorted(faults)
        super().__init__("\n".join(map(str, self.faults)))


def read_world(path: Path, find: Callable[[str], Path], within: tuple[Path, ...] = ()) -> WorldContents:
    """Read a world file; `find` turns the name of another world into its path.

    `within` are the files that are being read because they are like this one.

    Raises WorldFaults.
    """
    if not path.is_file():
        raise WorldFaults([Fault(str(path), 1, "there is no such world file")])
    reader = Reader(path.name, plain_yaml.read(path))
    reader.faults += [Fault(reader.file, line, message) for line, message in reader.document.faults]
    top = reader.document.value
    if not isinstance(top, dict):
        reader.fault("the file must have keys and values at the top")
        raise WorldFaults(reader.faults)
    reader.known_keys(top, TOP_KEYS)
    base = _base(reader, top, find, (*within, path.resolve()))
    found = _File(reader, top).contents(base)
    if reader.faults:
        raise WorldFaults(reader.faults)
    return found


def _base(
    reader: Reader, top: Mapping[str, Any], find: Callable[[str], Path], within: tuple[Path, ...]
) -> WorldContents:
    name = str(top.get("world") or within[-1].stem)
    label = reader.text(top["label"], "label") if "label" in top else Text(name, name)
    if "like" not in top:
        return WorldContents(name, label)
    other = find(str(top["like"]))
    if other.resolve() in within:
        reader.fault(f"{reader.file} would be like itself", "like")
        return WorldContents(name, label)
    return replace(read_world(other, find, within), name=name, label=label)


@dataclass(slots=True)
class _File:
    """One file being read. Each part is checked against the parts before it, base world included."""

    reader: Reader
    top: Mapping[str, Any]

    def contents(self, base: WorldContents) -> WorldContents:
        world = replace(base, since=self.day(self.top.get("since", base.since), base.since, "since"))
        world = replace(world, regions={**world.regions, **self.regions()})
        world = replace(world, lines={**world.lines, **self.lines()})
        world = replace(world, products={**world.products, **self.products(world)})
        world = replace(world, stations={**world.stations, **self.stations(world)})
        world = replace(world, people={**world.people, **self.people(world)})
        world = replace(world, days={**world.days, **self.days()})
        world = replace(world, procedures={**world.procedures, **self.procedures(world)})
        more = self.codes(self.top.get("no_800_areas"), "no_800_areas")
        self.check_areas(more, "no_800_areas")
        self.check_provinces(world)
        world = replace(world, no_800_areas=tuple(dict.fromkeys((*base.no_800_areas, *more))))
        return self.with_capacity(world)

    # --- the parts ---

    def regions(self) -> dict[str, WorldRegion]:
        found: dict[str, WorldRegion] = {}
        for keys, where in self.entries("regions", {"code", "name", "provinces"}):
            code = self.name(keys, "code", where)
            provinces = self.codes(keys.get("provinces"), *where, "provinces")
            self.check_areas(provinces, *where, "provinces")
            self.once(found, code, where)
            found[code] = WorldRegion(code, self.words(keys, "name", where), provinces)
        return found

    def check_provinces(self, world: WorldContents) -> None:
        """An area has one region in charge, so that nothing undispatched is left without an owner."""
        owner: dict[str, str] = {}
        for region in world.regions.values():
            for province in region.provinces:
                first = owner.setdefault(province, region.code)
                if first != region.code:
                    self.reader.fault(f"province {province} belongs to {first} and to {region.code}", "regions")

    def lines(self) -> dict[str, WorldLine]:
        found: dict[str, WorldLine] = {}
        for keys, where in self.entries("product_lines", {"code", "zh", "en", "channel"}):
            code = self.name(keys, "code", where)
            self.once(found, code, where)
            found[code] = WorldLine(code, self.label(keys, where), self.name(keys, "channel", where))
        return found

    def products(self, world: WorldContents) -> dict[str, WorldProduct]:
        found: dict[str, WorldProduct] = {}
        for keys, where in self.entries("products", {"code", "zh", "en", "line"}):
            code, line = self.name(keys, "code", where), self.name(keys, "line", where)
            self.known(line, world.lines, "product line", *where, "line")
            self.once(found, code, where)
            found[code] = WorldProduct(code, line, self.label(keys, where))
        return found

    def stations(self, world: WorldContents) -> dict[str, WorldStation]:
        found: dict[str, WorldStation] = {}
        for keys, where in self.entries("stations", STATION_KEYS):
            number = self.station_number(keys.get("number"), *where, "number")
            self.once(found, number, where)
            region = self.name(keys, "region", where)
            self.known(region, world.regions, "region", *where, "region")
            area = self.code(keys.get("area"), *where, "area")
            self.check_areas([area], *where, "area")
            found[number] = WorldStation(
                number=number,
                name=self.words(keys, "name", where),
                region=region,
                area=area,
                head=self.station_number(keys["head"], *where, "head") if keys.get("head") else "",
                address=str(keys.get("address") or ""),
                phone=str(keys.get("phone") or ""),
                works_in_cc_web=self.reader.yes(keys.get("works_in_cc_web", True), *where, "works_in_cc_web"),
                is_central=self.reader.yes(keys.get("central"), *where, "central"),
                part_delivery_days=self.reader.whole(
                    keys.get("part_delivery_days"), USUAL_DELIVERY_DAYS, *where, "part_delivery_days"
                ),
                coverage=self.coverage(keys.get("coverage"), world, (*where, "coverage")),
                capacity=self.capacity(keys.get("capacity"), world, (*where, "capacity")),
            )
        everybody = {**world.stations, **found}
        for place, station in enumerate(found.values()):
            self.check_station(station, everybody, ("stations", place))
        return found

    def coverage(self, value: object, world: WorldContents, where: Where) -> tuple[tuple[str, str], ...]:
        pairs: list[tuple[str, str]] = []
        for place, given in enumerate(self.items(value, *where)):
            here = (*where, place)
            keys = self.reader.mapping(given, *here)
            self.reader.known_keys(keys, {"areas", "lines"}, *here)
            served = self.codes(keys.get("areas"), *here, "areas")
            self.check_areas(served, *here, "areas")
            lines = self.reader.words(keys.get("lines"), *here, "lines")
            for line in lines:
                self.known(line, world.lines, "product line", *here, "lines")
            pairs += [(area, line) for area in served for line in lines]
        if len(set(pairs)) != len(pairs):
            self.reader.fault("covers the same area and line twice", *where)
        return tuple(pairs)

    def capacity(self, value: object, world: WorldContents, where: Where) -> dict[str, int]:
        found: dict[str, int] = {}
        for line, given in self.reader.mapping(value, *where).items():
            self.known(line, world.lines, "product line", *where, line)
            found[line] = self.reader.whole(given, 0, *where, line)
            if found[line] < 0:
                self.reader.fault("a capacity is zero or more orders a day", *where, line)
        return found

    def check_station(self, station: WorldStation, everybody: Mapping[str, WorldStation], where: Where) -> None:
        head = everybody.get(station.head) if station.head else station
        if head is None:
            self.reader.fault(f"there is no head station {station.head}", *where, "head")
            return
        if head is not station and head.head:
            self.reader.fault(f"{station.head} is a point itself and cannot be a head", *where, "head")
        if head is not station and station.capacity:
            self.reader.fault(
                f"a point has no capacity of its own; give it to {head.number} (STN-18)", *where, "capacity"
            )
        for line in sorted({line for _, line in station.coverage} - set(head.capacity)):
            self.reader.fault(
                f"{head.number} needs a capacity for {line}, which {station.number} covers; 0 means none",
                *where,
                "capacity",
            )

    def people(self, world: WorldContents) -> dict[str, WorldPerson]:
        found: dict[str, WorldPerson] = {}
        for keys, where in self.entries("people", {"username", "name", "role", "region", "station", "email", "phone"}):
            username = self.name(keys, "username", where)
            self.once(found, username, where)
            role = str(keys.get("role") or "")
            if role not in Role.values:
                self.reader.fault(f"unknown role {role!r}; known are {', '.join(Role.values)}", *where, "role")
            if username in Role.values and username != role:
                self.reader.fault(f"{username} is the name of another role, not a user name", *where, "username")
            region = self.bound(keys, "region", role in OF_A_REGION, world.regions, where)
            station = self.bound(keys, "station", role in OF_A_STATION, world.stations, where)
            email = str(keys.get("email") or f"{username}@{MAIL_DOMAIN}")
            phone = str(keys.get("phone") or "")
            found[username] = WorldPerson(
                username, self.words(keys, "name", where), role, region, station, email, phone
            )
        return found

    def bound(self, keys: Mapping[str, Any], key: str, wanted: bool, known: Mapping[str, object], where: Where) -> str:
        """Return the station or region a person is bound to: demanded of some roles, not possible for others."""
        if not wanted:
            if keys.get(key):
                self.reader.fault(f"{keys.get('role')} is not bound to a {key}", *where, key)
            return ""
        value = self.code(keys.get(key), *where, key)
        self.known(value, known, key, *where, key)
        return value

    def days(self) -> dict[date, WorldDay]:
        found: dict[date, WorldDay] = {}
        for keys, where in self.entries("calendar", {"day", "works", "name"}):
            day = self.day(keys.get("day"), DEFAULT_SINCE, *where, "day")
            works = self.reader.yes(keys.get("works"), *where, "works")
            found[day] = WorldDay(day, works, self.words(keys, "name", where))
        return found

    def procedures(self, world: WorldContents) -> dict[tuple[str, str], WorldProcedure]:
        found: dict[tuple[str, str], WorldProcedure] = {}
        for keys, where in self.entries("procedures", {"process", "version", "product_line"}):
            process = self.name(keys, "process", where)
            version = self.reader.whole(keys.get("version"), 0, *where, "version")
            line = str(keys.get("product_line") or "")
            if (process, version) not in processes():
                self.reader.fault(f"there is no process file for {process} version {version}", *where)
            if line:
                self.known(line, world.lines, "product line", *where, "product_line")
            self.once(found, (process, line), where)
            found[process, line] = WorldProcedure(process, version, line)
        return found

    def with_capacity(self, world: WorldContents) -> WorldContents:
        """Let `capacity_per_day` replace every capacity that is not none."""
        if "capacity_per_day" not in self.top:
            return world
        most = self.reader.whole(self.top["capacity_per_day"], 0, "capacity_per_day")
        if most < 0:
            self.reader.fault("a capacity is zero or more orders a day", "capacity_per_day")
        stations = {
            number: replace(station, capacity={line: most if kept else 0 for line, kept in station.capacity.items()})
            for number, station in world.stations.items()
        }
        return replace(world, stations=stations)

    # --- single values ---

    def entries(self, part: str, allowed: set[str]) -> Iterator[tuple[Mapping[str, Any], Where]]:
        """Yield each entry of a list with its place; unknown keys are faults."""
        for place, given in enumerate(self.items(self.top.get(part), part)):
            where = (part, place)
            keys = self.reader.mapping(given, *where)
            self.reader.known_keys(keys, allowed, *where)
            yield keys, where

    def items(self, value: object, *where: str | int) -> list[Any]:
        if value is None:
            return []
        if isinstance(value, list):
            return value
        self.reader.fault(f"{where[-1]} must be a list", *where)
        return []

    def label(self, keys: Mapping[str, Any], where: Where) -> Text:
        return self.reader.text({key: keys[key] for key in ("zh", "en") if key in keys}, *where)

    def words(self, keys: Mapping[str, Any], key: str, where: Where) -> str:
        value = keys.get(key)
        if not isinstance(value, str) or not value.strip():
            self.reader.fault(f"{key} is missing", *where)
        return str(value or "")

    def name(self, keys: Mapping[str, Any], key: str, where: Where) -> str:
        value = keys.get(key)
        if not isinstance(value, str) or not _NAME.match(value):
            self.reader.fault(f"{key} must be a name in small letters such as north or desktop", *where, key)
        return str(value or "")

    def code(self, value: object, *where: str | int) -> str:
        """Return a code as text: YAML reads 110108 as a number and 000001 as text, people mean the same by both."""
        if isinstance(value, bool) or not isinstance(value, (int, str)) or value == "":
            self.reader.fault(f"{where[-1]} is missing", *where)
            return ""
        return str(value)

    def codes(self, value: object, *where: str | int) -> tuple[str, ...]:
        found = tuple(self.code(item, *where, place) for place, item in enumerate(self.items(value, *where)))
        if len(set(found)) != len(found):
            self.reader.fault(f"{where[-1]} names something twice", *where)
        return found

    def station_number(self, value: object, *where: str | int) -> str:
        number = self.code(value, *where)
        if number and not (number.isdigit() and len(number) == STATION_DIGITS):
            self.reader.fault(
                f"a station number has {STATION_DIGITS} digits and keeps its zeros, e.g. 000001 (CAN-29)", *where
            )
        return number

    def day(self, value: object, default: date, *where: str | int) -> date:
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.reader.fault(f"{where[-1]} must be a day such as 2026-03-02", *where)
            return default

    def check_areas(self, codes: Iterable[str], *where: str | int) -> None:
        for code in codes:
            if code and not areas.exists(code):
                self.reader.fault(f"there is no area {code}", *where)

    def known(self, value: str, among: Mapping[str, object], kind: str, *where: str | int) -> None:
        if value and value not in among:
            self.reader.fault(f"there is no {kind} {value!r}; known are {', '.join(among) or 'none'}", *where)

    def once(self, found: Mapping[T, object], key: T, where: Where) -> None:
        if key and key in found:
            self.reader.fault(f"{key} stands twice", *where)
