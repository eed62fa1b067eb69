"""Import stations, coverage, capacity and areas without 800 from an .xlsx or .csv file."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from mendline.access.actors import Actor
from mendline.network.imports import MOST_FAULTS_SHOWN, Report, import_network
from mendline.network.sheets import Unreadable

COMMAND_LINE = Actor(None, "命令行 command line", "admin", via="cli")


class Command(BaseCommand):
    help = (
        "导入维修站、区域覆盖、产能和未开通800地区（.xlsx 或 .csv）。先用 --dry-run 检查。"
        " Import stations, coverage, capacity and areas without 800. Check with --dry-run first."
        " Any faulty row: nothing is written, every fault is listed, exit code 1."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help=".xlsx, or .csv in UTF-8 or GB18030")
        parser.add_argument("--dry-run", action="store_true", help="只检查，不写入 check only, write nothing")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, file: Path, dry_run: bool, json: bool, **options: Any) -> None:
        try:
            report = import_network(file.read_bytes(), actor=COMMAND_LINE, now=timezone.now(), dry_run=dry_run)
        except OSError as problem:
            raise CommandError(f"读不到文件 cannot read {file}: {problem.strerror}") from None
        except Unreadable as problem:
            raise CommandError(str(problem)) from None
        self.stdout.write(_as_json(report) if json else _as_text(report))
        if report.faults:
            raise CommandError(
                f"共 {len(report.faults)} 处错误，没有写入任何内容。 {len(report.faults)} faults, nothing was written."
            )


def _as_text(report: Report) -> str:
    if report.faults:
        return "\n".join(str(fault) for fault in report.faults[:MOST_FAULTS_SHOWN])
    lines = [
        f"{table}: {count} 行 rows, 新增 added {report.added[table]}, 变更 changed {report.changed[table]}"
        for table, count in report.rows.items()
    ]
    if report.changes_nothing:
        lines.append("与现有数据一致，没有变化。 Nothing differs from what is kept.")
    elif report.dry_run:
        lines.append("仅检查，没有写入。 Checked only, nothing was written.")
    return "\n".join(lines)


def _as_json(report: Report) -> str:
    faults = [
        {"sheet": fault.sheet, "row": fault.row, "column": fault.column, **fault.text.as_dict()}
        for fault in report.faults
    ]
    answer = {
        "written": report.is_written,
        "rows": report.rows,
        "added": report.added,
        "changed": report.changed,
        "faults": faults,
    }
    return json.dumps(answer, ensure_ascii=False)
