"""Which part of the questions is asked: another one after every commit, all of them at night.

MENDLINE_MATRIX=whole asks all. MENDLINE_MATRIX_SHARE=<number> asks a share once more; whoever finds a fault is told
which.
"""

from __future__ import annotations

import os
import subprocess
from zlib import crc32

from config.home import ROOT

SHARES = 12
OF_PAGES = 48  # where whole pages and sheets are drawn, which take longer than refusals
WHOLE = os.environ.get("MENDLINE_MATRIX") == "whole"


def _turn() -> int:
    """Return a number that chooses the share of this time: the commit says; without git the first."""
    if chosen := os.environ.get("MENDLINE_MATRIX_SHARE"):
        return int(chosen)
    asked = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return int(asked.stdout.strip()[:8] or "0", 16)


TURN = _turn()


def asked(*what: str, shares: int = SHARES) -> bool:
    """Say whether this question belongs to the share that is asked; its words decide."""
    return WHOLE or crc32(" ".join(what).encode()) % shares == TURN % shares


def of_this_night(*what: str, nights: int) -> bool:
    """Say whether this question belongs to this night, where one night is too short for all; the commit decides."""
    return crc32(" ".join(what).encode()) % nights == TURN // OF_PAGES % nights


def told(wrong: list[str]) -> str:
    """Return what was wrong, and how to ask the same questions again."""
    return "\n".join([f"MENDLINE_MATRIX_SHARE={TURN} asks the same again", *wrong])
