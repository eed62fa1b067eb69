"""The pages, taken apart: their code blocks, with the mark in the line before.

Every command block of the site carries a mark that says how a test runs it:

- `run`: each line is a `mendline` command, carried out in this process
- `shell NAME`: carried out by a shell, in the test of that name
- `curl STATUS [code] [NAME=field]`: the call is sent; NAME keeps a field of the answer for calls after it
- `scenario`, `process`: the file on the page is played, or checked
- `not REASON`: no test can; REASON is one of `CANNOT`, and says what is looked at instead
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
LANGUAGES = ("zh", "en")
SITE = {language: sorted((ROOT / "docs" / language).rglob("*.md")) for language in LANGUAGES}
PAGES = (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")), *SITE["zh"], *SITE["en"])
# Why a block is not carried out, and the commands that this may be said of.
CANNOT = {
    "root": ("install", "useradd", "systemctl", "ln", "nginx", "make install"),  # changes the machine itself
    "image": ("podman",),  # needs images from elsewhere
    "asks": ("mendline createsuperuser",),  # asks somebody for a password
    "minutes": (
        "make",
        "mendline bench",
        "mendline simulate",
        "mendline storm",
        "mendline hostile",
        "mendline process prove",
        "mendline demo",
        "mendline backup",
        "mendline restore",
        "python -m mendline.sim.failover",
    ),  # takes minutes; has its own tests
    "network": ("git clone", "cd"),  # the code is here already
    "serves": (
        "python3 -m http.server",
        "mendline serve",
        "mendline worker",
        "mendline live",
        "mendline backup",
    ),  # does not end by itself
}
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

    @property
    def lines(self) -> list[str]:
        """Return the commands, one each, without comments."""
        joined = self.text.replace("\\\n", " ")
        return [line.partition(" #")[0].strip() for line in joined.splitlines() if line.strip()]


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
