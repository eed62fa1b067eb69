"""What a server's processes take of the machine: memory that is theirs, processor time (Linux, same machine).

PSS counts a page that n processes share as an n-th for each, so that workers copied from one another can be added up.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mendline.sim.bench import cpu


@dataclass(frozen=True, slots=True)
class Processes:
    """The first processes of a server and of its database server; empty where nothing is known of them.

    `beside` are those that work for the product without answering anybody.
    """

    roots: tuple[int, ...] = ()
    database: int | None = None
    beside: tuple[int, ...] = ()

    @property
    def workers(self) -> list[int]:
        """The processes that answer: children of a root, or the root itself where it has none."""
        return [worker for root in self.roots for worker in cpu.children_of(root) or [root]]

    @property
    def all(self) -> list[int]:
        return [one for root in (*self.roots, *self.beside) for one in (root, *cpu.children_of(root))]

    def cpu_seconds(self) -> tuple[float, float]:
        """Return what the server and what the database used so far."""
        own = sum(cpu.of_tree(root) for root in (*self.roots, *self.beside))
        return own, cpu.of_tree(self.database) if self.database else 0.0


def found(told: Mapping[str, object]) -> Processes:
    """Return the processes that a site names: `pids`, `pid_file` or `process` (a part of the command line).

    `database_pid_file` is a file whose first line is the pid of the database server, as PostgreSQL keeps one.
    """
    roots = [int(str(pid)) for pid in _listed(told.get("pids"))]
    if told.get("pid_file"):
        roots += _from_file(str(told["pid_file"]))
    if told.get("process"):
        roots += named(str(told["process"]))
    database = _from_file(str(told["database_pid_file"])) if told.get("database_pid_file") else []
    return Processes(tuple(dict.fromkeys(roots)), database[0] if database else None)


def named(part: str, proc: Path = Path("/proc")) -> list[int]:
    """Return the processes whose command line contains `part`, without those that another of them started."""
    found_all: dict[int, str] = {}
    for folder in proc.glob("[0-9]*"):
        with suppress(OSError):
            found_all[int(folder.name)] = (
                (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            )
    mine = {pid for pid, line in found_all.items() if part in line and pid != os.getpid()}
    children = {child for pid in mine for child in cpu.children_of(pid)}
    return sorted(mine - children)


def pss_mb(pid: int, proc: Path = Path("/proc")) -> float | None:
    """Return the memory of a process in MB, None where it is gone or not ours to look at."""
    with suppress(OSError):
        for line in (proc / str(pid) / "smaps_rollup").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return None


def of_workers(processes: Processes) -> tuple[list[float], float]:
    """Return the memory of each worker and of all processes together, in MB."""
    each = [size for pid in processes.workers if (size := pss_mb(pid)) is not None]
    return each, sum(size for pid in processes.all if (size := pss_mb(pid)) is not None)


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _from_file(path: str) -> list[int]:
    with suppress(OSError, ValueError, IndexError):
        return [int(Path(path).read_text(encoding="ascii").split()[0])]
    return []
