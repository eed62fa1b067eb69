"""The processes of a measurement, seen from the one that leads it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from mendline.sim.bench.family import WANTED, Copy
from mendline.sim.bench.scratch import BenchFailed

STOP_SECONDS = 15.0


class Member:
    """One process with Django set up, working with one database."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._worker = Copy(environment) if environment.get(WANTED, "").isdigit() else _Started(environment)

    def ask(self, job: str, **what: object) -> None:
        """Give the process a job; `answer` waits for what it finds."""
        self._worker.stdin.write(json.dumps({"job": job, **what}) + "\n")
        self._worker.stdin.flush()

    def answer(self) -> Any:
        """Return what the last job found. Raises BenchFailed when it failed."""
        line = self._worker.stdout.readline()
        if not line:
            raise BenchFailed("a working process ended before it answered")
        document = json.loads(line)
        if "failed" in document:
            raise BenchFailed(document["failed"])
        return document["found"]

    def do(self, job: str, **what: object) -> Any:
        self.ask(job, **what)
        return self.answer()

    def end(self) -> None:
        self._worker.end()


class _Started:
    """A member that was started by itself, as measurements have them."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "mendline.sim.bench.member"],
            env=dict(environment), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8",
        )  # fmt: skip
        assert self._process.stdin is not None and self._process.stdout is not None
        self.stdin, self.stdout = self._process.stdin, self._process.stdout

    def end(self) -> None:
        self.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@contextmanager
def a_crew(environment: Mapping[str, str], size: int) -> Iterator[list[Member]]:
    """Start `size` processes; they end with the block."""
    members = [Member(environment) for _ in range(size)]
    try:
        yield members
    finally:
        for member in members:
            member.end()


@contextmanager
def a_member(environment: Mapping[str, str]) -> Iterator[Member]:
    with a_crew(environment, 1) as (member,):
        yield member


def end_in_order(process: subprocess.Popen[bytes]) -> None:
    """Ask a server to end, and wait until it has finished what it had in hand; kill it where it does not."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def all_at_once(members: Sequence[Member], job: str, shares: Sequence[Mapping[str, object]]) -> list[Any]:
    """Give each member its share at the same moment and return all answers."""
    for member, share in zip(members, shares, strict=True):
        member.ask(job, **share)
    return [member.answer() for member in members]
