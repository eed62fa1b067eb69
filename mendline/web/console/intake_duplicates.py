"""Is it reported already? The same telephone, serial number or address, open or taken within 30 days."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from mendline.kernel.text import Text
from mendline.orders import queries
from mendline.orders.models import RepairOrder
from mendline.orders.queries import DUPLICATE_DAYS, OPEN
from mendline.process.loading import process_for
from mendline.search.finding import find
from mendline.web.console.rows import OrderRow, order_row
from mendline.web.console.visit import Visit

MOST = 5
LOOKED_AT = 20  # of those whose address has the same words
SHORTEST_ADDRESS = 4  # characters; 路口 alone would find half the city
URGE = "urge"
SAME_PHONE = Text("电话相同", "same telephone")
SAME_SERIAL = Text("序列号相同", "same serial number")
SAME_ADDRESS = Text("地址相同", "same address")
_SIGNS = re.compile(r"[\W_]+")
# Words with Chinese signs find the street and the house; a door such as 3-501 alone would mean a telephone number.
_STREETS = re.compile(r"[^\s,-]*[\u4e00-\u9fff][^\s,-]*")


@dataclass(frozen=True, slots=True)
class Asked:
    """What of the report being taken may tell that it is no new one. `phone` is in international form."""

    phone: str = ""
    serial_no: str = ""
    area: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """An order that this report may repeat, what both have in common, and whether this person may urge it."""

    row: OrderRow
    match: Text
    may_urge: bool


def duplicates_of(visit: Visit, asked: Asked) -> list[Duplicate]:
    """Return possible duplicates, open ones first, then the newest.

    The address is looked for where the search looks: an order taken a moment ago may not be there yet.
    """
    found = list(queries.duplicates(visit.actor, phone=asked.phone, serial_no=asked.serial_no, now=visit.now))
    known = {order.ref for order in found}
    found += [order for order in _at_the_address(visit, asked) if order.ref not in known]
    found.sort(key=lambda order: order.created_at, reverse=True)
    found.sort(key=lambda order: order.category not in OPEN)
    return [
        Duplicate(order_row(order, visit.now), _in_common(order, asked), _may_urge(visit, order))
        for order in found[:MOST]
    ]


def _at_the_address(visit: Visit, asked: Asked) -> Iterable[RepairOrder]:
    wanted = _plain(asked.address)
    if len(asked.area) != 6 or len(wanted) < SHORTEST_ADDRESS:
        return
    recent = visit.now - timedelta(days=DUPLICATE_DAYS)
    for order in find(visit.actor, " ".join(_STREETS.findall(asked.address)), limit=LOOKED_AT).orders:
        alive = order.category in OPEN or (order.created_at >= recent and order.category != "void")
        if alive and order.area == asked.area and _plain(order.address) == wanted:
            yield order


def _plain(address: str) -> str:
    """2号楼-301 and 2号楼 301 are one door."""
    return _SIGNS.sub("", unicodedata.normalize("NFKC", address)).casefold()


def _in_common(order: RepairOrder, asked: Asked) -> Text:
    if asked.phone and order.phone == asked.phone:
        return SAME_PHONE
    if asked.serial_no and order.serial_no == asked.serial_no:
        return SAME_SERIAL
    return SAME_ADDRESS


def _may_urge(visit: Visit, order: RepairOrder) -> bool:
    step = process_for(order.process, order.process_version).transitions.get(URGE)
    return step is not None and visit.actor.role in step.by and order.state in step.sources
