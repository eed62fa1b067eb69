"""The small world in the tests' database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mendline.sim.ground.oracle.plain import Network
from mendline.sim.ground.places import plain, world_named
from mendline.sim.ground.run import forget_everything


@pytest.fixture
def network(db: None) -> Iterator[Network]:
    """Build the small world, and return what the oracle knows of it."""
    world = world_named("small")
    world.build()
    forget_everything()
    yield plain(world.contents)
    forget_everything()
