"""One of somebody else's among 49 of one's own: it is answered as one that is nowhere, and nothing of it is touched.

What takes many at once takes them as a parameter that may come several times; the code is searched for those, so that
a new one fails the build until it is asked here. (49 at night, MENDLINE_MATRIX=whole; four in the build.) Exports take
no list: they hold what is in scope and fits the filters, see `test_parameters.py`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import transaction
from django.test import Client

import mendline.web
from mendline.access.actors import Actor
from mendline.access.models import Person
from mendline.orders import store
from mendline.sim.faults.calls import at_time
from mendline.sim.faults.rows import Rows
from mendline.web.console.queue_actions import ABSENT, AT_ONCE
from tests.access_matrix.cast import NOW, Cast, absent
from tests.access_matrix.conftest import Asker, Heard
from tests.access_matrix.share import WHOLE
from tests.access_matrix.test_matrix import difference_of
from tests.access_matrix.valid_bodies import taken_back
from tests.console.bad_world import no_paper as no_paper
from tests.make import a_report, do

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_paper")]
OWN = 49 if WHOLE else 4
OWN_ON_PAPER = 29 if WHOLE else 4  # 30 sheets at once are the most
TOMORROW = (NOW + timedelta(hours=20)).isoformat()


@dataclass(frozen=True, slots=True)
class Many:
    """Something that is done with many orders at once. `first` is what is done with each before."""

    role: str
    path: str
    form: Mapping[str, str]
    first: tuple[str, ...] = ()
    method: str = "POST"
    writes: bool = True


BULK = {
    "download": Many("station_coordinator", "/queue/many/", {"do": "download"}),
    "assign_engineer": Many(
        "station_coordinator", "/queue/many/", {"do": "assign_engineer", "engineer": "engineer.near"}
    ),
    "print_order": Many("station_coordinator", "/queue/many/", {"do": "print_order"}, ("promise",)),
    # No station serves the area of these, so that all are refused in words, and the foreign one as absent.
    "dispatch": Many("region_interface", "/queue/many/", {"do": "dispatch"}, writes=False),
    "rows": Many("station_coordinator", "/queue/rows/", {}, method="GET", writes=False),
    "papers": Many("station_coordinator", "/queue/print/", {}, ("promise", "print_order"), "GET", writes=False),
}
# Where the code takes a parameter that comes several times, and what asks about it here.
TAKES_MANY = {
    ("console/queue_actions.py", "many"): {"download", "assign_engineer", "print_order", "dispatch"},
    ("console/queue_actions.py", "some_rows"): {"rows"},
    ("print/pages.py", "many_pdf"): {"papers"},
    ("console/settings_pages.py", "_keep_notices"): set(),  # names of notices, which are nobody's
}


@pytest.fixture(scope="module", autouse=True)
def engineers(cast: Cast) -> None:
    for name, station in (("engineer.near", "000001"), ("engineer.far", "000003")):
        Person.objects.create_user(name, name="王强", role="station_engineer", station_no=station)


@pytest.fixture
def own(cast: Cast, many: str) -> Iterator[list[str]]:
    """Orders of one's own, as far as the step needs them."""
    with transaction.atomic():
        yield [_own(BULK[many]) for _ in range(OWN_ON_PAPER if many == "papers" else OWN)]
        transaction.set_rollback(True)


def _own(many: Many) -> str:
    order = a_report(now=NOW, area="120101" if many.role == "region_interface" else "110108")
    for step in many.first:
        do(order, step, now=NOW, **({"promised_at": TOMORROW} if step == "promise" else {}))
    return order.ref


def ask(asker: Asker, many: Many, refs: Sequence[str], about: str) -> Heard:
    form = {**many.form, "ref": list(refs)}
    if many.method == "GET":
        return asker.ask("GET", many.path + "?" + "&".join(f"ref={ref}" for ref in refs), about=about)
    return asker.ask("POST", many.path, about=about, body=form)


def among(own: Sequence[str], one: str) -> list[str]:
    """Return one more in the middle of one's own."""
    return [*own[: len(own) // 2], one, *own[len(own) // 2 :]]


def wrongly_told(cast: Cast, many: Many, own: Sequence[str], foreign: str) -> str:
    asker = Asker(cast, many.role)
    heard, expected = (ask(asker, many, among(own, one), one) for one in (foreign, absent(foreign)))
    if many.method == "POST":
        assert expected.said.decode().count(ABSENT.zh) == 1, "those of one's own are not found either"
    return "" if heard == expected else difference_of(heard, expected)


@pytest.mark.parametrize("many", BULK)
def test_one_of_somebody_elses_among_ones_own_is_answered_as_absent(cast: Cast, own: list[str], many: str) -> None:
    foreign = cast.things["order", "000003"][0]

    assert wrongly_told(cast, BULK[many], own, foreign) == ""


@pytest.mark.parametrize("many", [name for name, many in BULK.items() if many.writes])
def test_nothing_of_somebody_elses_is_touched_beside_ones_own(cast: Cast, own: list[str], many: str) -> None:
    foreign, bulk, rows = cast.things["order", "000003"][0], BULK[many], Rows()
    client = Client()
    client.force_login(cast.people[bulk.role], backend="allauth.account.auth_backends.AuthenticationBackend")
    with taken_back(), at_time(NOW):
        before = rows.now()
        page = client.post(bulk.path, {**bulk.form, "ref": among(own, foreign)}).content.decode()
        effect = rows.since(before).effect()

    assert f"{len(own)} 张完成，1 张未办" in page
    assert all(any(ref in line for line in effect) for ref in own)
    assert [line for line in effect if foreign in line or '"000003"' in line] == []


def test_an_engineer_of_another_station_is_answered_as_one_who_is_nowhere(cast: Cast) -> None:
    asker, ref = Asker(cast, "station_coordinator"), cast.mine["order"]
    for path, put in (
        ("/queue/many/", lambda name: {"do": "assign_engineer", "engineer": name, "ref": [ref]}),
        (f"/steps/{ref}/assign_engineer/", lambda name: {"engineer": name}),
        (f"/api/v1/orders/{ref}/transitions/assign_engineer", lambda name: {"given": {"engineer": name}}),
    ):
        names = (f"engineer.{name}" for name in ("near", "far", "off"))
        near, far, nobody = (asker.ask("POST", path, about=name, body=put(name)) for name in names)
        assert far == nobody, difference_of(far, nobody)
        assert far != near


def test_whatever_takes_many_at_once_is_asked_here() -> None:
    web, found = Path(mendline.web.__file__).parent, set()
    for path in web.rglob("*.py"):
        text = path.read_text("utf-8")
        for function in ast.walk(ast.parse(text)) if "getlist" in text else ():
            if isinstance(function, ast.FunctionDef) and "getlist" in ast.dump(function):
                found.add((str(path.relative_to(web)), function.name))

    assert found == set(TAKES_MANY)
    assert set().union(*TAKES_MANY.values()) == set(BULK) and set(AT_ONCE) < set(BULK)


@pytest.mark.parametrize("many", ["download"])
def test_control_a_step_that_says_more_of_somebody_elses_is_found(
    cast: Cast, own: list[str], many: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_scope", lambda actor: ("", []))
    monkeypatch.setattr(Actor, "sees", lambda actor, **place: True)

    assert wrongly_told(cast, BULK[many], own, cast.things["order", "000003"][0])
