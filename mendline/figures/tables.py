"""A table of figures as people see it: drawn as a page, printed, and written as a spreadsheet from the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from mendline.kernel.text import Text

Kind = Literal["text", "number", "share", "way"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column; a share takes three in a spreadsheet: percent, part and whole."""

    label: Text
    kind: Kind = "number"
    sort: str = ""


@dataclass(frozen=True, slots=True)
class Bit:
    """One step of a way: `same` as usual, `more` than usual, `less`: left out; a station that comes `again`."""

    label: Text
    kind: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell. `number` is a count, or the whole percentage of a share; None where there is nothing to say."""

    text: Text | None = None
    number: int | None = None
    part: int | None = None
    whole: int | None = None
    href: str = ""
    note: Text | None = None
    is_weak: bool = False
    way: tuple[Bit, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under columns. `rows` holds all; pages show the first `shown`."""

    code: str
    title: Text
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    shown: int = 100
    is_folded: bool = False  # opened by a click: long, or the same as a chart says
    empty: Text = field(default_factory=lambda: Text("这段时间没有数据", "Nothing in this period"))

    @property
    def visible(self) -> Sequence[Sequence[Cell]]:
        return self.rows[: self.shown]

    @property
    def hidden(self) -> int:
        return max(0, len(self.rows) - self.shown)
