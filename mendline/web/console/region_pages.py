"""What waits for the region, and what a station asked for."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpResponse

from mendline.kernel.errors import NotVisible
from mendline.kernel.text import Text
from mendline.orders import queries
from mendline.orders.queries import OrderFilters
from mendline.web.console.creating import creations_for
from mendline.web.console.rows import order_rows, record_rows
from mendline.web.console.shell import JUDGES
from mendline.web.console.visit import Visit, screen


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
