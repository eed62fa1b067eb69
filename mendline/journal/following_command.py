"""What `mendline search` and `mendline figures` share: how far the follower is, and walking through all of it anew."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any, ClassVar

from django.core.management.base import BaseCommand
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from mendline.journal.following import Follower, HistoryReading, entries_not_read
from mendline.kernel.time import moment_text


class FollowingCommand(BaseCommand):
    """`status` and `rebuild` of a follower."""

    follower: ClassVar[Follower[Any]]

    def kept(self) -> list[tuple[str, int]]:
        """Return what is kept: its name in both languages, and how many rows."""
        raise NotImplementedError

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=("status", "rebuild"))

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        if action == "rebuild":
            self._rebuild()
        self._status()

    def _rebuild(self) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True)) as shown:
            task = shown.add_task("维修单 orders", total=self.follower.last_row())
            self.follower.start_over(timezone.now(), lambda done: shown.update(task, completed=done))
        while self.follower.catch_up(timezone.now()):
            pass

    def _status(self) -> None:
        for name, rows in self.kept():
            self._line(name, rows)
        reading: HistoryReading | None = self.follower.reading._default_manager.first()
        if reading is None or reading.filled_to is not None:
            self.stdout.write(
                "正在从维修单生成，由后台任务继续 still being made from the orders; the worker goes on with it"
            )
            return
        self._line("尚未读到的历史记录 history not yet read", entries_not_read(reading))
        if reading.as_of is not None:
            said = moment_text(reading.as_of)
            self.stdout.write(f"截至 as of  {said.zh}  {said.en}")

    def _line(self, name: str, rows: int) -> None:
        self.stdout.write(f"{name:<60}{rows:>12,}")
