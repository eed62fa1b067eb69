"""Rows of the calendar of seats, as the page of one station and that of all show them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.urls import reverse

from mendline.dispatch.seat_changes import may_ask
from mendline.kernel.text import Text
from mendline.network.day_seats import DaySeats
from mendline.network.models import ProductLine, Station
from mendline.web.console.visit import Visit

DAY_WORDS = {
    "workday": Text("", ""),
    "weekend": Text("周末", "Weekend"),
    "holiday": Text("节假日", "Holiday"),
    "make_up": Text("调休上班", "Make-up workday"),
}
LEVEL_WORDS = {
    "none": Text("未登记产能", "no capacity filed"),
    "closed": Text("不接单", "closed"),
    "full": Text("已满", "full"),
    "filling": Text("快满", "filling up"),
    "free": Text("有余量", "free"),
}


@dataclass(frozen=True, slots=True)
class SeatCell:
    """One day of one station and line."""

    seats: DaySeats
    words: Text
    href: str  # to other seats for this day; empty where this person may not ask

    @property
    def kind(self) -> str:
        return self.seats.level


@dataclass(frozen=True, slots=True)
class SeatRow:
    """A station's days for one product line."""

    station: Station
    line: str
    line_name: Text
    cells: list[SeatCell]


def line_names() -> dict[str, Text]:
    return {line.code: Text(line.name_zh, line.name_en) for line in ProductLine.objects.order_by("code")}


def seat_rows(
    visit: Visit,
    seats: Mapping[tuple[str, str], list[DaySeats]],
    stations: Mapping[str, Station],
    names: Mapping[str, Text],
) -> list[SeatRow]:
    """Return a row for every station and line that has seats at all."""
    asks = may_ask(visit.actor)
    found = []
    for (number, line), days in seats.items():
        address = reverse("console:change_seats", args=[number, line]) if asks else ""
        cells = [
            SeatCell(day, LEVEL_WORDS[day.level], f"{address}?first={day.day.day.isoformat()}" if asks else "")
            for day in days
        ]
        found.append(SeatRow(stations[number], line, names.get(line, Text(line, line)), cells))
    return found
