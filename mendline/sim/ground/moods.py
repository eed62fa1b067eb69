"""What a seed is like: which misbehaviour there is in it at all, and how much of each (swarm)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

# The usual share of each oddity. A seed switches about a third of them off and turns the others up or down, so that
# rare ones meet each other somewhere.
USUAL: Mapping[str, float] = {
    "wrong_number": 0.05, "refuses_visit": 0.06, "nags": 0.25, "cancels": 0.07, "duplicates": 0.08, "moves_visit": 0.2,
    "hard_to_reach": 0.15, "never_reached": 0.06, "unhappy": 0.1, "by_telephone": 0.12, "needs_part": 0.35,
    "late_contact": 0.15, "misses_visit": 0.15, "too_eager": 0.1, "out_of_turn": 0.06, "asks_to_cancel": 0.12,
    "own_orders": 0.1, "wrong_cancel": 0.06, "lazy_caller": 0.4, "withdraws": 0.15, "changes_often": 0.15,
    "part_delay": 0.3, "part_rejected": 0.08, "borrows": 0.12, "second_pass": 0.2, "forgets_return": 0.15,
    "region_refuses": 0.3, "region_reassigns": 0.35, "specialist": 0.2, "agent_reassigns": 0.04, "bad_report": 0.06,
    "named_station": 0.06, "not_answering": 0.25, "reopened_later": 0.03, "snoops": 0.06, "looks": 0.12,
    "crowd": 0.4, "shows_on_site": 0.25,
}  # fmt: skip
OFF = 0.3


@dataclass(frozen=True, slots=True)
class Mood:
    """The shares of one seed."""

    shares: Mapping[str, float]

    def is_so(self, oddity: str, rng: Random) -> bool:
        return rng.random() < self.shares[oddity]


def mood_of(seed: int, *, everything: bool = False) -> Mood:
    """Draw the shares of a seed; with `everything` nothing is switched off."""
    rng = Random(f"mood {seed}")
    return Mood({name: _drawn(rng, share, everything) for name, share in USUAL.items()})


def _drawn(rng: Random, usual: float, everything: bool) -> float:
    is_off = rng.random() < OFF
    share = min(0.9, usual * rng.uniform(0.5, 2.0))
    return 0.0 if is_off and not everything else share
