"""Searching: the page of hits, and the palette that shows them while somebody types."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse

from mendline.access.actors import OF_A_STATION
from mendline.kernel.text import Text
from mendline.orders.models import RepairOrder
from mendline.search.finding import Found, find, record_of
from mendline.search.words import LONGEST, MOST_TERMS
from mendline.web.console.palette import Entry, entries_for, narrowed
from mendline.web.console.queue_rows import Columns, rows_markup
from mendline.web.console.rows import OrderRow, order_rows
from mendline.web.console.visit import Visit, screen

IN_THE_PALETTE, ON_THE_PAGE, ENTRIES = 8, 50, 6


@dataclass(frozen=True, slots=True)
class Hit:
    """An order in the palette: its row, and the address, by which it may have been found."""

    row: OrderRow
    address: str


@screen
def search(visit: Visit) -> HttpResponse:
    """Everything that was found; a whole number opens its order at once."""
    words = _typed(visit)
    everything = visit.asked("all") == "1"
    found = find(visit.actor, words, limit=ON_THE_PAGE, everything=everything)
    if len(found.orders) == 1 and words.upper() == found.orders[0].ref:
        return HttpResponseRedirect(reverse("console:order", args=[found.orders[0].ref]))
    record = record_of(visit.actor, words) if not found.orders and words else None
    if record is not None:
        return HttpResponseRedirect(reverse("console:subject", args=[record.ref]))
    columns = Columns(station=visit.actor.role not in OF_A_STATION)
    context = {
        "searched": words,
        "found": found,
        "remarks": _remarks(found, words),
        "everything": everything,
        "with_station": columns.station,
        "drawn": rows_markup(order_rows(found.orders, visit.now), columns, visit.language),
    }
    return visit.render("console/search.html", context)


@screen
def palette(visit: Visit) -> HttpResponse:
    """The hits for what stands in the box now, with the pages and actions of that name."""
    words = _typed(visit)
    found = find(visit.actor, words, limit=IN_THE_PALETTE)
    rows = order_rows(found.orders, visit.now)
    hits = [Hit(row, order.address) for row, order in zip(rows, found.orders, strict=True)]
    entries = narrowed(entries_for(visit.actor), words, limit=ENTRIES if hits else 2 * ENTRIES)
    context = {
        "searched": words,
        "found": found,
        "hits": hits,
        "entries": _record_first(visit, words, found.orders) + entries,
        "remarks": _remarks(found, words),
        "with_station": visit.actor.role not in OF_A_STATION,
    }
    return visit.render("console/palette/hits.html", context)


def _typed(visit: Visit) -> str:
    """What was typed, a little longer than what is looked at, so that the page can say it was too long."""
    return visit.asked("q", LONGEST + 20)


def _record_first(visit: Visit, words: str, orders: list[RepairOrder]) -> list[Entry]:
    record = record_of(visit.actor, words) if words and not orders else None
    if record is None:
        return []
    label = Text(f"打开 {record.ref}", f"Open {record.ref}")
    return [Entry(label, Text("单据", "Record"), "file-text", reverse("console:subject", args=[record.ref]))]


def _remarks(found: Found, typed: str) -> list[Text]:
    """What a person should know about the hits: cut off, cut short, not understood."""
    wanted, remarks = found.wanted, []
    if found.stopped:
        remarks.append(
            Text(
                "查找用时过长，已经停下，结果可能不全；请再加一个词，例如姓名或区县。",
                "The search took too long and was stopped, so something may be missing. Add a word, such as a name.",
            )
        )
    if wanted.cut:
        remarks.append(
            Text(
                f"输入太长，只按前 {LONGEST} 个字、{MOST_TERMS} 个词查找。",
                f"That is too long: only the first {LONGEST} characters and {MOST_TERMS} words were looked for.",
            )
        )
    if wanted.too_short:
        remarks.append(
            Text(
                "“{words}”太短，没有参与查找；字母、数字至少两位。",
                "“{words}” is too short and was left out; letters and digits need two.",
            ).filled(words="、".join(wanted.too_short))
        )
    if typed and wanted.is_empty and not found.orders and not wanted.too_short:
        remarks.append(
            Text(
                "输入的内容里没有可以查找的字、字母或数字。", "There are no letters, digits or characters to look for."
            )
        )
    return remarks
