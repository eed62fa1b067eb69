"""People, machines and a small network, as the tests of the interface have them."""

from __future__ import annotations

from tests.api.conftest import machine as machine
from tests.api.conftest import people as people
