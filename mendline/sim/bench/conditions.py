"""Under which conditions figures were taken: without them a figure means nothing."""

from __future__ import annotations

import os
import platform
import subprocess
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from config.home import ROOT
from mendline.sim.bench.scratch import Scratch

SETTINGS = ("shared_buffers", "synchronous_commit", "fsync", "full_page_writes", "jit", "max_wal_size")


def conditions(scratch: Scratch) -> dict[str, object]:
    """Return machine, versions, settings of the server and the state of the source."""
    with scratch.base.connect() as connection:
        settings = {name: str(_one(connection.execute(f"SHOW {name}").fetchone())) for name in SETTINGS}
    cluster = scratch.server.cluster
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "postgresql": f"{scratch.server.version} ({cluster.binaries.origin if cluster else 'outside'})",
        "postgresql_settings": settings,
        "packages": {name: version(name) for name in ("django", "psycopg", "granian")},
        "commit": _commit(),
    }


def load_average() -> list[float]:
    """Return the load of the last 1, 5 and 15 minutes: how much others had of the machine."""
    return [round(one, 2) for one in os.getloadavg()]


def cpu_name() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()


def _one(row: tuple[object, ...] | None) -> object:
    return row[0] if row else ""


def _commit() -> str:
    """Return the commit, with `+` when files differ from it; empty without git."""
    try:
        found = subprocess.run(
            ["git", "-C", str(ROOT), "describe", "--always", "--dirty=+", "--abbrev=12", "--match="],
            capture_output=True, text=True, check=True, timeout=20,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return ""
    return found.stdout.strip()
