"""`mendline storm`: a night of failures on servers of its own, and the page that tells of it."""

from __future__ import annotations

import argparse
import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.home import ROOT, state_folder
from mendline.sim.bench.conditions import _commit, cpu_name
from mendline.sim.faults.baton import RigFailed
from mendline.sim.faults.night import LAYERS, Night, weather_the_night
from mendline.sim.faults.page import page

FOUND, RIG_FAILED = 1, 3
STATE = "storm.json"
PAGE = ROOT / "docs" / "evidence" / "storm.md"


class Command(BaseCommand):
    help = (
        "整夜的故障：逐条语句失败（nth）、几个人同时（orders）、模拟世界（world）、真实进程（real）、对照（controls）。"
        "用自己的数据库，不碰现有数据；中断后用 --resume 继续。"
        " A night of failures: every statement (nth), several at once (orders), the simulated world (world), real"
        " processes (real), controls. Works on servers of its own, never on your data; --resume goes on after a stop."
        " 退出码 Exit codes: 0 无问题 nothing found, 1 有问题 findings, 3 测试台故障 the bench failed."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--minutes", type=float, default=180.0, help="总时长 length of the whole (180)")
        parser.add_argument("--resume", action="store_true", help="接着上次 go on where the last one stopped")
        parser.add_argument("--only", nargs="+", choices=LAYERS, default=list(LAYERS), help="只做这些 only these")
        parser.add_argument("--seed", type=int, default=20260302, help="种子 seed of everything that is drawn")
        parser.add_argument("--page", type=Path, default=PAGE, metavar="FILE", help="证据页 where the page goes")
        parser.add_argument("--json", action="store_true", help="供程序读取 for scripts")

    def handle(self, **options: Any) -> None:
        home = state_folder()
        began = time.monotonic()

        def said(line: str) -> None:
            if not options["json"]:
                self.stdout.write(f"{(time.monotonic() - began) / 60:6.1f} min  {line}")
                self.stdout.flush()

        night = Night(home / STATE, options["seed"], options["minutes"], said)
        if options["resume"]:
            night.take_up()
        when = datetime.now(UTC).isoformat(timespec="minutes")
        failed: RigFailed | None = None
        try:
            weather_the_night(night, tuple(options["only"]))
        except RigFailed as failure:
            failed = failure
        finally:
            night.save()
            conditions = {"when": when, "commit": _commit(), "machine": f"{cpu_name()}, {os.cpu_count()} cores"}
            options["page"].parent.mkdir(parents=True, exist_ok=True)
            options["page"].write_text(page(night, conditions), encoding="utf-8")
        if options["json"]:
            self.stdout.write(json.dumps({"problems": night.problems, "totals": night.totals}, ensure_ascii=False))
        if failed is not None:
            raise CommandError(f"测试台故障 / the bench failed: {failed}", returncode=RIG_FAILED)
        if night.problems:
            for problem in night.problems[:20]:
                self.stderr.write(problem)
            raise CommandError(f"{len(night.problems)} 个问题 / problems: {options['page']}", returncode=FOUND)
        said(f"没有发现问题 nothing found: {options['page']}")
