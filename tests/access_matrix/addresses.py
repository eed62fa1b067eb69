"""Every address of the program, read from the resolver, and what the words in it stand for.

Nothing here lists addresses to be asked: a new one is in the matrix by itself. It only says, address by address,
whose the things are that a parameter names. There is no rule for "any other address", so that a new one with a
parameter fails the build until somebody has said what it names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.urls import URLResolver, get_resolver
from django.urls.resolvers import RoutePattern

PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")

# What each parameter names that is somebody's. A step is one of the process that the thing beside it belongs to.
NAMES: Mapping[str, Mapping[str, str]] = {
    "admin/people/<int:person_id>/": {"person_id": "person"},
    "admin/people/<int:person_id>/<str:name>/": {"person_id": "person"},
    "admin/tokens/<int:token_id>/revoke/": {"token_id": "token"},
    "admin/webhooks/<int:webhook_id>/": {"webhook_id": "webhook"},
    "admin/webhooks/<int:webhook_id>/stop/": {"webhook_id": "webhook"},
    "admin/outbox/<int:outgoing_id>/again/": {"outgoing_id": "outgoing"},
    "api/v1/orders/<ref>": {"ref": "order"},
    "api/v1/orders/<ref>/history": {"ref": "order"},
    "api/v1/orders/<ref>/transitions/<name>": {"ref": "order", "name": "step"},
    "api/v1/orders/<ref>/reveal": {"ref": "order"},
    "api/v1/orders/<ref>/attachments": {"ref": "order"},
    "api/v1/records/<name>": {"name": "record"},
    "api/v1/records/<ref>/history": {"ref": "subject"},
    "api/v1/records/<ref>/transitions/<name>": {"ref": "subject", "name": "step"},
    "api/v1/records/<ref>/attachments": {"ref": "subject"},
    "api/v1/attachments/<path:stored_as>": {"stored_as": "file"},
    "api/v1/coverage-changes/<ref>/effect": {"ref": "coverage_change"},
    "api/v1/webhooks/<int:number>": {"number": "webhook"},
    "queue/<str:ref>/call/": {"ref": "order"},
    "queue/views/<int:view_id>/remove/": {"view_id": "view"},
    "inbox/<str:ref>/": {"ref": "cancellation_request"},
    "stations/<str:number>/": {"number": "station"},
    "network/stations/<str:number>/": {"number": "station"},
    "network/stations/<str:number>/coverage.xlsx": {"number": "station"},
    "network/stations/<str:number>/coverage.pdf": {"number": "station"},
    "network/capacity/<str:number>/<str:line>/": {"number": "station"},
    "network/changes/<str:ref>/": {"ref": "coverage_change"},
    "network/import/<int:upload_id>/": {"upload_id": "upload"},
    "network/import/<int:upload_id>/faults.xlsx": {"upload_id": "upload"},
    "callbacks/<str:ref>/": {"ref": "callback"},
    "orders/<str:ref>/": {"ref": "order"},
    "orders/<str:ref>/phone/": {"ref": "order"},
    "orders/<str:ref>/print/": {"ref": "order"},
    "records/<str:ref>/": {"ref": "subject"},
    "go/<str:ref>/": {"ref": "subject"},
    "steps/<str:ref>/<str:name>/": {"ref": "subject", "name": "step"},
    "reading/<str:ref>/": {"ref": "document"},
    "reading/<str:ref>/read/": {"ref": "document"},
    "reading/<str:ref>/remind/": {"ref": "document"},
}
# What is nobody's: procedures, rules, days, product lines, sheets of figures, buttons. With one that exists.
WORDS: Mapping[str, Mapping[str, str]] = {
    "admin/people/<int:person_id>/<str:name>/": {"name": "signins"},
    "admin/roles/<str:code>/": {"code": "cc_agent"},
    "admin/calendar/<str:when>/": {"when": "2026-05-01"},
    "admin/calendar/<str:when>/remove/": {"when": "2026-05-01"},
    "admin/products/lines/<str:code>/": {"code": "desktop"},
    "admin/products/<str:code>/": {"code": "desktop"},
    "api/v1/processes/<code>": {"code": "unified_repair"},
    "api/v1/rules/<rule_id>": {"rule_id": "CAN-08"},
    "network/capacity/<str:number>/<str:line>/": {"line": "desktop"},
    "figures/<str:name>.xlsx": {"name": "cancellations"},
    "begin/<str:code>/<str:name>/": {"code": "coverage_change", "name": "save_draft"},
    "procedures/<str:code>/<int:version>/": {"code": "unified_repair", "version": "3"},
    "procedures/<str:code>/differences/": {"code": "unified_repair"},
    "procedures/<str:code>/<int:version>/replay/": {"code": "unified_repair", "version": "3"},
    "procedures/<str:code>/<int:version>/limits/": {"code": "unified_repair", "version": "3"},
}
# Addresses written as regular expressions: one that each takes, and what it is.
AS_EXPRESSIONS: Mapping[str, str] = {
    # What a letter of the sign-in package leads to. Only the signed key in it opens anything; nobody has a right one.
    r"accounts/^confirm-email/(?P<key>[-:\w]+)/$": "accounts/confirm-email/MQ:1abcde:made-up/",
    r"accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$": "accounts/password/reset/key/1-made-up/",
    # Whatever else is asked of the interface: there is nothing behind it but the answer that nothing is there.
    r"api/v1/^(?P<rest>[\s\S]*)$": "api/v1/no/such/thing",
}
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
        if name in WORDS.get(self.route, {}):
            return "word"
        try:
            return NAMES[self.route][name]
        except KeyError:
            raise LookupError(f"/{self.route}: say in NAMES or WORDS whose a <{name}> is") from None

    @property
    def words(self) -> Mapping[str, str]:
        """Return those parameters that are nobody's, each with one that exists."""
        return WORDS.get(self.route, {})

    def path(self, values: Mapping[str, object]) -> str:
        return "/" + PARAMETER.sub(lambda found: str(values[found[1]]), self.route)


def endpoints(resolver: URLResolver | None = None) -> list[Endpoint]:
    """Return every address once, in order. Those written as regular expressions are in AS_EXPRESSIONS."""
    return [Endpoint(route) for route in dict.fromkeys(_routes(resolver or get_resolver(), "", RoutePattern))]


def expressions(resolver: URLResolver | None = None) -> list[str]:
    """Return the addresses that are written in any other way than as a path with parameters."""
    chosen = resolver or get_resolver()
    paths = set(_routes(chosen, "", RoutePattern))
    return [route for route in dict.fromkeys(_routes(chosen, "", object)) if route not in paths]


def _routes(resolver: URLResolver, before: str, kind: type) -> Iterator[str]:
    for found in resolver.url_patterns:
        route = before + str(found.pattern)
        if isinstance(found, URLResolver):
            yield from _routes(found, route, kind)
        elif isinstance(found.pattern, kind):
            yield route
