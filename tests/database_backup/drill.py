"""An installation of the test's own, to be backed up, lost and restored: commands as a person types them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import psycopg

from config.home import ROOT
from mendline.database import cluster as clusters
from mendline.database import launcher
from mendline.database.launcher import Server
from mendline.sim.bench.scratch import NAMED_OUTSIDE, scratch_server
from mendline.sim.faults.patience import wait_for


@dataclass
class Place:
    """One state folder with its own server."""

    home: Path
    server: Server = field(repr=False)

    def environment(self, **extra: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in NAMED_OUTSIDE}
        own = {"MENDLINE_HOME": str(self.home), "DJANGO_SETTINGS_MODULE": "config.settings", "MENDLINE_MODE": "local"}
        return {**kept, **own, "MENDLINE_DATABASE_ROLE": "app", "LOG_LEVEL": "ERROR", **extra}

    def mendline(self, *words: str, code: int = 0, **extra: str) -> str:
        """Run a command as it is typed and return what it said."""
        environment = {name: value for name, value in self.environment(**extra).items() if "ROLE" not in name}
        done = subprocess.run(
            [sys.executable, "-m", "mendline.cli.main", *words],
            cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout + done.stderr

    def work(self, *words: str, **extra: str) -> list[Any]:
        done = subprocess.run(
            [sys.executable, "-m", "tests.database_backup.work", *words],
            cwd=ROOT, env=self.environment(**extra), capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode(errors="replace")[-3000:]
        found: list[Any] = orjson.loads(done.stdout)
        return found

    def rows(self, statement: str, role: str = "admin") -> list[tuple[Any, ...]]:
        with psycopg.connect(self.server.urls[role], autocommit=True) as connection:
            found = connection.execute(statement.encode())
            return found.fetchall() if found.description else []

    def now(self) -> datetime:
        [(moment,)] = self.rows("SELECT clock_timestamp()")
        assert isinstance(moment, datetime)
        return moment

    def sent(self) -> list[str]:
        """Return what tells one e-mail from another, for each that went out; twice if it did so twice."""
        texts = [path.read_text(encoding="utf-8") for path in sorted((self.home / "mail").iterdir())]
        return [key for text in texts for key in re.findall(r"^X-Mendline-Key: (\w+)$", text, re.M)]

    def crash(self) -> None:
        """End the server as a power cut would, and lose its files."""
        assert self.server.cluster is not None
        clusters.kill(self.server.cluster)
        shutil.rmtree(self.server.cluster.folder)


@contextmanager
def an_installation() -> Iterator[Place]:
    """A migrated installation; afterwards it and its files are gone. The folder's name has a space."""
    parent = Path(tempfile.mkdtemp(prefix="mendline drill-"))
    parent.chmod(0o711)
    try:
        with scratch_server(parent) as scratch:
            yield Place(scratch.home, scratch.server)
    finally:
        shutil.rmtree(parent, ignore_errors=True)


@contextmanager
def opened(home: Path) -> Iterator[Place]:
    """The installation in a state folder that was restored, with its server running."""
    server = launcher.ensure_running(home)
    try:
        yield Place(home, server)
    finally:
        launcher.stop(server)


@contextmanager
def the_log_taken(place: Place, repository: Path) -> Iterator[None]:
    """`mendline backup --follow` beside what goes on."""
    environment = {name: value for name, value in place.environment().items() if "ROLE" not in name}
    following = subprocess.Popen(
        [sys.executable, "-m", "mendline.cli.main", "backup", "--to", str(repository), "--follow"],
        cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:

        def taken() -> bool:
            assert following.poll() is None, following.communicate()[1].decode(errors="replace")
            return bool(place.rows("SELECT 1 FROM pg_stat_replication"))

        wait_for(taken, "the log is taken")
        yield
    finally:
        following.terminate()
        following.communicate(timeout=60)


def caught_up(place: Place) -> None:
    """Wait until everything that was committed lies in the folder of backups."""
    [(reached,)] = place.rows("SELECT pg_current_wal_flush_lsn()::text")
    ask = f"SELECT 1 FROM pg_stat_replication WHERE flush_lsn >= '{reached}'"
    wait_for(lambda: bool(place.rows(ask)), "the log is taken")
