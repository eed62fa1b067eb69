"""A crowd: on one day the same thing breaks for many people in one place, more than those nearest can take."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from mendline.sim.ground.cast import Cast
from mendline.sim.ground.oracle.plain import day_of
from mendline.sim.ground.oracle.stations import Seats

LEVELS = (6, 4, 2)  # digits of the area codes that stations cover, the finest first
MOST = 40  # people: a burst water main, not an earthquake
PLACES = 12  # how many areas are looked at for one that is easily overrun


@dataclass(slots=True)
class Crowd:
    """Who reports on the second day of a run, and what. Without it no day of the small world is ever full."""

    cast: Cast
    came: int = 0
    _what: dict[str, str] = field(default_factory=dict)

    def drawn_in(self, label: str, moment: datetime) -> dict[str, str]:
        """Return what this report has in common with the crowd's; empty when it is not one of them."""
        its_day = day_of(self.cast.stage.time.start) + timedelta(days=1)
        joins = self.cast.mood.is_so("crowd", self.cast.rng(f"crowd {label}"))
        if not joins or day_of(moment) != its_day or self.came >= MOST:
            return {}
        self.came += 1
        if not self._what:
            self._what = self._easily_overrun(self.cast.rng("crowd"), moment)
        return self._what

    def _easily_overrun(self, rng: Random, moment: datetime) -> dict[str, str]:
        """Return an area and a product with few seats nearby, and somebody further off who could help out."""
        network, seats = self.cast.network, self.cast.stage.oracle.seats
        areas = sorted(set(network.areas))
        products = {line: product for product, line in sorted(network.lines.items()) if line in network.served}
        found = [
            (least, area, line)
            for area in rng.sample(areas, min(PLACES, len(areas)))
            for line in sorted(products)
            if (least := _seats_nearby(seats, area, line, moment)) is not None
        ]
        if not found:
            return {}
        _, area, line = min(found)
        return {"area": area, "product": products[line]}


def _seats_nearby(seats: Seats, area: str, line: str, moment: datetime) -> int | None:
    """Return the seats of the day with the finest coverage; None when nobody further off covers it as well."""
    covering = [found for level in LEVELS if (found := seats.at(area[:level], line, day_of(moment)))]
    if len(covering) < 2 or covering[1] <= covering[0]:
        return None
    return sum(seats.left(station, line, day_of(moment)) for station in covering[0])
