"""Backing up: the database's own files while it works, the attachments, and a manifest over both.

The database comes first and the attachments after it: a file too many is harmless, one too few is not. A backup is
made under a name that nobody takes for one, and gets its own when everything is on disk.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from mendline.database import backup_catalogue as catalogue
from mendline.database import backup_files
from mendline.database.backup_catalogue import FORMAT, HALF, Backup, BackupFailed, Manifest
from mendline.database.binaries import installed
from mendline.database.launcher import Server

SPARE = 1.1  # what a backup may grow while it is made
FEW = 100_000_000  # bytes that stay free in any case
_ABOUT = """
    SELECT current_setting('server_version'), current_setting('server_version_num')::int / 10000,
           (SELECT system_identifier::text FROM pg_control_system()), current_database(),
           (SELECT rolname FROM pg_roles WHERE rolsuper AND rolcanlogin ORDER BY oid LIMIT 1),
           (SELECT rolsuper OR rolreplication FROM pg_roles WHERE rolname = current_user),
           (SELECT sum(pg_database_size(oid))::bigint FROM pg_database WHERE has_database_privilege(oid, 'CONNECT')),
           (SELECT count(*) FROM pg_tablespace WHERE spcname NOT LIKE 'pg\\_%'), current_user
"""
_NEWEST_SEAL = """
    SELECT number || ' ' || encode(head, 'hex') FROM journal_seal ORDER BY number DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Source:
    """What is backed up: a server by the address of an account that may replicate, attachments, heads."""

    url: str = field(repr=False)
    programs: Path
    files: Path
    seals: Path

    def arguments(self) -> list[str]:
        """Return the address as programs take it; the password goes by the environment, which nobody else sees."""
        known = {
            name: value for name, value in conninfo_to_dict(self.url).items() if name not in ("password", "dbname")
        }
        return [f"--dbname={make_conninfo('', **known)}", "--no-password"]

    def environment(self) -> Mapping[str, str]:
        password = conninfo_to_dict(self.url).get("password")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        return {**kept, "LC_ALL": "C.UTF-8", **({"PGPASSWORD": str(password)} if password else {})}


@dataclass(frozen=True, slots=True)
class About:
    """What the server says of itself."""

    version: str
    major: int
    system_identifier: str
    database: str
    superuser: str | None
    may_replicate: bool
    bytes: int
    tablespaces: int
    user: str


def source_of(server: Server, url: str | None, *, files: Path, seals: Path) -> Source:
    """Return what is to be backed up: the embedded server, or that of `url` (DATABASE_BACKUP_URL, else the owner's)."""
    if server.cluster is not None:
        return Source(server.urls["admin"], server.cluster.binaries.folder, files, seals)
    found = [one for one in installed() if (one.folder / "pg_basebackup").exists()]
    if not found:
        raise BackupFailed(
            "本机没有 pg_basebackup，请安装与服务器同版本的 postgresql-client。"
            " pg_basebackup is not here: install the postgresql-client of the server's version."
        )
    best = max(found, key=lambda one: one.major)
    return Source(url or server.urls["owner"], best.folder, files, seals)


def ask(source: Source) -> About:
    """Ask the server what it is, and refuse what cannot be backed up.

    Raises:
        BackupFailed: it does not answer, the account may not replicate, or files lie outside of its folder.
    """
    try:
        with psycopg.connect(source.url, autocommit=True, connect_timeout=10) as connection:
            row = connection.execute(_ABOUT).fetchone()
    except psycopg.OperationalError as error:
        raise BackupFailed(f"数据库没有应答。 The database does not answer: {error}") from error
    assert row is not None
    about = About(*row)
    if not about.may_replicate:
        raise BackupFailed(how_to_allow(about.user))
    if about.tablespaces:
        raise BackupFailed(
            "数据库使用了其他表空间，本命令只备份一个文件夹；请用 pgBackRest 一类的工具。"
            " This server has tablespaces outside of its folder: back it up with a tool such as pgBackRest."
        )
    return about


def how_to_allow(user: str) -> str:
    """Return what an administrator of the server has to do so that `user` may back it up."""
    return (
        f"账号 {user} 没有 REPLICATION 权限。请由数据库管理员执行，并把新账号的地址填入 DATABASE_BACKUP_URL："
        f" The account {user} may not replicate. Have the server's administrator do this, and set DATABASE_BACKUP_URL"
        " to the new account's address:\n"
        "  CREATE ROLE mendline_backup LOGIN REPLICATION PASSWORD '…';\n"
        "  GRANT CONNECT ON DATABASE mendline TO mendline_backup;\n"
        "  GRANT pg_read_all_stats TO mendline_backup;\n"
        "  GRANT SELECT ON journal_seal TO mendline_backup;\n"
        "  # pg_hba.conf, then SELECT pg_reload_conf():\n"
        "  host  replication  mendline_backup  ADDRESS/32  scram-sha-256"
    )


def take(source: Source, repository: Path, *, keep: int, now: datetime) -> Backup:
    """Make one backup in `repository`, then remove those that are no longer kept.

    Raises:
        BackupFailed: it could not be made; then there is none, and the older ones are as they were.
    """
    about = ask(source)
    with locked(repository):
        catalogue.forget_half_ones(repository)
        _room_for(about, source, repository)
        name = catalogue.name_at(now)
        if (repository / name).exists():
            raise BackupFailed(
                f"{repository / name} 已存在，不会覆盖。 {repository / name} exists and is not replaced."
            )
        draft = repository / f"{name}{HALF}"
        draft.mkdir(mode=0o700)
        try:
            _copy_database(source, draft / "base", name)
            backup_files.copy_new(source.files, repository)
            backup_files.copy_heads(source.seals, repository)
            backup = _complete(source, about, draft, name, now)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        catalogue.forget_old(repository, keep)
        return backup


def _copy_database(source: Source, base: Path, label: str) -> None:
    """Let PostgreSQL copy itself, with the log that makes the copy whole, and wait until it is on disk."""
    done = subprocess.run(
        [str(source.programs / "pg_basebackup"), f"--pgdata={base}", "--format=plain", "--wal-method=stream",
         "--checkpoint=fast", "--manifest-checksums=SHA256", f"--label=mendline {label}", *source.arguments()],
        env=source.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
        check=False,
    )  # fmt: skip
    if done.returncode != 0:
        said = done.stderr.strip()
        hint = f"\n{how_to_allow(str(conninfo_to_dict(source.url).get('user')))}" if "pg_hba.conf" in said else ""
        raise BackupFailed(f"pg_basebackup 失败。 pg_basebackup failed: {said}{hint}")


def _complete(source: Source, about: About, draft: Path, name: str, began: datetime) -> Backup:
    """Write the manifest, give the backup its name, and note its hash where the heads are kept."""
    base = draft / "base"
    own = [base / "backup_manifest", *sorted(path for path in (base / "pg_wal").iterdir() if path.is_file())]
    manifest = Manifest(
        format=FORMAT, name=name, began_at=began.astimezone(UTC).isoformat(),
        finished_at=_clock_of(source).isoformat(), postgres=about.version, major=about.major,
        system_identifier=about.system_identifier, database=about.database, superuser=about.superuser or "",
        first_wal=catalogue.first_wal_of(base), seal=_newest_seal(source), base=catalogue.stored(base, own),
        files=tuple(backup_files.index(draft.parent)),
    )  # fmt: skip
    digest = catalogue.write(draft, manifest)
    _sync(draft)
    final = draft.rename(draft.with_name(name))
    _sync(final.parent)
    source.seals.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (source.seals / "backups.log").open("a", encoding="utf-8") as noted:
        noted.write(f"backup {name} {digest}\n")
    return Backup(final, manifest)


def _clock_of(source: Source) -> datetime:
    """Return the server's own time: what `--until` is compared with."""
    row = _one(source, "SELECT clock_timestamp()")
    assert isinstance(row, datetime)
    return row.astimezone(UTC)


def _newest_seal(source: Source) -> str:
    try:
        return str(_one(source, _NEWEST_SEAL) or "")
    except psycopg.Error:  # nothing sealed yet, or the account for backups does not read
        return ""


def _one(source: Source, statement: str) -> Any:
    with psycopg.connect(source.url, autocommit=True) as connection:
        row = connection.execute(statement.encode()).fetchone()
    return None if row is None else row[0]


def _room_for(about: About, source: Source, repository: Path) -> None:
    new = sum(path.stat().st_size for path in source.files.rglob("*") if path.is_file()) if source.files.is_dir() else 0
    new -= sum(one.size for one in backup_files.index(repository))
    needed = int(about.bytes * SPARE) + max(0, new) + FEW
    free = shutil.disk_usage(repository).free
    if free < needed:
        raise BackupFailed(
            f"{repository} 只剩 {free / 1e9:.1f} GB，需要约 {needed / 1e9:.1f} GB。"
            "请清理、减少 --keep，或用 --to 换地方。"
            f" {repository} has {free / 1e9:.1f} GB left and {needed / 1e9:.1f} GB are needed: make room, keep fewer"
            " (--keep), or choose another place (--to)."
        )


@contextmanager
def locked(repository: Path) -> Iterator[None]:
    """Hold a repository for one backup at a time.

    Raises:
        BackupFailed: another one is being made.
    """
    repository.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (repository / ".lock").open("a", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupFailed(
                f"{repository} 里正在做另一个备份，请等它结束。"
                f" Another backup is being made in {repository}: wait for it."
            ) from None
        yield


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
