"""What the charts draw, as plain data for the browser. The same numbers stand in a table on the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from mendline.figures.cancellations import Cancellations
from mendline.figures.handovers import RouteRow
from mendline.figures.load import Loads
from mendline.figures.measures import COUNTS, MEASURES, percent_of
from mendline.figures.names import names_of
from mendline.figures.paths import Mined
from mendline.figures.reckoning import Overview
from mendline.kernel.text import Text
from mendline.web.console.figure_tables import step_label

MOST_BARS = 12
DRAWN_SHARES = ("contact", "promise", "repeat", "cancelled")


@dataclass(frozen=True, slots=True)
class Line:
    """One series: `line` or `bar`; None is a gap."""

    name: Text
    values: Sequence[int | None]
    kind: Literal["line", "bar"] = "line"


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart with what it says in one sentence. `lying` bars have their names at the side."""

    title: Text
    says: Text
    names: Sequence[Text]
    lines: Sequence[Line] = field(default_factory=tuple)
    unit: str = ""
    lying: bool = False

    def as_data(self, language: str) -> dict[str, Any]:
        return {
            "says": self.says.in_language(language),
            "names": [name.in_language(language) for name in self.names],
            "lines": [
                {"name": line.name.in_language(language), "values": list(line.values), "kind": line.kind}
                for line in self.lines
            ],
            "unit": self.unit,
            "lying": self.lying,
        }

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing to see: no number at all, or one bar alone."""
        return (self.lying and len(self.names) < 2) or not any(value for line in self.lines for value in line.values)


def shares_chart(found: Overview) -> Chart:
    """The shares step by step."""
    lines = [
        Line(MEASURES[code].label, [percent_of(tally, MEASURES[code]) for _, tally in found.series])
        for code in DRAWN_SHARES
    ]
    said = [(MEASURES[code].label, percent_of(found.now, MEASURES[code])) for code in DRAWN_SHARES]
    says = Text(
        "各项比例的走势。整段：" + "，".join(f"{label.zh} {_of(value)}" for label, value in said) + "。",
        "Shares over time. In all: " + ", ".join(f"{label.en} {_of(value)}" for label, value in said) + ".",
    )
    return Chart(Text("比例走势", "Shares over time"), says, _steps(found), lines, unit="%")


def volume_chart(found: Overview) -> Chart:
    """How many were reported and cancelled, step by step."""
    lines = [
        Line(COUNTS[name].label, [tally[name] for _, tally in found.series], "bar")
        for name in ("reported", "cancelled")
    ]
    top = max(found.series, key=lambda pair: pair[1]["reported"])
    when = step_label(top[0])
    says = Text(
        f"共报修 {found.now['reported']} 单，最多的是 {when.zh}，{top[1]['reported']} 单。",
        f"{found.now['reported']} orders reported; most on {when.en}: {top[1]['reported']}.",
    )
    return Chart(Text("报修与撤单", "Reported and cancelled"), says, _steps(found), lines)


def load_chart(found: Loads) -> Chart:
    names = [step_label(step) for step, _ in found.series]
    loads = [load for _, load in found.series]
    lines = [
        Line(COUNTS["reported"].label, [load.reported for load in loads], "bar"),
        Line(COUNTS["ended"].label, [load.ended for load in loads], "bar"),
        Line(Text("期末在途", "Open after"), [load.open for load in loads]),
    ]
    total = found.total
    says = Text(
        f"期初在途 {total.opening} 单，报修 {total.reported} 单，结束 {total.ended} 单，期末在途 {total.open} 单。",
        f"{total.opening} open before, {total.reported} reported, {total.ended} ended, {total.open} open after.",
    )
    return Chart(Text("报修、结束与在途", "Reported, ended, open"), says, names, lines)


def reasons_chart(found: Cancellations) -> Chart:
    rows = [row for row in found.reasons if row.now or row.before][:MOST_BARS]
    names = names_of("reason", [row.key for row in rows])
    lines = [
        Line(Text("本期", "This period"), [row.now for row in rows], "bar"),
        Line(Text("上期", "Period before"), [row.before for row in rows], "bar"),
    ]
    first = names[rows[0].key] if rows else Text("无", "none")
    says = Text(
        f"撤单 {found.now} 单，上期 {found.before} 单；最多的原因是{first.zh}。",
        f"{found.now} cancelled, {found.before} in the period before; the most frequent reason is: {first.en}.",
    )
    return Chart(Text("撤单原因", "Reasons"), says, [names[row.key] for row in rows], lines, lying=True)


def routes_chart(found: Sequence[RouteRow]) -> Chart:
    rows = sorted(found, key=lambda row: -row.orders)[:MOST_BARS]
    loops = sum(row.orders for row in found if row.came_back)
    lines = [
        Line(Text("单向", "One way"), [None if row.came_back else row.orders for row in rows], "bar"),
        Line(Text("转回原站", "Came back"), [row.orders if row.came_back else None for row in rows], "bar"),
    ]
    says = Text(
        f"{len(found)} 种改派路线，其中转回原站 {loops} 单。", f"{len(found)} routes; {loops} orders came back."
    )
    return Chart(Text("最常见的改派路线", "Most frequent routes"), says, [Text(*[row.key] * 2) for row in rows], lines,
                 lying=True)  # fmt: skip


def ways_chart(found: Mined) -> Chart:
    rows = found.variants[:MOST_BARS]
    names = [Text(f"路径 {number}", f"Path {number}") for number in range(1, len(rows) + 1)]
    lines = [Line(Text("维修单", "Orders"), [row.orders for row in rows], "bar")]
    share = 100 * found.as_usual // found.orders if found.orders else 0
    says = Text(
        f"{found.orders} 单走了 {len(found.variants)} 种路径，{share}% 走最常见的一种。",
        f"{found.orders} orders took {len(found.variants)} paths; {share}% took the most frequent one.",
    )
    return Chart(Text("最常见的路径", "Most frequent paths"), says, names, lines, lying=True)


def _steps(found: Overview) -> list[Text]:
    return [step_label(step) for step, _ in found.series]


def _of(value: int | None) -> str:
    return "—" if value is None else f"{value}%"
