"""Addresses edited by hand: every parameter of every page, for every role, is a clear page or a clean default.

Each page is tried with a third of the values here, the same in every run; `mendline hostile` tries all of them.
"""

from __future__ import annotations

import ast
import os
from pathlib import Path
from zlib import crc32

from django.test import Client

import mendline.web
from tests.console.bad_world import a_client, a_world, addresses_of, console_routes, no_paper
from tests.console.conftest import PLACES

__all__ = ["no_paper"]  # a fixture

# Wrong types, huge, negative, empty, cursors that are none, text that would break out of where it is written.
ROLES = ("process_owner", "cc_agent", "station_coordinator", "region_interface", "admin")  # one of each scope
VALUES: dict[str, str | bytes] = {
    "negative": "-1",
    "just too large for the database": "9223372036854775808",
    "digits that are no ASCII": "²３",
    "far too long": "长9" * 1500,
    "markup": '"><script>alert(1)</script>',
    "a NUL": "a\x00b",
    "bytes that are no text": b"\xff\xfe",
    "a cursor without zone": "2026-03-02T09:00:00~5",
    "a cursor far away": "9999-12-31T23:59:59-14:00~5",
    "a cursor before all time": "0001-01-01T00:00:00+14:00~5",
    "a day at its beginning": "0001-01-01",
    "a day at the end of time": "9999-12-31",
    "a path": "../../etc/passwd",
    "a line turned around": "\u202ea\nb%_\\",
}
ONE_IN = 1 if os.environ.get("MENDLINE_HOSTILE") == "whole" else 3
KNOWN_REFUSALS = {400, 403, 404, 405, 409, 422, 429}
TELLS_BY_503 = "/status/"  # that something stands still


def parameters() -> list[str]:
    """Return the name of every parameter that code of the web package asks an address for."""
    found: set[str] = set()
    for path in Path(mendline.web.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and _asks(node.func) and node.args and isinstance(node.args[0], ast.Constant):
                found.add(str(node.args[0].value))
    return sorted(found)


def _asks(function: ast.expr) -> bool:
    """Tell whether this is `asked(…)`, `visit.asked(…)`, `request.GET.get(…)` or `….GET.getlist(…)`."""
    if isinstance(function, ast.Name):
        return function.id == "asked"
    if not isinstance(function, ast.Attribute):
        return False
    of_get = isinstance(function.value, ast.Attribute) and function.value.attr == "GET"
    return function.attr == "asked" or (of_get and function.attr in ("get", "getlist"))


def fault_of(client: Client, address: str, query: dict[str, list[str | bytes]]) -> str:
    """Return what is wrong with the answer; empty for a page, a redirect, or a refusal in words."""
    try:
        answer = client.get(address, query)
    except Exception as fault:  # whatever it is, a person would have seen a page without help
        return f"{type(fault).__name__}: {str(fault)[:120]}"
    if (
        answer.status_code >= 500 and answer.status_code != 503
    ):  # the status page itself says by 503 that something stands
        return str(answer.status_code)
    if answer.status_code >= 400 and answer.status_code not in KNOWN_REFUSALS and address != TELLS_BY_503:
        return str(answer.status_code)
    if not answer.streaming and b"<script>alert" in answer.content:
        return "the markup of the address stands in the page"
    return ""


def test_the_parameters_are_found_in_the_code() -> None:
    assert {"after", "state", "station", "tab", "sort", "q", "before", "ref", "since"} <= set(parameters())


def test_no_parameter_edited_by_hand_breaks_a_page(network: None, no_paper: None) -> None:
    """The first role that may open a page tries every value on it, the roles of other scopes one of them."""
    refs = a_world()
    clients = {role: a_client(role, **PLACES[role]) for role in ROLES}
    asked = parameters()
    opened, tried, faults = set(), set(), []
    for route in console_routes():
        found = next(
            ((role, one) for one in addresses_of(route, refs) for role in ROLES if opens(clients[role], one)), None
        )
        if found is None:
            continue
        opened.add(route)
        for role, what in tries(route, found[0]):
            tried.add(what)
            fault = fault_of(clients[role], found[1], {name: [VALUES[what], VALUES[what]] for name in asked})
            faults += [f"{role} {found[1]} {what}: {fault}"] if fault else []

    assert len(opened) > 25
    assert tried == set(VALUES)
    assert not faults, "\n".join(faults[:60])


def tries(route: str, first: str) -> list[tuple[str, str]]:
    """Return who tries what on a page: `first` its share of the values, the other roles at most one."""
    everything = [(first, what) for what in VALUES] + [(role, "markup") for role in ROLES if role != first]
    return [(role, what) for role, what in everything if crc32(f"{route} {role} {what}".encode()) % ONE_IN == 0]


def test_no_page_is_left_without_a_try() -> None:
    assert [route for route in console_routes() if len(tries(route, ROLES[0])) < 2] == []


def opens(client: Client, address: str) -> bool:
    return client.get(address).status_code in (200, 302)
