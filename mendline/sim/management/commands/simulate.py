"""`mendline simulate`: play seeded worlds through the product and have an oracle judge every answer."""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from mendline.sim.bench.conditions import conditions, cpu_name
from mendline.sim.bench.scratch import BenchFailed
from mendline.sim.ground import league
from mendline.sim.ground.arena import ArenaFailed, arena
from mendline.sim.ground.cases import read
from mendline.sim.ground.league import Results
from mendline.sim.ground.page import page
from mendline.sim.ground.places import NAMES
from mendline.sim.ground.run import Plan
from mendline.sim.ground.situations import SITUATIONS

FOUND, RIG_FAILED = 1, 3
MOST_SHOWN = 12
USUAL_REPORTS = {"small": 300, "tight": 120, "national": 3000}  # a day of 300 stations is 3,000


class Command(BaseCommand):
    help = (
        "用随机种子模拟用户、座席、维修站、大区、备件与回访，并由独立的判定核对每个答复。"
        " Simulate customers, agents, stations, regions, parts and callbacks by seed; an oracle judges every answer."
        " 退出码 Exit codes: 0 无问题 nothing found, 1 有问题 findings, 3 模拟环境故障 the rig failed."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--world", choices=NAMES, default="small", help="网络 network")
        parser.add_argument("--days", type=float, default=3.0, help="报修与故障的天数 days of reports and faults")
        parser.add_argument("--seed", type=_seeds, default=[1], metavar="N|A-B", help="种子 one seed or a range")
        parser.add_argument("--reports", type=int, help="每个种子的报修数 reports per seed")
        parser.add_argument("--faults", choices=("none", "storm"), default="none", help="故障 faults on the way")
        parser.add_argument("--processes", type=int, default=2, help="同时运行的进程 processes beside each other")
        parser.add_argument("--json", type=Path, metavar="FILE", help="结果写成 JSON write the results")
        parser.add_argument("--html", type=Path, metavar="FILE", help="结果写成网页 write the report")
        parser.add_argument("--cases", type=Path, metavar="FOLDER", help="失败过程存放处 where failing histories go")
        parser.add_argument(
            "--shrink", type=int, default=40, metavar="TRIES", help="缩短失败过程的次数 tries to shorten"
        )
        parser.add_argument("--replay", type=Path, metavar="FILE", help="重放一个过程 play a kept history again")
        parser.add_argument(
            "--all-situations", action="store_true", help="有未见情形即失败 fail for a situation not seen"
        )

    def handle(self, **options: Any) -> None:
        began = time.monotonic()
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # the scratch server goes, whoever ends us
        try:
            if options["replay"]:
                self._replay(options["replay"])
                return
            results = self._play(options)
        except (BenchFailed, ArenaFailed) as failure:
            raise CommandError(
                f"模拟环境故障 / the rig failed: {failure}", returncode=RIG_FAILED
            ) from failure  # fmt: skip
        results.conditions["seconds"] = round(time.monotonic() - began, 1)
        self._write(results, options)
        self._say_all(results)
        if results.findings or (options["all_situations"] and results.never_seen):
            raise CommandError("发现问题，见上 / findings, see above", returncode=FOUND)

    def _play(self, options: Mapping[str, Any]) -> Results:
        plan = Plan(
            options["world"], 0, options["days"], options["reports"] or USUAL_REPORTS[options["world"]],
            options["faults"] == "storm",
        )  # fmt: skip
        keep: Path = options["cases"] or Path(tempfile.mkdtemp(prefix="mendline-cases-"))
        keep.mkdir(parents=True, exist_ok=True)
        with arena(Path(settings.HOME), plan.world) as scratch, _Shown(len(options["seed"])) as shown:
            results = league.play_all(
                scratch, plan, options["seed"], processes=options["processes"], told=shown.told, keep=keep
            )
            results.conditions = {**conditions(scratch), "cpu": cpu_name(), "commit": _commit()}
            for seed in dict.fromkeys(seed for seed, _ in results.findings):
                path = keep / f"{plan.world}-{seed}.json"
                case = league.shrunk(scratch, path, _commit(), tries=options["shrink"])
                results.cases.append(f"{path} ({len(case.items)} steps)")
        return results

    def _replay(self, path: Path) -> None:
        case = read(path)
        with arena(Path(settings.HOME), case.world) as scratch:
            findings = league.replayed(scratch, path, case.world)
        for finding in findings:
            self.stdout.write(str(finding))
        if findings:
            raise CommandError(f"{len(findings)} 个问题 findings", returncode=FOUND)
        self.stdout.write(f"没有发现问题 nothing was found: {path}")

    def _write(self, results: Results, options: Mapping[str, Any]) -> None:
        document = results.as_json()
        if options["json"]:
            text = json.dumps(document, ensure_ascii=False, indent=1)
            options["json"].write_text(text + "\n", encoding="utf-8")
        if options["html"]:
            options["html"].write_text(page(document), encoding="utf-8")

    def _say_all(self, results: Results) -> None:
        say = self.stdout.write
        for one in results.seeds:
            rate = one["calls"] / one["seconds"] if one["seconds"] else 0.0
            say(
                f"seed {one['seed']}: {one['figures']['orders']} 单 orders, {one['calls']} 次调用 calls,"
                f" {one['seconds']} s ({rate:.0f}/s), trace {one['trace'][:16]}, {len(one['findings'])} findings"
            )
        whole = results.cpu_seconds + results.server_cpu_seconds
        say(
            f"CPU: {results.cpu_seconds:.0f} s + PostgreSQL {results.server_cpu_seconds:.0f} s,"
            f" {results.calls / max(whole, 0.1):.0f} 次/CPU 秒 calls per CPU second;"
            f" 内存至多 memory at most {max(one['memory_mib'] for one in results.seeds)} MiB"
        )
        seen = [name for name in SITUATIONS if results.seen[name]]
        say(f"\n情形 situations: {len(seen)} / {len(SITUATIONS)}")
        say("  " + ", ".join(f"{name} {results.seen[name]}" for name in seen))
        if results.never_seen:
            say(f"  未见 never seen: {', '.join(results.never_seen)}")
        for seed, finding in results.findings[:MOST_SHOWN]:
            say(f"\nseed {seed} {finding['invariant']} {finding['kind']}: {finding['zh']}\n  {finding['en']}")
        for case in results.cases:
            say(f"  过程 history: {case}")


def _seeds(text: str) -> list[int]:
    """Read `7` or `1-20`."""
    first, _, last = text.partition("-")
    try:
        found = list(range(int(first), int(last or first) + 1))
    except ValueError:
        found = []
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r}：请写 7 或 1-20 / write 7 or 1-20")
    return found


def _commit() -> str:
    asked = ["git", "-C", str(settings.BASE_DIR), "rev-parse", "--short", "HEAD"]
    try:
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


class _Shown:
    """A bar for all seeds with what is going on: orders, calls, findings."""

    def __init__(self, seeds: int) -> None:
        self._seeds = seeds
        self._share: dict[int, float] = {}
        self._counts: dict[int, Mapping[str, Any]] = {}
        self._bar = Progress(
            TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeElapsedColumn(),
            console=Console(stderr=True), transient=True,
        )  # fmt: skip
        self._task = self._bar.add_task("准备 preparing", total=seeds)

    def __enter__(self) -> _Shown:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def told(self, seed: int, document: Mapping[str, Any]) -> None:
        self._share[seed], self._counts[seed] = float(document["share"]), document
        totals = [sum(int(one[name]) for one in self._counts.values()) for name in ("orders", "calls", "findings")]
        words = "{} 单 orders · {} 次 calls · {} 个问题 findings".format(*totals)
        self._bar.update(self._task, description=words, completed=sum(self._share.values()))
