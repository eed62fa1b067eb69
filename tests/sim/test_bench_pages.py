"""The measurement of pages forgets none: what a new address asks for is known, and what is left out exists."""

from __future__ import annotations

from mendline.sim.bench.pages import aim_of
from mendline.sim.bench.pages_jobs import LEFT_OUT, RECORD_OF_PAGE, places_in, routes

FILLED = {"ref", "number", "line", "code", "version", "name"}


def test_every_address_of_the_console_can_be_filled_in() -> None:
    """Who adds a page with another kind of place says in `pages_jobs._value` what to put there."""
    unknown = {
        name: route
        for name, route in routes()
        if name not in LEFT_OUT and not FILLED.issuperset(place.split(":")[-1] for place in places_in(route))
    }

    assert unknown == {}


def test_what_is_left_out_or_filled_in_by_name_is_an_address() -> None:
    names = {name for name, _ in routes()}

    assert {"queue", "order", "verdict", "search"} <= names
    assert names >= LEFT_OUT | RECORD_OF_PAGE.keys()


def test_pages_that_people_work_with_all_day_have_the_strict_aim() -> None:
    assert {str(aim_of(name)) for name in ("queue", "order", "intake", "search", "inbox")} == {"≤ 100"}
