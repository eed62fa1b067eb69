"""Every operation with generated requests: no 500, no undocumented status, no answer outside its schema."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from mendline.access import tokens
from mendline.access.models import Person

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
def test_generated_requests_get_documented_answers(interface: Any, people: dict[str, Person]) -> None:
    headers = {"Authorization": f"Bearer {tokens.issue(people['admin'], 'fuzz')}"}
    tried: list[str] = []
    for found in interface.get_all_operations():
        operation = found.ok()

        @settings(
            max_examples=8,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def is_answered(case: Any) -> None:
            case.call_and_validate(headers=headers, checks=CHECKS)

        is_answered()
        tried.append(operation.label)
    assert len(tried) > 20
