"""Numbers that people read out, sort by and cannot guess."""

from __future__ import annotations

import re
import secrets
from datetime import datetime

from mendline.kernel.time import SHANGHAI

# Without 0/O, 1/I/L and U, so that a number survives the telephone.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
BASE = len(ALPHABET)
SLOTS_PER_SECOND = 9  # 86,400 s x 9 fits into four signs of the alphabet

_SHAPE = re.compile(r"[A-Z]{2}[0-9A-Za-z-]{1,30}", re.ASCII)

# The first letters say what kind of record a number names.
PREFIXES = {
    "unified_repair": "WX",
    "cancellation_request": "CD",
    "special_situation": "TS",
    "part_order": "BJ",
    "coverage_change": "FG",
    "callback": "HF",
    "procedure_document": "WJ",
    "parameter_change": "CS",
}


def new_ref(process: str, now: datetime) -> str:
    """Return a number such as `WX260302-7KQ2M4XWA`: kind, local day, time of day, five random signs.

    It sorts by creation within its kind. Five signs give 24 million values per ninth of a
    second; the unique key catches the rest and the caller tries again.
    """
    local = now.astimezone(SHANGHAI)
    second = (local.hour * 60 + local.minute) * 60 + local.second
    slot = second * SLOTS_PER_SECOND + local.microsecond * SLOTS_PER_SECOND // 1_000_000
    return f"{PREFIXES[process]}{local:%y%m%d}-{_signs(slot, 4)}{_signs(secrets.randbelow(BASE**5), 5)}"


def is_ref(text: str) -> bool:
    """Tell whether this has the shape of a number, ours or that of another system; of what exists it tells nothing.

    >>> is_ref("WX260302-7KQ2M4XWA"), is_ref("../etc"), is_ref("WX1\\n")
    (True, False, False)
    """
    return _SHAPE.fullmatch(text) is not None


def process_prefix(ref: str) -> str:
    """Return the kind letters of a number; empty when it is not one of ours."""
    return ref[:2] if ref[:2] in PREFIXES.values() else ""


def _signs(number: int, length: int) -> str:
    signs = []
    for _ in range(length):
        number, place = divmod(number, BASE)
        signs.append(ALPHABET[place])
    return "".join(reversed(signs))
