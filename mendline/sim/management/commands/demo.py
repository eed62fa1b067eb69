"""`mendline demo`: load the demo world into an empty database."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.progress import Progress

from mendline.sim import demo


class Command(BaseCommand):
    help = (
        "载入演示数据：演示网络与近十天的业务，仅限空库 / load the demo: a small network with ten days of business,"
        " into an empty database only. All logins have the same password; they are listed at the end."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--size", choices=sorted(demo.SIZES), default="small", help="规模 / how much of it")
        parser.add_argument(
            "--seed", type=int, default=demo.SEED, help="随机种子，相同则数据相同 / the same seed gives the same demo"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with Progress(transient=True, disable=not self.stdout.isatty()) as bars:
            bar = bars.add_task("演示数据 demo", total=1.0)
            try:
                played = demo.load_demo(
                    timezone.now(),
                    size=options["size"],
                    seed=options["seed"],
                    progress=lambda share: bars.update(bar, completed=share),
                )
            except demo.NotEmpty as reason:
                raise CommandError(str(reason)) from None
        self.stdout.write(
            f"{played.orders} 张维修单，{played.records} 条关联记录 / {played.orders} orders, {played.records} records"
        )
        for refusal in played.refusals:
            self.stderr.write(f"未能执行 refused: {refusal}")
        for login in demo.logins():
            self.stdout.write(f"  {login}")
