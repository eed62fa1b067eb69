"""A parameter of the query that names what is somebody else's is answered as one that names nothing.

Which parameters an address reads is found out by opening it (`reading.py`) and from the description of the interface;
each gets everything of another station and region that a person might write there. What is compared is the whole
answer, so that no count, no name and no sentence about it can be in it. A share of the addresses is asked in a run,
all of them at night (`share.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from mendline.access.models import Person
from mendline.figures.names import names_of
from mendline.orders.models import RepairOrder
from tests.access_matrix.addresses import Endpoint, endpoints
from tests.access_matrix.cast import LIKE_NO_OTHER, Cast, absent
from tests.access_matrix.conftest import Asker
from tests.access_matrix.reading import described_parameters, noting
from tests.access_matrix.share import OF_PAGES, WHOLE, asked, of_this_night, told
from tests.access_matrix.test_matrix import Question, Tally, compare
from tests.access_matrix.test_who_may import in_scope as in_scope
from tests.access_matrix.test_who_may import own, with_things
from tests.console.bad_world import no_paper as no_paper

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_paper")]
NIGHTS = 6  # in which everything is asked: figures alone have ten addresses with a dozen parameters each
ROLES = ("station_coordinator", "region_interface")  # what is at station 000003 lies outside of both
FAR = "000003"
NUMBERS = ("a", "b", "before", "limit")  # of versions, notices and lines; to these a station is the number three


def foreign(cast: Cast) -> dict[str, tuple[str, str]]:
    """Return what there is at the station that is farthest away, by kind, with one of the kind that is nowhere."""
    person = Person.objects.get(pk=LIKE_NO_OTHER)
    phone = RepairOrder.objects.unscoped("what a caller might know").get(ref=cast.things["order", FAR][0]).phone
    # What is nowhere begins like what is there: a page may repeat the first letters of what it cannot use.
    found = {kind: cast.things[kind, FAR][0] for kind in ("order", "callback")}
    return {kind: (thing, f"{thing[:-3]}7C7") for kind, thing in found.items()} | {
        "station": (FAR, absent(FAR)),
        "file": (cast.things["file", FAR][0], "2" * 31 + "9"),
        "person": (str(person.pk), f"{person.pk + 1}"),
        "username": (person.username, "strangex"),
        "name": (person.name, "刘泮"),
        "telephone": (phone.removeprefix("+86"), f"{phone.removeprefix('+86')[:-1]}8"),
    }


def read_at(asker: Asker, endpoint: Endpoint, path: str) -> set[str]:
    """Return the parameters that an address reads; nothing where this role is refused."""
    with noting() as names:
        answer = asker.ask("GET", path)
    assert answer.status < 500, path
    return (names | described_parameters(endpoint.route)) - {"page"} if answer.status == 200 else set()


def questions(cast: Cast, asker: Asker, things: dict[str, str]) -> Iterator[Question]:
    values = foreign(cast)
    for endpoint in endpoints():
        if endpoint.is_open_to_all or not asked("parameters", asker.role, endpoint.route, shares=OF_PAGES):
            continue
        path = with_things(endpoint, things)
        for name in sorted(read_at(asker, endpoint, path)):
            for kind, (theirs, nowhere) in values.items():
                if kind == "station" and name in NUMBERS:
                    continue
                question = f"{asker.role} {endpoint.route} {name} {kind}"
                if not of_this_night(question, nights=NIGHTS):
                    continue
                there, not_there = (f"{path}?{name}={quote(value)}" for value in (theirs, nowhere))
                yield Question(question, "GET", theirs, there, not_there, nowhere)


@pytest.mark.parametrize("role", ROLES)
def test_a_parameter_that_names_somebody_elses_is_answered_as_one_that_names_nothing(
    cast: Cast, in_scope: dict[str, str], role: str
) -> None:
    asker, tally = Asker(cast, role), Tally(counts_statements=False)
    for question in questions(cast, asker, own(cast, in_scope, role)):
        compare(tally, asker, question)

    assert not tally.wrong, told(tally.wrong)
    assert tally.asked > 500 or not WHOLE


def test_control_the_name_of_a_person_who_is_only_tried_by_number_is_found(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the pages of figures named whoever had the number, until this was asked."""
    monkeypatch.setattr(
        "mendline.web.console.figure_address.name_asked_for",
        lambda question, code: names_of(code, [question.only[code]])[question.only[code]],
    )
    asker, tally = Asker(cast, "station_coordinator"), Tally()
    theirs, nowhere = foreign(cast)["person"]
    there, not_there = (f"/figures/?canceller={number}" for number in (theirs, nowhere))
    compare(tally, asker, Question("figures", "GET", theirs, there, not_there, nowhere))

    assert ["刘洋".encode() in wrong.encode() or str("刘洋".encode())[2:-1] in wrong for wrong in tally.wrong] == [True]


def test_the_parameters_that_an_address_reads_are_found(cast: Cast) -> None:
    asker = Asker(cast, "region_interface")
    read = {route: read_at(asker, Endpoint(route), f"/{route}") for route in ("queue/", "figures/", "api/v1/orders")}

    assert {"station", "state"} <= read["queue/"] & read["api/v1/orders"]
    assert {"canceller", "station", "person"} <= read["figures/"]
