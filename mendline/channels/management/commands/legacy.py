"""Exchange orders with the legacy system by file."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from mendline.access.actors import Actor
from mendline.access.models import Person
from mendline.care.assessment import start_of_day
from mendline.channels.legacy.exports import MOST_ROWS, as_csv, as_workbook, export_orders
from mendline.channels.legacy.imports import Report, import_orders
from mendline.network.sheets import Unreadable as FileUnreadable

COMMAND_LINE = Actor(None, "命令行 command line", "admin", via="cli")


class Command(BaseCommand):
    help = (
        "与旧系统交换：T1–T4 各列和撤单备注（.xlsx 或 .csv）。"
        " Exchange T1 to T4 and cancellation remarks with the legacy system. Differences are reported;"
        " a remark on an open order cancels it as the person named, under all rules."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parts = parser.add_subparsers(dest="part", required=True)
        out = parts.add_parser("export", help="导出 write a file")
        out.add_argument("file", type=Path, help=".xlsx or .csv")
        out.add_argument("--station", default="", help="维修站编号 station number")
        out.add_argument("--from", dest="since", metavar="DAY", help="报修日期从 first day of the report, 2026-03-02")
        out.add_argument("--to", dest="until", metavar="DAY", help="到（含） last day, included")
        into = parts.add_parser("import", help="导入并比对 read a file and compare")
        into.add_argument("file", type=Path, help=".xlsx, or .csv in UTF-8 or GB18030")
        into.add_argument("--as", dest="username", required=True, help="以谁的身份 who brings the file (user name)")
        into.add_argument("--dry-run", action="store_true", help="只检查，不执行 check only, carry out nothing")
        into.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, part: str, **options: Any) -> None:
        if part == "export":
            self._export(options["file"], options["station"], options["since"], options["until"])
        else:
            self._import(options["file"], options["username"], dry_run=options["dry_run"], as_json=options["json"])

    def _export(self, file: Path, station: str, since: str | None, until: str | None) -> None:
        if file.suffix.lower() not in (".xlsx", ".csv"):
            raise CommandError("文件名须以 .xlsx 或 .csv 结尾。 The file must end in .xlsx or .csv.")
        end = _start_of(until) + timedelta(days=1) if until else None
        found = export_orders(COMMAND_LINE, since=_start_of(since) if since else None, until=end, station_no=station)
        data = as_csv(found.rows) if file.suffix.lower() == ".csv" else as_workbook(found.rows)
        file.write_bytes(data)
        self.stdout.write(f"已写入 wrote {file}: {len(found.rows)} 张 orders")
        for ref in found.lossy:
            self.stderr.write(f"{ref}: 旧系统各列无法完整表达 the legacy columns cannot hold everything of it")
        if found.is_cut:
            raise CommandError(
                f"超过 {MOST_ROWS} 张，只写入了最早的部分，请用 --from/--to 分次导出。"
                f" More than {MOST_ROWS}: only the oldest were written; use --from and --to."
            )

    def _import(self, file: Path, username: str, *, dry_run: bool, as_json: bool) -> None:
        person = Person.objects.filter(username=username, is_active=True).first()
        if person is None:
            raise CommandError(f"没有用户 {username}。 There is no active user {username}.")
        try:
            report = import_orders(file.read_bytes(), actor=person.as_actor("cli"), now=timezone.now(), dry_run=dry_run)
        except OSError as problem:
            raise CommandError(f"读不到文件 cannot read {file}: {problem.strerror}") from None
        except FileUnreadable as problem:
            raise CommandError(str(problem)) from None
        self.stdout.write(_as_json(report) if as_json else _as_text(report))
        if report.faults:
            raise CommandError(f"{len(report.faults)} 行未处理。 {len(report.faults)} rows were not taken.")


def _start_of(day: str) -> datetime:
    try:
        return start_of_day(day)
    except ValueError:
        raise CommandError(f"“{day}”不是日期，例如 2026-03-02。 {day!r} is no day, e.g. 2026-03-02.") from None


def _as_text(report: Report) -> str:
    lines = [str(fault) for fault in report.faults]
    lines += [
        f"第 {item.row} 行 row {item.row} {item.ref} {item.column}:"
        f" 文件 file {item.theirs!r}, 本系统 here {item.ours!r}"
        for item in report.differences
    ]
    done = "将撤单 would be cancelled" if report.dry_run else "已撤单 cancelled"
    lines += [f"{ref}: {done}" for ref in report.cancelled]
    lines.append(
        f"{report.rows} 行 rows, 一致 same {report.same}, 差异 differences {len(report.differences)},"
        f" 撤单 cancelled {len(report.cancelled)}, 未处理 not taken {len(report.faults)}"
    )
    return "\n".join(lines)


def _as_json(report: Report) -> str:
    faults = [
        {"sheet": fault.sheet, "row": fault.row, "column": fault.column, **fault.text.as_dict()}
        for fault in report.faults
    ]
    differences = [
        {"row": item.row, "ref": item.ref, "column": item.column, "theirs": item.theirs, "ours": item.ours}
        for item in report.differences
    ]
    answer = {
        "dry_run": report.dry_run, "rows": report.rows, "same": report.same, "differences": differences,
        "cancelled": report.cancelled, "faults": faults,
    }  # fmt: skip
    return json.dumps(answer, ensure_ascii=False)
