"""No model answers a read for which nobody said whose eyes it is for; those that need no scope say why.

Every model of the project is asked in every way a queryset can be read or written. A new one fails until it is given a
scope (`ScopedQuerySet`) or stands in NEEDS_NO_SCOPE with the reason.
"""

from __future__ import annotations

import asyncio
import pickle
import re
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, models, transaction

from config.home import ROOT
from mendline.access.models import Person
from mendline.access.scopes import ScopedQuerySet
from mendline.kernel.errors import ScopeMissing
from mendline.orders.models import RepairOrder

pytestmark = pytest.mark.django_db

# What stands here holds nothing of a customer, or is reached only over something that was read within a scope.
NEEDS_NO_SCOPE = {
    "journal.Entry": "by the number of what was read in scope, or by the audit page, the administrators' own",
    "journal.Outgoing": "by the number of what was read in scope, by role and place of a reader, or by administrators",
    "access.Person": "colleagues, not customers: by key, as oneself, or on pages that are the administrators' own",
    "access.Token": "by the digest of what the caller holds, or on the administrators' own page",
    "access.SignIn": "by the person's own number only",
    "process.AllowedChange": "made from the process files; names no person",
    "process.Timer": "never read for anybody: the sweeper takes what is due",
    "process.CalendarDay": "working days of the country; names no person",
    "process.ProcedureVersion": "which edition is in force; names no person",
    "process.Overlay": "limits that were changed; names no person",
    "customers.Customer": "written with a report and read by no page: what is shown of a caller stands in the order",
    "network.Area": "the country's areas, the same for all",
    "network.Region": "the company's regions, the same for all",
    "network.ProductLine": "the company's products, the same for all",
    "network.Product": "the company's products, the same for all",
    "network.Station": "the list of stations, known to every agent; a station's record asks `stations_of(actor)`",
    "network.Coverage": "who serves what; names no customer",
    "network.Capacity": "how many orders a station takes; names no customer",
    "network.DayLoad": "how full a station's day is; names no customer",
    "network.Seat": "never read for anybody: the write of an order takes and returns it",
    "network.No800Area": "areas without an 800 line, the same for all",
    "network.StationStanding": "one line of counts for each station, read by the choice of a station",
    "network.Upload": "by the number of whoever uploaded it only",
    "network.NetworkRevision": "one number, for the index of stations",
    "network.NetworkChange": "which stations changed with it",
    "orders.IdempotencyKey": "by person and key of the caller himself only",
    "orders.Attachment": "by the number of what was read in scope; one file is opened after its order was",
    "search.Reading": "how far the history was read; one row",
    "care.StationScorecard": "counts of a station that `stations_of(actor)` named; names no customer",
    "figures.Path": "which steps follow each other; names no order",
    "figures.SummedMonth": "which months are summed",
    "figures.Reading": "how far the history was read; one row",
    "contact.CopyCursor": "how far copies were made; one row",
    "channels.Webhook": "addresses of other systems, by administrators only",
    "web.SavedView": "by the person's own number only",
    "web.TourTaken": "by the person's own number only",
}  # fmt: skip


def of_the_project() -> list[type[models.Model]]:
    return [model for model in apps.get_models() if model.__module__.startswith("mendline.")]


def is_scoped(model: type[models.Model]) -> bool:
    return isinstance(model._default_manager.all(), ScopedQuerySet)


SCOPED = [model for model in of_the_project() if is_scoped(model)]
labels = pytest.mark.parametrize("model", SCOPED, ids=lambda model: str(model._meta.label))


async def one_by_one(rows: models.QuerySet[Any]) -> list[Any]:
    return [row async for row in rows.aiterator()]


def a_column(rows: models.QuerySet[Any]) -> str:
    """Return a column that every row may be ordered by and set to itself."""
    return next(str(field.name) for field in rows.model._meta.concrete_fields if not field.primary_key)


def itself(rows: models.QuerySet[Any]) -> dict[str, Any]:
    return {a_column(rows): models.F(a_column(rows))}


def in_another(rows: models.QuerySet[Any]) -> bool:
    return Person.objects.filter(pk__in=rows.values("pk")).exists()


Way = Callable[[Any], object]
WAYS: dict[str, Way] = {
    "list": list, "len": len, "bool": bool, "repr": repr, "pickle": pickle.dumps,
    "for": lambda rows: [row.pk for row in rows], "index": lambda rows: rows[0], "slice": lambda rows: list(rows[:5]),
    "every other one": lambda rows: rows[:4:2], "in": lambda rows: rows.model(pk=1) in rows,
    "get": lambda rows: rows.get(pk=1), "first": lambda rows: rows.first(), "last": lambda rows: rows.last(),
    "earliest": lambda rows: rows.earliest("pk"), "latest": lambda rows: rows.latest("pk"),
    "filter": lambda rows: list(rows.filter(pk=1)), "exclude": lambda rows: list(rows.exclude(pk=1)),
    "order_by": lambda rows: list(rows.order_by("-pk")), "distinct": lambda rows: list(rows.distinct()),
    "only": lambda rows: list(rows.only("pk")), "defer": lambda rows: list(rows.defer(a_column(rows))),
    "annotate": lambda rows: list(rows.annotate(once_more=models.F("pk"))),
    "select_for_update": lambda rows: list(rows.select_for_update()), "using": lambda rows: list(rows.using("default")),
    "exists": lambda rows: rows.exists(), "count": lambda rows: rows.count(),
    "contains": lambda rows: rows.contains(rows.model(pk=1)),
    "aggregate": lambda rows: rows.aggregate(n=models.Count("pk")),
    "values": lambda rows: list(rows.values()), "values_list": lambda rows: list(rows.values_list("pk", flat=True)),
    "in_bulk": lambda rows: rows.in_bulk(), "in_bulk of some": lambda rows: rows.in_bulk([1]),
    "iterator": lambda rows: list(rows.iterator()), "aiterator": lambda rows: asyncio.run(one_by_one(rows)),
    "raw": lambda rows: list(rows.raw(f"SELECT * FROM {rows.model._meta.db_table}")),
    "union": lambda rows: list(rows.union(rows)), "or": lambda rows: list(rows | rows),
    "and": lambda rows: list(rows & rows), "xor": lambda rows: list(rows ^ rows),
    "intersection": lambda rows: list(rows.intersection(rows)), "difference": lambda rows: list(rows.difference(rows)),
    "part of another query": in_another,
    "update": lambda rows: rows.update(**itself(rows)), "delete": lambda rows: rows.delete(),
    "bulk_update": lambda rows: rows.bulk_update([rows.model(pk=1)], [a_column(rows)]),
    "get_or_create": lambda rows: rows.get_or_create(pk=1),
    "update_or_create": lambda rows: rows.update_or_create(pk=1),
}  # fmt: skip
ASYNCHRONOUS = ("aiterator",)  # on a thread's own connection, outside the test's transaction
STARTS: dict[str, Way] = {
    "all": lambda manager: manager.all(), "filter": lambda manager: manager.filter(pk=1),
    "values": lambda manager: manager.values("pk"), "order_by": lambda manager: manager.order_by("pk"),
    "using": lambda manager: manager.using("default"),
}  # fmt: skip
# A query within a scope and one without: whoever joins them reads what the second one says.
JOINED: dict[str, Callable[[Any, Any], object]] = {
    "union": lambda named, forgotten: list(named.union(forgotten)),
    "or": lambda named, forgotten: list(named | forgotten),
    "part of it": lambda named, forgotten: list(named.filter(pk__in=forgotten.values("pk"))),
}


def begun(start: Way, manager: object) -> object:
    rows: Any = start(manager)
    return list(rows)


def is_stopped(way: Callable[[], object]) -> bool:
    """Tell whether a way was stopped for want of a scope. What else there is to say about it is no matter here: no
    row is there, and some columns may not be empty."""
    try:
        with suppress(ObjectDoesNotExist, IndexError, DatabaseError), transaction.atomic():
            way()
    except ScopeMissing:
        return True
    return False


def test_every_model_has_a_scope_or_says_why_it_needs_none() -> None:
    labelled = {model._meta.label for model in of_the_project()}
    scoped = {model._meta.label for model in SCOPED}

    assert labelled - scoped - set(NEEDS_NO_SCOPE) == set(), "give it a ScopedQuerySet, or say why it needs no scope"
    assert set(NEEDS_NO_SCOPE) & scoped == set(), "it has a scope and needs no reason"
    assert set(NEEDS_NO_SCOPE) - labelled == set(), "there is no such model any more"
    assert len(SCOPED) >= 7


@labels
def test_a_model_with_a_scope_answers_in_no_way_before_it_is_named(model: type[models.Model]) -> None:
    ways = {name: partial(way, model._default_manager.all()) for name, way in WAYS.items()}
    for name, start in STARTS.items():
        ways[f"the manager's own {name}"] = partial(begun, start, model._default_manager)
    named: Any = model._default_manager.all()
    for name, join in JOINED.items():
        within = named.unscoped("the half that was not forgotten")
        ways[f"{name}, joined to a scope"] = partial(join, within, model._default_manager.all())

    assert [name for name, way in ways.items() if not is_stopped(way)] == []


def test_control_with_its_scope_named_each_way_answers() -> None:
    named: Any = RepairOrder.objects.unscoped("each way must be one that is taken")
    ways = {name: partial(way, named.all()) for name, way in WAYS.items() if name not in ASYNCHRONOUS}

    assert [name for name, way in ways.items() if is_stopped(way)] == []


def test_control_a_model_that_forgets_to_ask_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ScopedQuerySet, "_demand_scope", lambda rows: None)
    ways = {name: partial(way, RepairOrder.objects.all()) for name, way in WAYS.items() if name not in ASYNCHRONOUS}

    assert not any(is_stopped(way) for way in ways.values())


def test_no_relation_leads_around_a_scope() -> None:
    """Django follows a key through a manager that knows no scope: so only what has one itself may hold such a key,
    and nothing leads back."""
    keys = [
        (model, relation)
        for model in of_the_project()
        for relation in model._meta.get_fields()
        if relation.is_relation and relation.related_model in SCOPED
    ]

    assert keys, "the search no longer points at orders: look here again"
    for model, relation in keys:
        assert model in SCOPED, f"{model._meta.label}.{relation.name} opens {relation.related_model} without a scope"
        assert relation.concrete, f"{model._meta.label}.{relation.name} leads back"


AROUND = re.compile(r"\b(_base_manager|Exists\(|Subquery\(|_raw_delete\()")


def sources() -> list[Path]:
    return sorted((ROOT / "mendline").rglob("*.py"))


def test_nothing_in_the_product_takes_a_way_that_asks_no_queryset() -> None:
    """These read a query's inside and never ask it; the statements written by hand have `scope_clause`."""
    found = [str(path.relative_to(ROOT)) for path in sources() if AROUND.search(path.read_text(encoding="utf-8"))]

    assert len(sources()) > 300
    assert found == []
