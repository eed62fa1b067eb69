"""Versions of processes by the names that people give them: `unified_repair`, `unified_repair:3`, a file."""

from __future__ import annotations

import re
from pathlib import Path

from mendline.kernel.errors import Refused
from mendline.kernel.text import Text
from mendline.process.definition import Process, version_of
from mendline.process.loading import latest, process_for, read_files

_NAMED = re.compile(r"(?P<code>[a-z_]+)(?::(?P<edition>\d+(?:\.\d+)?))?", re.ASCII)
SUFFIXES = (".yaml", ".yml")


class NotAProcess(Exception):
    """What was named is no process that can be used; says which and why."""

    def __init__(self, text: Text) -> None:
        super().__init__(f"{text.zh} / {text.en}")
        self.text = text


def process_named(named: str) -> Process:
    """Return the process of a file, of a code (its newest file), or of code and edition (`unified_repair:3.1`).

    Raises NotAProcess.
    """
    if named.endswith(SUFFIXES):
        return _of_file(Path(named))
    found = _NAMED.fullmatch(named)
    if found is None:
        said = Text(f"“{named}”应写成流程代码、代码:版本或文件", f"{named!r} should be a code, code:version or a file")
        raise NotAProcess(said)
    try:
        if found["edition"] is None:
            return latest(found["code"])
        return process_for(found["code"], version_of(found["edition"]))
    except Refused as refusal:
        raise NotAProcess(refusal.detail) from None


def _of_file(path: Path) -> Process:
    if not path.is_file():
        raise NotAProcess(Text(f"没有文件 {path}", f"there is no file {path}"))
    found, faults = read_files([path])
    if faults or not found:
        listed = "\n".join(map(str, sorted(faults)))
        raise NotAProcess(Text(f"{path} 不能使用", f"{path} cannot be used\n{listed}"))
    return next(iter(found.values()))
