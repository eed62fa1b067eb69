"""Export stations, coverage, capacity and areas without 800 as an .xlsx that can be imported again."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from mendline.kernel.time import local_day
from mendline.network.exports import empty_template, export_network


class Command(BaseCommand):
    help = (
        "导出维修站、区域覆盖、产能和未开通800地区为 .xlsx，可修改后再导入。"
        " Export the network as an .xlsx that can be edited and imported again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the .xlsx to write")
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--history", action="store_true", help="连同已终止的记录 with rows that have ended")
        which.add_argument("--template", action="store_true", help="只有表头 headings only")

    def handle(self, *args: Any, file: Path, history: bool, template: bool, **options: Any) -> None:
        if template:
            data = empty_template()
        else:
            data = export_network(day=None if history else local_day(timezone.now()))
        file.write_bytes(data)
        self.stdout.write(f"已写入 wrote {file} ({len(data):,} bytes)")
