"""A whole installation under a storm: two web processes, two workers, the live one, a database, lines between them."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from mendline.cli.children import Child, end_all
from mendline.cli.live import live_command
from mendline.cli.serve import WEB_LIMITS_MS, web_command
from mendline.database.cluster import PORT
from mendline.sim.faults.baton import RigFailed
from mendline.sim.faults.patience import pause
from mendline.sim.faults.proxy import Line, Lines
from mendline.sim.faults.rig import Rig
from mendline.sim.faults.weather import WEBS, WORKERS, Blow

FIRST_PORT, LAST_PORT = 21_000, 29_000  # below those that the system hands to whoever connects
START_SECONDS = 60.0
MOST_TRIES = 3


def free_port(begin: int) -> int:
    """Return the first port from `begin` on that nobody listens at."""
    for port in range(begin, LAST_PORT):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
    raise RigFailed("no port is free")


@dataclass(slots=True)
class Installation:
    """The processes by name, and the lines by name."""

    rig: Rig
    lines: Lines
    children: dict[str, Child] = field(default_factory=dict)
    line: dict[str, Line] = field(default_factory=dict)

    @property
    def ports(self) -> list[int]:
        """Where callers ask: at the lines before the web processes."""
        return [self.line[f"line {n}"].port for n in range(WEBS)]

    def strike(self, blow: Blow) -> None:
        """Let one blow happen and be over.

        Raises RigFailed when what was killed cannot be started again.
        """
        if blow.target == "database":
            self.rig.kill()
            pause(blow.seconds)
            self._database_again()
        elif blow.kind in ("kill", "stop"):
            group = self._group(blow.target)
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL if blow.kind == "kill" else signal.SIGSTOP)
            pause(blow.seconds if blow.kind == "kill" else 1.0 + 2 * blow.seconds)
            if blow.kind == "stop":
                with suppress(ProcessLookupError):
                    os.killpg(group, signal.SIGCONT)
            else:
                child = self.children[blow.target]
                if child.process is not None:
                    child.process.wait(10)
                child.start()
                self._until_up(blow.target)
        else:
            line = self.line[blow.target]
            self.lines.set(line, blow.kind)  # type: ignore[arg-type]
            pause(1.0 + blow.seconds)
            self.lines.set(line, "clear")

    def _group(self, name: str) -> int:
        process = self.children[name].process
        if process is None:
            raise RigFailed(f"{name} is not running")
        return process.pid  # each leads a group of its own

    def _database_again(self) -> None:
        for left in reversed(range(MOST_TRIES)):
            try:
                self.rig.start()
                return
            except Exception as problem:
                if not left:
                    raise RigFailed(f"the database does not start again: {problem}") from problem
                pause(1.0)

    def _until_up(self, name: str) -> None:
        if not name.startswith("web"):
            return
        target = self.line[f"line {name.split()[1]}"].target
        assert isinstance(target, int)
        give_up_at = time.monotonic() + START_SECONDS
        while time.monotonic() < give_up_at:
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", target), 1).close()
                return
            pause(0.05)
        raise RigFailed(f"{name} does not start:\n{self.children[name].last_words()}")

    def revived(self) -> list[str]:
        """Start again whatever ended without being killed, and return its name: nothing should."""
        ended = [name for name, child in self.children.items() if not child.is_alive()]
        for name in ended:
            self.children[name].start()
        return ended


@contextmanager
def an_installation(rig: Rig, database: str) -> Iterator[Installation]:
    """Start everything on a database of the rig; afterwards it has ended."""
    lines = Lines()
    made = Installation(rig, lines)
    folder = rig.home.parent
    (folder / "logs").mkdir(exist_ok=True)
    try:
        port = FIRST_PORT
        for n in range(WEBS):
            sockets = folder / f"db{n}"
            sockets.mkdir(exist_ok=True)
            made.line[f"database line {n}"] = lines.add(
                Line(_socket_of(rig, database), path=sockets / f".s.PGSQL.{PORT}")
            )
            port = free_port(port)
            web = port
            port = free_port(port + 1)
            made.line[f"line {n}"] = lines.add(Line(web, port=port))
            environment = {**_environment(rig, database, sockets), **WEB_LIMITS_MS}
            made.children[f"web {n}"] = _child(
                f"web {n}", web_command("127.0.0.1", web, workers=1, threads=4), environment, folder
            )
            port += 1
        plain = _environment(rig, database, None)
        worker = [sys.executable, "-m", "mendline.cli.main", "worker"]
        for n in range(WORKERS):
            made.children[f"worker {n}"] = _child(f"worker {n}", worker, plain, folder)
        made.children["live"] = _child("live", live_command("127.0.0.1", free_port(port)), plain, folder)
        for name, child in made.children.items():
            child.start()
            made._until_up(name)
        yield made
    finally:
        for child in made.children.values():
            if child.process is not None:
                with suppress(ProcessLookupError):
                    os.killpg(child.process.pid, signal.SIGCONT)
        end_all(list(made.children.values()))
        lines.end()


def _child(name: str, command: list[str], environment: Mapping[str, str], folder: Path) -> Child:
    return Child(name, command, environment, folder / "logs" / f"{name.replace(' ', '-')}.log")


def _socket_of(rig: Rig, database: str) -> Path:
    folder = rig.url(database, "app").partition("?host=")[2].partition("&")[0]
    return Path(folder) / f".s.PGSQL.{PORT}"


def _environment(rig: Rig, database: str, sockets: Path | None) -> dict[str, str]:
    environment = rig.environment(database)
    if sockets is not None:
        before, _, rest = environment["DATABASE_URL"].partition("?host=")
        after = rest.partition("&")[2]
        environment["DATABASE_URL"] = f"{before}?host={quote(str(sockets), safe='/')}&{after}"
    return {**environment, "MENDLINE_HOME": str(rig.home), "MENDLINE_MODE": "local", "DEBUG": "false",
            "LOG_LEVEL": "WARNING", "PYTHONUNBUFFERED": "1"}  # fmt: skip
