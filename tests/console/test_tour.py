"""The tour: five steps for each role, offered once, taken again when wanted."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from mendline.web.console.shell import home_of
from mendline.web.console.tour import stops_for
from tests.console.conftest import PLACES, SignIn
from tests.make import a_report, an_actor

OFFER = "data-tour-offer"


@pytest.mark.parametrize("role", PLACES)
def test_each_role_has_five_steps_and_the_page_has_what_they_point_at(signed_in: SignIn, role: str) -> None:
    a_report(now=datetime.now(UTC))
    person = signed_in(role)
    home = person.get(home_of(an_actor(role))).content.decode()
    page = person.get("/tour/").content.decode()

    assert OFFER in home
    assert page.count("data-stop=") == len(stops_for(role)) == 5
    for stop in stops_for(role):
        named = re.search(r'[#.]([\w-]+)$|href="([^"]+)"', stop.at)
        assert named and (named[1] or named[2]) in home, stop.at


def test_it_is_offered_where_the_day_begins_and_nowhere_else(signed_in: SignIn) -> None:
    station = signed_in("station_coordinator")

    assert OFFER in station.get("/queue/").content.decode()
    assert OFFER not in station.get("/notices/").content.decode()


def test_it_is_offered_until_it_was_taken_or_refused_on_every_machine(signed_in: SignIn) -> None:
    assert signed_in("station_coordinator").post("/tour/ended/").status_code == 204
    assert signed_in("station_coordinator").post("/tour/ended/").status_code == 204  # twice is once

    elsewhere = signed_in("station_coordinator")
    assert OFFER not in elsewhere.get("/queue/").content.decode()
    assert OFFER not in elsewhere.get("/queue/").content.decode()
    assert OFFER in signed_in("cc_agent").get("/intake/").content.decode()


def test_the_list_of_keys_leads_to_it_from_every_page(signed_in: SignIn) -> None:
    assert 'href="/queue/?tour=1"' in signed_in("station_coordinator").get("/notices/").content.decode()


def test_it_speaks_both_languages(signed_in: SignIn) -> None:
    zh = signed_in("cc_agent").get("/tour/").content.decode()
    en = signed_in("cc_agent", language="en").get("/tour/").content.decode()

    assert "贴一行" in zh and "下一步" in zh
    assert "Paste a line" in en and not re.search(r"[\u4e00-\u9fff]", en)
