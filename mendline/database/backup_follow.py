"""The log between the backups, as it is written: what makes any moment reachable, not only those of the backups.

`pg_receivewal` takes the log over the network like a replica, so the server needs no command of ours. A slot keeps the
log for it while it is away; a server of ours gives up after 4 GB rather than fill its disk (`max_slot_wal_keep_size`).
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from itertools import count
from pathlib import Path
from threading import Event

from mendline.database import backup_files
from mendline.database.backup import Source
from mendline.database.backup_catalogue import BackupFailed

SLOT = "mendline_backup"
HEADS_EVERY_SECONDS = 2.0
FILES_EVERY_ROUNDS = 10
STOP_SECONDS = 10.0


def follow(
    source: Source, repository: Path, stopping: Event, *, told: Callable[[int], None] = lambda many: None
) -> None:
    """Take the log and new attachments until `stopping`; `told` hears how many attachments were new.

    May be ended and begun again at any moment: it goes on where it was.

    Raises:
        BackupFailed: the log cannot be taken; the message ends with the program's own words.
    """
    folder = repository / "wal"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _run(source, folder, "--create-slot", "--if-not-exists")
    receiver = subprocess.Popen(
        _command(source, folder, "--synchronous", "--status-interval=5"),
        env=source.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        text=True, errors="replace",
    )  # fmt: skip
    try:
        for round_ in count():
            asked_to_stop = stopping.wait(HEADS_EVERY_SECONDS if round_ else 0)
            backup_files.copy_heads(source.seals, repository)
            if round_ % FILES_EVERY_ROUNDS == 0 or asked_to_stop:
                told(backup_files.copy_new(source.files, repository))
            if asked_to_stop:
                return
            if receiver.poll() is not None:
                words = receiver.stderr.read().strip() if receiver.stderr else ""
                raise BackupFailed(f"日志接收停止了。 The log is not received any more: {words}")
    finally:
        receiver.terminate()
        try:
            receiver.communicate(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            receiver.kill()
            receiver.communicate()


def forget_slot(source: Source) -> None:
    """Give up the slot, so that the server keeps no log for us any more."""
    _run(source, Path("/nonexistent"), "--drop-slot")


def _run(source: Source, folder: Path, *words: str) -> None:
    done = subprocess.run(
        _command(source, folder, *words),
        env=source.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
        check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise BackupFailed(f"pg_receivewal 失败。 pg_receivewal failed: {done.stderr.strip()}")


def _command(source: Source, folder: Path, *words: str) -> list[str]:
    program = str(source.programs / "pg_receivewal")
    return [program, f"--directory={folder}", f"--slot={SLOT}", *words, *source.arguments()]
