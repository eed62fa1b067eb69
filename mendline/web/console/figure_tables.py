"""The figures as tables, every number with the address of its orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from mendline.figures.asking import DIMENSIONS, NONE, Basis
from mendline.figures.cancellations import Cancellations
from mendline.figures.cancellations import Row as CancelledRow
from mendline.figures.handovers import MOST_ROUTES, RouteRow
from mendline.figures.load import Load, Loads
from mendline.figures.measures import COUNTS, MEASURES, Measure, Tally, percent_of
from mendline.figures.names import names_of
from mendline.figures.paths import Mined
from mendline.figures.periods import Period
from mendline.figures.reckoning import Overview
from mendline.figures.tables import Bit, Cell, Column, Table
from mendline.kernel.text import Text
from mendline.kernel.time import day_text
from mendline.web.console.figure_address import Asked

Filters: TypeAlias = "Mapping[str, str]"
NO_FILTER: Filters = {}
SAME = Text("持平", "unchanged")
CLOCK = Text("平均历时", "Average time")


def count_cell(
    asked: Asked, which: str, number: int, *, period: Period | None = None, only: Filters = NO_FILTER
) -> Cell:
    return Cell(number=number, href=asked.orders(which, period=period, only=only) if number else "")


def basis_cell(
    asked: Asked, basis: Basis, number: int, *, period: Period | None = None, only: Filters = NO_FILTER
) -> Cell:
    return Cell(number=number, href=asked.orders("reported", basis=basis, period=period, only=only) if number else "")


def share_cell(
    asked: Asked, tally: Tally, measure: Measure, *, period: Period | None = None, only: Filters = NO_FILTER
) -> Cell:
    """A share with what it was reckoned from; it opens the orders that are the trouble."""
    percent = percent_of(tally, measure)
    href = asked.orders(measure.list, period=period, only=only) if tally[measure.list] else ""
    return Cell(
        number=percent, part=tally[measure.part], whole=tally[measure.whole], href=href,
        is_weak=measure.is_weak(percent),
    )  # fmt: skip


def change(now: int | None, before: int | None, *, points: bool) -> Text:
    """Return how a number differs from the one before, in words.

    >>> change(62, 58, points=True).en, change(3, 5, points=False).zh, change(None, 5, points=True).zh
    ('+4 points', '−2', '—')
    """
    if now is None or before is None:
        return Text("—", "—")
    difference = now - before
    if not difference:
        return SAME
    signed = f"{'+' if difference > 0 else '−'}{abs(difference)}"
    return Text(f"{signed} 个百分点", f"{signed} points") if points else Text(signed, signed)


def step_label(period: Period) -> Text:
    """Return a step of the time axis in words: a day, the days of a week, a month."""
    if period.days == 1:
        return day_text(period.first)
    if period.first.day == 1 and period.days >= 28:
        return Text(f"{period.first:%Y-%m}", f"{period.first:%Y-%m}")
    return Text(*[f"{period.first:%m-%d} – {period.last:%m-%d}"] * 2)


def group_table(asked: Asked, found: Overview) -> Table:
    """Shares by region, station, product or person, beside the period before."""
    by = asked.by
    names = names_of(by, [group.key for group in found.groups])
    rows = []
    for group in found.groups:
        if not group.now["reported"]:
            continue
        only = {by: group.key or NONE}
        reported = count_cell(asked, "reported", group.now["reported"], only=only)
        trend = change(group.now["reported"], group.before["reported"], points=False)
        shares = [share_cell(asked, group.now, measure, only=only) for measure in MEASURES.values()]
        rows.append([Cell(names[group.key]), reported, Cell(trend), *shares])
    columns = [
        Column(DIMENSIONS[by].label, "text"),
        Column(COUNTS["reported"].label),
        Column(Text("比上期", "Change"), "text"),
        *(Column(measure.label, "share") for measure in MEASURES.values()),
    ]
    return Table("groups", Text("按{by}", "By {by}").filled(by=_lower(DIMENSIONS[by].label)), columns, rows)


def series_table(asked: Asked, found: Overview) -> Table:
    """The same step by step: what the charts draw, for people who cannot see charts."""
    rows = [
        [Cell(step_label(step)), count_cell(asked, "reported", tally["reported"], period=step),
         *(share_cell(asked, tally, measure, period=step) for measure in MEASURES.values())]
        for step, tally in found.series
    ]  # fmt: skip
    columns = [
        Column(Text("时间", "Time"), "text"),
        Column(COUNTS["reported"].label),
        *(Column(measure.label, "share") for measure in MEASURES.values()),
    ]
    return Table("series", Text("按时间的数字", "The numbers over time"), columns, rows, shown=400, is_folded=True)


def reason_table(asked: Asked, found: Cancellations) -> Table:
    names = names_of("reason", [row.key for row in found.reasons])
    rows = [
        [Cell(names[row.key]), count_cell(asked, "cancelled", row.now, only={"reason": row.key or NONE}),
         Cell(number=100 * row.now // found.now if found.now else None, part=row.now, whole=found.now),
         Cell(change(row.now, row.before, points=False))]
        for row in found.reasons
    ]  # fmt: skip
    columns = [
        Column(DIMENSIONS["reason"].label, "text"),
        Column(COUNTS["cancelled"].label),
        Column(Text("占撤单", "Share"), "share"),
        Column(Text("比上期", "Change"), "text"),
    ]
    nothing = Text("这段时间没有撤单", "Nothing was cancelled in this period")
    return Table("reasons", Text("按撤单原因", "By reason"), columns, rows, empty=nothing)


def cancelled_by_table(asked: Asked, found: Cancellations) -> Table:
    by = asked.by
    names = names_of(by, [row.key for row in found.groups])
    reasons = names_of("reason", [reason for row in found.groups for reason, _ in row.reasons])
    shared = any(row.reported is not None for row in found.groups)
    rows = []
    for row in found.groups:
        only = {by: row.key or NONE}
        why = [Text(f"{reasons[code].zh} {count}", f"{reasons[code].en} {count}") for code, count in row.reasons]
        cells = [Cell(names[row.key]), count_cell(asked, "cancelled", row.now, only=only)]
        cells += [_share_of_reported(row)] if shared else []
        said = Text("，".join(one.zh for one in why), ", ".join(one.en for one in why))
        rows.append([*cells, Cell(change(row.now, row.before, points=False)), Cell(said)])
    columns = [Column(DIMENSIONS[by].label, "text"), Column(COUNTS["cancelled"].label)]
    columns += [Column(Text("占报修", "Of reported"), "share")] if shared else []
    columns += [Column(Text("比上期", "Change"), "text"), Column(Text("主要原因", "Main reasons"), "text")]
    title = Text("按{by}", "By {by}").filled(by=_lower(DIMENSIONS[by].label))
    nothing = Text("这段时间没有撤单", "Nothing was cancelled in this period")
    return Table("groups", title, columns, rows, empty=nothing)


def _share_of_reported(row: CancelledRow) -> Cell:
    measure = MEASURES["cancelled"]
    return Cell(number=row.percent, part=row.now, whole=row.reported, is_weak=measure.is_weak(row.percent))


def route_table(asked: Asked, found: Sequence[RouteRow]) -> Table:
    names = names_of("station", [station for row in found for station in row.stations])
    rows = []
    for row in found[:MOST_ROUTES]:
        way = tuple(Bit(names[station], "again" if station in row.stations[:place] else "same")
                    for place, station in enumerate(row.stations))  # fmt: skip
        loop = Text("转回原站", "came back") if row.came_back else Text("单向", "one way")
        rows.append(
            [Cell(way=way), Cell(loop, is_weak=row.came_back), Cell(number=row.handovers),
             count_cell(asked, "handed_over", row.orders, only={"route": row.key}),
             count_cell(asked, "open", row.open, only={"route": row.key})]
        )  # fmt: skip
    columns = [
        Column(Text("维修站先后", "Stations in order"), "way"),
        Column(Text("是否往返", "Loop"), "text"),
        Column(Text("改派次数", "Hand-overs")),
        Column(Text("维修单", "Orders")),
        Column(COUNTS["open"].label),
    ]
    nothing = Text("这段时间没有改派", "No order was handed over in this period")
    return Table("routes", Text("改派路线", "Routes"), columns, rows, empty=nothing)


def handover_group_table(asked: Asked, found: Overview) -> Table:
    by, measure = asked.by, MEASURES["handed_over"]
    names = names_of(by, [group.key for group in found.groups])
    rows = [
        [Cell(names[group.key]), share_cell(asked, group.now, measure, only={by: group.key or NONE}),
         count_cell(asked, "came_back", group.now["came_back"], only={by: group.key or NONE}),
         Cell(change(group.now["handed_over"], group.before["handed_over"], points=False))]
        for group in sorted(found.groups, key=lambda one: (-one.now["handed_over"], one.key))
        if group.now["handed_over"] or group.before["handed_over"]
    ]  # fmt: skip
    columns = [
        Column(DIMENSIONS[by].label, "text"), Column(COUNTS["handed_over"].label, "share"),
        Column(COUNTS["came_back"].label), Column(Text("比上期", "Change"), "text"),
    ]  # fmt: skip
    title = Text("按{by}", "By {by}").filled(by=_lower(DIMENSIONS[by].label))
    nothing = Text("这段时间没有改派", "No order was handed over in this period")
    return Table("groups", title, columns, rows, empty=nothing)


def way_table(asked: Asked, found: Mined) -> Table:
    rows = []
    for number, variant in enumerate(found.variants, start=1):
        way = tuple(Bit(mark.label, mark.kind) for mark in variant.marks)
        note = None
        if variant.undeclared:
            note = Text("有流程文件之外的步骤", "with steps that the process file does not have")
        rows.append(
            [Cell(Text(f"{number}", f"{number}"), note=note, is_weak=bool(variant.undeclared)), Cell(way=way),
             count_cell(asked, "ended", variant.orders, only={"path": str(variant.id)}),
             Cell(number=variant.percent, part=variant.orders, whole=found.orders),
             Cell(duration(variant.average_minutes)),
             count_cell(asked, "contacts_late", variant.contacts_late, only={"path": str(variant.id)})]
        )  # fmt: skip
    columns = [
        Column(Text("路径", "Path"), "text"), Column(Text("改变状态的步骤", "Steps that changed the state"), "way"),
        Column(Text("维修单", "Orders")), Column(Text("占已结束", "Share of ended"), "share"), Column(CLOCK, "text"),
        Column(COUNTS["contacts_late"].label),
    ]  # fmt: skip
    nothing = Text("这段时间报修的维修单还没有结束的", "No order reported in this period has ended yet")
    return Table("ways", Text("实际路径", "Paths taken"), columns, rows, shown=20, empty=nothing)


def arrow_table(asked: Asked, found: Mined) -> Table:
    rows = []
    for one in sorted(found.arrows, key=lambda one: -one.orders):
        if not one.orders:
            continue
        name = ":".join((one.arrow.source, one.arrow.step, one.arrow.target))
        declared = Text("是", "yes") if one.is_declared else Text("否", "no")
        rows.append(
            [Cell(one.source), Cell(one.label), Cell(one.target),
             count_cell(asked, "ended", one.orders, only={"arrow": name}),
             Cell(number=one.passes), Cell(declared, is_weak=not one.is_declared)]
        )  # fmt: skip
    columns = [
        Column(Text("从", "From"), "text"), Column(Text("步骤", "Step"), "text"), Column(Text("到", "To"), "text"),
        Column(Text("维修单", "Orders")), Column(Text("次数", "Times")),
        Column(Text("流程文件中有", "In the process file"), "text"),
    ]  # fmt: skip
    return Table("arrows", Text("走过的每一步", "Every step taken"), columns, rows, shown=60)


def never_table(found: Mined) -> Table:
    """What the process file allows and nobody did in the period."""
    rows = [[Cell(one.source), Cell(one.label), Cell(one.target)] for one in found.arrows if not one.orders]
    columns = [
        Column(Text("从", "From"), "text"), Column(Text("步骤", "Step"), "text"), Column(Text("到", "To"), "text")
    ]  # fmt: skip
    title = Text(f"流程允许但没有走过的 {len(rows)} 步", f"{len(rows)} steps that are allowed and were not taken")
    return Table("never", title, columns, rows, shown=200, is_folded=True)


def load_table(asked: Asked, found: Loads) -> Table:
    rows = [[Cell(step_label(step)), *_load_cells(asked, load, step)] for step, load in found.series]
    columns = [Column(Text("时间", "Time"), "text"), *_LOAD_COLUMNS]
    return Table("series", Text("按时间的数字", "The numbers over time"), columns, rows, shown=400, is_folded=True)


def load_group_table(asked: Asked, found: Loads) -> Table:
    by = asked.by
    names = names_of(by, [group.key for group in found.groups])
    rows = [
        [Cell(names[group.key]), *_load_cells(asked, group.load, asked.period, only={by: group.key or NONE})]
        for group in found.groups
    ]
    title = Text("按{by}", "By {by}").filled(by=_lower(DIMENSIONS[by].label))
    return Table("groups", title, [Column(DIMENSIONS[by].label, "text"), *_LOAD_COLUMNS], rows)


_LOAD_COLUMNS = (
    Column(Text("期初在途", "Open before")),
    Column(COUNTS["reported"].label),
    Column(COUNTS["ended"].label),
    Column(Text("期末在途", "Open after")),
)


def _load_cells(asked: Asked, load: Load, step: Period, only: Filters = NO_FILTER) -> list[Cell]:
    return [
        Cell(number=load.opening, href=open_before(asked, step, only) if load.opening else ""),
        count_cell(asked, "reported", load.reported, period=step, only=only),
        basis_cell(asked, "ended", load.ended, period=step, only=only),
        basis_cell(asked, "open", load.open, period=step, only=only),
    ]


def open_before(asked: Asked, period: Period, only: Filters = NO_FILTER) -> str:
    """Return the address of the orders that were open when the first day began."""
    eve = period.before.last
    return asked.orders("reported", basis="open", period=Period(eve, eve), only=only)


def duration(minutes: int) -> Text:
    """Return a length of time, to two units.

    >>> duration(75).zh, duration(3000).en, duration(0).zh
    ('1 小时 15 分', '2 d 2 h', '0 分')
    """
    days, rest = divmod(minutes, 1440)
    hours, left = divmod(rest, 60)
    if days:
        return Text(f"{days} 天 {hours} 小时", f"{days} d {hours} h")
    if hours:
        return Text(f"{hours} 小时 {left} 分", f"{hours} h {left} min")
    return Text(f"{left} 分", f"{left} min")


def _lower(label: Text) -> Text:
    return Text(label.zh, label.en[:1].lower() + label.en[1:])
