"""The server that a run measures on: made for it with the settings of an installation, removed after it."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql

from mendline.database import launcher
from mendline.database.launcher import DATABASE, Server
from mendline.sim.bench.family import WANTED, a_family

NAMED_OUTSIDE = ("DATABASE_URL", "DATABASE_URL_FILE", "DATABASE_OWNER_URL", "DATABASE_OWNER_URL_FILE")


class BenchFailed(Exception):
    """A measurement could not be carried out; says what failed."""


@dataclass(frozen=True, slots=True)
class Database:
    """One database of the scratch server, with its addresses by role."""

    name: str
    urls: Mapping[str, str] = field(repr=False)

    def connect(self, role: str = "admin") -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.urls[role], autocommit=True)


class Scratch:
    """A PostgreSQL of its own below the state folder, with one migrated database from which others are copied."""

    def __init__(self, home: Path, server: Server) -> None:
        self.home = home
        self.server = server
        self.base = self.named(DATABASE)
        self.family: Mapping[str, str] = {}

    def named(self, name: str) -> Database:
        urls = {role: url.replace(f"/{DATABASE}?", f"/{name}?") for role, url in self.server.urls.items()}
        return Database(name, urls)

    def copy(self, original: Database, name: str) -> Database:
        """Return a new database that equals `original`, to which nobody may be connected. Replaces one of that name."""
        self.drop(name)
        with self._maintenance() as connection:
            statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER mendline_owner")
            connection.execute(statement.format(sql.Identifier(name), sql.Identifier(original.name)))
            # Both sides of a comparison start with nothing left to write.
            connection.execute("CHECKPOINT")
        return self.named(name)

    def drop(self, name: str) -> None:
        with self._maintenance() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def environment(self, database: Database, role: str = "app") -> dict[str, str]:
        """Return the environment of a process that works with `database`."""
        kept = {name: value for name, value in os.environ.items() if name not in NAMED_OUTSIDE}
        return {
            **kept,
            **self.family,
            "DATABASE_URL": database.urls["app"],
            "DATABASE_OWNER_URL": database.urls["owner"],
            "MENDLINE_DATABASE_ROLE": role,
            "MENDLINE_HOME": str(self.home),
            "MENDLINE_MODE": "local",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DEBUG": "false",
        }

    def program(self, name: str) -> str | None:
        """Return the path of one of the server's own programs, or None where it was not installed."""
        assert self.server.cluster is not None
        path = self.server.cluster.binaries.program(name)
        return path if os.access(path, os.X_OK) else None

    @property
    def server_pid(self) -> int:
        assert self.server.cluster is not None
        return int(self.server.cluster.pid_file.read_text(encoding="ascii").split("\n", 1)[0])

    @contextmanager
    def _maintenance(self) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
        with self.named("postgres").connect() as connection:
            yield connection


@contextmanager
def scratch_server(state: Path) -> Iterator[Scratch]:
    """Start a server with a migrated, empty database; afterwards it and its files are gone."""
    home = state / f"bench-{secrets.token_hex(4)}"
    with _nothing_named_outside():
        server = launcher.ensure_running(home)
    try:
        scratch = Scratch(home, server)
        migrate = [sys.executable, "-m", "mendline.cli.main", "migrate", "--verbosity", "0"]
        environment = scratch.environment(scratch.base, "owner")
        done = subprocess.run(migrate, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise BenchFailed(f"the scratch database could not be migrated:\n{done.stderr[-2000:]}")
        with ExitStack() as stack:
            if os.environ.get(WANTED) == "true":
                scratch.family = stack.enter_context(a_family(scratch.environment(scratch.base)))
            yield scratch
    finally:
        launcher.stop(server)
        if server.cluster is not None:
            shutil.rmtree(server.cluster.folder.parent, ignore_errors=True)
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _nothing_named_outside() -> Iterator[None]:
    """Hide an installation's own database from the launcher: measuring fills and drops databases."""
    hidden = {name: os.environ.pop(name) for name in NAMED_OUTSIDE if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(hidden)
