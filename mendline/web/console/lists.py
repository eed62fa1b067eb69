"""Lists people work from: orders by deadline, the region's inbox, callbacks, notices, and what a search found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse

from mendline.access.actors import OF_A_STATION
from mendline.kernel.errors import NotVisible
from mendline.kernel.text import Text
from mendline.orders import queries
from mendline.orders.queries import OrderFilters
from mendline.process.loading import latest
from mendline.web.console.creating import creations_for
from mendline.web.console.rows import order_rows, record_rows
from mendline.web.console.shell import CALLS_BACK, JUDGES
from mendline.web.console.visit import Visit, screen

PROCESS = "unified_repair"


@dataclass(frozen=True, slots=True)
class Tile:
    """A count that narrows the list when it is chosen."""

    label: Text
    number: int
    filters: str
    active: bool
    alarm: bool = False


@dataclass(frozen=True, slots=True)
class Tab:
    """One kind of work in the region's inbox."""

    code: str
    label: Text
    count: int


# What waits for a verdict, by tab; the orders without a station are no records and come beside them.
INBOX = {
    "requests": (Text("撤单请求", "Cancellation requests"), ("cancellation_request",)),
    "situations": (Text("特殊情况", "Special situations"), ("special_situation",)),
    "coverage": (Text("产能与覆盖变更", "Coverage changes"), ("coverage_change",)),
    "documents": (Text("流程文件", "Procedure documents"), ("procedure_document",)),
}
UNDISPATCHED = Text("待派单", "Undispatched")
OF_A_STATION_INBOX = ("cancellation_request", "special_situation", "part_order", "coverage_change")


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
    page = queries.page_of_orders(visit.actor, filters=filters, after=_after(asked("after")))
    context = {
        "rows": order_rows(page.rows, visit.now),
        "next_after": f"{page.next_after[0]}~{page.next_after[1]}" if page.next_after else "",
        "filters": filters,
        "with_station": visit.actor.role not in OF_A_STATION,
    }
    if visit.by_htmx and asked("after"):
        return visit.render("console/queue/rows.html", context)
    return visit.render("console/queue/page.html", {**context, "tiles": _tiles(visit, filters)})


@screen
def inbox(visit: Visit) -> HttpResponse:
    """What waits for the region: requests to judge, orders without a station."""
    if visit.actor.role not in JUDGES:
        raise NotVisible
    chosen = visit.asked("tab") or "requests"
    undispatched = queries.page_of_orders(visit.actor, filters=OrderFilters(states=("undispatched",)))
    lists = {code: queries.inbox_of_records(visit.actor, processes) for code, (_, processes) in INBOX.items()}
    tabs = [Tab(code, label, len(lists[code])) for code, (label, _) in INBOX.items()]
    tabs.insert(1, Tab("undispatched", UNDISPATCHED, len(undispatched.rows)))
    context = {
        "tabs": tabs,
        "chosen": chosen if chosen in lists or chosen == "undispatched" else "requests",
        "records": record_rows(lists.get(chosen, []), visit.now),
        "rows": order_rows(undispatched.rows, visit.now) if chosen == "undispatched" else [],
        "creations": creations_for(visit.actor, None),
    }
    return visit.render("console/inbox.html", context)


@screen
def requests(visit: Visit) -> HttpResponse:
    """What a station asked for and what became of it."""
    records = queries.inbox_of_records(visit.actor, OF_A_STATION_INBOX)
    context = {"records": record_rows(records, visit.now), "creations": creations_for(visit.actor, None)}
    return visit.render("console/requests.html", context)


@screen
def callbacks(visit: Visit) -> HttpResponse:
    """Closed orders whose user is still to be called (STN-48)."""
    if visit.actor.role not in CALLS_BACK:
        raise NotVisible
    records = queries.inbox_of_records(visit.actor, ("callback",))
    return visit.render("console/callbacks.html", {"records": record_rows(records, visit.now)})


@screen
def notices(visit: Visit) -> HttpResponse:
    """The in-app inbox of this role; opening it marks everything as seen."""
    before = visit.asked("before", 18)
    found = queries.notices_for(visit.actor, before_id=int(before) if before.isdigit() else None)
    unseen = queries.count_unseen_notices(visit.actor)
    queries.mark_notices_seen(visit.actor)
    context = {
        "notices": found,
        "fresh": unseen,
        "more": len(found) == queries.PAGE,
        "last_id": found[-1].pk if found else 0,
    }
    return visit.render("console/notices.html", context)


@screen
def search(visit: Visit) -> HttpResponse:
    """Find by number, telephone, name or serial number; a single hit opens at once."""
    words = visit.asked("q", 80)
    found = queries.search(visit.actor, words) if words else []
    if len(found) == 1 and words.upper() == found[0].ref:
        return HttpResponseRedirect(reverse("console:order", args=[found[0].ref]))
    context = {
        "searched": words,
        "rows": order_rows(found, visit.now),
        "with_station": visit.actor.role not in OF_A_STATION,
    }
    return visit.render("console/search.html", context)


def _tiles(visit: Visit, filters: OrderFilters) -> list[Tile]:
    counted = queries.count_by_state(visit.actor)
    late = queries.count_overdue(visit.actor, visit.now)
    process = latest(PROCESS)
    tiles = [
        Tile(Text("全部在途", "All open"), sum(counted.values()), "?", filters == OrderFilters()),
        Tile(Text("已超时", "Breached"), late, "?breached=1", filters.overdue_at is not None, alarm=late > 0),
    ]
    for name, state in process.states.items():
        if counted.get(name):
            tiles.append(Tile(state.label, counted[name], f"?state={name}", filters.states == (name,)))
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
