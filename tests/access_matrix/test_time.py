"""How long an answer takes does not tell what is somebody else's from what is nowhere (P11).

Without a clock: `test_matrix` compares for every question which statements the database is asked; controls are here.
With one, at night (MENDLINE_MATRIX=whole): 200 pairs at each of some addresses (50 where a whole page is drawn, which
takes longer), who is asked first in turn. What is judged is the median of the differences within a pair, so that a
machine that is busy for a while changes nothing; less than a millisecond is expected, and twenty is the limit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from statistics import median
from time import perf_counter

import pytest

from mendline.access.actors import THE_CLOCK, Actor
from mendline.kernel.errors import NotVisible
from mendline.orders import readings, store
from mendline.orders.store import Loaded
from tests.access_matrix.cast import Cast, absent
from tests.access_matrix.conftest import Asker
from tests.access_matrix.share import WHOLE
from tests.access_matrix.test_matrix import Question, Tally, compare
from tests.console.bad_world import no_paper as no_paper

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_paper")]
at_night = pytest.mark.skipif(not WHOLE, reason="measures time; MENDLINE_MATRIX=whole asks it (`mendline hostile`)")
PAIRS, PAIRS_OF_PAGES = 200, 50
MOST = 0.020  # seconds between the two, in the median
# Address and what it is about; asked by the coordinator of another station and region.
DETAILS = {
    "order over the interface": ("/api/v1/orders/{}", "order"),
    "order": ("/orders/{}/", "order"),
    "history": ("/api/v1/orders/{}/history", "order"),
    "file": ("/api/v1/attachments/{}", "file"),
    "paper": ("/orders/{}/print/", "order"),
    "station": ("/stations/{}/", "station"),
    "person": ("/admin/people/{}/", "person"),
    "document": ("/reading/{}/", "procedure_document"),
}


def a_question(cast: Cast, name: str) -> Question:
    address, kind = DETAILS[name]
    thing = cast.things[kind, "000003"][0]
    return Question(name, "GET", thing, address.format(thing), address.format(absent(thing)))


def difference(asker: Asker, question: Question, pairs: int) -> float:
    """Return the median of how many seconds longer what is somebody else's takes; who is asked first takes turns."""
    found = []
    for turn in range(pairs):
        took = {}
        for path in (question.theirs, question.nowhere)[:: -1 if turn % 2 else 1]:
            began = perf_counter()
            status = asker.ask(question.method, path).status
            took[path] = perf_counter() - began
            assert status == 404, path
        found.append(took[question.theirs] - took[question.nowhere])
    return median(found)


@at_night
@pytest.mark.parametrize("name", DETAILS)
def test_no_clock_tells_what_is_somebody_elses_from_what_is_nowhere(cast: Cast, name: str) -> None:
    question = a_question(cast, name)
    pairs = PAIRS if question.theirs.startswith(("/api/", "/orders/")) else PAIRS_OF_PAGES

    assert abs(difference(Asker(cast, "station_coordinator"), question, pairs)) < MOST


@pytest.mark.parametrize("name", DETAILS)
def test_the_database_is_asked_the_same_for_both(cast: Cast, name: str) -> None:
    asker, tally = Asker(cast, "station_coordinator"), Tally()
    compare(tally, asker, a_question(cast, name))

    assert not tally.wrong


# Views that look up first and judge then: the answers are the same to the byte.


def looks_first(after: Callable[[], object]) -> Callable[..., Loaded]:
    """Return a `load` that fetches whatever there is, does `after` with it, and asks then whose it is."""
    judged = store.load

    def load(ref: str, *, actor: Actor) -> Loaded:
        judged(ref, actor=THE_CLOCK)
        after()
        return judged(ref, actor=actor)

    return load


def test_control_a_view_that_looks_up_first_and_judges_then_is_found(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mendline.web.console.record_page.store.load", looks_first(after=lambda: None))
    thing = cast.things["order", "000003"][0]
    asker, tally = Asker(cast, "station_coordinator"), Tally()
    compare(tally, asker, Question("go", "GET", thing, f"/go/{thing}/", f"/go/{absent(thing)}/"))

    assert [wrong.split(": ")[1][:21] for wrong in tally.wrong] == ["the database is asked"]


def test_control_the_documents_that_were_loaded_before_they_were_judged_are_found(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So it was until this was asked."""

    def document_for(actor: Actor, ref: str) -> Loaded:
        document = store.load(ref, actor=THE_CLOCK)
        if not actor.sees_everything and not readings._told(ref).filter(readings._reaches(actor)).exists():
            raise NotVisible
        return document

    monkeypatch.setattr(readings, "document_for", document_for)
    asker, tally = Asker(cast, "station_coordinator"), Tally()
    compare(tally, asker, a_question(cast, "document"))

    assert ["the database is asked 5 instead of 4 times" in wrong for wrong in tally.wrong] == [True]


@at_night
def test_control_a_view_that_works_before_it_judges_takes_longer(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def work() -> None:
        hashlib.pbkdf2_hmac("sha256", b"what a page", b"would draw", 500_000)

    monkeypatch.setattr("mendline.web.console.record_page.store.load", looks_first(work))
    thing = cast.things["order", "000003"][0]
    question = Question("go", "GET", thing, f"/go/{thing}/", f"/go/{absent(thing)}/")

    assert difference(Asker(cast, "station_coordinator"), question, pairs=7) > MOST
