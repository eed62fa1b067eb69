"""Attachments and heads beside the backups. Attachments never change once they are written, so each is copied once."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from mendline.database.backup_catalogue import BackupFailed, StoredFile, sha256_of

INDEX = "files.index"


def copy_new(files: Path, repository: Path) -> int:
    """Copy attachments that the repository lacks; returns how many. Ended in the middle, the next call goes on.

    Each is complete under its name, and its hash stands in the index only afterwards.
    """
    known = {one.path for one in index(repository)}
    copied = 0
    with (repository / INDEX).open("a", encoding="utf-8") as listed:
        for path in sorted(files.rglob("*")) if files.is_dir() else []:
            name = path.relative_to(files).as_posix()
            if not path.is_file() or path.is_symlink() or path.name.startswith(".") or name in known:
                continue
            target = repository / "files" / name
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = target.with_name(f".{target.name}")
            try:
                shutil.copyfile(path, draft)
            except FileNotFoundError:  # put aside by the nightly chore just now
                continue
            with draft.open("rb") as file:
                os.fsync(file.fileno())
            listed.write(f"{sha256_of(draft)} {draft.stat().st_size} {name}\n")
            draft.replace(target)
            copied += 1
        listed.flush()
        os.fsync(listed.fileno())
    return copied


def index(repository: Path) -> list[StoredFile]:
    """Return the attachments in a repository, each once."""
    try:
        lines = (repository / INDEX).read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        return []
    found = {}
    for line in lines:
        match line.split(" ", 2):
            case [sha256, size, name] if len(sha256) == 64 and size.isdigit():
                found[name] = StoredFile(name, int(size), sha256)
    return [one for one in found.values() if (repository / "files" / one.path).exists()]


def put_back(repository: Path, files: Path) -> int:
    """Copy every attachment of a repository to `files`; returns how many.

    Raises:
        BackupFailed: one is not what was written.
    """
    many = 0
    for one in index(repository):
        kept, target = repository / "files" / one.path, files / one.path
        if not target.resolve().is_relative_to(files.resolve()):
            raise BackupFailed(
                f"附件清单里有越界的路径 {one.path}。 The index of files names a path outside: {one.path}."
            )
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copyfile(kept, target)
        target.chmod(0o600)
        if sha256_of(target) != one.sha256:
            raise BackupFailed(f"附件 {kept} 与校验值不符。 The file {kept} is not as it was written.")
        many += 1
    return many


def copy_heads(seals: Path, repository: Path) -> None:
    """Copy the heads of the sealed history; the newer file has every line of the older."""
    target = repository / "seals"
    target.mkdir(mode=0o700, exist_ok=True)
    for path in seals.glob("*.log") if seals.is_dir() else []:
        kept = target / path.name
        if kept.exists() and kept.stat().st_size == path.stat().st_size:
            continue
        draft = target / f".{path.name}"
        shutil.copyfile(path, draft)
        draft.replace(kept)
