"""Everything that is read of the demo world, which takes seconds to load: here it is loaded once."""

from __future__ import annotations

import pytest

from tests.figures.test_facts import FactsOfDemo
from tests.figures.test_pages import PagesOfDemo
from tests.figures.test_reckoning import FiguresOfDemo


@pytest.mark.usefixtures("demo", "db", "at_now")
class TestDemo(FactsOfDemo, FiguresOfDemo, PagesOfDemo):
    """The facts, the figures made of them, and the pages that show them."""
