"""The pages, taken apart: their code blocks, with the mark in the line before."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")))
_BLOCK = re.compile(r"(?:^<!-- tried: (?P<tried>[^>]+) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.M | re.S)


@dataclass(frozen=True)
class Block:
    """One code block. `tried` says how a test runs it; empty where none does."""

    page: str
    line: int
    language: str
    tried: str
    text: str

    @property
    def id(self) -> str:
        return f"{self.page}:{self.line}"


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks() -> Iterator[Block]:
    """Yield every code block of every page."""
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        for found in _BLOCK.finditer(text):
            line = text.count("\n", 0, found.start()) + 1
            name = path.relative_to(ROOT).as_posix()
            yield Block(name, line, found["language"], (found["tried"] or "").strip(), found["text"])


def tried(kind: str) -> list[Block]:
    """Return the blocks of one kind; a page that lost its marks would otherwise pass in silence."""
    found = [block for block in blocks() if block.tried.split(" ")[0] == kind]
    assert found, f"no page has a block marked {kind}"
    return found
