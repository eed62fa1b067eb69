"""`mendline check` and `mendline test`: every step by name, with its seconds; all run, then the verdict."""

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from config.home import ROOT
from mendline.cli import packages

BIN = Path(sys.executable).parent
MENDLINE = (sys.executable, "-m", "mendline.cli.main")
PROCESSES = "2"  # for pytest; the reference machine has two cores


@dataclass(frozen=True)
class Step:
    """One check: a command that exits with 0, or a function that returns what is wrong."""

    name: str
    command: tuple[str, ...] = ()
    look: Callable[[], list[str]] | None = None


def check_main(arguments: Sequence[str]) -> int:
    """Run the static checks; returns 1 if one fails."""
    argparse.ArgumentParser(prog="mendline check").parse_args(arguments)
    return _run(_static_steps())


def test_main(arguments: Sequence[str]) -> int:
    """Run everything; returns 1 if something fails. Installs what the machine lacks where apt allows it."""
    argparse.ArgumentParser(prog="mendline test").parse_args(arguments)
    absent = packages.install_missing(packages.TESTING)
    if absent:
        print(packages.advice(absent), file=sys.stderr)
        return 1
    return _run([*_static_steps(), *_test_steps()])


def _static_steps() -> list[Step]:
    steps = [
        Step("format", (str(BIN / "ruff"), "format", "--check", "--quiet", ".")),
        Step("lint", (str(BIN / "ruff"), "check", "--quiet", ".")),
        Step("lock files", look=recorded_hosts),
        Step("import contracts", (str(BIN / "lint-imports"), "--no-cache")),
        Step("types", (str(BIN / "mypy"),)),
    ]
    if (ROOT / "frontend" / "tsconfig.json").exists():
        steps.append(Step("front-end types", ("npm", "run", "--silent", "check")))
    steps.append(Step("migrations", (*MENDLINE, "makemigrations", "--check", "--dry-run")))
    if _has_command("process"):
        steps.append(Step("process files", (*MENDLINE, "process", "check")))
    return steps


def _test_steps() -> list[Step]:
    steps = [Step("tests", (sys.executable, "-m", "pytest", "-q", "-n", PROCESSES, "--dist", "loadfile"))]
    if _has_command("process"):
        steps.append(Step("scenarios", (*MENDLINE, "process", "test", "scenarios")))
    return steps


def recorded_hosts(root: Path = ROOT) -> list[str]:
    """Return the lines of lock files that say where a package came from; each machine has its own registries."""
    wrong = re.compile(r"^--(extra-)?index-url|^--find-links|@ (https?|file):|\"resolved\"|registry\+|\bregistry\.")
    locks = [*sorted((root / "requirements").glob("*.txt")), root / "package-lock.json"]
    return [
        f"{lock.relative_to(root)}:{number}: {line.strip()}"
        for lock in locks
        if lock.exists()
        for number, line in enumerate(lock.read_text(encoding="utf-8").splitlines(), start=1)
        if wrong.search(line)
    ]


def _has_command(name: str) -> bool:
    return any((ROOT / "mendline").glob(f"*/management/commands/{name}.py"))


def _run(steps: list[Step]) -> int:
    path = f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = {**os.environ, "PATH": path, "DJANGO_SETTINGS_MODULE": "config.settings"}
    failed = []
    began = time.monotonic()
    for step in steps:
        print(f"── {step.name}", flush=True)
        step_began = time.monotonic()
        faults = step.look() if step.look else []
        for fault in faults:
            print(fault)
        code = subprocess.run(step.command, cwd=ROOT, env=environment, check=False).returncode if step.command else 0
        if code or faults:
            failed.append(step.name)
        print(f"{'✗' if code or faults else '✓'} {step.name} {time.monotonic() - step_began:.1f} s", flush=True)
    verdict = f"✗ 未通过 failed: {', '.join(failed)}" if failed else "✓ 全部通过 all passed"
    print(f"\n{verdict} ({time.monotonic() - began:.0f} s)", flush=True)
    return 1 if failed else 0
