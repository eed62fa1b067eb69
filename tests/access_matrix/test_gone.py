"""Whoever was moved to another station or region knows nothing of the old one from his next request on.

Of the ways in which something is gone, these exist here. A person is moved (below), switched off, or his key revoked
(`test_matrix`). An order is never deleted: no step and no page of the program does that, it is cancelled and stays
in its history; so there is no address that would have to answer for one that was. What people may remove is their
own: a saved view, which is gone for everybody (below).
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import transaction

from mendline.access.people import PersonData, change_person
from mendline.web.models import SavedView
from tests.access_matrix.addresses import Endpoint, endpoints
from tests.access_matrix.cast import LIKE_NO_OTHER, MADE_OF, NOW, STATIONS, Cast, absent
from tests.access_matrix.conftest import Asker
from tests.access_matrix.share import asked, told
from tests.access_matrix.test_matrix import Question, Tally, about_a_thing, compare
from tests.console.bad_world import no_paper as no_paper
from tests.make import an_actor

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_paper")]
# Who is moved, and to where; the new place serves none of what is at station 000001.
MOVES = {
    "station_coordinator": {"station_no": "000002"},
    "station_engineer": {"station_no": "000003"},
    "region_interface": {"region": "east"},
    "region_channel_specialist": {"region": "east"},
}
OLD = "000001"


@pytest.fixture
def moving(cast: Cast, role: str) -> Iterator[Asker]:
    """Somebody who has just worked with an order of his old place, by key and by session, and is moved then."""
    asker, order = Asker(cast, role), cast.mine["order"]
    with transaction.atomic():
        for address in (f"/api/v1/orders/{order}", f"/orders/{order}/"):
            assert asker.ask("GET", address).status == 200
        yield asker
        transaction.set_rollback(True)


def move(cast: Cast, role: str) -> None:
    data = PersonData(role, "李明", role, **MOVES[role])
    change_person(cast.people[role].pk, data, actor=an_actor("admin"), now=NOW)


def about_the_old_place(cast: Cast, role: str) -> Iterator[Question]:
    """Yield what is asked about the old place: everything of it, and of the station itself its papers."""
    for endpoint, parameter, kind in about_a_thing(endpoints()):
        if "step" in map(endpoint.stands_for, endpoint.names):
            continue  # asked of everybody in `test_matrix`; here it is the scope that has changed
        for known in MADE_OF.get(kind, (kind,)):
            for thing in cast.things.get((known, OLD), []):
                theirs = endpoint.path({**endpoint.words, parameter: thing})
                nowhere = endpoint.path({**endpoint.words, parameter: absent(thing)})
                for method in ("GET", "POST"):
                    yield Question(f"moved {role} {method} {endpoint.route} {known}", method, thing, theirs, nowhere)


@pytest.mark.parametrize("role", MOVES)
def test_whoever_was_moved_knows_nothing_of_the_old_place(cast: Cast, moving: Asker, role: str) -> None:
    tally = Tally()
    move(cast, role)
    for question in about_the_old_place(cast, role):
        if asked(question.name):
            compare(tally, moving, question)

    assert not tally.wrong, told(tally.wrong)
    assert tally.asked


@pytest.mark.parametrize("role", MOVES)
def test_whoever_was_moved_finds_the_new_place_and_not_the_old_one_in_every_list(
    cast: Cast, moving: Asker, role: str
) -> None:
    move(cast, role)
    new = next(number for number, (region, _) in STATIONS.items() if {number, region} & {*MOVES[role].values()})

    for address in ("/api/v1/orders", "/queue/"):
        said = moving.ask("GET", address).said
        assert cast.things["order", OLD][0].encode() not in said, address
        assert cast.things["order", new][0].encode() in said, address


@pytest.mark.parametrize("role", ["station_coordinator"])
def test_control_somebody_who_was_not_moved_is_told_apart(cast: Cast, moving: Asker, role: str) -> None:
    tally = Tally()
    order = cast.mine["order"]
    nowhere = f"/api/v1/orders/{absent(order)}"
    compare(tally, moving, Question("control", "GET", order, f"/api/v1/orders/{order}", nowhere))

    assert [wrong.endswith(": 200 instead of 404") for wrong in tally.wrong] == [True]


def test_a_view_that_was_removed_is_as_one_that_never_was(cast: Cast) -> None:
    asker, tally = Asker(cast, "cc_agent"), Tally()
    number = str(LIKE_NO_OTHER + 1)
    SavedView.objects.create(pk=number, person=cast.people["cc_agent"], name="我的视图", query="").delete()
    endpoint = Endpoint("queue/views/<int:view_id>/remove/")
    theirs, nowhere = (endpoint.path({"view_id": one}) for one in (number, absent(number)))
    compare(tally, asker, Question("removed", "POST", number, theirs, nowhere))

    assert not tally.wrong, told(tally.wrong)
