"""P20: every operation with generated requests: no 500, no undocumented status, no answer outside its schema.

As every role, for some five minutes, the same requests in every run. `mendline hostile` asks with another seed each
time. Half of the requests name things that are really there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any
from zlib import crc32

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from mendline.access import tokens
from mendline.access.models import Person
from mendline.orders.store import Loaded
from tests.console.conftest import PLACES
from tests.make import a_network, a_report

SEED = os.environ.get("MENDLINE_FUZZ_SEED") or "in every run"
EXAMPLES = int(os.environ.get("MENDLINE_FUZZ_EXAMPLES") or 35)  # of each operation, for each role
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture
def interface() -> Iterator[Any]:
    """The whole application, which here may not close the connection that the test's transaction is on."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield schemathesis.openapi.from_wsgi("/api/v1/openapi.json", WSGIHandler())
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("role", PLACES)
def test_generated_requests_get_documented_answers(interface: Any, role: str) -> None:
    a_network()
    person = Person.objects.create_user(role, name="李明", role=role, **PLACES[role])
    headers = {"Authorization": f"Bearer {tokens.issue(person, 'fuzz')}"}
    real = things(a_report())
    tried: list[str] = []
    for found in interface.get_all_operations():
        operation = found.ok()

        @_settings(role)
        @given(case=operation.as_strategy(), is_real=st.booleans())
        def is_answered(case: Any, is_real: bool) -> None:
            if is_real:
                known = {parameter: real[parameter] for parameter in case.path_parameters or {} if parameter in real}
                case.path_parameters = {**(case.path_parameters or {}), **known}
            case.call_and_validate(headers=headers, checks=CHECKS)

        is_answered()
        tried.append(operation.label)
    assert len(tried) > 20


def things(order: Loaded) -> dict[str, str]:
    """Return what the parameters of addresses may name. A step stands for a record too, which is then not there."""
    return {"ref": order.ref, "name": "urge", "code": "unified_repair", "rule_id": "CAN-08"}


def _settings(role: str) -> Callable[[Any], Any]:
    """As many requests as are wanted, drawn for this role from the seed."""
    wanted = settings(
        max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    return lambda test: seed(crc32(f"{SEED} {role}".encode()))(wanted(test))
