"""What waits for the region: requests to judge, late orders, orders without a station; and what a station asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpResponse

from mendline.dispatch.choosing import explained
from mendline.journal.models import Entry
from mendline.kernel.errors import NotVisible
from mendline.kernel.text import Text
from mendline.network.models import Station
from mendline.orders import queries
from mendline.orders.breaches import MOST, Breach, breaches, count_late
from mendline.orders.models import RepairOrder
from mendline.orders.queries import OrderFilters
from mendline.web.console.chips import Chip, chip_of_due, span
from mendline.web.console.creating import creations_for
from mendline.web.console.late_words import OWNERS
from mendline.web.console.next_step import next_step
from mendline.web.console.rows import OrderRow, order_row, record_rows
from mendline.web.console.shell import JUDGES
from mendline.web.console.visit import Visit, screen


@dataclass(frozen=True, slots=True)
class Tab:
    """One kind of work in the region's inbox."""

    code: str
    label: Text
    count: int
    more: bool = False  # there are more than were counted
    alarm: bool = False


# What waits for a verdict, by tab; late orders and those without a station are no records and come beside them.
INBOX = {
    "requests": (Text("撤单请求", "Cancellation requests"), ("cancellation_request",)),
    "situations": (Text("特殊情况", "Special situations"), ("special_situation",)),
    "coverage": (Text("产能与覆盖变更", "Coverage changes"), ("coverage_change",)),
    "documents": (Text("流程文件", "Procedure documents"), ("procedure_document", "parameter_change")),
}
EMPTY = {
    "requests": Text(
        "维修站申请撤单后，会带着判断时限出现在这里；同意、改派或不同意，一次点击办完。",
        "When a station asks to cancel, its request appears here with its limit. One click gives the verdict.",
    ),
    "situations": Text(
        "用户不同意服务方案、承诺次数用完时，维修站会提交特殊情况说明表，由大区判断。",
        "When a user refuses the plan or no promise is left, the station files a special situation for you to decide.",
    ),
    "coverage": Text(
        "维修站申请调整覆盖区域或产能时，会出现在这里。",
        "Stations' requests to change their coverage or capacity appear here.",
    ),
    "documents": Text("待复核、批准的流程文件会出现在这里。", "Procedure documents to review or approve appear here."),
}
UNDISPATCHED = Text("待派单", "Undispatched")
LATE = Text("超时清单", "Breached")
OF_A_STATION_INBOX = ("cancellation_request", "special_situation", "part_order", "coverage_change")


@dataclass(frozen=True, slots=True)
class LateRow:
    """One breach in the list."""

    ref: str
    chip: Chip | None
    clock: Text
    late: Text
    rules: tuple[str, ...]
    state: Text
    category: str
    station_no: str
    owner: Text
    next_step: Text
    fault: str


@dataclass(frozen=True, slots=True)
class Group:
    """A number of breaches that belong together; choosing it narrows the list."""

    code: str
    label: Text
    count: int


@dataclass(frozen=True, slots=True)
class StandingOrder:
    """An order that found no station, and what came closest."""

    row: OrderRow
    nearest: dict[str, Any] | None
    tried: int


@screen
def inbox(visit: Visit) -> HttpResponse:
    """What waits for the region, one kind of work at a time; the first kind that has any is open."""
    if visit.actor.role not in JUDGES:
        raise NotVisible
    undispatched = queries.page_of_orders(visit.actor, filters=OrderFilters(states=("undispatched",)))
    late = count_late(visit.actor, visit.now)
    lists = {code: queries.inbox_of_records(visit.actor, processes) for code, (_, processes) in INBOX.items()}
    tabs = [Tab(code, label, len(lists[code]), len(lists[code]) == queries.PAGE) for code, (label, _) in INBOX.items()]
    tabs[1:1] = [
        Tab("late", LATE, min(late, MOST), late > MOST, alarm=late > 0),
        Tab("undispatched", UNDISPATCHED, len(undispatched.rows), undispatched.next_after is not None),
    ]
    chosen = visit.asked("tab")
    if chosen not in {tab.code for tab in tabs}:
        chosen = next((tab.code for tab in tabs if tab.count), "requests")
    context: dict[str, Any] = {"tabs": tabs, "chosen": chosen, "creations": creations_for(visit.actor, None)}
    if chosen == "late":
        context |= _late(visit)
    elif chosen == "undispatched":
        context["standing"] = _standing(undispatched.rows, visit.now)
    else:
        context |= {"records": record_rows(lists[chosen], visit.now), "then": EMPTY[chosen]}
    return visit.render("console/inbox.html", context)


@screen
def requests(visit: Visit) -> HttpResponse:
    """What a station asked for and what became of it."""
    records = queries.inbox_of_records(visit.actor, OF_A_STATION_INBOX)
    context = {"records": record_rows(records, visit.now), "creations": creations_for(visit.actor, None)}
    return visit.render("console/requests.html", context)


def _late(visit: Visit) -> dict[str, Any]:
    late = breaches(visit.actor, visit.now)
    clock, station = visit.asked("clock", 40), visit.asked("station", 12)
    shown = [
        breach
        for breach in late.found
        if clock in ("", breach.clock.name) and (not station or breach.order.station_no == station)
    ]
    labels = {breach.clock.name: breach.clock.label for breach in late.found}
    names = dict(Station.objects.filter(number__in=late.count_by_station()).values_list("number", "name"))
    return {
        "late": [_late_row(breach, visit.now) for breach in shown],
        "clocks": [Group(name, labels[name], count) for name, count in late.count_by_clock().items()],
        "stations": [
            Group(number, Text(f"{number} {names.get(number, '')}", f"{number} {names.get(number, '')}"), count)
            for number, count in late.count_by_station().items()
            if number
        ],
        "clock": clock,
        "station": station,
        "is_cut": late.is_cut,
    }


def _late_row(breach: Breach, now: datetime) -> LateRow:
    order = breach.order
    owner = OWNERS[breach.clock.responsible]
    if breach.clock.responsible == "station" and order.station_no:
        owner = Text(f"{owner.zh} {order.station_no}", f"station {order.station_no}")
    return LateRow(
        ref=order.ref,
        chip=chip_of_due(breach.due_at, order.created_at, now),
        clock=breach.clock.label,
        late=span(now - breach.due_at),
        rules=breach.clock.rules,
        state=breach.process.states[order.state].label,
        category=order.category,
        station_no=order.station_no,
        owner=owner,
        next_step=next_step(breach.process, order.state),
        fault=order.fault,
    )


def _standing(orders: Iterable[RepairOrder | Any], now: datetime) -> list[StandingOrder]:
    rows = [order_row(order, now) for order in orders]
    choices: dict[str, dict[str, Any]] = {}
    for entry in Entry.objects.filter(subject__in=[row.ref for row in rows]).order_by("id"):
        if "station_choice" in entry.data:
            choices[entry.subject] = entry.data["station_choice"]
    found: list[StandingOrder] = []
    for row in rows:
        choice = choices.get(row.ref)
        considered = explained(dict(choice), now) if choice and "stations" in choice else []
        found.append(StandingOrder(row, considered[0] if considered else None, len(considered)))
    return found
