"""A small network with people, and machines that call the API for them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from mendline.access import tokens
from mendline.access.models import Person
from tests.make import REPORT, a_network

PEOPLE = {
    "cc": ("cc_agent", "", ""),
    "north": ("region_interface", "north", ""),
    "east": ("region_interface", "east", ""),
    "station1": ("station_coordinator", "", "000001"),
    "station2": ("station_coordinator", "", "000002"),
    "engineer1": ("station_engineer", "", "000001"),
    "owner": ("process_owner", "", ""),
    "admin": ("admin", "", ""),
}
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Reply:
    """What came back, streamed or not."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Any:
        return json.loads(self.content)

    def __getitem__(self, header: str) -> str:
        return self.headers[header]

    def __contains__(self, header: str) -> bool:
        return header in self.headers


def reply(response: Any) -> Reply:
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return Reply(response.status_code, response.headers, content)


class Machine:
    """Calls the API as one person, with a new idempotency key for every unsafe call unless one is named."""

    def __init__(self, secret: str, language: str = "zh-hans") -> None:
        self.client = Client(raise_request_exception=False)
        self.headers = {"Authorization": f"Bearer {secret}", "Accept-Language": language}

    def get(self, path: str, query: dict[str, Any] | None = None) -> Reply:
        return reply(self.client.get(f"/api/v1{path}", query, headers=self.headers))

    def post(self, path: str, body: Any = None, *, key: str = "", raw: bytes | None = None, **headers: str) -> Reply:
        response = self.client.post(
            f"/api/v1{path}",
            data=raw if raw is not None else (body if body is not None else {}),
            content_type="application/json",
            headers={**self.headers, "Idempotency-Key": key or f"test-{next(_numbers)}", **headers},
        )
        return reply(response)

    def delete(self, path: str) -> Reply:
        headers = {**self.headers, "Idempotency-Key": f"test-{next(_numbers)}"}
        return reply(self.client.delete(f"/api/v1{path}", headers=headers))

    def upload(self, ref: str, content: bytes, name: str, *, fact: str = "", key: str = "") -> Reply:
        response = self.client.post(
            f"/api/v1/{'orders' if ref.startswith('WX') else 'records'}/{ref}/attachments",
            data={"file": SimpleUploadedFile(name, content), "fact": fact},
            headers={**self.headers, "Idempotency-Key": key or f"test-{next(_numbers)}"},
        )
        return reply(response)

    def report(self, **changed: Any) -> Reply:
        return self.post("/orders", {"given": {**REPORT, **changed}})

    def step(self, ref: str, name: str, *, revision: int | None = None, **given: Any) -> Reply:
        body: dict[str, Any] = {"given": given}
        if revision is not None:
            body["revision"] = revision
        return self.post(f"/{'orders' if ref.startswith('WX') else 'records'}/{ref}/transitions/{name}", body)


def make_people() -> dict[str, Person]:
    return {
        username: Person.objects.create_user(username, name=username, role=role, region=region, station_no=station_no)
        for username, (role, region, station_no) in PEOPLE.items()
    }


@pytest.fixture
def people(db: None) -> dict[str, Person]:
    a_network()
    return make_people()


Machines = Callable[..., Machine]


@pytest.fixture
def machine(people: dict[str, Person]) -> Machines:
    """Return the machine of a person: `machine("cc")`."""

    def of(username: str, language: str = "zh-hans") -> Machine:
        return Machine(tokens.issue(people[username], "test"), language)

    return of
