"""`mendline storm`: a night of failures on servers of its own, and the page that tells of it."""

from __future__ import annotations

import argparse
import json
import os
import signal
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.home import ROOT, state_folder
from mendline.sim.bench.conditions import _commit, cpu_name
from mendline.sim.faults.baton import RigFailed
from mendline.sim.faults.night import LAYERS, Night, weather_the_night
from mendline.sim.faults.page import page
from mendline.sim.faults.pieces import PIECES, repeated, the_rig

FOUND, RIG_FAILED = 1, 3
STATE = "storm.json"
PAGE = ROOT / "docs" / "evidence" / "storm.md"


class Command(BaseCommand):
    help = (
        "整夜的故障：逐条语句失败（nth）、几个人同时（orders）、模拟世界（world）、真实进程（real）、恶意输入（hostile）、"
        "带负载升级（upgrade）、对照（controls）。用自己的数据库，不碰现有数据；中断后用 --resume 继续。"
        " A night of failures: every statement (nth), several at once (orders), the simulated world (world), real"
        " processes (real), hostile input as every role (hostile), an upgrade under load (upgrade), controls. Works on"
        " servers of its own, never on your data; --resume goes on after a stop."
        " 退出码 Exit codes: 0 无问题 nothing found, 1 有问题 findings, 3 测试台故障 the bench failed."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--minutes", type=float, default=180.0, help="总时长 length of the whole (180)")
        parser.add_argument("--resume", action="store_true", help="接着上次 go on where the last one stopped")
        parser.add_argument(
            "--only", nargs="+", choices=LAYERS, default=list(LAYERS), metavar="LAYER",
            help=f"只做这些，时间归它们 only these, and all the time for them: {', '.join(LAYERS)}",
        )  # fmt: skip
        parser.add_argument("--seed", type=int, default=20260302, help="种子 seed of everything that is drawn")
        parser.add_argument("--page", type=Path, default=PAGE, metavar="FILE", help="证据页 where the page goes")
        parser.add_argument("--json", action="store_true", help="供程序读取 for scripts")
        parser.add_argument(
            "--repeat", nargs="+", metavar=("LAYER", "SEED"),
            help="重做证据页上的一处：层，加种子或场景文件；不写证据页 one thing of the page again: its layer, with the"
            " seed or the scenario files; leaves page and night alone",
        )  # fmt: skip

    def handle(self, **options: Any) -> None:
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # the servers of the night go, whoever ends us
        began = time.monotonic()

        def said(line: str) -> None:
            if not options["json"]:
                self.stdout.write(f"{(time.monotonic() - began) / 60:6.1f} min  {line}")
                self.stdout.flush()

        if options["repeat"]:
            self._repeat(*options["repeat"], said=said)
            return
        night = Night(state_folder() / STATE, options["seed"], options["minutes"], said)
        night.begun = datetime.now(UTC).isoformat(timespec="minutes")
        if options["resume"]:
            night.take_up()
        night.commit, night.only = _commit(), tuple(options["only"])
        try:
            failed = _weathered(night)
        finally:
            night.save()
            options["page"].parent.mkdir(parents=True, exist_ok=True)
            options["page"].write_text(page(night, f"{cpu_name()}, {os.cpu_count()} cores"), encoding="utf-8")
        if options["json"]:
            self.stdout.write(json.dumps({"problems": night.problems, "totals": night.totals}, ensure_ascii=False))
        if failed is not None:
            raise CommandError(f"测试台故障 / the bench failed: {failed}", returncode=RIG_FAILED)
        self._tell(night.problems, str(options["page"]))
        said(f"没有发现问题 nothing found: {options['page']}")

    def _repeat(self, layer: str, *what: str, said: Any) -> None:
        """Do one piece again; the page and the night's file are left alone."""
        try:
            with TemporaryDirectory() as folder:
                night = repeated(layer, what, Path(folder) / STATE, said)
                failed = _weathered(night)
        except ValueError as fault:
            raise CommandError(f"--repeat LAYER [SEED | FILE …]: {fault}") from fault
        if failed is not None:
            raise CommandError(f"测试台故障 / the bench failed: {failed}", returncode=RIG_FAILED)
        self._tell(night.problems, "--repeat")
        said("没有发现问题 nothing found")

    def _tell(self, problems: list[str], where: str) -> None:
        for problem in problems[:20]:
            self.stderr.write(problem)
        if problems:
            raise CommandError(f"{len(problems)} 个问题 / problems: {where}", returncode=FOUND)


def _weathered(night: Night) -> RigFailed | None:
    try:
        weather_the_night(night, PIECES, the_rig)
    except RigFailed as failure:
        return failure
    return None
