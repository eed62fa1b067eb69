"""Which parameters of the query an address reads: whatever is looked up in `request.GET` is noted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.http import QueryDict

from tests.access_matrix.valid_bodies import description


class _Noting(dict[str, Any]):
    """What `QueryDict.dict()` returns, with the names that are looked up in it noted."""

    noted: set[str]

    def get(self, name: str, *default: Any) -> Any:
        self.noted.add(name)
        return super().get(name, *default)

    def __getitem__(self, name: str) -> Any:
        self.noted.add(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self.noted.add(str(name))
        return super().__contains__(name)


class _NotingQuery(QueryDict):
    def __init__(self, text: str, encoding: str | None, noted: set[str]) -> None:
        super().__init__(text, encoding=encoding)
        self.noted = noted

    def get(self, name: str, *default: Any) -> Any:
        self.noted.add(name)
        return super().get(name, *default)

    def getlist(self, name: str, *default: Any) -> Any:
        self.noted.add(name)
        return super().getlist(name, *default)

    def __getitem__(self, name: str) -> Any:
        self.noted.add(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self.noted.add(str(name))
        return super().__contains__(name)

    def copy(self) -> Any:
        return QueryDict(self.urlencode(), mutable=True)

    def dict(self) -> Any:
        found = _Noting(super().dict())
        found.noted = self.noted
        return found


@contextmanager
def noting() -> Iterator[set[str]]:
    """Collect the names of the parameters that are looked up within the block."""
    noted: set[str] = set()
    before = WSGIRequest.__dict__["GET"]

    def query(request: WSGIRequest) -> QueryDict:
        return _NotingQuery(request.META.get("QUERY_STRING", ""), request.encoding, noted)

    try:
        WSGIRequest.GET = property(query)  # type: ignore[assignment,method-assign]
        yield noted
    finally:
        WSGIRequest.GET = before  # type: ignore[method-assign]


def described_parameters(route: str) -> set[str]:
    """Return the parameters of the query that the description of the interface lists for an address."""
    path = "/" + route.replace("<path:", "<").replace("<int:", "<").replace("<", "{").replace(">", "}")
    operation = description()["paths"].get(path, {}).get("get", {})
    return {one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"}
