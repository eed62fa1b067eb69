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
    own = _fields(root)
    if not own:
        return 0.0
    ticks = sum(int(own[place]) for place in (USER, SYSTEM, USER_OF_ENDED, SYSTEM_OF_ENDED))
    for child in children_of(root):
        found = _fields(child)
        if found:
            ticks += int(found[USER]) + int(found[SYSTEM])
    return ticks / _TICKS


def children_of(pid: int) -> list[int]:
    """Return the processes that `pid` started and that are still there."""
    everybody = (int(folder.name) for folder in Path("/proc").glob("[0-9]*"))
    return [one for one in everybody if (found := _fields(one)) and int(found[PARENT]) == pid]


def _fields(pid: int) -> list[str]:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    return []
