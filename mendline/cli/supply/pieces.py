"""What is installed, as values: a package, a library inside a package, what a wheel says it was built from."""

from __future__ import annotations

import re
from dataclasses import dataclass

REQUIRED, OPTIONAL, EXCLUDED = "required", "optional", "excluded"
"""CycloneDX's words: the running system needs it, it may be there, it is a tool of development."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One thing that is installed; empty text where nobody tells.

    `hashes` are those of this very thing, `accepted` the SHA-256 of every file that the lock accepts for it (one for
    each kind of machine). `place` is the file inside the package, `told_by` who told the version if not the package.
    """

    kind: str
    name: str
    version: str = ""
    purl: str = ""
    licence: str = ""
    scope: str = REQUIRED
    hashes: tuple[tuple[str, str], ...] = ()
    accepted: tuple[str, ...] = ()
    place: str = ""
    told_by: str = ""
    inside: tuple[Piece, ...] = ()

    @property
    def called(self) -> str:
        return f"{self.name} {self.version}".strip()


def in_order(pieces: list[Piece]) -> tuple[Piece, ...]:
    """Return them in an order that is the same on every machine and in every run."""
    return tuple(sorted(pieces, key=lambda one: (one.name.lower(), one.name, one.version, one.purl, one.place)))


def normal(name: str) -> str:
    """Return a Python package's name as lock files and addresses of packages write it."""
    return re.sub(r"[-_.]+", "-", name).lower()
