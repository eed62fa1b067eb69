"""The queue: orders by their next deadline, narrowed by what stands in the address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpResponse

from mendline.journal.feed import newest_entry
from mendline.kernel.text import Text
from mendline.orders.queries import OPEN
from mendline.orders.queue import COUNTED, queue_page, standing
from mendline.process.loading import latest
from mendline.web.console.queue_actions import actions_for, columns_for
from mendline.web.console.queue_address import PROCESS, QueueAddress, read_address
from mendline.web.console.rows import order_rows
from mendline.web.console.saved_views import tabs_of
from mendline.web.console.visit import Visit, screen
from mendline.web.live.tickets import listening_for


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
    address = read_address(visit.request.GET.dict())
    filters = address.filters(visit.actor, visit.now)
    after = visit.asked("after")
    heard_to = newest_entry()  # before the rows are read: what happens meanwhile is told again, and nothing is missed
    page = queue_page(visit.actor, filters, after=_after(after))
    context = {
        "rows": order_rows(page.rows, visit.now),
        "next_after": f"{page.next_after[0]}~{page.next_after[1]}" if page.next_after else "",
        "columns": columns_for(visit.actor),
    }
    if visit.by_htmx and after:
        return visit.render("console/queue/rows.html", context)
    context |= {
        "address": address,
        "tiles": _tiles(visit, address),
        "views": tabs_of(visit, address),
        "actions": actions_for(visit.actor),
        "live": listening_for(visit.actor, heard_to),
    }
    return visit.render("console/queue/page.html", context)


def _tiles(visit: Visit, address: QueueAddress) -> list[Tile]:
    counted = standing(visit.actor, visit.now)
    more = "+" if counted.is_more else ""
    late = f"{counted.late}{more if counted.late == COUNTED else ''}"
    tiles = [
        Tile(Text("全部在途", "All open"), f"{counted.open}{more}", "?", address == QueueAddress()),
        Tile(Text("已超时", "Breached"), late, "?breached=1", address.breached, alarm=counted.late > 0),
    ]
    for name, state in latest(PROCESS).states.items():
        number = counted.by_state.get(name, 0)
        if number or (counted.is_more and state.category in OPEN):
            shown = "" if counted.is_more else str(number)
            tiles.append(Tile(state.label, shown, f"?state={name}", address.states == (name,)))
    return tiles


def _after(text: str) -> tuple[str, int] | None:
    """The key of the last row of the page before; whatever does not look like one begins at the first page."""
    key, _, row_id = text.rpartition("~")
    if not row_id.isdecimal() or len(row_id) > 18:
        return None
    try:
        if key and datetime.fromisoformat(key).tzinfo is None:
            return None
    except ValueError:
        return None
    return key, int(row_id)
