"""Facts that steps ask of the network. Given values arrive here unchecked, so everything is read as text."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from mendline.access.actors import Actor
from mendline.dispatch import seats
from mendline.dispatch.choice import Wanted
from mendline.dispatch.choosing import station_question
from mendline.dispatch.current import current_index
from mendline.kernel.time import local_day
from mendline.network import areas, directory
from mendline.process.registry import Facts, Question, lookup


@lookup("chosen_station")
def chosen_station(facts: Facts, actor: Actor, now: datetime) -> Question:
    """Choose a station for the order. Its seat is taken with the order's row, in the same statement.

    Never kept as a fact: a later step must choose again, not read what was once chosen.

    Reads `area`, `product`, `station_wish` and `excluded_stations`; returns `station_no`
    and `region` (of the area where no station was found) with the stations considered.
    """
    entry = directory.product_entry(_text(facts, "product"))
    wanted = Wanted(
        area=_text(facts, "area"),
        line=entry.line if entry else _text(facts, "product_line"),
        day=local_day(now),
        wish=_text(facts, "station_wish"),
        excluded=frozenset(str(number) for number in facts.get("excluded_stations") or ()),
    )
    asked = station_question(wanted, now)
    return replace(asked, then=lambda answer: asked.then(answer).as_fact())


@lookup("area_known", held=False)
def area_known(facts: Facts, actor: Actor, now: datetime) -> bool:
    return areas.exists(_text(facts, "area"))


@lookup("area_has_800", held=False)
def area_has_800(facts: Facts, actor: Actor, now: datetime) -> bool:
    """Tell whether the 800 number works in the area on this day (COM-04)."""
    return directory.current_directory().has_800(_text(facts, "area"), local_day(now))


@lookup("product_entry", held=False)
def product_entry(facts: Facts, actor: Actor, now: datetime) -> dict[str, str] | None:
    """Return the product with its line and channel (CAN-34); None when nobody knows it."""
    entry = directory.product_entry(_text(facts, "product"))
    return {"product": entry.product, "line": entry.line, "channel": entry.channel} if entry else None


@lookup("own_station", held=False)
def own_station(facts: Facts, actor: Actor, now: datetime) -> dict[str, str]:
    """Return the station of whoever acts, with its region; empty where the role has none."""
    station = current_index(now).stations.get(actor.station_no)
    return {"station_no": actor.station_no, "region": station.region if station else actor.region}


@lookup("own_seat")
def own_seat(facts: Facts, actor: Actor, now: datetime) -> dict[str, str] | None:
    """Return a seat of the acting station's own day for the order, None when none is left. Taken as any other."""
    entry, day = directory.product_entry(_text(facts, "product")), local_day(now)
    if entry is None or not seats.seats_left(actor.station_no, entry.line, day):
        return None
    return {"station_no": actor.station_no, "line": entry.line, "day": day.isoformat()}


@lookup("station_entry", held=False)
def station_entry(facts: Facts, actor: Actor, now: datetime) -> dict[str, Any] | None:
    """Return the station a coverage change is about: its region, and its head if it is a point."""
    station = current_index(now).stations.get(_text(facts, "station_no") or actor.station_no)
    return {"station_no": station.number, "region": station.region, "head": station.head} if station else None


@lookup("line_known", held=False)
def line_known(facts: Facts, actor: Actor, now: datetime) -> bool:
    entry = directory.product_entry(_text(facts, "product_line"))
    return entry is not None and entry.line == entry.product


def _text(facts: Facts, name: str) -> str:
    value = facts.get(name)
    return str(value).strip() if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
