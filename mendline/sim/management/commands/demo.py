"""`mendline demo`: load a demo world into an empty database."""

from __future__ import annotations

import argparse
import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from mendline.sim import demo
from mendline.sim.national_rows import NotTheOwner

HELP = """\
载入演示数据，仅限空库，全部成功或什么也不写；随时可按 Ctrl+C 取消
load a demo world into an empty database, all or nothing; Ctrl+C cancels it at any time

  small     12 个站、约 150 张维修单、近十天，每种状态都有；数秒
            12 stations, some 150 orders of ten days in every state; seconds
  national  7 个大区、300 个站（另有 60 个点）、34 个省级行政区、60 个机型、1500 名工程师、近 30 天约 9000 张维修单，
            历史逐笔真实；约一分钟。有故事可看：高温、新品上市、电池供应商延期、郑州一站失守、西北大区判断慢、来回改派
            7 regions, 300 stations and 60 points, 34 provinces, 60 models, 1,500 engineers, 9,000 orders of 30 days,
            every history true; about a minute. Its stories: a heat wave, a launch, a late battery supplier,
            a failing station in Zhengzhou, slow verdicts in the north-west, orders handed round in circles
  huge      在 national 之外有 5000 个站、200 万张维修单（三年；30 天以前的只有单据、没有历史）；
            数分钟（机器忙则更久）、6 GB 磁盘
            national, and 5,000 stations with 2,000,000 orders of three years (those before the 30 days are rows without
            histories); some minutes, more on a busy machine, and 6 GB of disk

过去的通知都算已发出，启动后台任务时不会再发。查找与统计由后台任务（mendline worker）随后备好。
Notices of the past count as sent, and no worker sends them again.
Search and figures are prepared by the worker afterwards.
同一时刻、同一种子得到同样的数据。全部演示账号密码相同，列在最后。
The same moment and seed give the same data. All logins have one password; they are listed at the end.
"""


class Command(BaseCommand):
    help = HELP

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        return super().create_parser(
            prog_name, subcommand, formatter_class=argparse.RawDescriptionHelpFormatter, **kwargs
        )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--size", choices=demo.SIZES, default="small", help="规模 / how much of it")
        parser.add_argument(
            "--seed", type=int, default=demo.SEED, help="随机种子，相同则数据相同 / the same seed gives the same demo"
        )
        parser.add_argument(
            "--anyway",
            action="store_true",
            help="已有人员（如管理员）也载入；已有维修站或维修单时仍然拒绝"
            " / although there are people already, such as an administrator; never beside stations or orders",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # ended from outside, it rolls back as on Ctrl+C
        try:
            played = self._load(options["size"], options["seed"], anyway=options["anyway"])
        except (demo.NotEmpty, NotTheOwner) as reason:
            raise CommandError(str(reason)) from None
        except KeyboardInterrupt:
            raise CommandError("已取消，什么也没有写入。 Cancelled; nothing was written.", returncode=130) from None
        self.stdout.write(
            f"{played.orders} 张维修单，{played.records} 条关联记录 / {played.orders} orders, {played.records} records"
        )
        for refusal in played.refusals:
            self.stderr.write(f"未能执行 refused: {refusal}")
        for login in demo.logins():
            self.stdout.write(f"  {login}")

    def _load(self, size: str, seed: int, *, anyway: bool) -> demo.Played:
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
        with Progress(*columns, transient=True, disable=not self.stdout.isatty()) as bars:
            bar = bars.add_task(f"演示数据 demo ({size})", total=1.0)
            return demo.load_demo(
                timezone.now(),
                size=size,
                seed=seed,
                anyway=anyway,
                progress=lambda share: bars.update(bar, completed=share),
            )
