"""`mendline check` and `mendline test`: every step by name, with its seconds; all run, then the verdict.

The tests fill two cores most of the time, the static checks one at a time: so `mendline test` lets the long ones run
beside the tests.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from config.home import ROOT, state_folder
from mendline.cli import packages
from mendline.database.launcher import ensure_running, stop_if_unused

BIN = Path(sys.executable).parent
MENDLINE = (sys.executable, "-m", "mendline.cli.main")
PROCESSES = 2  # for pytest; the reference machine has two cores


@dataclass(frozen=True)
class Step:
    """One check: a command that exits with 0, or a function that returns what is wrong."""

    name: str
    command: tuple[str, ...] = ()
    look: Callable[[], list[str]] | None = None


def check_main(arguments: Sequence[str]) -> int:
    """Run the static checks; returns 1 if one fails."""
    argparse.ArgumentParser(prog="mendline check").parse_args(arguments)
    return _verdict(lambda: _run([*_quick_steps(), *_static_steps()]))


def test_main(arguments: Sequence[str]) -> int:
    """Run everything; returns 1 if something fails. Installs what the machine lacks where apt allows it."""
    parser = argparse.ArgumentParser(prog="mendline test")
    parser.add_argument(
        "--processes", type=int, default=PROCESSES, help="同时运行的测试进程数 processes that run tests (2)"
    )
    given = parser.parse_args(arguments)
    absent = packages.install_missing(packages.TESTING)
    if absent:
        print(packages.advice(absent), file=sys.stderr)
        return 1
    return _verdict(lambda: _run_everything(given.processes))


def _run_everything(processes: int) -> list[str]:
    failed = _run(_quick_steps())
    with ExitStack() as stack:
        # Each step would start the server and take it away again, from under the feet of the one beside it.
        server = ensure_running(state_folder())
        if server.started:
            stack.callback(stop_if_unused, server)
        beside = stack.enter_context(ThreadPoolExecutor(1)).submit(_run, [*_static_steps(), *_scenarios()], aside=True)
        failed += _run([_tests(processes)])
        return failed + beside.result()


def _quick_steps() -> list[Step]:
    """Return what takes a second or two and is wrong most often."""
    return [
        Step("format", (str(BIN / "ruff"), "format", "--check", "--quiet", ".")),
        Step("lint", (str(BIN / "ruff"), "check", "--quiet", ".")),
        Step("lock files", look=recorded_hosts),
    ]


def _static_steps() -> list[Step]:
    steps = [
        Step("import contracts", (str(BIN / "lint-imports"), "--no-cache")),
        Step("types", (str(BIN / "mypy"),)),
    ]
    if (ROOT / "frontend" / "tsconfig.json").exists():
        steps.append(Step("front-end types", ("npm", "run", "--silent", "check")))
    steps.append(Step("migrations", (*MENDLINE, "makemigrations", "--check", "--dry-run")))
    if _has_command("process"):
        steps.append(Step("process files", (*MENDLINE, "process", "check")))
    return steps


def _scenarios() -> list[Step]:
    """Return the command that plays them, on one section: all of them are tests, in tests/scenarios."""
    return [Step("scenarios", (*MENDLINE, "process", "test", "scenarios/com"))] if _has_command("process") else []


def _tests(processes: int) -> Step:
    # The order is that of conftest.py, long files first, and not that of the number of tests in them.
    workers = ("-n", str(processes), "--dist", "loadfile", "--no-loadscope-reorder")
    return Step("tests", (sys.executable, "-m", "pytest", "-q", *workers))


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


def _run(steps: list[Step], *, aside: bool = False) -> list[str]:
    """Carry out steps one after another and return the names of those that failed.

    `aside`: another step is writing to the terminal; what one of these says is shown when it has ended, in one piece.
    """
    path = f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = {**os.environ, "PATH": path, "DJANGO_SETTINGS_MODULE": "config.settings"}
    # Hundreds of processes load the same modules: what one of them compiled is kept for the next.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    failed = []
    for step in steps:
        if not aside:
            print(f"── {step.name}", flush=True)
        began = time.monotonic()
        said = list(step.look() if step.look else [])
        wrong = bool(said)
        if step.command:
            channel = subprocess.PIPE if aside else None
            ended = subprocess.run(
                step.command,
                cwd=ROOT,
                env=environment,
                check=False,
                stdout=channel,
                stderr=channel and subprocess.STDOUT,
            )
            wrong = wrong or ended.returncode != 0
            said += (ended.stdout or b"").decode(errors="replace").splitlines() if wrong else []
        if wrong:
            failed.append(step.name)
        lines = [*said, f"{'✗' if wrong else '✓'} {step.name} {time.monotonic() - began:.1f} s"]
        print(("\n" if aside else "") + "\n".join(lines), flush=True)
    return failed


def _verdict(work: Callable[[], list[str]]) -> int:
    began = time.monotonic()
    failed = work()
    verdict = f"✗ 未通过 failed: {', '.join(failed)}" if failed else "✓ 全部通过 all passed"
    print(f"\n{verdict} ({time.monotonic() - began:.0f} s)", flush=True)
    return 1 if failed else 0
