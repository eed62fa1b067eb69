"""Orders that went from station to station, and those that came back to one that had them before (CAN-02, CAN-03)."""

from __future__ import annotations

from dataclasses import dataclass

from mendline.figures.asking import BASES, Question
from mendline.figures.facts import THEN
from mendline.figures.measures import COUNTS
from mendline.figures.reckoning import rows_of

MOST_ROUTES = 50
_ROUTES = f"""
    SELECT f.stations, f.handovers, f.came_back, count(*), count(*) FILTER (WHERE f.ended_on IS NULL)
    FROM figures_orderfact f
    WHERE {{narrowed}} AND {BASES["reported"]} AND {COUNTS["handed_over"].condition}
    GROUP BY 1, 2, 3 ORDER BY f.came_back DESC, count(*) DESC, f.handovers DESC, f.stations LIMIT {MOST_ROUTES + 1}
"""


@dataclass(frozen=True, slots=True)
class RouteRow:
    """One way from station to station, and how many orders went it. Loops come first."""

    key: str
    stations: tuple[str, ...]
    handovers: int
    came_back: bool
    orders: int
    open: int


def routes(question: Question) -> list[RouteRow]:
    """Return the routes of the orders reported in the period, loops first, then by how many; at most 51."""
    return [
        RouteRow(stations, tuple(stations.split(THEN)), handovers, came_back, orders, still_open)
        for stations, handovers, came_back, orders, still_open in rows_of(_ROUTES, question)
    ]
