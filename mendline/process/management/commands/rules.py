"""`mendline rules`: per section, rule → where enforced → what proves it, and the share that is done."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from mendline.process.rule_coverage import SHARE_FILE, Coverage, Place, Section, fallen, kept_share, sections

SHOWN = 2  # places of each kind; --json lists all


class Command(BaseCommand):
    help = (
        "每条规则由何处执行、由何测试或场景证明。 Where each rule is enforced and which test or scenario proves it.\n"
        "例 e.g.: rules --section STN --open"
    )
    requires_system_checks: list[str] = []  # it reads files, nothing else

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--section", action="append", help="只看此节，如 STN（可重复） only this section; repeatable"
        )
        parser.add_argument("--open", action="store_true", help="只列未完成的 list only what is not done")
        parser.add_argument("--json", action="store_true", help="供程序读取 for scripts; lists every place")
        parser.add_argument(
            "--minimum-share",
            type=int,
            metavar="N",
            help="任一节低于 N%% 时退出码为 1 exit 1 when a section is below N %%",
        )
        parser.add_argument(
            "--keep", action="store_true", help=f"把现有比例记入 {SHARE_FILE} write down the share that may not fall"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        root = Path(settings.BASE_DIR)
        try:
            everything = sections(root)
        except SyntaxError as broken:
            raise CommandError(f"无法读取 cannot be read: {broken.filename}:{broken.lineno} {broken.msg}") from broken
        chosen = self._chosen(everything, options["section"])
        if options["json"]:
            self.stdout.write(json.dumps([_as_json(section) for section in chosen], ensure_ascii=False, indent=1))
        else:
            for section in chosen:
                self._print(section, only_open=options["open"])
        if options["keep"]:
            _keep(root, everything)
        self._hold(chosen, fallen(everything, kept_share(root)), options["minimum_share"])

    def _chosen(self, everything: list[Section], wanted: list[str] | None) -> list[Section]:
        names = [name.upper() for name in wanted or []]
        known = [section.prefix for section in everything]
        for name in names:
            if name not in known:
                raise CommandError(f"没有 {name} 节 / there is no section {name}: {', '.join(known)}", returncode=2)
        return [section for section in everything if not names or section.prefix in names]

    def _print(self, section: Section, *, only_open: bool) -> None:
        self.stdout.write(f"\n{section.prefix}  {section.title}")
        for rule in section.rules:
            if not (only_open and rule.done):
                self._print_rule(rule)
        total = len(section.rules)
        self.stdout.write(
            f"{section.prefix}: {section.done}/{total} 条已完成 rules done, {section.share_percent} %",
            self.style.SUCCESS if section.done == total else self.style.WARNING,
        )

    def _print_rule(self, rule: Coverage) -> None:
        self.stdout.write(f"{'✓' if rule.done else '✗'} {rule.rule}{' †' if rule.inferred else ''}  {rule.text.zh}")
        self.stdout.write(f"    执行 enforced  {_short(rule.enforced) or '—'}")
        self.stdout.write(f"    证明 proved    {_short(rule.proved) or '—'}")

    def _hold(self, chosen: list[Section], worse: list[str], minimum: int | None) -> None:
        """Raise when the share fell below what was kept, or below what the caller asks for."""
        low = [f"{s.prefix} {s.share_percent} %" for s in chosen if minimum is not None and s.share_percent < minimum]
        if worse:
            raise CommandError("已完成的比例下降 / the share of done rules fell: " + "; ".join(worse))
        if low:
            raise CommandError(f"低于 {minimum} % / below {minimum} %: {', '.join(low)}")


def _short(places: tuple[Place, ...]) -> str:
    more = f"（另 {len(places) - SHOWN} 处 more）" if len(places) > SHOWN else ""
    return "; ".join(map(str, places[:SHOWN])) + more


def _as_json(section: Section) -> dict[str, object]:
    return {
        "section": section.prefix,
        "title": section.title,
        "done": section.done,
        "total": len(section.rules),
        "share_percent": section.share_percent,
        "rules": [
            {
                "id": rule.rule,
                "zh": rule.text.zh,
                "en": rule.text.en,
                "inferred": rule.inferred,
                "done": rule.done,
                "enforced": [asdict(place) for place in rule.enforced],
                "proved": [asdict(place) for place in rule.proved],
            }
            for rule in section.rules
        ],
    }


def _keep(root: Path, everything: list[Section]) -> None:
    head = "# Done rules of each section. The share may rise, never fall: `mendline rules --keep` writes this file.\n"
    lines = [f"{section.prefix} {section.done}/{len(section.rules)}\n" for section in everything]
    (root / "processes" / "rules" / SHARE_FILE).write_text(head + "".join(lines), encoding="utf-8")
