"""Restoring: a backup and the log after it become an installation's database again, at its end or at a moment.

Nothing is overwritten: where a database is, none is restored to. The server is brought up beside its place, shows
nobody but us what it holds until it has been settled (see `settle`), and takes its place as the last step; so an
interrupted restore leaves nothing that anybody would start.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql

from config.home import make_state_folder
from mendline.database import backup_catalogue as catalogue
from mendline.database import backup_files
from mendline.database import cluster as clusters
from mendline.database.account import account_for
from mendline.database.address import RECORD
from mendline.database.backup_catalogue import Backup, BackupFailed, backups_in, pieces_of_log, read
from mendline.database.binaries import choose_binaries
from mendline.database.cluster import PORT, SUPERUSER, Cluster
from mendline.database.launcher import DATABASE
from mendline.database.places import folder_for, socket_folder_for
from mendline.database.wheel_copy import runnable_by

LONGEST_SECONDS = 6 * 60 * 60  # to play back the log
# Nobody but the account that runs the server can reach the socket's folder meanwhile.
_OPEN_TO_US = "local all all trust\n"
_ON_A_SOCKET = "local all all scram-sha-256\nlocal replication all scram-sha-256\n"
_RECOVERY = """\
hot_standby = off
archive_mode = off
restore_command = 'cp "{wal}/%f" "%p"'
recovery_target_action = 'promote'
"""

Settle = Callable[[Any, datetime], str]
"""Is handed a cursor on the restored database and the moment that it shows; returns what to tell the person."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored, from which backup, and the moment that it shows (None: nothing was committed after it)."""

    backup: Backup
    as_of: datetime
    files: int
    told: str


def choose(given: Path, until: datetime | None) -> Backup:
    """Return the backup to begin with: the one given, or in a folder of backups the newest that ended before `until`.

    Raises:
        BackupFailed: there is none.
    """
    if (given / "manifest.json").exists() or not given.is_dir() or given.name.endswith(catalogue.HALF):
        chosen = [read(given)]
    else:
        chosen = backups_in(given)
    fitting = [one for one in chosen if until is None or one.finished_at < until]
    if fitting:
        return fitting[-1]
    if chosen:
        raise BackupFailed(
            f"最早的备份完成于 {chosen[0].manifest.finished_at}，无法恢复到更早的 {until}。"
            f" The oldest backup was complete at {chosen[0].manifest.finished_at}; {until} lies before it."
        )
    raise BackupFailed(f"{given} 里没有完整的备份。 There is no whole backup in {given}.")


def restore(backup: Backup, home: Path, *, until: datetime | None, settle: Settle) -> Restored:
    """Make the installation in state folder `home` from a backup; the log beside it is played back up to `until`.

    Raises:
        BackupFailed: there is a database already, something in the backup is not as it was written, or the log does
            not reach as far as asked; then `home` is as it was.
    """
    place = _place_in(home, backup)
    faults = list(catalogue.differences(backup))
    if faults:
        raise BackupFailed("备份已损坏，请换一个。 The backup is damaged; choose another:\n" + "\n".join(faults[:10]))
    make_state_folder(home)
    draft = place.folder.with_name("cluster.restoring")
    wal = place.folder.with_name("wal.restoring")
    try:
        _lay_out(backup, place, draft, wal)
        _tell_how_far(draft, wal, until, place)
        as_of, told = _play_back(replace(place, folder=draft), backup, until, settle)
        files = backup_files.put_back(backup.repository, home / "files")
        (home / RECORD).unlink(missing_ok=True)  # passwords of a server that is no more; the launcher makes new ones
        _finish(draft, place)
    except BaseException:
        for path in (home / "files").iterdir():  # it was empty, so what is there is ours
            shutil.rmtree(path)
        raise
    finally:
        shutil.rmtree(wal, ignore_errors=True)
        shutil.rmtree(draft, ignore_errors=True)
    return Restored(backup, as_of, files, told)


def _place_in(home: Path, backup: Backup) -> Cluster:
    account = account_for(home / "postgres" / "cluster")
    home.mkdir(parents=True, exist_ok=True)
    make_state_folder(home)
    folder = folder_for(home, account) / "cluster"
    taken = [str(path) for path in (folder, home / "files") if path.is_dir() and any(path.iterdir())]
    if taken:
        raise BackupFailed(
            f"{'、'.join(taken)} 里已有数据，恢复不会覆盖。请停止系统后把它改名移开，或用 --into 选空文件夹。"
            f" There is data in {', '.join(taken)}, and nothing is overwritten: stop the system and move it away,"
            " or choose an empty folder with --into."
        )
    binaries = choose_binaries(cluster_major=backup.manifest.major)
    needed = sum(path.stat().st_size for path in (backup.folder / "base").rglob("*") if path.is_file())
    free = shutil.disk_usage(folder.parent).free
    if free < needed * 1.2:
        raise BackupFailed(
            f"{folder.parent} 只剩 {free / 1e9:.1f} GB，恢复需要约 {needed * 1.2 / 1e9:.1f} GB。"
            f" {folder.parent} has {free / 1e9:.1f} GB left, about {needed * 1.2 / 1e9:.1f} GB are needed."
        )
    return Cluster(folder, runnable_by(account, binaries), account)


def _lay_out(backup: Backup, place: Cluster, draft: Path, wal: Path) -> None:
    """Copy the backup and what came after it to where the server's account may read and write it."""
    for folder in (draft, wal):
        shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(backup.folder / "base", draft, symlinks=True)
    wal.mkdir(mode=0o700)
    first = catalogue.piece_number(backup.manifest.first_wal)
    kept = backup.repository / "wal"
    for piece in pieces_of_log(kept):
        name = piece.name.partition(".")[0]
        # A piece that was only begun counts where there is no whole one of that name.
        if catalogue.piece_number(name) >= first and (piece.name == name or not (kept / name).exists()):
            shutil.copyfile(piece, wal / name)
    for branch in kept.glob("*.history"):
        shutil.copyfile(branch, wal / branch.name)
    _write(draft / "postgresql.conf", "include 'mendline.conf'\n", keep=True)  # a server of Debian's has it elsewhere
    _write(draft / "pg_ident.conf", "", keep=True)
    _write(draft / "pg_hba.conf", _ON_A_SOCKET, keep=True)
    (draft / "pg_hba.conf").rename(draft / "pg_hba.conf.kept")
    _write(draft / "pg_hba.conf", _OPEN_TO_US)
    for folder in (draft, wal):
        _give(place, folder)


def _tell_how_far(draft: Path, wal: Path, until: datetime | None, place: Cluster) -> None:
    """Write how the log is played back. What was set by ALTER SYSTEM goes: it was another machine's."""
    lines = _RECOVERY.format(wal=str(wal).replace("'", "''"))
    if until is not None:
        lines += f"recovery_target_time = '{until.astimezone(UTC).isoformat(sep=' ')}'\n"
    _write(draft / "postgresql.auto.conf", lines)
    _write(draft / "recovery.signal", "")
    (draft / "standby.signal").unlink(missing_ok=True)
    _give(place, draft)


def _play_back(place: Cluster, backup: Backup, until: datetime | None, settle: Settle) -> tuple[datetime, str]:
    sockets = socket_folder_for(place.folder.parent, place.account)
    clusters.configure(place, sockets)
    log = place.folder.parent / "restore.log"
    log.unlink(missing_ok=True)
    try:
        place.account.run(
            [place.binaries.program("pg_ctl"), f"--pgdata={place.folder}", f"--log={log}", "--wait",
             f"--timeout={LONGEST_SECONDS}", "--silent", "start"],
            timeout=LONGEST_SECONDS,
        )  # fmt: skip
    except CalledProcessError:
        raise _why_not(log, until) from None
    try:
        with _connected(place, backup, sockets, log, until) as connection:
            row = connection.execute("SELECT pg_last_xact_replay_timestamp()").fetchone()
            as_of = until or (row[0] if row and row[0] else backup.finished_at)
            with connection.transaction():
                told = settle(connection.cursor(), as_of)
            _make_ours(connection, backup.manifest.database)
    finally:
        clusters.stop(place)
    return as_of, told


def _connected(
    place: Cluster, backup: Backup, sockets: Path, log: Path, until: datetime | None
) -> psycopg.Connection[Any]:
    """Connect as soon as the log is played back: before that nobody can, because `hot_standby` is off."""
    superuser, database = quote(backup.manifest.superuser or SUPERUSER), quote(backup.manifest.database)
    address = f"postgresql://{superuser}@/{database}?host={quote(str(sockets))}&port={PORT}"
    give_up_at = time.monotonic() + LONGEST_SECONDS
    while True:
        try:
            return psycopg.connect(address, autocommit=True)
        except psycopg.OperationalError:
            if clusters.running_pid(place) is None or time.monotonic() > give_up_at:
                raise _why_not(log, until) from None
        time.sleep(0.1)


def _make_ours(connection: psycopg.Connection[Any], database: str) -> None:
    """Give a server that was not ours the superuser that the launcher knows."""
    if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [SUPERUSER]).fetchone() is None:
        connection.execute(sql.SQL("CREATE ROLE {} SUPERUSER LOGIN").format(sql.Identifier(SUPERUSER)))
    if database != DATABASE:
        raise BackupFailed(
            f"备份中的数据库名为 {database}，本系统自带的数据库须名为 {DATABASE}。"
            f" The database in the backup is called {database}; here it must be {DATABASE}."
        )


def _finish(draft: Path, place: Cluster) -> None:
    (draft / "pg_hba.conf.kept").replace(draft / "pg_hba.conf")
    _write(draft / "postgresql.auto.conf", "")
    _give(place, draft)
    draft.rename(place.folder)


def _why_not(log: Path, until: datetime | None) -> BackupFailed:
    said = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    if "before configured recovery target was reached" in said:
        times = [line.rpartition("log time ")[2] for line in said.splitlines() if "last completed transaction" in line]
        reached = f" {times[-1]}" if times else ""
        return BackupFailed(
            f"日志只到{reached or '备份本身'}，到不了 {until}。请选更早的时间，或不写 --until 恢复到日志末尾。"
            f" The log ends{reached or ' with the backup'} and does not reach {until}: choose an earlier moment, or"
            " leave --until out to go to the end of the log."
        )
    words = "\n".join(said.splitlines()[-12:])
    return BackupFailed(f"恢复时服务器没有启动，日志在 {log}。 The restored server did not start:\n{words}")


def _write(path: Path, text: str, *, keep: bool = False) -> None:
    if not (keep and path.exists()):
        path.write_text(text, encoding="utf-8")


def _give(place: Cluster, folder: Path) -> None:
    """Let the server's account own a folder and all in it."""
    paths: Sequence[Path] = [folder, *folder.rglob("*")]
    for path in paths:
        if not path.is_symlink():
            path.chmod(0o700 if path.is_dir() else 0o600)
    if place.account.is_other:
        for path in paths:
            os.chown(path, place.account.uid, place.account.gid, follow_symlinks=False)
