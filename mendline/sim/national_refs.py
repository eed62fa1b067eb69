"""Numbers of the same shape as everybody's, but the same again for the same seed."""

from __future__ import annotations

from datetime import datetime
from random import Random

from mendline.kernel.ids import ALPHABET, BASE, PREFIXES, SLOTS_PER_SECOND
from mendline.kernel.time import SHANGHAI


class Refs:
    """Draws numbers such as `WX260302-7KQ2M4XWA`, no two of them alike."""

    def __init__(self, seed: int) -> None:
        self._rng = Random(seed)
        self._given: set[str] = set()

    def new(self, process: str, now: datetime) -> str:
        local = now.astimezone(SHANGHAI)
        second = (local.hour * 60 + local.minute) * 60 + local.second
        slot = second * SLOTS_PER_SECOND + local.microsecond * SLOTS_PER_SECOND // 1_000_000
        while True:
            ref = f"{PREFIXES[process]}{local:%y%m%d}-{_signs(slot, 4)}{_signs(self._rng.randrange(BASE**5), 5)}"
            if ref not in self._given:
                self._given.add(ref)
                return ref


def _signs(number: int, length: int) -> str:
    signs = []
    for _ in range(length):
        number, place = divmod(number, BASE)
        signs.append(ALPHABET[place])
    return "".join(reversed(signs))
