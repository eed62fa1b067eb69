"""One `mendline run` per state folder, and how the others learn of it."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Running:
    """What is known of the installation that runs now. `address` is empty while it starts."""

    pid: int
    address: str = ""


class AlreadyRunning(Exception):
    """Somebody else holds the lock."""

    def __init__(self, running: Running | None) -> None:
        self.running = running
        where = running.address if running and running.address else "（正在启动 starting）"
        pid = running.pid if running else "?"
        super().__init__(
            f"统修已在运行：{where}，进程号 {pid}。在那个窗口按 Ctrl-C，或运行 mendline stop 停止。\n"
            f"Already running at {where}, pid {pid}. Press Ctrl-C there, or run `mendline stop`."
        )


class RunLock:
    """The held lock. The kernel lets go of it when the process ends, however it ends."""

    def __init__(self, note: Path) -> None:
        self._note = note

    def announce(self, address: str) -> None:
        """Write down where we are, for whoever comes second."""
        draft = self._note.with_suffix(".new")
        draft.write_text(json.dumps(asdict(Running(os.getpid(), address))), encoding="utf-8")
        draft.replace(self._note)


@contextmanager
def hold(home: Path) -> Iterator[RunLock]:
    """Hold the installation's lock.

    Raises:
        AlreadyRunning: another process holds it.
    """
    with (home / "run.lock").open("a", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(_read(home / "run.json")) from None
        lock = RunLock(home / "run.json")
        lock.announce("")
        try:
            yield lock
        finally:
            (home / "run.json").unlink(missing_ok=True)


def holder(home: Path) -> Running | None:
    """Return what runs now, or None."""
    try:
        with hold(home):
            return None
    except AlreadyRunning as held:
        return held.running


def _read(note: Path) -> Running | None:
    try:
        found = json.loads(note.read_text(encoding="utf-8"))
        return Running(int(found["pid"]), str(found["address"]))
    except (FileNotFoundError, KeyError, ValueError):
        return None
