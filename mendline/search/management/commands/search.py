"""`mendline search`: how far the index of the search is, and making it anew."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db.models import Max
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from mendline.journal.models import Entry
from mendline.orders.models import RepairOrder
from mendline.search import index
from mendline.search.models import Current, Past, Reading

WHY = "the command line sees everything"


class Command(BaseCommand):
    help = (
        "查找用的索引：status 看进度，rebuild 从维修单重新生成（不影响使用，中断后由后台任务接着做）。"
        " The index of the search: status says how far it is, rebuild makes it anew from the orders while it is used."
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
            index.start_over(timezone.now(), lambda done: shown.update(task, completed=done))

    def _status(self) -> None:
        current, past = Current.objects.unscoped(WHY).count(), Past.objects.unscoped(WHY).count()
        self.stdout.write(f"在途及近 12 个月 open or of the last 12 months  {current:>12,}")
        self.stdout.write(f"更早且已结束 ended before that                  {past:>12,}")
        reading = Reading.objects.first()
        if reading is None or reading.filled_to is not None:
            self.stdout.write(
                "正在从维修单生成，由后台任务继续 still being filled from the orders; the worker goes on with it"
            )
            return
        newest = Entry.objects.aggregate(newest=Max("id"))["newest"] or 0
        self.stdout.write(f"尚未读到的历史记录 history not yet read           {max(0, newest - reading.done_to):>12,}")
