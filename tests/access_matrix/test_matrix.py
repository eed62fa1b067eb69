"""Every address, every role, every method: what is not yours is not there, and what is not your job says so.

The addresses come from the resolver and the steps from the process files; whose a thing is, is written down in
`cast.py` once more. Here a share of the questions is asked, another one after every commit: see `share.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from mendline.access.actors import Actor
from mendline.access.models import Person, Token
from mendline.kernel.ids import PREFIXES
from mendline.orders.models import Record
from mendline.process.definition import Process
from mendline.process.loading import latest
from tests.access_matrix.addresses import Endpoint, endpoints
from tests.access_matrix.cast import BOUND_TO_A_REGION, BOUND_TO_A_STATION, Cast, absent
from tests.access_matrix.conftest import Asker, Heard
from tests.access_matrix.share import asked, told
from tests.console.conftest import PLACES

pytestmark = pytest.mark.django_db
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
ALL = endpoints()
PROCESS_OF = {prefix: code for code, prefix in PREFIXES.items()}


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask about a thing that is somebody else's, and of one that is nowhere."""

    name: str  # the same in every run, as numbers are not; it decides to which share the question belongs
    method: str
    thing: str
    theirs: str
    nowhere: str
    about: str = ""  # what is named where there is nothing, if it is no number


@dataclass(slots=True)
class Tally:
    """How many questions one caller asked, and what was wrong about the answers.

    `counts_statements` is off for whole pages: they read anew, from time to time, what the process remembers.
    """

    asked: int = 0
    wrong: list[str] = field(default_factory=list)
    counts_statements: bool = True
    _nowhere: dict[tuple[str, str], Heard] = field(default_factory=dict)

    def hear(self, asker: Asker, method: str, path: str, about: str = "") -> Heard:
        self.asked += 1
        heard = asker.ask(method, path, about=about)
        if heard.status >= 500:
            self.wrong.append(f"{asker.role} {method} {path}: {heard.status}")
        return heard if self.counts_statements else replace(heard, statements=())

    def nowhere(self, asker: Asker, question: Question) -> Heard:
        """Return what is answered where there is nothing. Things of several stations are compared with one answer."""
        known = question.method, question.nowhere
        if known not in self._nowhere:
            self._nowhere[known] = self.hear(asker, *known, about=question.about or absent(question.thing))
        return self._nowhere[known]


def steps_of(thing: str) -> list[str]:
    """Return the steps of the process that a number belongs to, and one that nobody knows."""
    process: Process = latest(PROCESS_OF[thing[:2]])
    return [*process.transitions, "no_such_step"]


def about_a_thing(addresses: Sequence[Endpoint] = ALL) -> Iterator[tuple[Endpoint, str, str]]:
    """Return the addresses that name somebody's thing, with the parameter and its kind."""
    for endpoint in addresses:
        for name in endpoint.names:
            if (kind := endpoint.stands_for(name)) not in ("word", "step"):
                yield endpoint, name, kind


def out_of_scope(cast: Cast, role: str, addresses: Sequence[Endpoint] = ALL) -> Iterator[Question]:
    for endpoint, parameter, kind in about_a_thing(addresses):
        steps = [name for name in endpoint.names if endpoint.stands_for(name) == "step"]
        for place, thing in enumerate(cast.foreign(kind, role)):
            for step in steps_of(thing) if steps else [""]:
                values = {**endpoint.words, **dict.fromkeys(steps, step)}
                theirs = endpoint.path({**values, parameter: thing})
                nowhere = endpoint.path({**values, parameter: absent(thing)})
                for method in METHODS:
                    name = f"{role} {method} {endpoint.route} {step} {place}"
                    yield Question(name, method, thing, theirs, nowhere)


def compare(tally: Tally, asker: Asker, question: Question) -> None:
    heard = tally.hear(asker, question.method, question.theirs, about=question.thing)
    expected = tally.nowhere(asker, question)
    if heard != expected:
        tally.wrong.append(f"{question.name} {question.theirs}: {difference_of(heard, expected)}")


@pytest.mark.parametrize("role", PLACES)
def test_what_lies_out_of_scope_is_answered_as_if_it_were_not_there(
    cast: Cast, role: str, record_property: Callable[[str, object], None]
) -> None:
    asker, tally = Asker(cast, role), Tally()
    for question in out_of_scope(cast, role):
        if asked(question.name):
            compare(tally, asker, question)

    record_property("things of others / 次问别人的东西", tally.asked)
    assert not tally.wrong, told(tally.wrong)
    assert tally.asked or role not in (*BOUND_TO_A_REGION, *BOUND_TO_A_STATION)


def test_control_a_forgotten_scope_is_found(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Actor, "sees_everything", property(lambda actor: True))
    asker, tally = Asker(cast, "station_coordinator"), Tally()
    theirs = cast.things["order", "000003"][0]
    # They know none of what a page of theirs shows: it would end in a fault, which is not what is to be found here.
    Record.objects.unscoped("a control needs an order alone").filter(order_ref=theirs).update(order_ref="")
    for address in ("/api/v1/orders/{}", "/orders/{}/"):
        nowhere = address.format(absent(theirs))
        compare(tally, asker, Question(address, "GET", theirs, address.format(theirs), nowhere))

    assert [wrong for wrong in tally.wrong if wrong.endswith(": 200 instead of 404")] == tally.wrong
    assert len(tally.wrong) == 2


def test_all_questions_together_are_ten_thousand_requests(cast: Cast) -> None:
    """Of which `asked` chooses a share; each question is asked of a thing and, once, of one that is nowhere."""
    requests = 0
    for role in PLACES:
        questions = list(out_of_scope(cast, role))
        requests += len(questions) + len({(one.method, one.nowhere) for one in questions})

    assert requests > 10_000


@pytest.mark.parametrize("role", PLACES)
def test_a_step_in_scope_that_is_another_roles_is_forbidden(cast: Cast, role: str) -> None:
    asker, tally = Asker(cast, role), Tally()
    for kind, thing in cast.mine.items():
        process: Process = latest(PROCESS_OF[thing[:2]])
        folder = "orders" if kind == "order" else "records"
        for step in process.transitions.values():
            if role in step.by or step.creates or not asked(role, kind, step.name):
                continue
            for address in (f"/api/v1/{folder}/{thing}/transitions/{step.name}", f"/steps/{thing}/{step.name}/"):
                heard = tally.hear(asker, "POST", address)
                if heard.status != 403:
                    tally.wrong.append(f"{role} {address}: {heard.status} {heard.said[:120]!r}")

    assert not tally.wrong, told(tally.wrong)


@pytest.mark.parametrize("who", ["nobody", "revoked yesterday", "left yesterday"])
def test_whoever_is_not_or_no_longer_known_gets_nothing(cast: Cast, who: str) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    asker, tally = Asker(cast, "" if who == "nobody" else "admin"), Tally()
    if who == "revoked yesterday":
        Token.objects.update(revoked_at=yesterday)
    elif who == "left yesterday":
        Person.objects.update(is_active=False)
    values = {"ref": cast.mine["order"], "name": cast.mine["callback"]}
    for endpoint in ALL:
        if endpoint.is_open_to_all or (who == "revoked yesterday" and not endpoint.is_api):
            continue
        path = endpoint.path({name: values.get(name, "1") for name in endpoint.names})
        for method in METHODS:
            if not asked(who, method, endpoint.route):
                continue
            heard = tally.hear(asker, method, path)
            at_the_door = heard.status in (401, 405) or (
                heard.status == 302 and "/accounts/login/" in str(heard.headers)
            )
            if not at_the_door and not (heard.status == 404 and b"not_found" in heard.said):
                tally.wrong.append(f"{who} {method} {path}: {heard.status}")

    assert not tally.wrong, told(tally.wrong)
    assert tally.asked


def _unlike(heard: tuple[str, ...], expected: tuple[str, ...]) -> str:
    """Return how many statements were sent, and the first one that only one of the two caused."""
    place = next((n for n, pair in enumerate(zip(heard, expected, strict=False)) if pair[0] != pair[1]), -1)
    first = (heard[place], expected[place]) if place >= 0 else (heard + expected)[min(len(heard), len(expected)) :][:1]
    return f"{len(heard)} instead of {len(expected)} times, first {[one[:100] for one in first]}"


def difference_of(heard: Heard, expected: Heard) -> str:
    if heard.status != expected.status:
        return f"{heard.status} instead of {expected.status}"
    if heard.headers != expected.headers:
        return f"headers {set(heard.headers) ^ set(expected.headers)}"
    if heard.statements != expected.statements:
        return f"the database is asked {_unlike(heard.statements, expected.statements)}"
    place = next((n for n, pair in enumerate(zip(heard.said, expected.said, strict=False)) if pair[0] != pair[1]), 0)
    return (
        f"{heard.said[max(0, place - 40) : place + 60]!r} instead of {expected.said[max(0, place - 40) : place + 60]!r}"
    )
