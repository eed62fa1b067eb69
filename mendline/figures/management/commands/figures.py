"""`mendline figures`: as of when the figures are, and counting them anew."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db.models import Max
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from mendline.figures import facts
from mendline.figures.models import OrderFact, Path, Reading
from mendline.journal.following import entries_not_read
from mendline.kernel.time import moment_text
from mendline.orders.models import RepairOrder

WHY = "the command line sees everything"


class Command(BaseCommand):
    help = (
        "统计数字：status 看进度与统计时间，rebuild 从维修单和历史重新统计（不影响使用，中断后由后台任务接着做）。"
        " The figures: status says as of when they are, rebuild counts them anew from orders and history in use."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=("status", "rebuild"))

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        if action == "rebuild":
            self._rebuild()
        self._status()

    def _rebuild(self) -> None:
        last = RepairOrder.objects.unscoped(WHY).aggregate(last=Max("id"))["last"] or 0
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True)) as shown:
            task = shown.add_task("维修单 orders", total=last)
            facts.start_over(timezone.now(), lambda done: shown.update(task, completed=done))
        facts.catch_up(timezone.now())

    def _status(self) -> None:
        self.stdout.write(f"已统计的维修单 orders counted             {OrderFact.objects.unscoped(WHY).count():>12,}")
        self.stdout.write(f"不同的流程路径 different paths              {Path.objects.count():>12,}")
        reading = Reading.objects.first()
        if reading is None or reading.filled_to is not None:
            self.stdout.write("正在统计，由后台任务继续 still being counted; the worker goes on with it")
            return
        self.stdout.write(f"尚未读到的历史记录 history not yet read     {entries_not_read(reading):>12,}")
        if reading.as_of is not None:
            said = moment_text(reading.as_of)
            self.stdout.write(f"统计截至 as of  {said.zh}  {said.en}")
