"""What stands in the address of the queue: the filters, read and written in one way, so that a view can be kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlencode

from mendline.access.actors import Actor
from mendline.orders.queries import OrderFilters
from mendline.process.loading import latest

PROCESS = "unified_repair"
RANGES = ("open", "ended", "all")


@dataclass(frozen=True, slots=True)
class QueueAddress:
    """The filters by their names in the address. What an address says beyond them is ignored."""

    states: tuple[str, ...] = ()
    station: str = ""
    breached: bool = False
    mine: bool = False
    show: str = "open"

    def filters(self, actor: Actor, now: datetime) -> OrderFilters:
        return OrderFilters(
            states=self.states,
            station_no=self.station,
            overdue_at=now if self.breached else None,
            assignee_id=actor.person_id if self.mine else None,
            category=self.show,
        )

    @property
    def query(self) -> str:
        """Return the filters as they stand after the `?`; the same filters always give the same text."""
        pairs = {
            "show": self.show if self.show != "open" else "",
            "state": ",".join(sorted(self.states)),
            "breached": "1" if self.breached else "",
            "mine": "1" if self.mine else "",
            "station": self.station,
        }
        return urlencode({name: value for name, value in pairs.items() if value}, safe=",")

    def but(self, **changed: object) -> str:
        """Return the address of the queue with some filters changed."""
        query = replace(self, **changed).query  # type: ignore[arg-type]
        return f"?{query}" if query else "?"


def read_address(given: Mapping[str, str]) -> QueueAddress:
    """Read the filters; an address edited by hand narrows nothing by what it does not spell right."""

    def asked(name: str, longest: int = 20) -> str:
        return given.get(name, "").strip()[:longest].replace("\x00", "")

    known = latest(PROCESS).states
    show = asked("show")
    return QueueAddress(
        states=tuple(dict.fromkeys(state for state in asked("state", 300).split(",") if state in known)),
        station=asked("station", 12),
        breached=bool(asked("breached")),
        mine=bool(asked("mine")),
        show=show if show in RANGES else "open",
    )
