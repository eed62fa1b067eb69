"""`make lock`: pin what `requirements/*.in` and package.json ask for, and take no release younger than seven days.

A release that somebody slipped something into is mostly noticed within days, so waiting is the cheapest wall there is
(P21). What mends an advisory may not wait that long: name its version in the list and run `make lock AGE=0`, which
looks at no date, and say so in the commit. The date of a release comes from the registry: a file without one is left
out, and that is said.

Run by path and with the standard library alone, because what is to be locked may not be installable yet.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[2]
UV = ROOT / ".venv" / "bin" / "uv"
LISTS = ("base", "embedded", "dev", "frontend", "tools", "audit")
"""In this order: `-c base.txt` keeps the others on the same versions."""
DAYS = 7
OF_BUNDLE = ("package.json", "package-lock.json", ".npmrc")
NO_DATE = "missing an upload date"


class NotLocked(Exception):
    """A tool found no solution or failed. The message says why and what to do."""


def main(arguments: Sequence[str]) -> int:
    """Lock all lists or none; returns 1 where that cannot be, with the tool's own words."""
    parser = argparse.ArgumentParser(prog="make lock", description="重新锁定依赖版本 pin the requirements anew")
    parser.add_argument("--days", type=int, default=DAYS, help="发布满几天才用 how old a release must be (7)")
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    before = datetime.now(UTC) - timedelta(days=given.days) if given.days > 0 else None
    try:
        with TemporaryDirectory() as folder:
            work = Path(folder)
            shutil.copytree(given.root / "requirements", work / "requirements")
            changed = [line for name in LISTS for line in _lock_list(work / "requirements", name, before)]
            changed += _lock_bundle(given.root, work, before)
            # Only now: a list that was pinned anew beside one that was not would disagree with it.
            for path in [*(work / "requirements").glob("*.txt"), *work.glob("package-lock.json")]:
                shutil.copyfile(path, given.root / path.relative_to(work))
    except NotLocked as problem:
        print(problem, file=sys.stderr)
        return 1
    print("\n".join(dict.fromkeys(changed)) or "没有变化 nothing changed")
    return 0


def _lock_list(folder: Path, name: str, before: datetime | None) -> list[str]:
    """Pin one list and return what is different. No line names an index, because each machine has its own."""
    source, target = folder / f"{name}.in", folder / f"{name}.txt"
    if not source.exists():
        return []
    old = _versions(target)
    age = ("--exclude-newer", before.isoformat()) if before else ()
    command = [str(UV), "pip", "compile", "--generate-hashes", "--universal", "--python-version", "3.11",
               "--no-emit-index-url", "--no-header", *age, source.name, "--output-file", target.name]  # fmt: skip
    said = _run(command, folder)
    if NO_DATE in said:
        print(_without_date(said), file=sys.stderr)
    new = _versions(target)
    return [f"{one} {old.get(one, '–')} → {new.get(one, '–')}" for one in old | new if old.get(one) != new.get(one)]


def _lock_bundle(root: Path, work: Path, before: datetime | None) -> list[str]:
    if not (root / OF_BUNDLE[0]).exists():
        return []
    for name in OF_BUNDLE:
        if (root / name).exists():
            shutil.copyfile(root / name, work / name)
    old = _text(work / "package-lock.json")
    age = (f"--before={before.isoformat()}",) if before else ()
    _run(["npm", "install", "--package-lock-only", "--ignore-scripts", *age], work)
    return ["package-lock.json"] if _text(work / "package-lock.json") != old else []


def _run(command: list[str], folder: Path) -> str:
    """Run a tool in `folder` and return what it said; raises NotLocked with that and with what helps."""
    environment = {**os.environ, "PATH": f"{UV.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    try:
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    except OSError as problem:
        raise NotLocked(f"{command[0]}: {problem.strerror}; make install") from problem
    if done.returncode == 0:
        return done.stderr
    if NO_DATE in done.stderr:
        raise NotLocked(f"{_without_date(done.stderr)}\n什么都没有改。 Nothing was changed.")
    advice = (
        "如果是因为发布未满期限：等到期满，或选旧一点的版本；修补漏洞的版本可用 make lock AGE=0。\n"
        "If it is too young: wait, or name an older version; what mends an advisory may come in with make lock AGE=0."
    )
    raise NotLocked(f"{done.stderr.strip()}\n{advice}")


def _without_date(said: str) -> str:
    named = [line.removeprefix("warning: ") for line in said.splitlines() if NO_DATE in line]
    return "\n".join(
        [
            *named[:3],
            f"软件源没有写明 {len(named)} 个文件的发布日期，未采用。请另找写明日期的源，或用 make lock AGE=0。",
            f"The registry tells no date of {len(named)} files: they were left out, because nobody can say how old",
            "they are. Take one that tells it, or make lock AGE=0.",
        ]
    )


def _versions(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==([^\s;\\]+)", _text(path), re.M))


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
