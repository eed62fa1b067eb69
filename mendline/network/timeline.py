"""What a station had, has and will have: its coverage and capacity as rows with their days (COM-05, COM-07)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db.models import F

from mendline.network.models import STILL_MEANT, Capacity, Coverage

MOST_ROWS = 300  # of a history shown on a page; the workbook has all


@dataclass(frozen=True, slots=True)
class HeldRow:
    """One row of the history. `area` is empty for a capacity, `per_day` 0 for a coverage.

    `until` is the first day on which it no longer holds; `request` the change request that made it.
    """

    line: str
    area: str
    per_day: int
    since: date
    until: date | None
    request: str

    @property
    def is_capacity(self) -> bool:
        return not self.area

    def stands(self, today: date) -> str:
        """Return `now`, `coming` or `ended`."""
        if self.since > today:
            return "coming"
        return "ended" if self.until is not None and self.until <= today else "now"


@dataclass(frozen=True, slots=True)
class Turn:
    """Something that begins or ends on a day to come."""

    day: date
    row: HeldRow
    begins: bool


@dataclass(frozen=True, slots=True)
class Timeline:
    """Everything filed for one station, the newest first. `cut`: there is more than was read."""

    rows: list[HeldRow]
    cut: bool

    def standing(self, stands: str, today: date) -> list[HeldRow]:
        return [row for row in self.rows if row.stands(today) == stands]

    def turns(self, today: date) -> list[Turn]:
        """Return what changes from which day on, in order. One value that replaces another is said once."""
        found = [Turn(row.since, row, True) for row in self.rows if row.since > today]
        replaced = {(turn.day, turn.row.line, turn.row.area) for turn in found}
        for row in self.rows:
            if row.until is not None and row.until > today and (row.until, row.line, row.area) not in replaced:
                found.append(Turn(row.until, row, False))
        return sorted(found, key=lambda turn: (turn.day, turn.row.line, turn.row.area, turn.begins))


def timeline_of(number: str) -> Timeline:
    """Return a station's history; rows replaced before their first day mean nothing and are left out."""
    # What holds without an end comes first: a cut history loses only what ended long ago.
    newest = (F("effective_until").desc(nulls_first=True), "-effective_from", "product_line")
    coverage = Coverage.objects.filter(STILL_MEANT, station_id=number).order_by(*newest, "area")
    capacity = Capacity.objects.filter(STILL_MEANT, station_id=number).order_by(*newest)
    days = ("effective_from", "effective_until", "request")
    served = list(coverage.values_list("product_line", "area", *days)[: MOST_ROWS + 1])
    seats = list(capacity.values_list("product_line", "per_day", *days)[: MOST_ROWS + 1])
    rows = [HeldRow(line, area, 0, since, until, request) for line, area, since, until, request in served[:MOST_ROWS]]
    rows += [
        HeldRow(line, "", per_day, since, until, request) for line, per_day, since, until, request in seats[:MOST_ROWS]
    ]
    rows.sort(key=lambda row: (-row.since.toordinal(), row.line, row.area))
    return Timeline(rows, len(served) > MOST_ROWS or len(seats) > MOST_ROWS)
