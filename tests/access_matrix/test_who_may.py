"""In scope and not allowed is refused, at every address and by every method; who is allowed, `who_may.py` says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from django.http import HttpRequest, HttpResponse
from django.urls import URLResolver, get_resolver, path
from django.urls.resolvers import RegexPattern

from mendline.network.models import Upload
from mendline.orders.transitions import begin, perform
from mendline.web.models import SavedView
from tests.access_matrix.addresses import Endpoint, endpoints
from tests.access_matrix.cast import LIKE_NO_OTHER, NOW, SEEN_ONLY_BY, Cast
from tests.access_matrix.conftest import Asker
from tests.access_matrix.share import OF_PAGES, asked, told
from tests.access_matrix.who_may import EVERYBODY, WHO_MAY, Rights
from tests.console.bad_world import no_paper as no_paper
from tests.console.conftest import PLACES
from tests.console.test_reading import DRAFT
from tests.make import an_actor

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_paper")]
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# Said by whoever may not, or by nothing that is there.
REFUSALS = {403, 404, 405}


@pytest.fixture(scope="module")
def in_scope(cast: Cast) -> dict[str, str]:
    """Real things of each kind that every role with a right to them can open, by what an address calls them."""
    given = {"change_kind": "add_area", "product_line": "desktop", "area": "110108", "effective_from": "2099-01-01"}
    coordinator = cast.people["station_coordinator"].as_actor()
    change = begin("coverage_change", "save_draft", actor=coordinator, now=NOW, given=given)
    return {
        **cast.mine,
        "station": "000001",
        "file": cast.things["file", "000001"][0],
        "coverage_change": change.ref,
        "document": _published(),
        "record": cast.mine["callback"],
        **dict.fromkeys(SEEN_ONLY_BY, str(LIKE_NO_OTHER)),
    }


def _published() -> str:
    by = {"draft_document": "channel_management", "review": "service_support_dept", "approve": "hq_interface"}
    given = {**DRAFT, "copies": "cc_agent"}
    ref = begin(
        "procedure_document", "draft_document", actor=an_actor(by.pop("draft_document")), now=NOW, given=given
    ).ref
    for step, role in {**by, "publish": "channel_management"}.items():
        perform(ref, step, actor=an_actor(role), now=NOW)
    return ref


def unanswered(addresses: Sequence[Endpoint]) -> set[str]:
    """Return the addresses that ask who somebody is and of which nobody has said who may."""
    return {endpoint.route for endpoint in addresses if not endpoint.is_open_to_all} - set(WHO_MAY)


def own(cast: Cast, in_scope: dict[str, str], role: str) -> dict[str, str]:
    view = SavedView.objects.create(person=cast.people[role], name="我的视图", query="")
    upload = Upload.objects.create(name="我的.xlsx", content=b"", uploaded_by=cast.people[role].pk, uploaded_at=NOW)
    return {**in_scope, "view": str(view.pk), "upload": str(upload.pk)}


def with_things(endpoint: Endpoint, things: dict[str, str]) -> str:
    """Return the address about these things. Under the records it is a callback that is meant, else the order."""
    is_record = endpoint.route.startswith("api/v1/records")
    values = {
        **things,
        "subject": things["callback" if is_record else "order"],
        "step": "log_attempt" if is_record else "urge",
    }
    named = {name: values[kind] for name in endpoint.names if (kind := endpoint.stands_for(name)) != "word"}
    return endpoint.path({**named, **endpoint.words})


def expectations() -> Iterator[tuple[Endpoint, str, Rights]]:
    for endpoint in endpoints():
        if endpoint.route in WHO_MAY:
            for method in METHODS:
                yield endpoint, method, WHO_MAY[endpoint.route]


def is_wrong(rights: Rights, endpoint: Endpoint, method: str, role: str, status: int) -> str:
    """Return what should have been answered, where it was not."""
    if method not in rights.by:
        return "" if status == 405 else "405"
    refusal = rights.refusal(endpoint.route)
    if role not in rights.by[method]:
        return "" if status == refusal else str(refusal)
    return "" if status < 500 and status not in {*REFUSALS, refusal} else "an answer"


@pytest.mark.parametrize("role", PLACES)
def test_whoever_is_not_named_is_refused_and_whoever_is_named_is_answered(
    cast: Cast, in_scope: dict[str, str], role: str
) -> None:
    asker, things = Asker(cast, role), own(cast, in_scope, role)
    wrong, count = [], 0
    for endpoint, method, rights in expectations():
        if not asked("who may", role, method, endpoint.route, shares=OF_PAGES):
            continue
        count += 1
        address = with_things(endpoint, things)
        status = asker.ask(method, address).status
        if expected := is_wrong(rights, endpoint, method, role, status):
            wrong.append(f"{role} {method} {address}: {status} instead of {expected}")

    assert not wrong, told(wrong)
    assert count


def test_of_every_address_it_is_said_who_may() -> None:
    assert unanswered(endpoints()) == set()
    assert set(WHO_MAY) - {endpoint.route for endpoint in endpoints()} == set()
    assert set(PLACES) == EVERYBODY


def test_control_a_new_page_goes_red_until_somebody_says_who_may() -> None:
    def a_page(request: HttpRequest) -> HttpResponse:
        return HttpResponse("everything")

    with_one_more = URLResolver(RegexPattern(r"^/"), [path("x/", a_page), *get_resolver().url_patterns])

    assert unanswered(endpoints(with_one_more)) == {"x/"}


@pytest.mark.parametrize(
    ("route", "roles", "expected"),
    [
        ("api/v1/webhooks", "mendline.web.api.webhooks.MAY", "403"),
        ("network/export.xlsx", "mendline.web.console.import_page.IMPORTS", "404"),
    ],
)
def test_control_an_address_that_forgets_its_roles_is_found(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, route: str, roles: str, expected: str
) -> None:
    monkeypatch.setattr(roles, EVERYBODY)
    status = Asker(cast, "cc_agent").ask("GET", f"/{route}").status

    assert (status, is_wrong(WHO_MAY[route], Endpoint(route), "GET", "cc_agent", status)) == (200, expected)
