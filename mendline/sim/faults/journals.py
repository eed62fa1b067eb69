"""What writers note down: every key before it is sent, every answer after it came, and what was lost between."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

# `sent` before each try; `unanswered`: the try ended without an answer; `cut`: the answer was there
# and never reached the caller; `acknowledged`: the caller knows the order's number; `odd`: neither.
Word: TypeAlias = Literal["sent", "unanswered", "cut", "acknowledged", "odd"]


@dataclass(slots=True)
class Told:
    """All journals of a run together. Keys are what the caller wanted, whatever was sent for it."""

    sent: set[str] = field(default_factory=set)
    unanswered: Counter[str] = field(default_factory=Counter)
    cut: dict[str, str] = field(default_factory=dict)
    acknowledged: dict[str, str] = field(default_factory=dict)
    odd: list[str] = field(default_factory=list)


class Journal:
    """The notes of one writer; each line is with the operating system before the next thing happens."""

    def __init__(self, folder: Path, writer: int) -> None:
        self._file = os.open(folder / f"{writer}.journal", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def note(self, word: Word, key: str, ref: str = "") -> None:
        """Note one thing on one line; `ref` may be long: what is odd is kept whole."""
        os.write(self._file, f"{word} {key} {' '.join(ref.split())}\n".encode())


def told(folder: Path) -> Told:
    found = Told()
    for path in sorted(folder.glob("*.journal")):
        for line in path.read_text(encoding="utf-8").splitlines():
            word, key, ref = line.split(" ", 2)
            match word:
                case "sent":
                    found.sent.add(key)
                case "unanswered":
                    found.unanswered[key] += 1
                case "cut":
                    found.cut[key] = ref
                case "acknowledged":
                    found.acknowledged[key] = ref
                case _:
                    found.odd.append(line)
    return found


def count_acknowledged(folder: Path) -> int:
    return sum(path.read_bytes().count(b"acknowledged ") for path in folder.glob("*.journal"))
