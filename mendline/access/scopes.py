"""Reads that cannot forget for whom they read."""

from __future__ import annotations

from typing import Any, Self, TypeVar

from django.core.exceptions import ObjectDoesNotExist
from django.db import models

from mendline.access.actors import OF_A_REGION, OF_A_STATION, Actor
from mendline.kernel.errors import NotVisible, ScopeMissing

M = TypeVar("M", bound=models.Model)


class ScopedQuerySet(models.QuerySet[M]):
    """A queryset that raises `ScopeMissing` when it is run before a scope was named.

    `visible_to(actor)` is the start of every read that answers a person; `unscoped(why)` is for
    the system's own work and says why. The model has the columns `region` and `station_no`, or
    overrides `limit_to`.
    """

    _scope: str = ""

    def visible_to(self, actor: Actor) -> Self:
        """Keep what this actor may know of. Out of scope looks exactly like absent."""
        query = self._named(f"{actor.role} {actor.region}{actor.station_no}")
        return query if actor.sees_everything else query.limit_to(actor)

    def limit_to(self, actor: Actor) -> Self:
        if actor.role in OF_A_STATION and actor.station_no:
            return self.filter(station_no=actor.station_no)
        if actor.role in OF_A_REGION and actor.region:
            return self.filter(region=actor.region)
        return self.none()

    def unscoped(self, why: str) -> Self:
        """Read everything, for the system itself. `why` is for the next reader."""
        return self._named(f"unscoped: {why}")

    def get_for(self, actor: Actor, **lookup: object) -> M:
        """Return the one record, or raise `NotVisible` whether absent or out of scope."""
        try:
            return self.visible_to(actor).get(**lookup)
        except ObjectDoesNotExist:
            raise NotVisible from None

    def _named(self, scope: str) -> Self:
        query = self.all()
        query._scope = scope
        return query

    def _clone(self) -> Self:
        clone: Self = super()._clone()  # type: ignore[misc]
        clone._scope = self._scope
        return clone

    def _demand_scope(self) -> None:
        if not self._scope:
            raise ScopeMissing(f"{self.model.__name__} was read without visible_to(actor) or unscoped(why)")

    def _fetch_all(self) -> None:
        if self._result_cache is None:
            self._demand_scope()
        super()._fetch_all()

    def count(self) -> int:
        self._demand_scope()
        return super().count()

    def exists(self) -> bool:
        self._demand_scope()
        return super().exists()

    def iterator(self, *args: Any, **kwargs: Any) -> Any:
        self._demand_scope()
        return super().iterator(*args, **kwargs)

    def aiterator(self, *args: Any, **kwargs: Any) -> Any:
        self._demand_scope()
        return super().aiterator(*args, **kwargs)

    def raw(self, *args: Any, **kwargs: Any) -> Any:
        self._demand_scope()
        return super().raw(*args, **kwargs)

    def aggregate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        self._demand_scope()
        return super().aggregate(*args, **kwargs)

    def update(self, **kwargs: Any) -> int:
        self._demand_scope()
        return super().update(**kwargs)

    def delete(self) -> tuple[int, dict[str, int]]:
        self._demand_scope()
        return super().delete()

    # Where one query becomes part of another, the other one's scope says nothing about it.

    def _combinator_query(self, combinator: str, *others: Any, **kwargs: Any) -> Self:
        for query in (self, *others):
            query._demand_scope()
        combined: Self = super()._combinator_query(combinator, *others, **kwargs)  # type: ignore[misc]
        return combined

    def _merge_sanity_check(self, other: Any) -> None:
        for query in (self, other):
            query._demand_scope()
        super()._merge_sanity_check(other)  # type: ignore[misc]

    def resolve_expression(self, *args: Any, **kwargs: Any) -> Any:
        self._demand_scope()
        return super().resolve_expression(*args, **kwargs)


def scope_clause(actor: Actor) -> tuple[str, list[str]]:
    """Return the same limit as a condition in SQL with its values, for the few statements written by hand.

    >>> scope_clause(Actor(1, "李明", "station_coordinator", station_no="000001"))
    ('station_no = %s', ['000001'])
    >>> scope_clause(Actor(1, "李明", "station_coordinator"))
    ('false', [])
    """
    if actor.sees_everything:
        return "true", []
    if actor.role in OF_A_STATION and actor.station_no:
        return "station_no = %s", [actor.station_no]
    if actor.role in OF_A_REGION and actor.region:
        return "region = %s", [actor.region]
    return "false", []
