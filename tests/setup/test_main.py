"""The `mendline` command as somebody types it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    "command",
    [
        ["process", "check", "nosuch.yaml"],
        ["process", "diagram", "--to", "/dev/null/x"],
        ["import-network", "nosuch.xlsx"],
    ],
)
def test_what_cannot_be_read_or_written_ends_in_a_sentence(command: list[str], tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "mendline.cli.main", *command], capture_output=True, text=True, cwd=tmp_path, timeout=300
    )

    said = ended.stdout + ended.stderr
    assert ended.returncode == 1, said
    assert "Traceback" not in said and said.strip()
