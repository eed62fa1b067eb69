"""`mendline upgrade-drill`: upgrade a scratch installation while people work with it."""

from __future__ import annotations

import argparse
import json
import secrets
import shutil
import signal
import subprocess
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from mendline.sim.bench.conditions import cpu_name
from mendline.sim.bench.scratch import BenchFailed
from mendline.sim.defects.scratch_tree import copy_of_commit, release_before
from mendline.sim.upgrade.drill import Drilled, drill, plant_a_bad_change
from mendline.sim.upgrade.page import page


class Command(BaseCommand):
    help = (
        "演习升级：旧版与新版在新表上并行，一边有人在用；不碰现有数据"
        " / drill an upgrade: the release before and this one beside each other, under load; never touches your data"
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--before", metavar="COMMIT", help="旧版（默认上一个版本）/ the release before (default: the last tag)"
        )
        parser.add_argument(
            "--requests", type=int, default=2000, help="每个阶段的请求数 / requests in each phase (2000)"
        )
        parser.add_argument(
            "--control",
            action="store_true",
            help="加一个旧版承受不了的更新，演习必须变红 / with a change that the old code cannot bear: must go red",
        )
        parser.add_argument(
            "--page",
            nargs=3,
            type=Path,
            metavar=("FILE", "JSON", "CONTROL"),
            help="只写证据页，用两次的结果 / only write the page, from the --json of a drill and its control",
        )
        parser.add_argument("--json", type=Path, metavar="FILE", help="结果写入文件 / write the result here as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["page"]:
            to, *results = options["page"]
            to.write_text(page(*(json.loads(one.read_text(encoding="utf-8")) for one in results)), encoding="utf-8")
            return
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # ended from outside, it clears up as on Ctrl-C
        home = Path(settings.HOME) / f"upgrade-{secrets.token_hex(4)}"
        home.mkdir(mode=0o711)
        try:
            commits = {}
            for name, wanted in (("before", options["before"] or release_before()), ("after", "HEAD")):
                (home / name).mkdir()
                commit = copy_of_commit(home / name, named=wanted)
                if commit is None:
                    raise CommandError("需要 git 仓库 a drill needs the repository: it takes the code of two commits")
                commits[name] = commit
            if options["control"]:
                plant_a_bad_change(home / "after")
            self._say(f"{commits['before'][:12]} → {commits['after'][:12]}")
            found = drill(home, home / "before", home / "after", asked=options["requests"], said=self._say)
        except subprocess.CalledProcessError as fault:
            raise CommandError(f"没有这个提交 there is no such commit: {fault.cmd[-1]}") from fault
        except BenchFailed as failure:
            raise CommandError(str(failure)) from failure
        finally:
            shutil.rmtree(home, ignore_errors=True)
        self._tell(found, commits, options["json"])
        if options["control"] and found.went_well:
            raise CommandError("对照没有变红，演习什么也证明不了 the control stayed green: the drill proves nothing")
        if not options["control"] and not found.went_well:
            raise CommandError(
                "升级时有人得到错误，或有单据丢失 somebody was answered with a fault, or something is lost"
            )

    def _tell(self, found: Drilled, commits: dict[str, str], to: Path | None) -> None:
        for phase in found.phases:
            answers = ", ".join(f"{status}: {count}" for status, count in sorted(phase.answers.items()))
            self.stdout.write(f"{phase.name}: {phase.asked} ({answers}), slowest {phase.slowest_ms:.0f} ms")
            for wrong in phase.wrong:
                self.stdout.write(f"  {wrong}")
        self.stdout.write(f"migrate {found.migrate_seconds} s: {', '.join(found.migrated) or '–'}")
        self.stdout.write(f"acknowledged {found.acknowledged}, lost {found.lost}")
        for one in found.broken:
            self.stdout.write(f"  {one}")
        if to is not None:
            about = {"commits": commits, "cpu": cpu_name(), "at": time.strftime("%Y-%m-%d")}
            to.write_text(json.dumps({**about, **asdict(found)}, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")

    def _say(self, text: str) -> None:
        self.stderr.write(f"{time.strftime('%H:%M:%S')} {text}")
