"""Patches as text, applied by their content: a hunk fits where its old lines stand, and they may stand only once.

Line numbers are not looked at, so other people's work above a hunk moves it without harm. Lines that changed, or that
stand twice by now, make the patch stale: whoever changed them says what the defect looks like today.
"""

from __future__ import annotations

from dataclasses import dataclass


class DoesNotApply(Exception):
    """A patch does not fit the files any more; says which hunk and why."""


@dataclass(frozen=True, slots=True)
class Hunk:
    """What stands there, and what is to stand there instead; whole lines."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class FilePatch:
    """The hunks of one file, its path relative to the project."""

    path: str
    hunks: tuple[Hunk, ...]


def read_patch(text: str) -> tuple[FilePatch, ...]:
    """Return what a unified diff changes. Whatever stands before its first file is somebody else's.

    Raises:
        DoesNotApply: the text is no such diff, or changes nothing.
    """
    found: list[FilePatch] = []
    path, hunks = "", list[Hunk]()
    before, after = list[str](), list[str]()

    def end_hunk() -> None:
        if before or after:
            hunks.append(Hunk("".join(before), "".join(after)))
            before.clear()
            after.clear()

    def end_file() -> None:
        end_hunk()
        if path and hunks:
            found.append(FilePatch(path, tuple(hunks)))
            hunks.clear()

    for line in text.splitlines(keepends=True):
        if line.startswith("--- a/"):
            end_file()
        elif line.startswith("+++ b/"):
            path = line.removeprefix("+++ b/").strip()
        elif line.startswith("@@"):
            end_hunk()
        elif path and line[:1] in (" ", "-", "+"):
            if line[0] != "+":
                before.append(line[1:])
            if line[0] != "-":
                after.append(line[1:])
    end_file()
    if not found:
        raise DoesNotApply("no file is changed by it")
    return tuple(found)


def applied(patch: FilePatch, text: str) -> str:
    """Return the file's text with every hunk in place.

    Raises:
        DoesNotApply: the old lines of a hunk are not there, or more than once.

    >>> applied(FilePatch("a", (Hunk("b\\n", "c\\n"),)), "a\\nb\\n")
    'a\\nc\\n'
    """
    for number, hunk in enumerate(patch.hunks, start=1):
        whole, sought = f"\n{text}", f"\n{hunk.before}"
        at = whole.find(sought)
        if at < 0 or whole.find(sought, at + 1) >= 0:
            stands = "does not stand there any more" if at < 0 else "stands there more than once"
            raise DoesNotApply(f"{patch.path}: what hunk {number} replaces {stands}:\n{hunk.before}")
        text = text[:at] + hunk.after + text[at + len(hunk.before) :]
    return text
