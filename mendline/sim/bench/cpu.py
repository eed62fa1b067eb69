"""CPU time of processes that are not ours, from the kernel's own books (Linux)."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
PARENT, USER, SYSTEM, USER_OF_ENDED, SYSTEM_OF_ENDED = 1, 11, 12, 13, 14  # fields of /proc/<pid>/stat after the name


def of_tree(root: int) -> float:
    """Return the CPU seconds of a process, its living children and those that ended; 0 where /proc is missing.

    A PostgreSQL server has one child for each connection; granian one for each worker.
    """
    while True:
        children = children_of(root)
        ticks = sum(_ticks(child, (USER, SYSTEM)) for child in children)
        ticks += _ticks(root, (USER, SYSTEM, USER_OF_ENDED, SYSTEM_OF_ENDED))
        # One that ended meanwhile would be counted twice or not at all.
        if children_of(root) == children:
            return ticks / _TICKS


def children_of(pid: int) -> list[int]:
    """Return the processes that `pid` started and that are still there."""
    everybody = (int(folder.name) for folder in Path("/proc").glob("[0-9]*"))
    return [one for one in everybody if (found := _fields(one)) and int(found[PARENT]) == pid]


def _ticks(pid: int, places: tuple[int, ...]) -> int:
    found = _fields(pid)
    return sum(int(found[place]) for place in places) if found else 0


def _fields(pid: int) -> list[str]:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    return []
