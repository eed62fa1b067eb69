"""Bodies that are answered with success, from the scenarios, and what else a caller might write into them.

The scenario files take every step of every procedure. `Doors` stands where their runner expects the doors of the
product: each step that a person with a key may send is first asked over the interface as often as somebody has a
question about it, everything that is caused is taken back, and then it is carried out as the file says.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from django.core.signals import request_finished, request_started
from django.db import close_old_connections, models, transaction

from mendline.access.actors import THE_CLOCK, Actor
from mendline.dispatch.current import forget_index
from mendline.network.directory import forget_directory
from mendline.orders import store, transitions
from mendline.orders.models import Record, RepairOrder
from mendline.orders.store import Loaded
from mendline.process import calendar_table, loading
from mendline.process.definition import Transition
from mendline.sim import scenarios
from mendline.sim.faults.calls import Response, Secrets, at_time, post
from mendline.sim.faults.walking import OPENED_BY_STEPS
from mendline.web.api.description import described
from mendline.web.api.urls import api

# What whoever is up to something would write. Where a column is not named here, something of its kind.
WORTH_TRYING: Mapping[str, object] = {
    "ref": "WX260302-99999999", "process": "callback", "state": "closed", "category": "done", "region": "east",
    "station_no": "000003", "origin": "station", "product_line": "notebook", "area": "310115",
    "phone": "+8613800000009",
    "order_ref": "WX260302-99999999", "replaces": "WX260302-99999999", "replaced_by": "WX260302-99999999",
    "role": "admin",
}  # fmt: skip
_numbers = itertools.count(1)


def tempting(column: models.Field[Any, Any]) -> object:
    """Return a value that the column would take."""
    if column.attname in WORTH_TRYING:
        return WORTH_TRYING[column.attname]
    if isinstance(column, models.DateTimeField):
        return "2001-01-01T00:00:00Z"
    if isinstance(column, models.JSONField):
        return {"stolen": True}
    if isinstance(column, models.BooleanField):
        return True
    return 7 if isinstance(column, models.IntegerField) else "改过"


def columns_of(*kinds: type[models.Model]) -> dict[str, object]:
    """Return every column of models and of what they inherit, with what somebody would write into it."""
    return {column.attname: tempting(column) for kind in kinds for column in kind._meta.concrete_fields}


OF_A_SUBJECT = columns_of(RepairOrder, Record)


@dataclass(frozen=True, slots=True)
class Sent:
    """A body that is answered with success when it is sent as `path` says, and what of it may be written."""

    name: str  # the same in every run: process, version, step, role
    path: str
    body: Mapping[str, Any]
    listed: frozenset[str]  # at the top, in the description of the interface
    taken: frozenset[str]  # within `given`, in the process file
    others: frozenset[str]  # facts that other steps of the same process take


@dataclass(frozen=True, slots=True)
class Extra:
    """Something that nobody lists, put into a body."""

    place: str  # "" at the top, "given", or "given.customer"
    column: str
    value: object

    def into(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the body with it."""
        changed: dict[str, Any] = {**body}
        inner = changed
        for step in filter(None, self.place.split(".")):
            inner[step] = {**inner.get(step, {})}
            inner = inner[step]
        inner[self.column] = self.value
        return changed

    @property
    def named(self) -> str:
        """Return the field that a refusal has to name; within a fact, the fact."""
        outer, _, fact = self.place.partition(".")
        return fact or self.column if outer else self.column


def extras(sent: Sent) -> Iterator[Extra]:
    """Return everything read-only that can be put into a body: at the top, among the facts, within a fact."""
    for column, value in OF_A_SUBJECT.items():
        if column not in sent.listed:
            yield Extra("", column, value)
        if column not in sent.taken:
            yield Extra("given", column, value)
    for fact in sorted(sent.others - sent.taken - set(OF_A_SUBJECT)):
        yield Extra("given", fact, "改过")
    for fact, said in sent.body.get("given", {}).items():
        if isinstance(said, dict):
            for column, value in OF_A_SUBJECT.items():
                if column not in said:
                    yield Extra(f"given.{fact}", column, value)


@cache
def description() -> dict[str, Any]:
    """Return what the interface says of itself."""
    found: dict[str, Any] = described(api)
    return found


def listed_at(operation: str) -> frozenset[str]:
    """Return the names that the description of an operation lists for its body."""
    for operations in description()["paths"].values():
        for known in operations.values():
            if isinstance(known, dict) and known.get("operationId") == operation:
                content = known.get("requestBody", {}).get("content", {})
                return frozenset(name for kind in content.values() for name in kind["schema"].get("properties", {}))
    raise LookupError(f"the description knows no {operation}")


def all_writes() -> set[str]:
    """Return every operation of the interface that is no GET, by its name in the description."""
    return {
        known["operationId"]
        for operations in description()["paths"].values()
        for method, known in operations.items()
        if method in ("post", "put", "patch", "delete")
    }


@contextmanager
def taken_back() -> Iterator[None]:
    """Undo whatever the block causes. At the end of a call Django would drop a connection with a transaction on it."""
    calls = (request_started, request_finished)
    for signal in calls:
        signal.disconnect(close_old_connections)
    try:
        with transaction.atomic():
            yield
            transaction.set_rollback(True)
    finally:
        for signal in calls:
            signal.connect(close_old_connections)


def forget_the_network() -> None:
    """Let the program look again: what it remembers of stations and procedures was taken back."""
    loading.forget_in_force()
    forget_index()
    forget_directory()
    calendar_table.forget()


Ask = Callable[[Sent, Callable[[Mapping[str, Any]], Response]], None]


@dataclass(slots=True)
class Doors:
    """Hands every body that a person with a key may send to `ask`, with a way to send it, then carries it out."""

    ask: Ask
    secrets: Secrets = field(default_factory=Secrets)

    def in_place(self) -> AbstractContextManager[None]:
        return scenarios.other_doors(begin=self.begin, perform=self.perform)

    def begin(self, code: str, name: str, *, actor: Actor, now: datetime, given: Mapping[str, Any],
              order_ref: str = "", version: int | None = None) -> Loaded:  # fmt: skip
        in_force = loading.in_force(code, transitions.line_of(given), now)
        if actor.person_id is not None and code not in OPENED_BY_STEPS and version in (None, in_force):
            is_order = loading.latest(code).kind == transitions.ORDER_KIND
            path, operation = (
                ("/api/v1/orders", "create_order") if is_order else (f"/api/v1/records/{code}", "create_record")
            )
            body = {"given": given, "transition": name, **({"order_ref": order_ref} if order_ref else {})}
            self._offer(operation, code, in_force, name, actor, now, path, body)
        return transitions.begin(
            code, name, actor=actor, now=now, given=given, order_ref=order_ref, version=version
        )  # fmt: skip

    def perform(self, ref: str, name: str, *, actor: Actor, now: datetime, given: Mapping[str, Any],
                expected_revision: int | None = None) -> Loaded:  # fmt: skip
        if actor.person_id is not None:
            found = store.load(ref, actor=THE_CLOCK)
            folder, operation = (
                ("orders", "carry_out") if found.table == "order" else ("records", "carry_out_on_record")
            )
            path = f"/api/v1/{folder}/{ref}/transitions/{name}"
            self._offer(operation, found.process, found.process_version, name, actor, now, path, {"given": given})
        return transitions.perform(
            ref, name, actor=actor, now=now, given=given, expected_revision=expected_revision
        )  # fmt: skip

    def _offer(self, operation: str, code: str, version: int, name: str, actor: Actor, now: datetime, path: str,
               body: Mapping[str, Any]) -> None:  # fmt: skip
        steps: Mapping[str, Transition] = loading.process_for(code, version).transitions
        if name not in steps or actor.person_id is None:
            return
        secret = self.secrets(actor.person_id)
        sent = Sent(
            f"{code} {version} {name} {actor.role}", path, body, listed_at(operation), frozenset(steps[name].takes),
            frozenset(loading.process_for(code, version).facts),
        )  # fmt: skip

        def send(changed: Mapping[str, Any]) -> Response:
            with taken_back(), at_time(now):
                heard = post(path, secret, f"read-only-{next(_numbers)}", changed)
            if heard.status in (200, 201) and code in ("coverage_change", "procedure_document", "parameter_change"):
                forget_the_network()
            return heard

        self.ask(sent, send)
