"""The orders behind a number, page by page, the newest first. A page is found by key, never by counting."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from mendline.figures.asking import BASES, Basis, Question
from mendline.figures.measures import COUNTS
from mendline.figures.reckoning import rows_of
from mendline.kernel.errors import Invalid
from mendline.kernel.numbers import whole_number
from mendline.kernel.text import Text
from mendline.orders.models import RepairOrder
from mendline.orders.queries import LIST_COLUMNS

PAGE = 50
_LISTED = """
    SELECT f.order_id, {day} FROM figures_orderfact f
    WHERE {narrowed} AND {basis} AND {condition} {after} ORDER BY {day} DESC, f.order_id DESC LIMIT %(limit)s
"""
_COUNTED = "SELECT count(*) FROM figures_orderfact f WHERE {narrowed} AND {basis} AND {condition}"


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of orders; `after` is where the next begins, empty on the last."""

    orders: list[RepairOrder]
    after: str


def count_of(question: Question, which: str, basis: Basis = "reported") -> int:
    """Count the orders that a number is made of. `which` is a name of `COUNTS`."""
    statement = _COUNTED.replace("{basis}", BASES[basis]).replace("{condition}", COUNTS[which].condition)
    return int(rows_of(statement, question)[0][0])


def page_of(question: Question, which: str, basis: Basis = "reported", *, after: str = "", limit: int = PAGE) -> Listed:
    """Return the orders that a number is made of.

    Raises:
        Invalid: `after` is not the `after` of a page before.
    """
    day = "f.ended_on" if basis == "ended" else "f.reported_on"
    bound: dict[str, object] = {"limit": limit + 1}
    key = ""
    if after:
        bound["day"], bound["order"] = _read(after)
        key = f"AND {day} <= %(day)s AND ({day} < %(day)s OR f.order_id < %(order)s)"
    statement = _LISTED.replace("{basis}", BASES[basis]).replace("{condition}", COUNTS[which].condition)
    rows = rows_of(statement.replace("{day}", day).replace("{after}", key), question, **bound)
    kept = rows[:limit]
    ids = [row[0] for row in kept]
    found = RepairOrder.objects.visible_to(question.actor).filter(pk__in=ids).only(*LIST_COLUMNS).in_bulk()
    # A row whose order moved out of the scope since it was counted is left out until the worker has come by.
    orders = [found[pk] for pk in ids if pk in found]
    return Listed(orders, f"{kept[-1][1].isoformat()}.{kept[-1][0]}" if len(rows) > limit else "")


def _read(after: str) -> tuple[date, int]:
    day, _, number = after.partition(".")
    try:
        row_id = whole_number(number)
        if row_id is None:
            raise ValueError(after)
        return date.fromisoformat(day), row_id
    except ValueError:
        said = Text("请原样使用上一页给出的值", "use the value that the page before gave, as it is")
        raise Invalid({"after": said}) from None
