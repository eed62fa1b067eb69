"""Importing the network from a table: everything is checked first, then everything is written, or nothing.

The same file twice changes nothing the second time. Rows that a file does not mention stay as they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import transaction

from mendline.access.actors import Actor
from mendline.journal.models import Entry
from mendline.kernel.text import Text
from mendline.kernel.time import local_day
from mendline.network import history
from mendline.network.history import SERVED, Edits, Period, settle
from mendline.network.models import No800Area, ProductLine, Region, Station
from mendline.network.revision import look_again
from mendline.network.sheets import Fault, Row, Table, read_tables

MOST_FAULTS_SHOWN = 1_000
JOURNAL_SUBJECT = "network"


@dataclass(slots=True)
class Report:
    """What an import found or did. `faults` empty and `dry_run` false: it was written."""

    dry_run: bool
    faults: list[Fault] = field(default_factory=list)
    rows: Counter[str] = field(default_factory=Counter)  # by table
    added: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)  # ended rows, or stations that differ

    @property
    def is_written(self) -> bool:
        return not self.dry_run and not self.faults

    @property
    def changes_nothing(self) -> bool:
        return not self.faults and not self.added.total() and not self.changed.total()


def import_network(data: bytes, *, actor: Actor, now: datetime, dry_run: bool = False) -> Report:
    """Check and write an uploaded workbook or CSV in one transaction; a dry run only checks and counts.

    Raises:
        Unreadable: the file as a whole cannot be taken.
    """
    tables, faults = read_tables(data)
    report = Report(dry_run, faults)
    with transaction.atomic():
        history.hold_network()
        plan = _plan(tables, report)
        if report.faults:
            report.faults.sort(key=lambda fault: (fault.sheet, fault.row))
            return report
        _count(plan, report)
        if not dry_run and not report.changes_nothing:
            _write(plan, local_day(now))
            _note(report, actor, now)
    return report


@dataclass(slots=True)
class _Plan:
    """Everything to write, worked out in memory."""

    new_stations: list[Station] = field(default_factory=list)
    changed_stations: list[tuple[Station, list[str]]] = field(default_factory=list)
    coverage: dict[history.CoverageKey, Edits] = field(default_factory=dict)
    capacity: dict[history.CapacityKey, Edits] = field(default_factory=dict)
    no800: dict[str, Edits] = field(default_factory=dict)
    filed_on: dict[tuple[str, date], date] = field(default_factory=dict)


def _plan(tables: list[Table], report: Report) -> _Plan:
    plan = _Plan()
    rows: dict[str, list[Row]] = {}
    for table in tables:
        rows.setdefault(table.kind.code, []).extend(table.rows)
        report.rows[table.kind.code] += len(table.rows)
    check = _Checker(report)
    if "stations" in rows:
        _plan_stations(rows["stations"], check, plan)
    check.stations |= {station.number: station for station in plan.new_stations}
    # A faulty station row is reported there, not again by every row that names the station.
    check.known = {*check.stations, *(str(row.values.get("station_no")) for row in rows.get("stations", ()))}
    if "coverage" in rows:
        _plan_coverage(rows["coverage"], check, plan)
    if "capacity" in rows:
        _plan_capacity(rows["capacity"], check, plan)
    if "no800" in rows:
        _plan_no800(rows["no800"], check, plan)
    return plan


class _Checker:
    """What rows are checked against, and where their faults go. A row with a faulty cell is not looked at again."""

    def __init__(self, report: Report) -> None:
        self._faults = report.faults
        self._faulty = {(fault.sheet, fault.row) for fault in report.faults}
        self.stations: dict[str, Station] = {station.number: station for station in Station.objects.all()}
        self.known = set(self.stations)
        self.regions = {name: region.code for region in Region.objects.all() for name in (region.name, region.code)}
        self.lines = {name: line.code for line in ProductLine.objects.all() for name in (line.name_zh, line.code)}

    def fault(self, row: Row, column: str, zh: str, en: str) -> None:
        self._faults.append(Fault(row.sheet, row.number, column, Text(zh, en)))
        self._faulty.add((row.sheet, row.number))

    def sound(self, row: Row) -> bool:
        return (row.sheet, row.number) not in self._faulty

    def dates_in_order(self, row: Row, since: str = "effective_from", until: str = "effective_until") -> None:
        first, end = row.values.get(since), row.values.get(until)
        if isinstance(first, date) and isinstance(end, date) and end <= first:
            self.fault(row, "终止日期", "终止日期应晚于生效日期", "it must end after the day it begins")

    def station(self, row: Row) -> None:
        number = row.values.get("station_no")
        if number is not None and number not in self.known:
            self.fault(row, "维修站编号", f"没有维修站 {number}", f"there is no station {number}")

    def line(self, row: Row) -> str:
        given = row.values.get("product_line")
        if given is not None and given not in self.lines:
            known = "、".join(sorted(set(self.lines.values())))
            self.fault(
                row,
                "产品线",
                f"没有产品线“{given}”，可填：{known}",
                f"there is no product line {given}; known: {known}",
            )
        return self.lines.get(str(given), "")


def _plan_stations(rows: list[Row], check: _Checker, plan: _Plan) -> None:
    seen: dict[str, Row] = {}
    heads = {str(row.values.get("station_no")): row.values.get("head") for row in rows}
    for row in rows:
        number = str(row.values.get("station_no"))
        _once(number, row, seen, check)
        region, head = row.values.get("region"), row.values.get("head")
        if region is not None and region not in check.regions:
            check.fault(row, "大区", f"没有大区“{region}”", f"there is no region {region}")
        if head is not None:
            _check_head(row, number, str(head), heads, check)
        check.dates_in_order(row, "active_from", "active_until")
        if check.sound(row):
            _plan_station(number, row.values, check, plan)


def _check_head(row: Row, number: str, head: str, heads: Mapping[str, Any], check: _Checker) -> None:
    """A head station exists and is itself no point (STN-18); a station with points cannot become one."""
    kept = check.stations.get(head)
    head_of_head = heads[head] if head in heads else kept.head_id if kept else None
    # Points in the file are told that this head is a point; those that only the database knows cannot be.
    has_points = any(other.head_id == number and other.number not in heads for other in check.stations.values())
    if head == number:
        check.fault(row, "总站编号", "总站不能是自己；总站请留空", "a station is not its own head; leave it empty")
    elif head not in heads and kept is None:
        check.fault(row, "总站编号", f"没有维修站 {head}", f"there is no station {head}")
    elif head_of_head:
        check.fault(
            row, "总站编号", f"{head} 自己也是维修点，不能作总站", f"{head} is a point itself and cannot be a head"
        )
    elif has_points:
        check.fault(
            row, "总站编号", f"{number} 有下属维修点，不能改为维修点", f"{number} has points and cannot become one"
        )


def _plan_station(number: str, values: Mapping[str, Any], check: _Checker, plan: _Plan) -> None:
    wanted: dict[str, Any] = {
        "name": values["name"],
        "region_id": check.regions[values["region"]],
        "area": values["area"],
        "active_from": values["active_from"],
    }
    optional = {"head": "head_id", "active_until": "active_until"}
    wanted |= {attribute: values[code] for code, attribute in optional.items() if code in values}
    for code in ("address", "phone", "works_in_cc_web", "is_central", "part_delivery_days"):
        if values.get(code) is not None:
            wanted[code] = values[code]
    present = check.stations.get(number)
    if present is None:
        plan.new_stations.append(Station(number=number, **wanted))
        return
    differing = [name for name, value in wanted.items() if getattr(present, name) != value]
    if differing:
        for name in differing:
            setattr(present, name, wanted[name])
        plan.changed_stations.append((present, differing))


def _plan_coverage(rows: list[Row], check: _Checker, plan: _Plan) -> None:
    listed: dict[history.CoverageKey, list[tuple[date, date | None, int]]] = {}
    seen: dict[object, Row] = {}
    for row in rows:
        check.station(row)
        line = check.line(row)
        check.dates_in_order(row)
        values = row.values
        _once((values.get("station_no"), values.get("area"), line, values.get("effective_from")), row, seen, check)
        if check.sound(row):
            key = (str(values["station_no"]), str(values["area"]), line)
            listed.setdefault(key, []).append(_window(values, SERVED))
    kept = history.coverage_periods(sorted({key[0] for key in listed}))
    plan.coverage = _settled(listed, kept)


def _plan_capacity(rows: list[Row], check: _Checker, plan: _Plan) -> None:
    listed: dict[history.CapacityKey, list[tuple[date, date | None, int]]] = {}
    seen: dict[object, Row] = {}
    for row in rows:
        check.station(row)
        line = check.line(row)
        check.dates_in_order(row)
        values = row.values
        station = check.stations.get(str(values.get("station_no")))
        if station is not None and station.head_id:
            head = station.head_id
            check.fault(
                row,
                "维修站编号",
                f"维修点没有单独的产能，请填总站 {head}（STN-18）",
                f"a point has no capacity; use its head {head} (STN-18)",
            )
        _once((values.get("station_no"), line, values.get("effective_from")), row, seen, check)
        if check.sound(row):
            listed.setdefault((str(values["station_no"]), line), []).append(_window(values, _whole(values["per_day"])))
    kept = history.capacity_periods(sorted({key[0] for key in listed}))
    plan.capacity = _settled(listed, kept)


def _plan_no800(rows: list[Row], check: _Checker, plan: _Plan) -> None:
    listed: dict[str, list[tuple[date, date | None, int]]] = {}
    seen: dict[object, Row] = {}
    for row in rows:
        check.dates_in_order(row)
        values = row.values
        _once((values.get("area"), values.get("effective_from")), row, seen, check)
        if check.sound(row):
            window = _window(values, SERVED)
            listed.setdefault(str(values["area"]), []).append(window)
            plan.filed_on[str(values["area"]), window[0]] = _day(values["filed_on"])
    kept: dict[str, list[Period]] = {}
    for filing in No800Area.objects.filter(area__in=list(listed)):
        period = Period(filing.effective_from, filing.effective_until, SERVED, filing.pk)
        kept.setdefault(filing.area, []).append(period)
    plan.no800 = _settled(listed, kept)


def _settled(
    listed: Mapping[Any, list[tuple[date, date | None, int]]], kept: Mapping[Any, list[Period]]
) -> dict[Any, Edits]:
    settled = {key: settle(kept.get(key, []), windows) for key, windows in listed.items()}
    return {key: edits for key, edits in settled.items() if edits}


def _once(key: object, row: Row, seen: dict[Any, Row], check: _Checker) -> None:
    first = seen.setdefault(key, row)
    if first is not row:
        check.fault(row, "", f"与第 {first.number} 行重复", f"repeats row {first.number}")


def _window(values: Mapping[str, Any], value: int) -> tuple[date, date | None, int]:
    return (_day(values["effective_from"]), values.get("effective_until"), value)


def _day(value: object) -> date:
    if not isinstance(value, date):
        raise TypeError(f"a day was expected, not {value!r}")
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"a number was expected, not {value!r}")
    return value


def _count(plan: _Plan, report: Report) -> None:
    report.added["stations"] = len(plan.new_stations)
    report.changed["stations"] = len(plan.changed_stations)
    for name, edits in (("coverage", plan.coverage), ("capacity", plan.capacity), ("no800", plan.no800)):
        changes: Iterable[Edits] = edits.values()
        for edit in changes:
            report.added[name] += len(edit.added)
            report.changed[name] += len(edit.ended)


def _write(plan: _Plan, today: date) -> None:
    Station.objects.bulk_create(plan.new_stations, batch_size=1000)
    fields = sorted({name.removesuffix("_id") for _, names in plan.changed_stations for name in names})
    if fields:
        Station.objects.bulk_update([station for station, _ in plan.changed_stations], fields, batch_size=500)
    history.write_coverage(plan.coverage)
    history.write_capacities(plan.capacity, today)
    for area, edits in plan.no800.items():
        for row, day in edits.ended.items():
            No800Area.objects.filter(pk=row).update(effective_until=day)
        for period in edits.added:
            No800Area.objects.create(
                area=area, filed_on=plan.filed_on.get((area, period.since), period.since),
                effective_from=period.since, effective_until=period.until,
            )  # fmt: skip
    look_again()


def _note(report: Report, actor: Actor, now: datetime) -> None:
    """Leave a line in the history: who imported how much, and when."""
    data = {"rows": dict(report.rows), "added": dict(report.added), "changed": dict(report.changed)}
    Entry.objects.create(
        at=now, subject=JOURNAL_SUBJECT, kind="network.import", process="network", revision=0, actor_id=actor.person_id,
        actor_name=actor.name, actor_role=actor.role, region=actor.region, station_no=actor.station_no, data=data,
    )  # fmt: skip
