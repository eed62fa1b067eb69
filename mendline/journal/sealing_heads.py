"""The heads of the sealed history, kept outside of the database: a file per history, to which lines are only added.

    history 5c1f… 7412…/16384
    seal 12 3456 5 2026-03-02T01:00:00.000000+00:00 9f02…
    restored 10 2026-03-03T02:00:00+00:00 2026-03-02T00:59:00+00:00

A seal's line: number, last entry, how many entries, when, head. A `restored` line says that the database went back to
seal 10 because somebody restored a backup: what came after in the old life is expected no longer. Where the file lies
is MENDLINE_SEALS; the further from whoever keeps the database, the better (another machine, a folder to which may only
be added).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from mendline.journal.sealing_chain import Seal

_WHOSE = "SELECT head FROM journal_seal WHERE number = 0"
_DATABASE = """
    SELECT (SELECT system_identifier FROM pg_control_system())::text || '/' || oid::text
    FROM pg_database WHERE datname = current_database()
"""


@dataclass(frozen=True, slots=True)
class Restored:
    """The database was taken back to the state in which seal `number` was its last."""

    number: int
    at: str
    until: str


@dataclass(slots=True)
class Heads:
    """What is known outside: heads by number, restores, and lines that cannot be read (place, text)."""

    history: str = ""
    database: str = ""
    heads: dict[int, str] = field(default_factory=dict)
    last_entry: dict[int, int] = field(default_factory=dict)
    restored: list[Restored] = field(default_factory=list)
    unreadable: list[tuple[int, str]] = field(default_factory=list)
    contradictions: list[int] = field(default_factory=list)  # numbers that stand twice, with different heads

    @property
    def last(self) -> int:
        return max(self.heads, default=-1)

    def missing(self) -> list[int]:
        """Return the numbers that should stand between the first and the last and do not."""
        return [number for number in range(min(self.heads, default=0), self.last) if number not in self.heads]

    def read(self, lines: Iterable[str]) -> Heads:
        """Take up lines in their order; a later line about the same seal must say the same."""
        for place, line in enumerate(lines, start=1):
            match line.split():
                case []:
                    pass
                case ["history", history, database] if not self.history or self.history == history:
                    self.history, self.database = history, database
                case ["seal", number, entry, count, _, head] if _numbers(number, entry, count) and len(head) == 64:
                    if self.heads.setdefault(int(number), head) != head:
                        self.contradictions.append(int(number))
                    self.last_entry[int(number)] = int(entry)
                case ["restored", number, at, until] if _numbers(number):
                    self.restored.append(Restored(int(number), at, until))
                    for later in [one for one in self.heads if one > int(number)]:
                        del self.heads[later], self.last_entry[later]
                case _:
                    self.unreadable.append((place, line.strip()[:80]))
        return self


def _numbers(*words: str) -> bool:
    return all(word.removeprefix("-").isdigit() for word in words)


def line_of(seal: Seal) -> str:
    moment = seal.sealed_at.astimezone(UTC).isoformat(timespec="microseconds")
    return f"seal {seal.number} {seal.up_to} {seal.entries} {moment} {seal.head.hex()}"


@dataclass(frozen=True, slots=True)
class HeadFile:
    """The file of one history in one folder."""

    path: Path
    first_line: str

    def last_number(self) -> int:
        """Return the number of the newest seal in it, -1 where there is none; looks at the end of the file only."""
        for line in reversed(self._tail()):
            match line.split():
                case ["seal", number, _, _, _, _] if _numbers(number):
                    return int(number)
                case ["restored", number, _, _] if _numbers(number):
                    return int(number)
        return -1

    def add(self, seals: Sequence[Seal]) -> None:
        """Add the lines of these seals, on disk when it returns."""
        self.add_lines([line_of(seal) for seal in seals])

    def add_lines(self, lines: Sequence[str]) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        torn = self.path.exists() and self._ends_in_the_middle()
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            first = [] if self.path.stat().st_size else [self.first_line]
            file.write((("\n" if torn else "") + "".join(f"{line}\n" for line in [*first, *lines])).encode())
            file.flush()
            os.fsync(file.fileno())

    def _tail(self) -> list[str]:
        try:
            with self.path.open("rb") as file:
                file.seek(max(0, self.path.stat().st_size - 4096))
                return file.read().decode(errors="replace").split("\n")[:-1]  # what has no end was torn off
        except FileNotFoundError:
            return []

    def _ends_in_the_middle(self) -> bool:
        with self.path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            if not size:
                return False
            file.seek(size - 1)
            return file.read(1) != b"\n"


def folder() -> Path:
    return Path(settings.SEALS_FOLDER)


def file_of(cursor: Any, place: Path | None = None) -> HeadFile | None:
    """Return the file of this database's history; None where nothing was ever sealed."""
    cursor.execute(_WHOSE)
    row = cursor.fetchone()
    if row is None:
        return None
    history = bytes(row[0]).hex()[:16]
    return HeadFile((place or folder()) / f"heads-{history}.log", f"history {history} {database_of(cursor)}")


def database_of(cursor: Any) -> str:
    """Return what tells this database from every other: a restored copy has the same, one made anew has not."""
    cursor.execute(_DATABASE)
    return str(cursor.fetchone()[0])


def heads_in(paths: Iterable[Path]) -> Iterator[tuple[Path, Heads]]:
    """Read files of heads; a folder stands for those in it, none where there is no such folder yet."""
    for path in paths:
        is_file = path.is_file() or path.suffix == ".log"
        for file in [path] if is_file else sorted(path.glob("heads-*.log")):
            yield file, Heads().read(file.read_text(encoding="utf-8", errors="replace").splitlines())


def restored_line(number: int, *, at: datetime, until: datetime) -> str:
    moments = (moment.astimezone(UTC).isoformat(timespec="seconds") for moment in (at, until))
    return f"restored {number} {' '.join(moments)}"
