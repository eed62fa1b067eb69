"""An address that the matrix does not ask about fails the build, and so does a line that no address has any more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, get_resolver, path, re_path, resolve
from django.urls.resolvers import RegexPattern

from tests.access_matrix.addresses import AS_EXPRESSIONS, NAMES, WORDS, Endpoint, endpoints, expressions
from tests.access_matrix.cast import Cast
from tests.access_matrix.conftest import Asker
from tests.access_matrix.test_matrix import METHODS, about_a_thing, out_of_scope
from tests.console.conftest import PLACES

pytestmark = pytest.mark.django_db


def unsaid(addresses: Sequence[Endpoint]) -> list[str]:
    """Return the parameters of which nobody has said what they name."""
    found = []
    for endpoint in addresses:
        for name in endpoint.names:
            try:
                endpoint.stands_for(name)
            except LookupError as fault:
                found.append(str(fault))
    return found


def unasked(cast: Cast, addresses: Sequence[Endpoint]) -> list[str]:
    """Return the addresses about somebody's thing of which no role is asked anything."""
    asked = Counter(
        question.name.split()[2] for role in PLACES for question in out_of_scope(cast, role, addresses)
    )  # fmt: skip
    wanted = dict.fromkeys(endpoint.route for endpoint, _, _ in about_a_thing(addresses))
    return [route for route in wanted if not asked[route]]


def with_one_more(*more: URLPattern) -> URLResolver:
    """Return the addresses of the program and one that somebody has just added."""
    return URLResolver(RegexPattern(r"^/"), [*more, *get_resolver().url_patterns])


def a_page(request: HttpRequest, **_: object) -> HttpResponse:
    return HttpResponse("everything")


def test_of_every_parameter_it_is_known_what_it_names() -> None:
    assert unsaid(endpoints()) == []
    assert len(endpoints()) > 100


def test_about_every_thing_that_an_address_names_somebody_is_asked(cast: Cast) -> None:
    assert unasked(cast, endpoints()) == []


def test_no_line_is_about_an_address_that_is_gone() -> None:
    known = {endpoint.route: set(endpoint.names) for endpoint in endpoints()}

    for lines in (NAMES, WORDS):
        assert {route: set(names) - known.get(route, set()) for route, names in lines.items()} == {
            route: set() for route in lines
        }
    assert list(AS_EXPRESSIONS) == expressions()


@pytest.mark.parametrize("route", ["x/<str:code>/", "x/<str:ref>/", "x/<str:line>/<int:version>/", "x/<int:number>/"])
def test_control_a_new_address_goes_red_until_somebody_says_what_it_names(route: str) -> None:
    found = unsaid(endpoints(with_one_more(path(route, a_page))))

    assert len(found) == route.count("<")
    assert all(f"/{route}: say in NAMES or WORDS" in fault for fault in found)


def test_control_a_new_kind_of_thing_goes_red_until_the_cast_holds_one(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(NAMES, "x/<int:number>/", {"number": "invoice"})

    assert unasked(cast, endpoints(with_one_more(path("x/<int:number>/", a_page)))) == ["x/<int:number>/"]


def test_control_a_new_expression_goes_red_until_it_is_named() -> None:
    found = expressions(with_one_more(re_path(r"^x/(?P<ref>.+)/$", a_page)))

    assert set(found) - set(AS_EXPRESSIONS) == {r"^x/(?P<ref>.+)/$"}


@pytest.mark.parametrize("route", AS_EXPRESSIONS, ids=lambda route: route.split("(")[0].strip("^/").replace("^", ""))
def test_an_expression_gives_an_administrator_no_more_than_an_engineer(cast: Cast, route: str) -> None:
    example = AS_EXPRESSIONS[route]
    assert resolve(f"/{example}").route == route.replace("^", "")

    for method in METHODS:
        heard = {
            role: Asker(cast, role).ask(method, f"/{example}") for role in ("station_engineer", "cc_agent", "admin")
        }
        assert len({(answer.status, b"404" in answer.said) for answer in heard.values()}) == 1, (method, heard)
        assert all(answer.status == 404 for answer in heard.values()) or example.startswith("accounts/")
