"""Every address of the program, read from the resolver, and what the words in it stand for.

Nothing here lists addresses: a new one is in the matrix by itself. It only says whose the things are that a
parameter names, and a parameter that nobody has told about fails the build.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.urls import URLResolver, get_resolver
from django.urls.resolvers import RoutePattern

PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")

# What a parameter names, by the beginning of the address and the parameter; the first line that fits holds.
STANDS_FOR: tuple[tuple[str, str, str], ...] = (
    ("reading/", "ref", "word"),  # documents are for everybody to read
    ("api/v1/orders/", "ref", "order"),
    ("queue/", "ref", "order"),
    ("orders/", "ref", "order"),
    ("inbox/", "ref", "cancellation_request"),
    ("callbacks/", "ref", "callback"),
    ("network/changes/", "ref", "coverage_change"),
    ("api/v1/coverage-changes/", "ref", "coverage_change"),
    ("", "ref", "subject"),
    ("api/v1/records/<ref>", "name", "step"),
    ("api/v1/records/", "name", "record"),
    ("api/v1/orders/", "name", "step"),
    ("steps/", "name", "step"),
    ("api/v1/webhooks/", "number", "webhook"),
    ("", "number", "station"),
    ("", "stored_as", "file"),
    ("", "view_id", "view"),
    ("", "upload_id", "upload"),
    ("admin/people/", "name", "word"),
    ("", "person_id", "person"),
    ("", "token_id", "token"),
    ("", "webhook_id", "webhook"),
    ("", "outgoing_id", "outgoing"),
    # Nobody's: procedures, rules, days, product lines and sheets of figures are the same for all who may see them.
    ("", "code", "word"),
    ("", "version", "word"),
    ("", "rule_id", "word"),
    ("admin/calendar/", "when", "word"),
    ("", "line", "word"),
    ("begin/", "name", "word"),
    ("figures/", "name", "word"),
    ("accounts/2fa/webauthn/keys/", "pk", "word"),
)
# What anybody may open. Everything else asks who it is.
OPEN_TO_ALL = ("accounts/", "i18n/setlang/", "status/", "api/v1/openapi.json")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address with the names of its parameters."""

    route: str

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(PARAMETER.findall(self.route))

    @property
    def is_api(self) -> bool:
        return self.route.startswith("api/")

    @property
    def is_open_to_all(self) -> bool:
        return self.route.startswith(OPEN_TO_ALL)

    def stands_for(self, name: str) -> str:
        """Return what a parameter names; raises LookupError where nobody has said so."""
        for beginning, parameter, kind in STANDS_FOR:
            if name == parameter and self.route.startswith(beginning):
                return kind
        raise LookupError(f"/{self.route}: say in STANDS_FOR whose a <{name}> is")

    def path(self, values: Mapping[str, object]) -> str:
        return "/" + PARAMETER.sub(lambda found: str(values[found[1]]), self.route)


def endpoints() -> list[Endpoint]:
    """Return every address once, in order. Addresses written as regular expressions take whatever is left over."""
    return [Endpoint(route) for route in dict.fromkeys(_routes(get_resolver(), ""))]


def _routes(resolver: URLResolver, before: str) -> Iterator[str]:
    for found in resolver.url_patterns:
        route = before + str(found.pattern)
        if isinstance(found, URLResolver):
            yield from _routes(found, route)
        elif isinstance(found.pattern, RoutePattern):
            yield route
