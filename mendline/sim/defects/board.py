"""The board: one file per defect, with what it breaks, which promise that is, and who is expected to notice.

A file of `planted/` begins with a few lines `name: value` and goes on with a unified diff:

    zh: 撤单把座位还两次
    en: a cancelled order gives its seat back twice
    keeps: P2 I5
    catcher: tests/dispatch/test_seats.py -k given_back
    --- a/mendline/…

`keeps` are promises (P) and invariants (I) of which it is a breach. Catchers are tried in their order, so the cheapest
stands first: a catcher is what pytest is given, or a `mendline …` command that fails.
"""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from config.home import ROOT
from mendline.kernel.text import Text
from mendline.sim.defects.patches import DoesNotApply, FilePatch, applied, read_patch

PLANTED = Path(__file__).parent / "planted"
_LINE = re.compile(r"(?P<name>zh|en|keeps|catcher): (?P<value>\S.*)")
_KEPT = re.compile(r"[PI]\d{1,2}")


class WrongDefect(Exception):
    """A file of the board cannot be read; says which and why."""


@dataclass(frozen=True, slots=True)
class Defect:
    """One defect: its name is that of its file."""

    name: str
    breaks: Text
    keeps: tuple[str, ...]
    catchers: tuple[str, ...]
    patches: tuple[FilePatch, ...]

    @property
    def is_quick(self) -> bool:
        """Whether its first catcher, which usually notices, takes a few seconds: no killing, not all scenarios."""
        return not self.catchers[0].startswith(("mendline ", "tests/faults/", "tests/scenarios/", "tests/sim/"))


def board(folder: Path = PLANTED, only: Sequence[str] = ()) -> list[Defect]:
    """Return all defects, or those named, by name.

    Raises:
        WrongDefect: a file has a fault, or a name is not on the board.
    """
    defects = {path.stem: read_defect(path) for path in sorted(folder.glob("*.patch"))}
    if absent := [name for name in only if name not in defects]:
        raise WrongDefect(f"没有这样的缺陷 there is no such defect: {', '.join(absent)}")
    return [defect for name, defect in defects.items() if not only or name in only]


def read_defect(path: Path) -> Defect:
    """Return one defect.

    Raises WrongDefect.
    """
    head, begins, diff = path.read_text(encoding="utf-8").partition("\n--- a/")
    found: dict[str, list[str]] = {}
    for line in head.splitlines():
        match = _LINE.fullmatch(line)
        if match is None:
            raise WrongDefect(f"{path.name}: not understood: {line!r}")
        found.setdefault(match["name"], []).append(match["value"])
    if missing := [name for name in ("zh", "en", "keeps", "catcher") if name not in found]:
        raise WrongDefect(f"{path.name}: {', '.join(missing)} is missing")
    keeps = tuple(found["keeps"][0].split())
    if wrong := [one for one in keeps if not _KEPT.fullmatch(one)]:
        raise WrongDefect(f"{path.name}: no promise or invariant: {', '.join(wrong)}")
    try:
        patches = read_patch(begins.lstrip() + diff)
    except DoesNotApply as fault:
        raise WrongDefect(f"{path.name}: {fault}") from fault
    return Defect(path.stem, Text(found["zh"][0], found["en"][0]), keeps, tuple(found["catcher"]), patches)


def stale(defects: Iterable[Defect], root: Path = ROOT) -> list[str]:
    """Return what does not fit the project any more: a line for each patch that does not apply or catcher not there."""
    found: list[str] = []
    for defect in defects:
        for patch in defect.patches:
            try:
                applied(patch, (root / patch.path).read_text(encoding="utf-8"))
            except (DoesNotApply, OSError) as fault:
                found.append(f"{defect.name}: {fault}")
        for catcher in defect.catchers:
            first = shlex.split(catcher)[0].partition("::")[0]
            if first != "mendline" and not (root / first).exists():
                found.append(f"{defect.name}: {first} is not there any more")
    return found


def the_one_to_plant(defects: Sequence[Defect], root: Path = ROOT) -> Defect:
    """Return one that is noticed quickly: another one whenever the code changes that they are planted in.

    It is the same one on every machine.
    """
    quick = [defect for defect in defects if defect.is_quick]
    digest = hashlib.sha256()
    for path in sorted({patch.path for defect in quick for patch in defect.patches}):
        digest.update((root / path).read_bytes())
    return quick[int.from_bytes(digest.digest()[:8], "big") % len(quick)]


def by_promise(defects: Iterable[Defect]) -> Mapping[str, list[str]]:
    """Return the names of the defects that break each promise or invariant."""
    found: dict[str, list[str]] = {}
    for defect in defects:
        for one in defect.keeps:
            found.setdefault(one, []).append(defect.name)
    return found
