"""A PostgreSQL of its own for each run, a database with the world in it, and a copy of that for each seed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from mendline.sim.bench.scratch import Database, Scratch, scratch_server


class ArenaFailed(Exception):
    """The rig and not the product failed: a process of ours could not be started or did not answer."""


@contextmanager
def arena(state: Path, world: str) -> Iterator[Scratch]:
    """Start a scratch server whose database `world_<name>` holds the world; all of it is gone afterwards."""
    with scratch_server(state) as scratch:
        stocked = scratch.copy(scratch.base, f"world_{world}")
        child(scratch, stocked, "owner", "--build", world)
        yield scratch


def seat_of(scratch: Scratch, world: str, name: str) -> Database:
    """Return a fresh copy of the world for one seed. What a power cut would lose is nobody's concern here."""
    database = scratch.copy(scratch.named(f"world_{world}"), name)
    with psycopg.connect(scratch.named("postgres").urls["admin"], autocommit=True) as connection:
        statement = sql.SQL("ALTER DATABASE {} SET synchronous_commit = off")
        connection.execute(statement.format(sql.Identifier(name)))
    return database


def started(scratch: Scratch, database: Database, role: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a process of the ground on a database; it answers in lines of JSON."""
    return subprocess.Popen(
        [sys.executable, "-m", "mendline.sim.ground.child", *arguments],
        env=scratch.environment(database, role), stdout=subprocess.PIPE, text=True, encoding="utf-8",
    )  # fmt: skip


def child(scratch: Scratch, database: Database, role: str, *arguments: str) -> list[Any]:
    """Run such a process to its end and return its lines.

    Raises ArenaFailed.
    """
    process = started(scratch, database, role, *arguments)
    output, _ = process.communicate()
    if process.returncode != 0:
        raise ArenaFailed(f"{' '.join(arguments)} ended with {process.returncode}")
    return [json.loads(line) for line in output.splitlines()]
