"""Which station gets the order, and why not the others. Pure: an index and the day's loads in, a choice out.

First what must hold: the station works in CC-WEB (STN-01), is a head station (STN-18: a point's
coverage counts for its head), is active, covers the area and the line on that day, has capacity
left (COM-10) and is not one the order was just taken from (CAN-02). Of those that pass, only the
ones with the most specific coverage compete: a county's station beats the city's, the city's the
province's. Among them a score decides, and on equal score the lower station number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, TypeAlias

from mendline.dispatch.index import LEVELS, NEUTRAL, Index, Service, StationRow

# What makes one station better than another; each part goes from 0 to 100, the score to 10,000.
WEIGHT_CAPACITY_LEFT = 40  # share of the day's capacity that is left: spreads the day's orders
WEIGHT_NEARNESS = 30  # digits that the station's own area and the order's have in common
WEIGHT_ON_TIME = 20  # contacts in time over 30 days
WEIGHT_OPEN_LOAD = 10  # open orders against what the station takes in a week
OPEN_DAYS = 7
LEVEL_STEP = 100_000  # above the highest score
MOST_EXPLAINED = 12
MOST_FIELDS_KEPT = 8_192

Loads: TypeAlias = Mapping[str, tuple[int, int]]  # station → (seats taken, capacity) of the day, where it was opened


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an order asks of a station. `day` is Shanghai-local; `wish` names a station, `excluded` rules some out."""

    area: str
    line: str
    day: date
    wish: str = ""
    excluded: frozenset[str] = frozenset()


class Verdict(NamedTuple):
    """What choosing says about one station. `outcome` is a key of `explanations.OUTCOMES`.

    `level` is the length of the area code it covers; `via` the point that covers; `left` the seats
    left of `per_day`.
    """

    station: str
    outcome: str
    level: int = 0
    via: str = ""
    left: int = 0
    per_day: int = 0
    score: int = 0


class Choice(NamedTuple):
    """`ranked` may be tried in this order; empty when no station passes. `verdicts` explains, the best first."""

    ranked: tuple[str, ...]
    verdicts: tuple[Verdict, ...]

    @property
    def refusal(self) -> Verdict | None:
        """Why there is none: the verdict that came closest; None when a station was found or none is known at all."""
        return None if self.ranked or not self.verdicts else self.verdicts[0]


class Candidate(NamedTuple):
    """A head station that passes everything but the count of the day.

    `base` is its score without the share of capacity left, the only part that changes with every order.
    """

    number: str
    level: int
    via: str  # the point that covers, or empty
    per_day: int
    base: int


class Field(NamedTuple):
    """Who competes, and who was refused before any count was read."""

    candidates: tuple[Candidate, ...]
    refused: tuple[Verdict, ...]

    @property
    def stations(self) -> list[str]:
        """Whose loads are needed."""
        return [candidate[0] for candidate in self.candidates]


def choose(index: Index, wanted: Wanted, loads: Loads) -> Choice:
    """Choose among the stations of the index. A station without an entry in `loads` has its whole day left."""
    return rank(field_of(index, wanted), loads)


def field_of(index: Index, wanted: Wanted) -> Field:
    """Return who may compete for the order: with a wish the wished station alone.

    Without a wish or an exclusion the answer is kept with the index; the next order of the same
    area, line and day finds it there.
    """
    if wanted.wish or wanted.excluded:
        return _field_of(index, wanted)
    key = (wanted.line, wanted.area, wanted.day.toordinal())
    kept: Field | None = index.fields.get(key)
    if kept is None:
        kept = _field_of(index, wanted)
        if len(index.fields) >= MOST_FIELDS_KEPT:
            index.fields.clear()
        index.fields[key] = kept
    return kept


def _field_of(index: Index, wanted: Wanted) -> Field:
    if wanted.wish:
        verdict = _ruled_out(index, wanted, wanted.wish)
        if verdict is not None:
            return Field((), (verdict,))
    candidates: dict[str, Candidate] = {}
    refused: dict[str, Verdict] = {}
    for level, outlet, head, service in _serving(index, wanted):
        number, via = head.number, "" if outlet is head else outlet.number
        known = candidates.get(number)
        if known is not None and known.level > level:
            continue
        outcome = _standing_in_the_way(index, wanted, outlet, head, service)
        if outcome:
            refused.setdefault(number, Verdict(number, outcome, level, via))
            continue
        per_day = index.per_day(number, wanted.line, wanted.day.toordinal())
        if not per_day:
            refused[number] = Verdict(number, "no_capacity", level, via)
            continue
        base = _base_score(index, number, _digits_in_common(outlet.area, wanted.area), per_day)
        if known is None or base > known.base:
            candidates[number] = Candidate(number, level, via, per_day, base)
    found = tuple(verdict for number, verdict in refused.items() if number not in candidates)
    if not candidates and not found:
        found = _near_misses(index, wanted)
    return Field(tuple(candidates.values()), found)


def _serving(index: Index, wanted: Wanted) -> Iterator[tuple[int, StationRow, StationRow, Service]]:
    """Yield (level, outlet, its head, service) for whoever serves the line there, the most specific first."""
    stations = index.stations
    for level in LEVELS:
        if level > len(wanted.area):
            continue
        for service in index.served.get((wanted.line, wanted.area[:level]), ()):
            outlet = stations.get(service.station)
            if outlet is None:
                continue
            head = stations.get(outlet.head, outlet) if outlet.head else outlet
            if not wanted.wish or head.number == wanted.wish:
                yield level, outlet, head, service


def rank(field: Field, loads: Loads) -> Choice:
    """Order the candidates by specificity, score and number, given the seats taken today."""
    passing: list[tuple[int, str, Candidate, int, int]] = []
    full: list[Verdict] = []
    for candidate in field.candidates:
        number, level, via, per_day, base = candidate
        load = loads.get(number)
        taken, capacity = load if load is not None else (0, per_day)
        left = capacity - taken
        if left > 0:
            # One number to sort by: a level outweighs any score.
            weight = level * LEVEL_STEP + base + WEIGHT_CAPACITY_LEFT * (100 * left // capacity)
            passing.append((-weight, number, candidate, left, capacity))
        else:
            full.append(Verdict(number, "full", level, via, 0, capacity))
    passing.sort()
    best_level = passing[0][2].level if passing else 0
    verdicts = [
        # Stations of a coarser level are tried only when the last seat of every finer one is gone meanwhile.
        Verdict(
            number, "eligible" if candidate[1] == best_level else "less_specific",
            candidate[1], candidate[2], left, capacity, -weight % LEVEL_STEP,
        )
        for weight, number, candidate, left, capacity in passing[:MOST_EXPLAINED]
    ]  # fmt: skip
    if verdicts:
        verdicts[0] = verdicts[0]._replace(outcome="chosen")
    ranked = tuple([entry[1] for entry in passing])
    return Choice(ranked, (*verdicts, *full, *field.refused)[:MOST_EXPLAINED])


def _standing_in_the_way(index: Index, wanted: Wanted, outlet: StationRow, head: StationRow, service: Service) -> str:
    """Return the outcome that rules the station out, or nothing."""
    day = wanted.day.toordinal()
    if head.number in wanted.excluded:
        return "excluded"
    if head.head:
        return "point"
    if not head.works_in_cc_web:
        return "not_cc_web"
    if not head.is_active(day) or not outlet.is_active(day):
        return "inactive"
    if day < service.since:
        return "not_yet"
    return "" if day < service.until else "ended"


def _base_score(index: Index, number: str, near: int, per_day: int) -> int:
    """Return what nearness, punctuality and open work are worth; `near` counts digits in common."""
    _, on_time_percent, open_orders = index.standings.get(number, NEUTRAL)
    relief = max(0, 100 - 100 * open_orders // (per_day * OPEN_DAYS))
    return WEIGHT_NEARNESS * (100 * near // 6) + WEIGHT_ON_TIME * on_time_percent + WEIGHT_OPEN_LOAD * relief


def _ruled_out(index: Index, wanted: Wanted, number: str) -> Verdict | None:
    """Return why a named station cannot be considered at all, before its coverage and load are looked at."""
    station = index.stations.get(number)
    if station is None:
        return Verdict(number, "unknown")
    if station.head:
        return Verdict(number, "point", via=station.head)
    outlets = (number, *index.points.get(number, ()))
    keys = {key for outlet in outlets for key in index.keys_of.get(outlet, ())}
    areas = {wanted.area[:level] for level in LEVELS if level <= len(wanted.area)}
    if any((wanted.line, area) in keys for area in areas):
        return None
    return Verdict(number, "other_line" if any(area in areas for _, area in keys) else "other_area")


def _near_misses(index: Index, wanted: Wanted) -> tuple[Verdict, ...]:
    """Return stations that serve the area for other lines: what a region could widen."""
    found: dict[str, Verdict] = {}
    for level in LEVELS:
        if level > len(wanted.area):
            continue
        for line in index.lines:
            for service in index.served.get((line, wanted.area[:level]), ()):
                outlet = index.stations.get(service.station)
                if outlet is not None:
                    number = outlet.head or outlet.number
                    found.setdefault(number, Verdict(number, "other_line", level))
                if len(found) >= MOST_EXPLAINED:
                    return tuple(found.values())
    return tuple(found.values())


def _digits_in_common(own: str, wanted: str) -> int:
    """Return how many digits two area codes share, in steps of two: 6 the same county, 0 another province."""
    for length in LEVELS:
        if own[:length] == wanted[:length] and len(own) >= length and len(wanted) >= length:
            return length
    return 0
