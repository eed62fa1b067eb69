"""The upgrade itself, step by step as the page of operations tells it, with people at work all the time.

1. the release before serves on its own tables
2. this release changes the tables; the release before goes on serving
3. both serve side by side, as two machines behind a proxy do while one after the other is replaced
4. this release serves alone
5. somebody goes back: the release before serves on the new tables

Nothing that anybody asks may be answered with a fault, and what was acknowledged is there.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mendline.cli.serve import WEB_LIMITS_MS, web_command
from mendline.database import launcher
from mendline.sim.bench.crew import a_member, end_in_order
from mendline.sim.bench.scratch import NAMED_OUTSIDE, BenchFailed, Database, Scratch
from mendline.sim.bench.small_country import reports
from mendline.sim.invariants import broken
from mendline.sim.upgrade.load import Load, Phase

START_SECONDS = 60.0
# What Django itself makes of a column with `default=`: the database fills it in only while the column is added.
BAD_CHANGE = """\
from django.db import migrations

class Migration(migrations.Migration):
    dependencies = [("orders", "{last}")]
    operations = [
        migrations.RunSQL("ALTER TABLE orders_repairorder ADD COLUMN floor integer NOT NULL DEFAULT 0"),
        migrations.RunSQL("ALTER TABLE orders_repairorder ALTER COLUMN floor DROP DEFAULT"),
    ]
"""
SEED = 20260302


@dataclass(frozen=True, slots=True)
class Drilled:
    """What came of it. `migrated` are the changes of tables that were carried out under load."""

    phases: tuple[Phase, ...]
    acknowledged: int
    lost: int
    broken: tuple[str, ...]
    migrated: tuple[str, ...]
    migrate_seconds: float

    @property
    def went_well(self) -> bool:
        return not (self.lost or self.broken or sum(phase.faults for phase in self.phases))


def drill(home: Path, before: Path, after: Path, *, asked: int, said: Callable[[str], None]) -> Drilled:
    """Upgrade a scratch installation from the code in `before` to that in `after`, with `asked` requests a phase.

    Raises BenchFailed: the rig failed, which says nothing about the product.
    """
    with _nothing_named_outside():
        server = launcher.ensure_running(home)
    scratch = Scratch(home, server)
    old = _environment(scratch, scratch.base, before)
    new = _environment(scratch, scratch.base, after)
    try:
        said("建立旧版的表 / making the tables of the release before")
        _migrate(old)
        with a_member(old) as member:
            member.do("fill_network", stations=40, coverage_rows=12_800, lines=4)
            tokens: Mapping[str, str] = member.do("issue_tokens")
        load = Load(reports(SEED), tokens)
        with ExitStack() as stack:
            first = stack.enter_context(_web(old, before, home))
            load.begin("release before, its own tables", first)
            stack.enter_context(load.at_work())
            load.until(load.phases[-1], asked)

            said("新版更新表，旧版照常服务 / this release changes the tables, the one before goes on serving")
            phase = load.begin("release before, while the tables change", first)
            began = time.monotonic()
            migrated = _migrate(new)
            took = time.monotonic() - began
            load.until(phase, asked)

            said("两版并行 / both side by side")
            second = stack.enter_context(_web(new, after, home))
            load.until(load.begin("both, new tables", first, second), asked)
            said("只有新版 / this release alone")
            load.until(load.begin("this release, new tables", second), asked)
            said("退回旧版 / going back")
            load.until(load.begin("release before, new tables", first), asked)
        lost, wrong = _looked_over(scratch.base, load.acknowledged)
    finally:
        launcher.stop(server)
        if server.cluster is not None:
            shutil.rmtree(server.cluster.folder.parent, ignore_errors=True)
    return Drilled(tuple(load.phases), len(load.acknowledged), lost, wrong, tuple(migrated), round(took, 1))


@contextmanager
def _nothing_named_outside() -> Iterator[None]:
    """Hide an installation's own database: its tables are nobody's to drill on."""
    hidden = {name: os.environ.pop(name) for name in NAMED_OUTSIDE if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(hidden)


def _environment(scratch: Scratch, database: Database, code: Path) -> dict[str, str]:
    """Return the environment in which `code` works, whatever folder a process is started in."""
    return {**scratch.environment(database, "owner"), "PYTHONPATH": str(code), "PYTHONSAFEPATH": "1"}


def plant_a_bad_change(code: Path) -> None:
    """Add a change of the tables that the release before cannot live with: the drill must notice (control)."""
    folder = code / "mendline" / "orders" / "migrations"
    last = max(path.stem for path in folder.glob("0*.py"))
    number = int(last.split("_", 1)[0]) + 1
    (folder / f"{number:04}_control.py").write_text(BAD_CHANGE.format(last=last), encoding="utf-8")


def _migrate(environment: Mapping[str, str]) -> list[str]:
    command = [sys.executable, "-m", "mendline.cli.main", "migrate"]
    done = subprocess.run(command, env=dict(environment), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchFailed(f"the tables could not be changed:\n{done.stderr[-2000:]}")
    return [line.strip().split(" ")[1].rstrip(".") for line in done.stdout.splitlines() if "Applying " in line]


@contextmanager
def _web(environment: Mapping[str, str], code: Path, home: Path) -> Iterator[int]:
    """Serve with that code and return the port; ended in order afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    named = {**environment, **WEB_LIMITS_MS, "MENDLINE_DATABASE_ROLE": "app"}
    log = home / f"web-{port}.log"
    with log.open("w", encoding="utf-8") as file:
        command = web_command("127.0.0.1", port, workers=1, threads=4)
        process = subprocess.Popen(command, cwd=code, env=named, stdout=file, stderr=file)
    try:
        give_up_at = time.monotonic() + START_SECONDS
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > give_up_at:
                raise BenchFailed(f"the web server did not start:\n{log.read_text(encoding='utf-8')[-1500:]}")
            time.sleep(0.1)
        yield port
    finally:
        end_in_order(process)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def _looked_over(database: Database, acknowledged: list[str]) -> tuple[int, tuple[str, ...]]:
    """Return how many acknowledged orders are not there, and what must hold and does not."""
    with database.connect() as connection:
        row: Any = connection.execute(
            "SELECT count(*) FROM orders_repairorder WHERE ref = ANY(%s)", [acknowledged]
        ).fetchone()
        wrong = tuple(map(str, broken(connection, datetime.now(UTC))))
    return len(set(acknowledged)) - int(row[0]), wrong
