"""Choosing a station with the database at hand: fresh index and loads of the day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from mendline.dispatch import seats
from mendline.dispatch.choice import Choice, Verdict, Wanted, field_of, rank
from mendline.dispatch.current import current_index, fresh_index, index_revision
from mendline.dispatch.explanations import as_stored, readable
from mendline.dispatch.seats import DayRead
from mendline.kernel.time import local_day
from mendline.network.directory import current_directory
from mendline.process.looking_up import answers_to
from mendline.process.registry import Question


@dataclass(frozen=True, slots=True)
class Found:
    """The outcome of choosing: the station (empty when none), the region in charge, and why."""

    station_no: str
    region: str
    choice: Choice
    wanted: Wanted

    def as_fact(self) -> dict[str, Any]:
        """Return the looked-up fact. `stations` is compact; `explanations.readable` makes sentences of it."""
        return {"station_no": self.station_no, "region": self.region, **as_stored(self.choice, self.wanted)}


def look_for_station(wanted: Wanted, now: datetime) -> Found:
    """Choose the station that an order of now would get; the seat is taken when the order is written."""
    [found] = answers_to([station_question(wanted, now)])
    return cast("Found", found)


def station_question(wanted: Wanted, now: datetime) -> Question:
    """Ask for what choosing needs of the database; its answer is the choice, as `Found`."""
    index = current_index(now)
    field = field_of(index, wanted)

    def choose(day: DayRead) -> Found:
        if day.revision != index_revision() and fresh_index(now) is not index:
            # The network changed since this index was built; the count came with the news at no cost.
            return look_for_station(wanted, now)
        choice = rank(field, day.loads)
        number = choice.ranked[0] if choice.ranked else ""
        region = index.stations[number].region if number else current_directory().region_of(wanted.area)
        return Found(number, region, choice, wanted)

    return seats.about_day(field.stations, wanted.line, wanted.day, choose)


def preview(area: str, product_line: str, now: datetime, *, wish: str = "") -> list[dict[str, Any]]:
    """Return the stations considered for an order of now, the one it would get first, in sentences."""
    wanted = Wanted(area, product_line, local_day(now), wish)
    return explained(look_for_station(wanted, now).as_fact(), now)


def explained(station_choice: dict[str, Any], now: datetime) -> list[dict[str, Any]]:
    """Return the `station_choice` of an order's history as sentences, with the stations' names."""
    names = {row.number: row.name for row in current_index(now).stations.values()}
    return readable(station_choice, names)


def refusals(station_choice: dict[str, Any]) -> list[Verdict]:
    """Return the verdicts of a stored choice, the closest first."""
    return [Verdict(*entry) for entry in station_choice.get("stations", ())]
