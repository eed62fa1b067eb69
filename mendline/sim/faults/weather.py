"""What happens in a storm, drawn from a seed: who is killed, stopped or cut off, one after the other."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle

from mendline.sim.faults.proxy import BAD

WEBS, WORKERS = 2, 2


@dataclass(frozen=True, slots=True)
class Blow:
    """One thing that happens, once so many more reports are acknowledged than at the blow before.

    `kind` is `kill`, `stop` (and go on after a while), or what becomes of a line; `target` is whom it hits.
    """

    after: int
    kind: str
    target: str
    seconds: float  # until it is over: the process is started again, the line is clear again

    def __str__(self) -> str:
        return f"{self.kind} {self.target}"


def kinds() -> list[tuple[str, str]]:
    """Return every kind of blow with its target, the more frequent ones more than once."""
    found = [("kill", f"web {n}") for n in range(WEBS)] + [("kill", f"worker {n}") for n in range(WORKERS)]
    found += [("kill", "database")] * 2 + [("kill", "live")]
    found += [("stop", f"web {n}") for n in range(WEBS)] + [("stop", f"worker {n}") for n in range(WORKERS)]
    found += [(weather, f"line {n}") for n in range(WEBS) for weather in BAD]
    found += [(weather, f"database line {n}") for n in range(WEBS) for weather in BAD]
    return found


def script(seed: int, only: tuple[str, ...] = ()) -> Iterator[Blow]:
    """Yield blows without end; every kind comes once before any comes again. `only` names the kinds wanted."""
    chance = random.Random(seed)
    pool = [one for one in kinds() if not only or f"{one[0]} {one[1].split()[0]}" in only]
    for _ in cycle((0,)):
        chance.shuffle(pool)
        for kind, target in pool:
            yield Blow(chance.randint(3, 15), kind, target, round(chance.uniform(0.2, 1.5), 2))
