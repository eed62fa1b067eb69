"""`mendline vocabulary`: the names that a process file may use, what they mean, and which processes use them."""

from __future__ import annotations

import inspect
import json
from argparse import ArgumentParser
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.core.management.base import BaseCommand

from mendline.process.decide import ROLE_NAMES_ZH
from mendline.process.loading import processes
from mendline.process.registry import CHANGES, EFFECTS, GUARDS, LOOKUPS


@dataclass(frozen=True, slots=True)
class Word:
    """One name; `used_by` are processes as `code version`."""

    kind: str
    name: str
    meaning: str
    used_by: tuple[str, ...]


class Command(BaseCommand):
    help = "流程文件可用的角色、守卫、变更、动作、查询 / roles, guards, changes, effects and lookups for process files"
    requires_system_checks: list[str] = []  # it reads code and files, nothing else

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--kind", choices=("role", "guard", "change", "effect", "lookup"))
        parser.add_argument("--json", action="store_true", help="供程序读取 for scripts")

    def handle(self, *args: Any, **options: Any) -> None:
        words = [word for word in all_words() if options["kind"] in (None, word.kind)]
        if options["json"]:
            self.stdout.write(json.dumps([asdict(word) for word in words], ensure_ascii=False, indent=1))
            return
        for word in words:
            users = ", ".join(word.used_by) or "未使用 unused"
            self.stdout.write(f"{word.kind:<7} {word.name:<34} {word.meaning}\n{'':<8}{users}")


def all_words() -> list[Word]:
    """Return every registered name, roles first."""
    used = _users()
    words = [Word("role", role, zh, _sorted(used[role])) for role, zh in ROLE_NAMES_ZH.items()]
    checks: Mapping[str, Callable[..., object]] = {name: guard.check for name, guard in GUARDS.items()}
    makers: Mapping[str, Callable[..., object]] = {name: change.make for name, change in CHANGES.items()}
    for kind, table in (("guard", checks), ("change", makers), ("effect", EFFECTS), ("lookup", LOOKUPS)):
        words += [Word(kind, name, _meaning(table[name]), _sorted(used[name])) for name in sorted(table)]
    return words


def _users() -> Mapping[str, set[str]]:
    """Return which process versions use each name, lookups by way of the guards and changes that need them."""
    used: dict[str, set[str]] = defaultdict(set)
    for (code, version), process in processes().items():
        names = {notice.when for notice in process.notices if notice.when}
        for notice in process.notices:
            names.update(notice.to)
        for step in process.transitions.values():
            names.update((*step.by, *step.guards, *step.diverts, *step.effects))
        for name in list(names):
            names.update(GUARDS[name].needs if name in GUARDS else CHANGES[name].needs if name in CHANGES else ())
        for name in names:
            used[name].add(f"{code} {version}")
    return used


def _sorted(users: set[str]) -> tuple[str, ...]:
    return tuple(sorted(users))


def _meaning(function: Callable[..., object]) -> str:
    """The first line of the docstring; where there is none, the name says it."""
    return (inspect.getdoc(function) or "").partition("\n")[0]
