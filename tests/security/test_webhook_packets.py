"""P14: no packet goes inside, by the kernel's count and not by ours.

The sender of webhooks is put into a network of its own in which every address answers (`walled_country.py`). Part of it
is asked here where the machine lets us make one; with MENDLINE_HOSTILE=whole all of it, and a machine that cannot
make one fails.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from mendline.channels.webhook.guard import MOST_BYTES, SECONDS
from tests.security.test_webhook_targets import ODD, forms
from tests.security.walled_country import FINE, FINE_6, MUTE
from tests.security.walled_deliveries import ABSENT, EVIL, TIMES
from tests.security.walled_sender import Phase, missing, sent_from_inside

WHOLE = os.environ.get("MENDLINE_HOSTILE") == "whole"
PHASES = ("written", "named", "fine", "unguarded")
AT_NIGHT = ("changing", "asked_twice", "followed", "evil")
FORMS = list(forms())
night = pytest.mark.skipif(not WHOLE, reason="asked at night: mendline hostile --part walls")
# A record of TLS that was begun is read to its end, and the papers of the other side are no part of its answer.
RECORDS = 2 * 16 * 1024
Counted = Callable[[Phase], None]
BUSY = 3.0  # seconds that a machine with other things to do may add


@pytest.fixture(scope="module")
def phases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Phase]:
    if lacking := missing():
        (pytest.fail if WHOLE else pytest.skip)(lacking)
    return sent_from_inside(tmp_path_factory.mktemp("a country"), *PHASES, *(AT_NIGHT if WHOLE else ()))


@pytest.fixture
def counted(record_property: Callable[[str, object], None]) -> Counted:
    """Write into the page of evidence how much was sent, and what the kernel saw of it inside."""

    def note(found: Phase) -> None:
        record_property("deliveries / 次发送", len(found.deliveries))
        record_property("packets inside / 个发往内网的包", found.packets["inside"])

    return note


def test_no_way_of_writing_an_inside_address_sends_a_packet(phases: dict[str, Phase], counted: Counted) -> None:
    found = phases["written"]
    counted(found)

    assert found.packets == {"inside": 0, "public": 0, "opened": 0}
    assert len(found.deliveries) == 2 * len(FORMS) + len(ODD) >= 120
    assert not [one.url for one in found.deliveries if one.told.isdigit()]


def test_no_name_of_an_inside_address_sends_a_packet_even_beside_a_public_one(
    phases: dict[str, Phase], counted: Counted
) -> None:
    found = phases["named"]
    counted(found)

    assert found.packets == {"inside": 0, "public": 0, "opened": 0}
    assert len(found.deliveries) > 300


def test_an_administrator_reads_the_same_of_every_inside_address(phases: dict[str, Phase]) -> None:
    """What is there, what is not, what would refuse and what would not answer are one."""
    told = {one.told for one in phases["named"].deliveries}
    told |= {one.told for one in phases["written"].deliveries if one.url in {f"https://{form}/hook" for form in FORMS}}

    assert len(told) == 1, told


def test_control_public_addresses_are_reached_and_counted(phases: dict[str, Phase]) -> None:
    found = phases["fine"]

    assert [one.told for one in found.deliveries] == ["200"] * 3
    assert found.reached == {FINE: 2, FINE_6: 1}
    assert found.packets["public"] and (found.packets["inside"], found.packets["opened"]) == (0, 3)


def test_control_without_the_guard_the_same_addresses_are_reached_and_counted(phases: dict[str, Phase]) -> None:
    found = phases["unguarded"]
    arrived = [one.url for one in found.deliveries if one.told == "200"]

    assert len(arrived) >= 120 and sum(found.reached.values()) == len(arrived)
    assert found.packets["inside"] >= 6 * len(arrived)


@night
def test_a_name_server_that_changes_its_mind_sends_no_packet_inside(phases: dict[str, Phase], counted: Counted) -> None:
    found = phases["changing"]
    counted(found)

    assert found.packets["inside"] == 0 and set(found.reached) <= {FINE, FINE_6}
    assert len(found.deliveries) == 3 * TIMES and found.packets["opened"] == sum(found.reached.values()) > 0


@night
def test_control_whoever_asks_the_name_server_twice_sends_packets_inside(phases: dict[str, Phase]) -> None:
    assert phases["asked_twice"].reached == {"127.0.0.1": TIMES} and phases["asked_twice"].packets["inside"]


@night
def test_where_an_answer_leads_nobody_goes(phases: dict[str, Phase]) -> None:
    found = phases["evil"]
    led = [one for one in found.deliveries if "302" in one.told]

    assert found.packets["inside"] == 0 and found.packets["opened"] == sum(found.reached.values()) + _never_answered()
    assert len(led) == 4 and found.reached["9.9.9.20"] == 1, "the one that leads to itself was asked once"


@night
def test_control_whoever_follows_sends_packets_inside(phases: dict[str, Phase]) -> None:
    assert {"10.0.0.1", "169.254.169.254"} <= set(phases["followed"].reached) and phases["followed"].packets["inside"]


@night
def test_a_delivery_is_over_after_ten_seconds_whatever_the_other_side_does(phases: dict[str, Phase]) -> None:
    """Name, line and answer together: two addresses that take a packet and never answer leave no new ten seconds."""
    took = {one.url: one.seconds for one in phases["evil"].deliveries}

    assert len(took) == len(EVIL) + len(ABSENT)
    assert {url: seconds for url, seconds in took.items() if seconds > SECONDS + BUSY} == {}


@night
def test_of_an_answer_without_end_64_kilobytes_are_read(phases: dict[str, Phase]) -> None:
    plain = max(one.read for one in phases["fine"].deliveries)
    read = {one.url: one.read - plain for one in phases["evil"].deliveries}

    assert {url: count for url, count in read.items() if count > MOST_BYTES + RECORDS} == {}
    assert read["https://flood.example/"] > MOST_BYTES // 2, "control: the kernel's account sees what is read"


@night
def test_what_an_administrator_reads_of_names_does_not_tell_whether_they_are_there(phases: dict[str, Phase]) -> None:
    told = {one.told for one in phases["evil"].deliveries if one.url in {f"https://{name}/" for name in ABSENT}}

    assert told == {one.told for one in phases["named"].deliveries}


def _never_answered() -> int:
    """Return the lines that were begun in vain: the address of one name, and the first two of another."""
    return 1 + len(MUTE)
