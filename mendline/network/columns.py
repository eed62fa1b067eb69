"""What the four tables of the network look like in a spreadsheet, and how a cell is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias

from mendline.kernel.text import Text
from mendline.network import areas

Cell: TypeAlias = Sequence[Any] | None
Value: TypeAlias = str | int | bool | date | None
SHORTEST_STATION_NO = 6
MOST_EXACT = 10**15  # a spreadsheet keeps fifteen digits of a number
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")
_STATION_NO = re.compile(r"[0-9A-Za-z\-]{1,12}", re.ASCII)
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?", re.ASCII)
ROUNDED = "000000"  # 1.38E+10, as a spreadsheet shows a long number and writes it into a CSV
YES = frozenset({"是", "yes", "y", "true", "1"})
NO = frozenset({"否", "no", "n", "false", "0"})


class BadCell(Exception):
    """A cell that cannot be taken; `text` says what is wrong and what to write."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.text = Text(zh, en)


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its code, its headings, how a cell is read, and whether it may be left empty."""

    code: str
    label: Text
    read: Callable[[Cell], Value]
    required: bool = True
    longest: int = 200

    def value(self, cell: Cell) -> Value:
        """Return the cell's value, None when it is empty.

        Raises:
            BadCell: empty though required, too long, or not of this column's kind.
        """
        if cell is None:
            if self.required:
                raise BadCell("不能为空", "must not be empty")
            return None
        value = self.read(cell)
        if isinstance(value, str) and len(value) > self.longest:
            raise BadCell(f"最多 {self.longest} 个字，现在有 {len(value)} 个", f"at most {self.longest} characters")
        return value


@dataclass(frozen=True, slots=True)
class Kind:
    """One table: what it is called and its columns in their order."""

    code: str
    label: Text
    columns: tuple[Column, ...]

    def headings(self) -> Mapping[str, Column]:
        """Return the columns by every heading they may have: Chinese, English or code, in any case."""
        names: dict[str, Column] = {}
        for column in self.columns:
            for name in (column.code, column.label.zh, column.label.en):
                names[name.lower()] = column
        return names


def text(cell: Cell) -> str:
    kind, value = _parts(cell)
    if kind == "n":
        if not abs(value) < MOST_EXACT:
            raise BadCell(
                "数字过长，最后几位已丢失，请把该列设为“文本”格式后重新填写",
                "the number is so long that its last digits are lost; format the column as text and type it again",
            )
        value = f"{value:.15g}"
    found = str(value).strip()
    if _CONTROL.search(found):
        raise BadCell("含有不可见的控制字符，请删除", "contains invisible control characters; remove them")
    return found


def station_no(cell: Cell) -> str:
    """Read a station number, which is text: 000001 keeps its zeros (CAN-29)."""
    kind, value = _parts(cell)
    found = text(cell)
    if kind == "n" or (found.isdigit() and len(found) < SHORTEST_STATION_NO):
        whole = found.removesuffix(".0")
        padded = whole.zfill(SHORTEST_STATION_NO)
        raise BadCell(
            f"维修站编号“{whole}”是数字，前面的零可能已丢失（应为 {padded}？），请把该列设为“文本”格式后重新填写",
            f"station number {whole} is a number, its leading zeros may be lost ({padded}?);"
            " format the column as text and type it again",
        )
    if not _STATION_NO.fullmatch(found):
        raise BadCell(
            "维修站编号只能有数字、字母和短横，最多 12 位",
            "a station number has digits, letters and dashes, at most 12",
        )
    return found


def area(cell: Cell) -> str:
    found = text(cell)
    if areas.exists(found):
        return found
    candidates = [] if found.isascii() else areas.find(found)
    exact = [place.code for place in candidates if place.full_name == found or place.name == found]
    if len(exact) == 1:
        return exact[0]
    if candidates:
        choices = "、".join(f"{place.code} {place.full_name}" for place in candidates[:5])
        raise BadCell(
            f"“{found}”不唯一，请写代码：{choices}", f"{found} may mean several areas; write the code: {choices}"
        )
    raise BadCell(
        f"没有行政区划“{found}”，请填 2、4 或 6 位代码", f"there is no area {found}; write its code of 2, 4 or 6 digits"
    )


def day(cell: Cell) -> date:
    kind, value = _parts(cell)
    match = _DAY.fullmatch(text(cell)) if kind != "n" else None
    try:
        found = date(int(match[1]), int(match[2]), int(match[3])) if match else None
    except ValueError:
        found = None
    if found is None or not 1990 <= found.year <= 2100:
        raise BadCell(f"“{text(cell)}”不是日期，请写成 2026-03-02", f"{text(cell)} is no day; write it like 2026-03-02")
    return found


def whole(cell: Cell) -> int:
    found = text(cell)
    if not re.fullmatch(r"\d{1,6}", found, re.ASCII) or int(found) > 100_000:
        raise BadCell(f"“{found}”不是 0 到 100000 的整数", f"{found} is no whole number from 0 to 100000")
    return int(found)


def yes_no(cell: Cell) -> bool:
    kind, value = _parts(cell)
    if kind == "b":
        return bool(value)
    found = text(cell).lower()
    if found in YES or found in NO:
        return found in YES
    raise BadCell(f"“{found}”应填“是”或“否”", f"{found} should be yes or no")


def phone(cell: Cell) -> str:
    kind, value = _parts(cell)
    found = text(cell)
    if kind == "n" and not re.fullmatch(r"1\d{10}", found, re.ASCII):
        raise BadCell(
            f"电话“{found}”是数字，区号前面的零可能已丢失，请把该列设为“文本”格式",
            f"telephone {found} is a number, the zero of its area code may be lost; format the column as text",
        )
    if kind == "n" and found.endswith(ROUNDED):
        raise BadCell(
            f"电话“{found}”像是由 {float(found):.2E} 变来的，后面几位可能已丢失，请把该列设为“文本”格式后重新填写",
            f"telephone {found} looks like what is left of {float(found):.2E}, its last digits may be lost;"
            " format the column as text and type it again",
        )
    if not re.fullmatch(r"[0-9+\-() ]{5,20}", found, re.ASCII):
        raise BadCell(f"“{found}”不是电话号码", f"{found} is no telephone number")
    return found


def _parts(cell: Cell) -> tuple[str, Any]:
    if cell is None:
        raise BadCell("不能为空", "must not be empty")
    return str(cell[0]), cell[1]


_STATION = Column("station_no", Text("维修站编号", "Station number"), station_no)
_LINE = Column("product_line", Text("产品线", "Product line"), text, longest=40)
_FROM = Column("effective_from", Text("生效日期", "Effective from"), day)
_UNTIL = Column("effective_until", Text("终止日期", "Effective until"), day, required=False)

KINDS = (
    Kind(
        "stations",
        Text("维修站", "Stations"),
        (
            _STATION,
            Column("name", Text("名称", "Name"), text, longest=60),
            Column("region", Text("大区", "Region"), text, longest=40),
            Column("head", Text("总站编号", "Head station"), station_no, required=False),
            Column("area", Text("所在区划", "Located in"), area),
            Column("address", Text("地址", "Address"), text, required=False),
            Column("phone", Text("电话", "Telephone"), phone, required=False, longest=20),
            Column("works_in_cc_web", Text("使用CC-WEB", "Works in CC-WEB"), yes_no, required=False),
            Column("is_central", Text("中心站", "Central station"), yes_no, required=False),
            Column("active_from", Text("启用日期", "Active from"), day),
            Column("active_until", Text("停用日期", "Active until"), day, required=False),
            Column("part_delivery_days", Text("备件配送天数", "Part delivery days"), whole, required=False),
        ),
    ),
    Kind(
        "coverage",
        Text("区域覆盖", "Coverage"),
        (_STATION, Column("area", Text("覆盖区划", "Area served"), area), _LINE, _FROM, _UNTIL),
    ),
    Kind(
        "capacity",
        Text("渠道产能", "Capacity"),
        (_STATION, _LINE, Column("per_day", Text("每日产能", "Orders per day"), whole), _FROM, _UNTIL),
    ),
    Kind(
        "no800",
        Text("未开通800地区", "Areas without 800"),
        (
            Column("area", Text("未开通区划", "Area without 800"), area),
            Column("filed_on", Text("备案日期", "Filed on"), day),
            _FROM,
            _UNTIL,
        ),
    ),
)  # fmt: skip
KIND_BY_CODE = {kind.code: kind for kind in KINDS}
