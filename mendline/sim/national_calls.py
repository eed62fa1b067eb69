"""Who calls when, from where and about what, in thirty days of a whole country.

Peaks by hour and weekday; a heat wave in the east, the middle and the south; a new notebook whose
first buyers call; callers who come again, and some who report the same trouble twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import cached_property
from itertools import accumulate
from random import Random

from mendline.kernel.time import SHANGHAI, local_day
from mendline.network import areas
from mendline.sim.demo_calls import GIVEN_NAMES, OFFICES, SURNAMES, Call
from mendline.sim.national_network import ROADS, STATIONS
from mendline.sim.national_products import SHARE_OF_LINE, a_new_models_trouble, a_trouble

DAYS = 30
BY_HOUR = {7: 1, 8: 5, 9: 13, 10: 15, 11: 11, 12: 5, 13: 6, 14: 11, 15: 11, 16: 9, 17: 6, 18: 4, 19: 3, 20: 2, 21: 1}
BY_WEEKDAY = (1.3, 1.12, 1.0, 0.98, 1.05, 0.55, 0.4)  # Monday first
HEAT_WAVE = (18, 13)  # days ago, from and until
HEAT_REGIONS = frozenset(("31", "32", "33", "34", "36", "41", "42", "43", "50", "44"))
HEAT_FACTOR = 1.8
LAUNCH = 9  # days ago
LAUNCH_FACTOR = (1.35, 1.25, 1.15, 1.1)  # the day itself and those after
OF_THE_NEW_MODEL = (0.26, 0.09)  # share of the notebook calls in those days, and afterwards
COMES_AGAIN = 0.07
REPORTS_TWICE = 0.015
PREFIXES = ("131", "135", "136", "137", "138", "139", "150", "151", "158", "159", "180", "186", "187", "188", "189")


@dataclass(frozen=True, slots=True)
class Place:
    """A day and a province to draw calls of."""

    day: date
    province: str
    days_ago: int

    @property
    def is_hot(self) -> bool:
        return HEAT_WAVE[0] >= self.days_ago >= HEAT_WAVE[1] and self.province in HEAT_REGIONS

    @property
    def since_launch(self) -> int:
        """Days since the launch; beyond the story's days it is no longer told."""
        gone = LAUNCH - self.days_ago
        return gone if 0 <= gone < len(LAUNCH_FACTOR) else -1

    @property
    def of_the_new_model(self) -> float:
        if self.days_ago > LAUNCH:
            return 0
        return OF_THE_NEW_MODEL[0] if self.since_launch >= 0 else OF_THE_NEW_MODEL[1]


@dataclass
class Calls:
    """Draws the calls of the thirty days before `now`, of some provinces or all."""

    now: datetime
    rng: Random
    provinces: Sequence[str] = tuple(STATIONS)

    def drawn(self, number: int) -> Iterator[tuple[datetime, Call]]:
        """Yield `number` calls with their moments, the earliest first."""
        places = self._places
        weights = list(accumulate(_weight(place) for place in places))
        moments = sorted(
            ((self._moment(place), place) for place in self.rng.choices(places, cum_weights=weights, k=number)),
            key=lambda drawn: drawn[0],
        )
        before: list[Call] = []
        for moment, place in moments:
            call = self._again(before) or self._a_call(place)
            before.append(call)
            yield moment, call

    @cached_property
    def _places(self) -> list[Place]:
        today = local_day(self.now)
        days = [(today - timedelta(days=ago), ago) for ago in range(DAYS, -1, -1)]
        return [Place(day, province, ago) for day, ago in days for province in self.provinces]

    def _moment(self, place: Place) -> datetime:
        """Draw the time of day; what would lie ahead of now is moved to the same hour of the day before."""
        hour = self.rng.choices(_HOURS, cum_weights=_BY_HOUR)[0]
        moment = datetime.combine(place.day, time(hour, self.rng.randrange(60), self.rng.randrange(60)), SHANGHAI)
        return moment if moment < self.now else moment - timedelta(days=1)

    def _again(self, before: list[Call]) -> Call | None:
        """Now and then somebody known calls: with another machine, or the same one once more."""
        if len(before) < 50 or self.rng.random() > COMES_AGAIN:
            return None
        if self.rng.random() < REPORTS_TWICE / COMES_AGAIN:
            return before[-self.rng.randrange(1, 40)]
        known = self.rng.choice(before)
        line = known.fault.product.split("-")[0]
        return replace(known, fault=a_trouble(self.rng, line), serial_no=self._serial(line))

    def _a_call(self, place: Place) -> Call:
        rng = self.rng
        line = rng.choices(_LINES, cum_weights=_BY_LINE)[0]
        area = self._area(place.province)
        if line == "notebook" and rng.random() < place.of_the_new_model:
            fault = a_new_models_trouble(rng)
        else:
            fault = a_trouble(rng, line, hot=place.is_hot and rng.random() < 0.55)
        building = rng.choice(OFFICES) if rng.random() < 0.6 else f"{rng.randrange(1, 30)}号楼"
        return Call(
            name=rng.choice(SURNAMES) + rng.choice(GIVEN_NAMES),
            phone=f"{rng.choice(PREFIXES)}{rng.randrange(10**7, 10**8):08d}",
            area=area,
            address=f"{rng.choice(ROADS)}{rng.randrange(1, 400)}号{building}{rng.randrange(101, 2800)}室",
            serial_no=self._serial(line),
            service_mode="send_in" if line in ("notebook", "tablet") and rng.random() < 0.55 else "on_site",
            fault=fault,
        )

    def _serial(self, line: str) -> str:
        return f"{line[0].upper()}{self.rng.choice('ABCDEFGHKM')}{self.rng.randrange(10**7, 10**8)}"

    def _area(self, province: str) -> str:
        """Draw a county: the capital is called from most, the cities after it less and less."""
        cities = areas.children(province)
        if not cities:
            return province
        place = min(int(self.rng.expovariate(4.5 / len(cities))), len(cities) - 1) if len(cities) > 1 else 0
        counties = areas.children(cities[place].code)
        return self.rng.choice(counties).code if counties else cities[place].code


def _weight(place: Place) -> float:
    weight = STATIONS[place.province] * BY_WEEKDAY[place.day.weekday()]
    if place.is_hot:
        weight *= HEAT_FACTOR
    if place.since_launch >= 0:
        weight *= LAUNCH_FACTOR[place.since_launch]
    return weight


def _summed(weights: Mapping[str, float] | Mapping[int, float]) -> list[float]:
    return list(accumulate(weights.values()))


_HOURS, _BY_HOUR = list(BY_HOUR), _summed(BY_HOUR)
_LINES, _BY_LINE = list(SHARE_OF_LINE), _summed(SHARE_OF_LINE)
