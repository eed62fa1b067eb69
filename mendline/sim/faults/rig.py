"""A database server of a storm's own, which may be killed."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from mendline.database import cluster as clusters
from mendline.database import launcher
from mendline.database.launcher import DATABASE, Server
from mendline.sim.faults.crew import OUTSIDE, environment_for, run_job


@dataclass(slots=True)
class Rig:
    """The server, and its database `DATABASE` as the job that prepared it left it, with what that job answered."""

    home: Path
    server: Server = field(repr=False)
    prepared: Any = field(default=None, repr=False)
    kills: int = 0

    def url(self, database: str, role: str) -> str:
        return self.server.url(role).replace(f"/{DATABASE}?", f"/{database}?")

    def environment(self, database: str, role: str = "app") -> dict[str, str]:
        return environment_for(self.url(database, "owner"), self.url(database, "app"), role)

    def copy(self, name: str, *settings: str, original: str = DATABASE) -> None:
        """Make a database that equals the prepared one; `settings` hold for all who connect to it."""
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER mendline_owner")
        with psycopg.connect(self.url("postgres", "admin"), autocommit=True) as connection:
            connection.execute(statement.format(sql.Identifier(name), sql.Identifier(original)))
            for setting in settings:
                connection.execute(f"ALTER DATABASE {name} SET {setting}".encode())

    def drop(self, name: str) -> None:
        with psycopg.connect(self.url("postgres", "admin"), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def configure(self, *statements: str) -> None:
        """Change settings of the running server, as the administrator."""
        with psycopg.connect(self.url("postgres", "admin"), autocommit=True) as connection:
            for statement in (*statements, "SELECT pg_reload_conf()"):
                connection.execute(statement.encode())

    def kill(self) -> None:
        """End the whole server at once: the postmaster first, so that it cannot tidy up after the others."""
        assert self.server.cluster is not None
        pid = clusters.running_pid(self.server.cluster)
        assert pid is not None, "the server is not running"
        children = _children_of(pid)
        for one in (pid, *children):
            with suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        self.kills += 1

    def hold_back_the_log(self) -> None:
        """Stop the process that writes the log in the background until the next kill.

        It is quick: without this, what a hasty commit loses is about one report.
        """
        with psycopg.connect(self.url("postgres", "admin"), autocommit=True) as connection:
            row = connection.execute("SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'").fetchone()
        assert row is not None
        os.kill(row[0], signal.SIGSTOP)

    def start(self) -> None:
        self.server = launcher.ensure_running(self.home)


@contextmanager
def a_rig(prepare: str) -> Iterator[Rig]:
    """Start a server and fill its database by the job `prepare`, whose answer is kept; afterwards all is gone."""
    # Not a folder within a closed one: the account that runs the server must be able to enter.
    parent = Path(tempfile.mkdtemp(prefix="mendline-faults-"))
    parent.chmod(0o711)
    with nothing_named_outside():
        server = launcher.ensure_running(parent / "state")
        try:
            rig = Rig(parent / "state", server)
            # What was handed to the operating system survives a killed server, on the disk or not: waiting for
            # the disk would prove nothing here and take most of the time. A power cut is another test.
            rig.configure("ALTER SYSTEM SET fsync = off")
            rig.prepared = run_job(prepare, rig.environment(DATABASE, "owner"))
            yield rig
        finally:
            launcher.stop(server)
            shutil.rmtree(parent, ignore_errors=True)


@contextmanager
def nothing_named_outside() -> Iterator[None]:
    """Hide an installation's own database from the launcher: what comes here kills and drops databases."""
    hidden = {name: os.environ.pop(name) for name in OUTSIDE if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(hidden)


def _children_of(pid: int) -> list[int]:
    """Return the server's own processes; on a system that does not tell, they end by themselves a moment later."""
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    except FileNotFoundError:
        return []
