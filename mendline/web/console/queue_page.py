"""The queue: orders by their next deadline, narrowed by what stands in the address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpResponse

from mendline.access.actors import OF_A_STATION
from mendline.kernel.text import Text
from mendline.orders.queries import OPEN, OrderFilters
from mendline.orders.queue import COUNTED, queue_page, standing
from mendline.process.loading import latest
from mendline.web.console.queue_rows import Columns
from mendline.web.console.rows import order_rows
from mendline.web.console.visit import Visit, screen

PROCESS = "unified_repair"


@dataclass(frozen=True, slots=True)
class Tile:
    """A count that narrows the list when it is chosen."""

    label: Text
    number: str  # empty where it is not counted
    filters: str
    active: bool
    alarm: bool = False


@screen
def queue(visit: Visit) -> HttpResponse:
    """Orders, what is due next first; every filter stands in the address."""
    asked = visit.asked
    states = tuple(state for state in asked("state").split(",") if state in latest(PROCESS).states)
    filters = OrderFilters(
        states=states,
        station_no=asked("station", 12),
        overdue_at=visit.now if asked("breached") else None,
        assignee_id=visit.actor.person_id if asked("mine") else None,
        category=asked("show") if asked("show") in ("open", "ended", "all") else "open",
    )
    page = queue_page(visit.actor, filters, after=_after(asked("after")))
    context = {
        "rows": order_rows(page.rows, visit.now),
        "next_after": f"{page.next_after[0]}~{page.next_after[1]}" if page.next_after else "",
        "filters": filters,
        "columns": Columns(station=visit.actor.role not in OF_A_STATION),
    }
    if visit.by_htmx and asked("after"):
        return visit.render("console/queue/rows.html", context)
    return visit.render("console/queue/page.html", {**context, "tiles": _tiles(visit, filters)})


def _tiles(visit: Visit, filters: OrderFilters) -> list[Tile]:
    counted = standing(visit.actor, visit.now)
    more = "+" if counted.is_more else ""
    late = f"{counted.late}{more if counted.late == COUNTED else ''}"
    tiles = [
        Tile(Text("全部在途", "All open"), f"{counted.open}{more}", "?", filters == OrderFilters()),
        Tile(Text("已超时", "Breached"), late, "?breached=1", filters.overdue_at is not None, alarm=counted.late > 0),
    ]
    for name, state in latest(PROCESS).states.items():
        number = counted.by_state.get(name, 0)
        if number or (counted.is_more and state.category in OPEN):
            shown = "" if counted.is_more else str(number)
            tiles.append(Tile(state.label, shown, f"?state={name}", filters.states == (name,)))
    return tiles


def _after(text: str) -> tuple[str, int] | None:
    """The key of the last row of the page before; whatever does not look like one begins at the first page."""
    key, _, row_id = text.rpartition("~")
    if not row_id.isdigit() or len(row_id) > 18:
        return None
    try:
        if key and datetime.fromisoformat(key).tzinfo is None:
            return None
    except ValueError:
        return None
    return key, int(row_id)
