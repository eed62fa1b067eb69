"""P6: whatever is done to the history by whoever owns the tables is found, and the first wrong entry named."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import transaction

from tests.journal.histories import sealed_history, verdict
from tests.journal.mutations import MUTATIONS, ONLY_FROM_OUTSIDE, History

# `MUTATIONS=80 pytest tests/journal/test_mutations.py` tries 1,040; every commit tries 130.
EACH = int(os.environ.get("MUTATIONS", "10"))


@pytest.fixture
def history(db: None, heads: Path, triggers_off: None) -> History:
    pieces = sealed_history()
    [file] = heads.iterdir()
    return History(pieces, file)


@contextmanager
def undone(history: History) -> Iterator[None]:
    """Whatever is done inside is as if it had not been, in the database and in the file."""
    kept = history.heads.read_bytes()
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    history.heads.write_bytes(kept)


@pytest.mark.parametrize("name", MUTATIONS)
def test_p6_every_mutation_is_found_and_the_first_wrong_entry_named(name: str, history: History) -> None:
    assert verdict().ok
    for seed in range(EACH):
        with undone(history):
            first = MUTATIONS[name](history, random.Random(f"{name} {seed}"))
            found = verdict()
            assert found.wrong, f"{name}, seed {seed}: not found"
            named = found.wrong[0].entry
            if first is not None and name not in ("chain made anew",):
                assert named == first, f"{name}, seed {seed}: {found.wrong[0]} instead of entry {first}"
            if name == "chain made anew" and named is not None and first is not None:
                piece = next(piece for piece in history.pieces if first in piece)
                assert named == 1 or max(piece) >= named > min(piece) - len(piece) - 1
    assert verdict().ok


@pytest.mark.parametrize("name", MUTATIONS)
def test_p6_control_without_heads_outside_a_chain_that_hangs_together_is_believed(name: str, history: History) -> None:
    with undone(history):
        MUTATIONS[name](history, random.Random(f"{name} 0"))
        found = verdict(files=[])

        assert found.ok == (name in ONLY_FROM_OUTSIDE)
        assert "不" in found.notes[-1].zh and "heads" in found.notes[-1].en
