"""`mendline audit`: whether the history is still what was sealed, and how far the sealing is."""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from django.utils import timezone

from mendline.journal import sealing_heads
from mendline.journal.sealing import last_seal
from mendline.journal.sealing_verify import Verdict, verify


class Command(BaseCommand):
    help = (
        "历史记录的封存：verify 逐条重算并指出第一处不符（有不符时返回 1），status 看封存到哪里。"
        " The sealed history: verify hashes every entry again and names the first difference (then it returns 1),"
        " status says how far the sealing is."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=("verify", "status"))
        parser.add_argument(
            "--heads", type=Path, nargs="+", metavar="FILE",
            help="外部保存的封存号，默认用 MENDLINE_SEALS 中的 heads kept outside; otherwise those in MENDLINE_SEALS",
        )  # fmt: skip
        parser.add_argument("--json", action="store_true", help="供程序读取 for scripts")

    def handle(self, *args: Any, action: str, heads: list[Path] | None, **options: Any) -> None:
        for path in heads or ():
            if not path.exists():
                raise CommandError(f"没有文件 {path}。 There is no file {path}.")
        if action == "status":
            self._status()
            return
        began = time.monotonic()
        with _one_view() as cursor:
            verdict = verify(cursor, timezone.now(), heads)
        if options["json"]:
            self.stdout.write(json.dumps(asdict(verdict), ensure_ascii=False, default=_plain))
        else:
            self._tell(verdict, time.monotonic() - began)
        if not verdict.ok:
            sys.exit(1)

    def _tell(self, verdict: Verdict, seconds: float) -> None:
        rate = f"{verdict.entries / seconds:,.0f}" if seconds > 0 else "–"
        self.stdout.write(
            f"核对了 {verdict.entries:,} 条记录、{verdict.seals:,} 个封存，{seconds:.1f} 秒（每秒 {rate} 条）\n"
            f"{verdict.entries:,} entries and {verdict.seals:,} seals compared, {verdict.heads_compared:,} of them with"
            f" heads from outside"
        )
        for note in verdict.notes:
            self.stdout.write(f"· {note.zh}\n  {note.en}")
        if verdict.unsealed:
            self.stdout.write(
                f"· 尚未封存 not sealed yet: {verdict.unsealed:,}（{verdict.oldest_unsealed:%F %T} 起 since）"
            )
        for one in verdict.wrong:
            self.stdout.write(f"✗ {one.what.zh}\n  {one.what.en}")
        if verdict.ok:
            self.stdout.write(f"✓ 与封存一致 as it was sealed, up to entry {verdict.last_entry}: {verdict.head}")
        else:
            self.stdout.write("请保留现场，不要再写入，交给审计人员。 Leave everything as it is and call the auditor.")

    def _status(self) -> None:
        with connection.cursor() as cursor:
            last = last_seal(cursor)
            cursor.execute(
                "SELECT count(*), min(at) FROM journal_entry WHERE id > %s", [0 if last is None else last.up_to]
            )
            unsealed, oldest = cursor.fetchone()
            file = sealing_heads.file_of(cursor)
        if last is None or file is None:
            self.stdout.write(
                "还没有封存：由后台进程 worker 做。 Nothing is sealed yet: the process `mendline worker` does it."
            )
            return
        self.stdout.write(f"最后的封存 last seal      {last.number:>12,}  {last.sealed_at:%F %T}  {last.head.hex()}")
        self.stdout.write(f"封存到记录 up to entry    {max(0, last.up_to):>12,}")
        since = "" if oldest is None else f"  {oldest:%F %T} 起 since"
        self.stdout.write(f"尚未封存 not sealed yet   {unsealed:>12,}{since}")
        self.stdout.write(f"外部封存号 heads outside  {file.last_number():>12,}  {file.path}")


@contextmanager
def _one_view() -> Iterator[Any]:
    """See one state of the database to the end, whoever writes meanwhile."""
    if connection.in_atomic_block:  # somebody else's, whose first statement was another
        with connection.cursor() as cursor:
            yield cursor
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield cursor


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(type(value).__name__)
