"""`mendline defects`: plant defects in a copy of the project and see who notices."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from mendline.sim.bench.conditions import conditions
from mendline.sim.bench.scratch import NAMED_OUTSIDE, BenchFailed, scratch_server
from mendline.sim.defects.board import Defect, WrongDefect, board, stale
from mendline.sim.defects.catching import Catchers, Verdict, verdict_from_json
from mendline.sim.defects.page import WANTED, page
from mendline.sim.defects.scratch_tree import ScratchTree, copy_of_commit, copy_of_files

CONTROL_PATIENCE = 3600  # seconds for every test that noticed something, once, against the sound copy


class Command(BaseCommand):
    help = (
        "在项目的副本里逐一植入缺陷，看哪个测试发现；不碰现有数据"
        " / plant defects, one at a time, in a copy of the project and see which test notices; never touches your data"
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--only", nargs="+", metavar="NAME", default=[], help="只植入这些 / plant only these")
        parser.add_argument("--list", action="store_true", help="只列出，不植入 / list them, plant nothing")
        parser.add_argument(
            "--json",
            type=Path,
            metavar="FILE",
            help="结果写入文件；已有的结果保留，只更新这次植入的 / results; what the file holds of others is kept",
        )
        parser.add_argument(
            "--page", type=Path, metavar="FILE", help="写出证据页（Markdown）/ write the page of evidence here"
        )
        parser.add_argument(
            "--resume",
            action="store_true",
            help="跳过 --json 文件里已有的 / leave out what the --json file holds already",
        )

        parser.add_argument(
            "--by",
            metavar="CATCHER",
            help="只问这一个（pytest 参数或 mendline 命令）能发现多少 / how many this one catcher notices by itself",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            defects = board(only=options["only"])
        except WrongDefect as fault:
            raise CommandError(str(fault)) from fault
        if faults := stale(defects):
            raise CommandError("\n".join(faults))
        if options["list"]:
            for one in defects:
                self.stdout.write(f"{one.name}\n  {one.breaks.zh}\n  {one.breaks.en}")
            return
        path: Path | None = options["json"]
        kept = json.loads(path.read_text(encoding="utf-8")) if path and path.exists() else {"verdicts": {}}
        on_board = {one.name for one in board()}
        kept["verdicts"] = {name: one for name, one in kept["verdicts"].items() if name in on_board}
        done = kept.get("by", {}).get(options["by"], {}) if options["by"] else kept["verdicts"]
        todo = [one for one in defects if not (options["resume"] and one.name in done)]
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # ended from outside, it clears up as on Ctrl-C
        try:
            with _copy_with_server() as (catchers, about):
                if options["by"]:
                    self._ask_one(catchers, options["by"], todo, kept, path)
                    return
                kept["conditions"] = about
                for number, defect in enumerate(todo, start=1):
                    verdict = catchers.judge(defect)
                    self._say(f"{number}/{len(todo)} {_told(verdict)}")
                    kept["verdicts"][defect.name] = {**verdict.as_json(), "commit": about["commit"]}
                    _keep(kept, path)
                kept["control"] = self._control(catchers, kept)
                _keep(kept, path)
        except BenchFailed as failure:
            raise CommandError(str(failure)) from failure
        self._conclude(kept, options["page"], board())

    def _ask_one(
        self, catchers: Catchers, catcher: str, defects: Sequence[Defect], kept: dict[str, Any], path: Path | None
    ) -> None:
        """Say how many defects one catcher notices, a world or a sweep that was not written for any one of them."""
        if (control := catchers.run(catcher)).outcome != "held":
            raise CommandError(f"未植入缺陷时也不通过 fails without any defect: {control.by} {control.why}")
        found: dict[str, Any] = kept.setdefault("by", {}).setdefault(catcher, {})
        for number, defect in enumerate(defects, start=1):
            verdict = catchers.judge(replace(defect, catchers=(catcher,)))
            self._say(f"{number}/{len(defects)} {_told(verdict)}")
            found[defect.name] = verdict.runs[0].as_json()
            _keep(kept, path)
        noticed = sum(one["outcome"] == "caught" for one in found.values())
        self.stdout.write(f"发现 noticed {noticed}/{len(found)}: {catcher}")

    def _control(self, catchers: Catchers, kept: Mapping[str, Any]) -> dict[str, Any]:
        """Run every test that noticed a defect against the sound copy: red there as well, it noticed nothing."""
        caught = [run for one in kept["verdicts"].values() if (run := verdict_from_json(one).caught)]
        tests = dict.fromkeys(shlex.quote(run.by) for run in caught if run.by != run.catcher)
        others = dict.fromkeys(run.catcher for run in caught if run.by == run.catcher)
        seconds = 0.0
        for catcher in (*([" ".join(tests)] if tests else []), *others):
            run = catchers.run(catcher, patience=CONTROL_PATIENCE)
            seconds += run.seconds
            self._say(f"对照 control: {run.outcome} {run.seconds:.0f} s")
            if run.outcome != "held":
                raise CommandError(f"未植入缺陷时也不通过 fails without any defect: {run.by} {run.why}")
        return {"tests": len(tests) + len(others), "seconds": round(seconds)}

    def _conclude(self, kept: Mapping[str, Any], to: Path | None, defects: Sequence[Defect]) -> None:
        verdicts = {name: verdict_from_json(one) for name, one in kept["verdicts"].items()}
        if to is not None:
            commits = ", ".join(dict.fromkeys(one["commit"][:12] for one in kept["verdicts"].values()))
            control = f"{kept['control']['tests']} passed, {kept['control']['seconds']} s"
            about = {**kept["conditions"], "commits": commits, "control": control}
            to.write_text(page(defects, verdicts, about, kept.get("by", {})), encoding="utf-8")
        caught = sum(verdict.caught is not None for verdict in verdicts.values())
        self.stdout.write(f"发现 caught {caught}/{len(verdicts)}")
        if broken := [name for name, verdict in verdicts.items() if verdict.broken]:
            raise CommandError(f"无法判断 could not be judged: {', '.join(broken)}")
        if caught < WANTED * len(verdicts):
            missed = [name for name, verdict in verdicts.items() if verdict.caught is None]
            raise CommandError(f"没有测试发现 noticed by no test: {', '.join(missed)}")

    def _say(self, text: str) -> None:
        self.stderr.write(f"{time.strftime('%H:%M:%S')} {text}")


def _keep(kept: Mapping[str, Any], path: Path | None) -> None:
    if path is not None:
        path.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _told(verdict: Verdict) -> str:
    if verdict.broken:
        return f"! {verdict.name}: {verdict.broken.catcher}\n{verdict.broken.why}"
    by = verdict.caught
    return f"{'✓' if by else '✗'} {verdict.name} {verdict.seconds:.0f} s {by.by if by else ''}"


@contextmanager
def _copy_with_server() -> Iterator[tuple[Catchers, dict[str, str]]]:
    """Make a copy of what was committed last, and a server for its tests; both are gone afterwards."""
    with scratch_server(Path(settings.HOME)) as scratch:
        folder = scratch.home / "copy"
        folder.mkdir()
        try:
            commit = copy_of_commit(folder)
            if commit is None:
                copy_of_files(folder)
            about = {
                "commit": commit or "–",
                "when": datetime.now(UTC).strftime("%Y-%m-%d"),
                "machine": _machine(conditions(scratch)),
            }
            outside = {name: value for name, value in os.environ.items() if name not in NAMED_OUTSIDE}
            yield Catchers(ScratchTree(folder), {**outside, "MENDLINE_HOME": str(scratch.home)}), about
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _machine(about: Mapping[str, Any]) -> str:
    return (
        f"{about['cores']} cores, {about['memory_gib']} GiB, Python {about['python']}, PostgreSQL {about['postgresql']}"
    )
