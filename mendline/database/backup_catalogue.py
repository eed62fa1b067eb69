"""A folder of backups: which there are, whether one is whole, and which of them may go.

20260302T010000Z/        one backup; a name that ends in .making is a half one and never counted
    base/                the database's files as pg_basebackup wrote them
    manifest.json        what belongs to it, with sizes and SHA-256
    manifest.sha256      the manifest's own
files/, files.index      attachments; never changed once written, so all backups share them
seals/                   heads of the sealed history
wal/                     the log between the backups, for any moment (`mendline backup --follow`)
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

FORMAT = 1
HALF = ".making"
NAME = "%Y%m%dT%H%M%SZ"
CHUNK = 1 << 20


class BackupFailed(Exception):
    """A backup or a restore could not be carried out. The message says why and what to do next."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file with what it must be; `path` is relative."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds. Written last, so that a folder with a manifest is a whole backup."""

    format: int
    name: str
    began_at: str
    finished_at: str
    postgres: str
    major: int
    system_identifier: str
    database: str
    superuser: str
    first_wal: str
    seal: str
    """Number and head of the newest seal, for whoever compares it with what is kept elsewhere; empty without one."""
    base: tuple[StoredFile, ...]
    """Files of base/ that PostgreSQL's own manifest does not cover: that manifest itself, and the log beside it."""
    files: tuple[StoredFile, ...]


@dataclass(frozen=True, slots=True)
class Backup:
    """One whole backup."""

    folder: Path
    manifest: Manifest

    @property
    def finished_at(self) -> datetime:
        return datetime.fromisoformat(self.manifest.finished_at)

    @property
    def repository(self) -> Path:
        return self.folder.parent


def backups_in(repository: Path) -> list[Backup]:
    """Return the whole backups of a folder, the oldest first."""
    found = [path for path in repository.glob("*T*Z") if (path / "manifest.json").exists()]
    return [read(path) for path in sorted(found)]


def read(folder: Path) -> Backup:
    """Read a backup's manifest and hold it against its own hash.

    Raises:
        BackupFailed: it is no backup, a half one, or its manifest was changed.
    """
    path = folder / "manifest.json"
    try:
        written = path.read_bytes()
        expected = (folder / "manifest.sha256").read_text(encoding="ascii").strip()
    except FileNotFoundError as missing:
        raise BackupFailed(
            f"{folder} 不是完整的备份（缺少 {Path(str(missing.filename)).name}），请换一个。"
            f" {folder} is no whole backup: {Path(str(missing.filename)).name} is missing. Choose another."
        ) from None
    if hashlib.sha256(written).hexdigest() != expected:
        raise BackupFailed(
            f"{path} 与其校验值不符，已被改动或损坏，请换一个备份。"
            f" {path} is not what was written: choose another backup."
        )
    said = json.loads(written)
    if said.get("format") != FORMAT:
        raise BackupFailed(
            f"{path} 的格式是 {said.get('format')}，本版本只读 {FORMAT}。 {path} has a format of another release."
        )
    for name in ("base", "files"):
        said[name] = tuple(StoredFile(**one) for one in said[name])
    return Backup(folder, Manifest(**said))


def write(folder: Path, manifest: Manifest) -> str:
    """Write a manifest and its hash, on disk; return the hash."""
    written = json.dumps(asdict(manifest), ensure_ascii=False, indent=1).encode()
    digest = hashlib.sha256(written).hexdigest()
    for name, content in (("manifest.json", written), ("manifest.sha256", f"{digest}\n".encode())):
        with (folder / name).open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    return digest


def differences(backup: Backup, progress: Callable[[str], None] = lambda path: None) -> Iterator[str]:
    """Hash everything in a backup anew and yield what is not as it was written."""
    base = backup.folder / "base"
    for place, files in (
        (base, backup.manifest.base),
        (base, _covered_by_postgresql(base / "backup_manifest")),
        (backup.repository / "files", backup.manifest.files),
    ):
        for one in files:
            path = place / one.path
            progress(one.path)
            if not path.is_file():
                yield f"{path}: 缺失 missing"
            elif path.stat().st_size != one.size or one.sha256 and sha256_of(path) != one.sha256:
                yield f"{path}: 与校验值不符 not as it was written"


def _covered_by_postgresql(manifest: Path) -> Iterator[StoredFile]:
    """Yield what PostgreSQL's own manifest covers; it may leave out hashes of what it does not hash."""
    try:
        said = json.loads(manifest.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return  # named by ours already
    for one in said["Files"]:
        path = one["Path"] if "Path" in one else os.fsdecode(bytes.fromhex(one["Encoded-Path"]))
        yield StoredFile(path, one["Size"], one.get("Checksum", ""))


def first_wal_of(base: Path) -> str:
    """Return the name of the first piece of the log that a base backup needs, from the label in it."""
    for line in (base / "backup_label").read_text(encoding="utf-8").splitlines():
        if line.startswith("START WAL LOCATION:"):
            return line.rpartition("file ")[2].rstrip(")")
    raise BackupFailed(f"{base}/backup_label 无法读懂。 {base}/backup_label cannot be understood.")


def forget_half_ones(repository: Path) -> int:
    """Remove what an interrupted backup left; returns how many. Whoever calls holds the folder's lock."""
    half = list(repository.glob(f"*{HALF}"))
    for path in half:
        shutil.rmtree(path)
    return len(half)


def forget_old(repository: Path, keep: int) -> list[str]:
    """Keep the newest `keep` backups and the log since the oldest of those; returns what was removed."""
    whole = backups_in(repository)
    removed = []
    for old in whole[:-keep]:
        gone = old.folder.rename(old.folder.with_name(f"{old.folder.name}{HALF}"))  # never half there under its name
        shutil.rmtree(gone)
        removed.append(old.folder.name)
    kept = whole[-keep:]
    if kept:
        first = min(piece_number(one.manifest.first_wal) for one in kept)
        for piece in pieces_of_log(repository / "wal"):
            if piece_number(piece.name) < first:
                piece.unlink()
    return removed


def pieces_of_log(folder: Path) -> list[Path]:
    """Return the pieces of the log in a folder, begun ones as well, oldest first."""
    found = [path for path in folder.glob("*") if len(path.name.partition(".")[0]) == 24 and "history" not in path.name]
    return sorted(found, key=lambda path: piece_number(path.name))


def piece_number(name: str) -> str:
    """Return what orders pieces of the log whatever their timeline.

    >>> piece_number("0000000200000001000000FF.partial")
    '00000001000000FF'
    """
    return name[8:24]


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def stored(folder: Path, paths: Iterable[Path]) -> tuple[StoredFile, ...]:
    return tuple(StoredFile(str(path.relative_to(folder)), path.stat().st_size, sha256_of(path)) for path in paths)


def name_at(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime(NAME)
