"""The processes that `mendline run` looks after: started, watched, restarted, ended.

Each gets a session of its own, so that Ctrl-C reaches only the supervisor, which then ends them in order, and a mark
in its environment, by which the next start finds those that outlived a killed supervisor.
"""

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

MARK = "MENDLINE_RUN"
END_SECONDS = 12.0
LOG_LIMIT_BYTES = 10_000_000
LONGEST_PAUSE_SECONDS = 30.0
SETTLED_AFTER_SECONDS = 60.0
"""A process that lived this long counts as sound: its next restart comes at once again."""


def mark_of(home: Path) -> str:
    """Return the mark of this state folder's processes."""
    return hashlib.sha256(os.fsencode(home)).hexdigest()[:16]


@dataclass
class Child:
    """One process, with what it takes to start it again."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    failures: int = 0
    started_at: float = 0.0
    not_before: float = 0.0

    def start(self) -> None:
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                list(self.command), env=dict(self.environment), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        self.started_at = time.monotonic()

    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def revive(self) -> bool:
        """Start again if it ended; the pause doubles with every early death. Returns whether it was started."""
        if self.process is None or self.is_alive():
            return False
        now = time.monotonic()
        if self.not_before == 0.0:
            self.failures = 0 if now - self.started_at > SETTLED_AFTER_SECONDS else self.failures + 1
            self.not_before = now + min(LONGEST_PAUSE_SECONDS, 0.5 * 2**self.failures)
        if now < self.not_before:
            return False
        self.not_before = 0.0
        _signal_group(self.process.pid, signal.SIGKILL)  # what the dead one left behind
        self.start()
        return True

    def last_words(self, lines: int = 15) -> str:
        with suppress(FileNotFoundError):
            return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
        return ""


def end_all(children: Sequence[Child]) -> None:
    """Ask all to end, wait, and end by force what is left after END_SECONDS."""
    alive = [child.process for child in children if child.process is not None]
    for process in alive:
        # Only the first process of each: it knows how to end its own.
        with suppress(ProcessLookupError):
            process.terminate()
    give_up_at = time.monotonic() + END_SECONDS
    for process in alive:
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(0.1, give_up_at - time.monotonic()))
        _signal_group(process.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            process.wait(2)


def clear_orphans(home: Path) -> int:
    """End processes that an earlier `mendline run` of this state folder left behind; returns how many.

    They are recognised by the mark in their environment (Linux). Elsewhere nothing is ended: a web process that was
    left behind keeps its port and the new one takes the next.
    """
    found = _marked(f"{MARK}={mark_of(home)}".encode())
    for name in (signal.SIGTERM, signal.SIGKILL):
        for pid in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, name)
        give_up_at = time.monotonic() + (5.0 if name == signal.SIGTERM else 2.0)
        while any(map(_is_alive, found)) and time.monotonic() < give_up_at:
            time.sleep(0.1)
    return len(found)


def environment(home: Path, **extra: str) -> dict[str, str]:
    """Return the environment of a child."""
    own = {MARK: mark_of(home), "PYTHONUNBUFFERED": "1", "DJANGO_SETTINGS_MODULE": "config.settings"}
    # The programs of our own Python come first, whatever was on PATH when somebody typed `make`.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**os.environ, **own, "PATH": path, **extra}


def _marked(mark: bytes) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        pid = int(folder.name)
        with suppress(OSError):
            if pid != os.getpid() and mark in (folder / "environ").read_bytes().split(b"\0"):
                found.append(pid)
    return found


def _is_alive(pid: int) -> bool:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] != "Z"


def _signal_group(group: int, name: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, name)
