"""One order as a row of the exchange file, and a row of the file as cells. Pure but for the process files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mendline.channels.legacy.remark import Remark, write_remark
from mendline.channels.legacy.t_columns import COLUMNS, MOMENTS, times_of, write_columns
from mendline.kernel.text import Text
from mendline.orders.models import RepairOrder
from mendline.process.definition import Process

REF, STATION, GROUND, REMARK = "维修单号", "维修站编号", "撤单原因", "撤单备注"
HEADINGS = (REF, STATION, *COLUMNS, GROUND, REMARK)
# A spreadsheet would take a cell that begins so for a formula; in a CSV it gets a ' before it, which reading drops.
# The wide twins count too: a Chinese spreadsheet takes a cell that begins with them the same way.
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "'")
QUOTE = "'"


class BadCell(Exception):
    """A cell that cannot be taken as text."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.text = Text(zh, en)


def row_of(order: RepairOrder, process: Process, region_name: str) -> dict[str, str]:
    """Return the cells of one order, by heading."""
    reason = str(order.facts.get("cancel_reason") or "")
    cancelled = order.category == "void" and bool(order.facts.get("cancel_code"))
    return {
        REF: order.ref,
        STATION: order.station_no,
        **write_columns(times_of(order.facts, order.state), process),
        GROUND: labels_of(process)[reason].zh if cancelled and reason else "",
        REMARK: write_remark(remark_of(order, region_name), reasons_of(process)) if cancelled else "",
    }


def remark_of(order: RepairOrder, region_name: str) -> Remark:
    """Return the remark of a cancelled order: the reason is the code, the ground has a column of its own (CAN-27)."""
    facts = order.facts
    return Remark(
        region=region_name,
        station_no=order.station_no,
        reason=str(facts["cancel_code"]),
        detail=str(facts.get("cancel_detail") or ""),
        canceller=str(facts.get("canceller") or ""),
    )


def labels_of(process: Process) -> Mapping[str, Text]:
    return process.facts["cancel_reason"].of


def reasons_of(process: Process) -> dict[str, str]:
    """Return every reason the process knows, by its label: the five codes and those configured besides (CAN-27)."""
    return {label.zh: code for code, label in labels_of(process).items()}


def cell_text(heading: str, cell: Sequence[Any] | None, *, from_csv: bool) -> str:
    """Return a cell of an uploaded file as text.

    Raises:
        BadCell: a number or a date, in which zeros or the time of day are lost already (CAN-29).
    """
    if cell is None:
        return ""
    kind, value = cell
    if kind == "t":
        text = str(value)
        return text[1:] if from_csv and text.startswith(QUOTE) else text
    if heading in MOMENTS and kind == "d":
        if heading == "T31" and value == "2010-01-01":
            return str(value)
        raise BadCell("请把该列设为文本格式：日期单元格读不出钟点", "store it as text: a date cell has lost its time")
    raise BadCell("请把该列设为文本格式：数字会丢失前面的零", "store it as text: a number has lost its zeros")


def guarded(text: str) -> str:
    """Return a cell of a CSV that no spreadsheet takes for a formula.

    >>> guarded("=1+1"), guarded("软件问题")
    ("'=1+1", '软件问题')
    """
    return QUOTE + text if text.startswith(FORMULA_SIGNS) else text
