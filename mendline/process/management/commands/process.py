"""`mendline process check|table|diagram|load|test|prove|replay|diff`: process files from the command line."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from mendline.process import diagram, loading, table
from mendline.process.differences import differences
from mendline.process.naming import NotAProcess, process_named


class Command(BaseCommand):
    help = "检查、列表、画图、载入流程文件 / check, tabulate, draw and load process files"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        check = verbs.add_parser("check", help="检查流程文件 / report every fault of every file, with line numbers")
        check.add_argument("paths", nargs="*", type=Path)
        tabulate = verbs.add_parser("table", help="状态×动作×角色表 / state × transition × role as golden files")
        tabulate.add_argument("--check", action="store_true", help="只比较，不写入 / compare only")
        draw = verbs.add_parser("diagram", help="流程图 / draw each process as SVG in both languages")
        draw.add_argument("--to", type=Path, default=Path(settings.BASE_DIR) / "docs" / "diagrams")
        verbs.add_parser("load", help="载入数据库 / generate the transition table and the calendar")
        test = verbs.add_parser("test", help="运行场景 / run scenario files or folders")
        test.add_argument("paths", nargs="+", type=Path)
        test.add_argument("--json", action="store_true")
        proof = verbs.add_parser("prove", help="逐一去掉规则看谁发现 / leave each thing out in turn: who notices?")
        proof.add_argument("--one-in", type=int, default=1, metavar="N", help="只抽查 N 分之一 / a sample only")
        proof.add_argument("--write", action="store_true", help="重写 docs/rules-proof.md / write the page anew")
        again = verbs.add_parser("replay", help="用改动后的流程重放历史 / decide past steps again under a changed file")
        again.add_argument("process", help="流程文件或代码 / a file, or the code of a process in use")
        again.add_argument("--days", type=int, default=30, help="最近多少天 / how far back")
        again.add_argument(
            "--set", action="append", default=[], metavar="NAME=VALUE", help="改参数 / change a parameter"
        )
        again.add_argument("--json", action="store_true")
        diff = verbs.add_parser("diff", help="两个版本有何不同 / how two versions differ, in words")
        diff.add_argument("older", help="代码、代码:版本或文件 / a code, code:version or a file, e.g. unified_repair:2")
        diff.add_argument("newer", help="同上 / the same, e.g. unified_repair:3")
        diff.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        verb = str(options["verb"])
        getattr(self, f"_{verb}")(options)

    def _check(self, options: dict[str, Any]) -> None:
        paths = options["paths"] or sorted(settings.PROCESS_FOLDER.glob("*.yaml"))
        found, faults = loading.read_files(paths)
        for fault in sorted(faults):
            self.stdout.write(self.style.ERROR(str(fault)))
        if faults:
            raise CommandError(f"{len(faults)} 处问题 / {len(faults)} faults in {len(paths)} files")
        self.stdout.write(f"{len(found)} 个流程文件无误 / {len(found)} process files are sound")

    def _table(self, options: dict[str, Any]) -> None:
        changed = table.write_golden(Path(settings.PROCESS_FOLDER) / "tables", compare_only=options["check"])
        for path in changed:
            self.stdout.write(str(path))
        if options["check"] and changed:
            raise CommandError("流程表已变，请运行 mendline process table / the tables changed: run it without --check")

    def _diagram(self, options: dict[str, Any]) -> None:
        for path in diagram.write_all(options["to"]):
            self.stdout.write(str(path))

    def _load(self, options: dict[str, Any]) -> None:
        loading.load_all()
        self.stdout.write("流程已载入 / processes are loaded")

    def _prove(self, options: dict[str, Any]) -> None:
        from importlib import import_module

        root = Path(settings.BASE_DIR)
        page = root / "docs" / "rules-proof.md" if options["write"] else None
        run = import_module("mendline.sim.proof_page").run
        if run(self.stdout, folder=root / "scenarios", one_in=max(1, options["one_in"]), page=page):
            raise SystemExit(1)

    def _test(self, options: dict[str, Any]) -> None:
        from importlib import import_module

        # The runner stands on top of everything, so it is named here and not imported above.
        failed = import_module("mendline.sim.scenarios").run(options["paths"], self.stdout, as_json=options["json"])
        if failed:
            raise SystemExit(1)

    def _replay(self, options: dict[str, Any]) -> None:
        from importlib import import_module

        report = import_module("mendline.orders.replay_report")
        try:
            process = report.changed_process(options["process"], options["set"])
        except report.NotReplayed as problem:
            raise CommandError(str(problem)) from None
        found = report.run(process, days=options["days"], now=timezone.now())
        if options["json"]:
            self.stdout.write(orjson.dumps(report.as_data(found), option=orjson.OPT_INDENT_2).decode())
            return
        for line in report.lines(process, found):
            self.stdout.write(line)

    def _diff(self, options: dict[str, Any]) -> None:
        try:
            older, newer = process_named(options["older"]), process_named(options["newer"])
        except NotAProcess as problem:
            raise CommandError(str(problem)) from None
        if older.code != newer.code:
            codes = f"{older.code}, {newer.code}"
            raise CommandError(f"不是同一个流程：{codes} / not versions of one process: {codes}")
        found = differences(older, newer)
        if options["json"]:
            self.stdout.write(orjson.dumps([asdict(one) for one in found], option=orjson.OPT_INDENT_2).decode())
            return
        for one in found:
            behind = " ".join(filter(None, [one.code, f"（{'、'.join(one.rules)}）" if one.rules else ""]))
            self.stdout.write(f"{one.text.zh} / {one.text.en} {behind}".rstrip())
        self.stdout.write(f"{len(found)} 处不同 / {len(found)} differences")
