"""What a world consists of: a network, its people, and what differs from the usual calendar and procedures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from mendline.kernel.text import Text

DEFAULT_SINCE = date(2020, 1, 1)
USUAL_DELIVERY_DAYS = 3


@dataclass(frozen=True, slots=True)
class WorldRegion:
    """A regional office and the provinces it is responsible for."""

    code: str
    name: str
    provinces: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WorldLine:
    """A product line and the channel whose procedure it follows (CAN-34)."""

    code: str
    label: Text
    channel: str


@dataclass(frozen=True, slots=True)
class WorldProduct:
    """A product of a line."""

    code: str
    line: str
    label: Text


@dataclass(frozen=True, slots=True)
class WorldStation:
    """A station, or a point that names its head (STN-18). `coverage` is pairs of area and line, `capacity` per day."""

    number: str
    name: str
    region: str
    area: str
    head: str = ""
    address: str = ""
    phone: str = ""
    works_in_cc_web: bool = True
    is_central: bool = False
    part_delivery_days: int = USUAL_DELIVERY_DAYS
    coverage: tuple[tuple[str, str], ...] = ()
    capacity: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WorldPerson:
    """Somebody who signs in: one person, one role (STN-16)."""

    username: str
    name: str
    role: str
    region: str = ""
    station_no: str = ""
    email: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class WorldDay:
    """A day that this world works or rests on, whatever the national calendar says."""

    day: date
    works: bool
    name: str


@dataclass(frozen=True, slots=True)
class WorldProcedure:
    """A process version in force from the beginning, for one line or (empty) for all others (UDS-07)."""

    process: str
    version: int
    product_line: str


@dataclass(frozen=True, slots=True)
class WorldContents:
    """Everything a world file says, by code, number or user name, in the order of the file."""

    name: str
    label: Text
    since: date = DEFAULT_SINCE
    regions: Mapping[str, WorldRegion] = field(default_factory=dict)
    lines: Mapping[str, WorldLine] = field(default_factory=dict)
    products: Mapping[str, WorldProduct] = field(default_factory=dict)
    stations: Mapping[str, WorldStation] = field(default_factory=dict)
    no_800_areas: tuple[str, ...] = ()
    people: Mapping[str, WorldPerson] = field(default_factory=dict)
    days: Mapping[date, WorldDay] = field(default_factory=dict)
    procedures: Mapping[tuple[str, str], WorldProcedure] = field(default_factory=dict)
