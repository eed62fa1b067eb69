"""`mendline advisories`: what is published against the packages that are locked? Once a week, where there is a network.

Asks two tools that know the advisories: pip-audit for the Python lists (installed apart, from `requirements/audit.txt`)
and `npm audit` for what the bundle is made of. A tool that could ask nobody has found nothing: that is said plainly,
and is no clean result.

Anything known ends it with 1, whatever its severity and however new. That is stricter than P21 asks (critical two
days, high seven): pip-audit tells no severity, and nobody would count the days. Those are for whoever updates.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from config.home import ROOT, state_folder

LISTS = ("base", "embedded")  # what runs in production or on one's own machine
OF_DEVELOPMENT = ("dev", "tools", "frontend", "audit")
FOUND, NOT_ASKED = 1, 2
SECONDS = 300


@dataclass(frozen=True, slots=True)
class Advisory:
    """Something known against one package; `mended_in` is empty where nobody says what mends it."""

    package: str
    name: str
    mended_in: str = ""

    def __str__(self) -> str:
        return f"{self.package}: {self.name}" + (f", 已修复于 mended in {self.mended_in}" if self.mended_in else "")


class NotAsked(Exception):
    """A tool reached nobody, or is not there. The message is its own."""


def main(arguments: Sequence[str]) -> int:
    """Print what is known; returns 0 (nothing), 1 (something) or 2 (nothing, but somebody could not be asked)."""
    parser = argparse.ArgumentParser(
        prog="mendline advisories",
        description="与公布的漏洞比对（要联网，每周一次）。 Compare with published advisories: weekly, with a network.",
    )
    parser.add_argument("--all", action="store_true", help="也查开发工具 tools of development too")
    given = parser.parse_args(arguments)
    lists = LISTS + (OF_DEVELOPMENT if given.all else ())
    questions: dict[str, Callable[[], list[Advisory]]] = {
        **{f"requirements/{name}.txt": partial(python_advisories, name) for name in lists},
        "package-lock.json": partial(bundle_advisories, everything=given.all),
    }
    results = {what: _answer(what, question) for what, question in questions.items()}
    if any(results.values()):
        print("请在期限内更新：严重 2 天，高危 7 天，其余随每月更新。")
        print("Update in time: critical within 2 days, high within 7, the others with the month's update.")
        return FOUND
    return NOT_ASKED if None in results.values() else 0


def _answer(what: str, question: Callable[[], list[Advisory]]) -> list[Advisory] | None:
    """Ask, say what came of it, and return it; None when nobody could be asked."""
    try:
        found = question()
    except NotAsked as reason:
        print(f"✗ {what}: 没有比对成，不等于没有漏洞（{reason}）；请在能联网的机器上再做", file=sys.stderr)
        print(f"  {what}: NOT compared, which is no clean result; do it on a machine with a network", file=sys.stderr)
        return None
    print(f"{'✗' if found else '✓'} {what}: {len(found)}")
    for one in found:
        print(f"    {one}")
    return found


def python_advisories(name: str) -> list[Advisory]:
    """Return what is known against one locked list. Nothing is resolved or installed: the list says every version."""
    command = [str(_pip_audit()), "--requirement", str(ROOT / "requirements" / f"{name}.txt")]
    told = _document(_ran([*command, "--disable-pip", "--no-deps", "--format", "json", "--progress-spinner", "off"]))
    if "dependencies" not in told:
        raise NotAsked("pip-audit")
    return [
        Advisory(f"{one['name']} {one['version']}", known["id"], ", ".join(known.get("fix_versions", ())))
        for one in told["dependencies"]
        for known in one.get("vulns", ())
    ]


def bundle_advisories(*, everything: bool) -> list[Advisory]:
    """Return what is known against the packages of the bundle; with `everything` those that only build it too."""
    command = ["npm", "audit", "--json", "--prefix", str(ROOT), *(() if everything else ("--omit=dev",))]
    told = _document(_ran(command))
    if "vulnerabilities" not in told:
        error = told.get("error") or {}
        raise NotAsked(str(error.get("code") or error.get("summary") or told.get("message") or "npm audit")[:200])
    return [
        Advisory(name, one.get("severity", "?"), "npm audit fix" if one.get("fixAvailable") else "")
        for name, one in sorted(told["vulnerabilities"].items())
    ]


def _pip_audit() -> Path:
    """Return pip-audit, installed into a folder of its own: none of it belongs into the running system."""
    folder = state_folder() / "audit"
    tool, uv = folder / "bin" / "pip-audit", str(Path(sys.executable).parent / "uv")
    if not tool.exists():
        for command in (
            [uv, "venv", "--quiet", "--clear", str(folder)],
            [uv, "pip", "sync", "--quiet", "--require-hashes", "--python", str(folder / "bin" / "python"),
             str(ROOT / "requirements" / "audit.txt")],
        ):  # fmt: skip
            done = _ran(command)
            if done.returncode != 0:
                raise NotAsked(_last_line(done.stderr))
    return tool


def _ran(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(  # noqa: S603 - our own tools with our own lists
            command, capture_output=True, text=True, timeout=SECONDS, cwd=ROOT, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise NotAsked(str(problem)[:200]) from problem


def _document(done: subprocess.CompletedProcess[str]) -> Mapping[str, Any]:
    """Return what a tool wrote. Both end with 1 for something found as for a failure, so the text decides."""
    try:
        told = json.loads(done.stdout)
    except ValueError:
        raise NotAsked(_last_line(done.stderr)) from None
    if not isinstance(told, dict):
        raise NotAsked(_last_line(done.stderr))
    return told


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else "?"
