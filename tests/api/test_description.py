"""The description says what holds: every operation, every problem, and what clients need to draw forms."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from tests.api.conftest import Machines

pytestmark = pytest.mark.django_db
PROBLEMS = {"400", "401", "403", "404", "409", "413", "422", "429"}


@pytest.fixture
def description() -> dict[str, Any]:
    answer = Client().get("/api/v1/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = json.loads(answer.content)
    return found


def operations(description: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, op) for path, ops in description["paths"].items() for method, op in ops.items()]


def test_every_operation_names_every_problem_and_unsafe_ones_the_key(description: dict[str, Any]) -> None:
    assert description["openapi"] == "3.1.0"
    for path, method, operation in operations(description):
        assert set(operation["responses"]) >= PROBLEMS, (path, method)
        keys = [item for item in operation.get("parameters", []) if item["name"] == "Idempotency-Key"]
        assert len(keys) == (0 if method == "get" or path == "/api/v1/duplicates" else 1), (path, method)
        assert operation["description"], (path, method)


def test_operation_ids_are_unique_and_references_lead_somewhere(description: dict[str, Any]) -> None:
    ids = [operation["operationId"] for _, _, operation in operations(description)]
    assert len(ids) == len(set(ids))

    text = json.dumps(description)
    named = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert named <= set(description["components"]["schemas"])


def test_an_order_says_what_may_be_done_and_what_may_not_and_why(machine: Machines) -> None:
    ref = machine("cc").report().json()["ref"]

    offered = {step["name"]: step for step in machine("station1").get(f"/orders/{ref}").json()["may"]}

    promise = offered["promise"]
    assert promise["permitted"] and promise["label"] == {"zh": "约定承诺服务时间", "en": "Promise service time"}
    assert [field["name"] for field in promise["form"] if field["required"]] == ["promised_at"]
    kind = next(field for field in promise["form"] if field["name"] == "promise_kind")
    assert [choice["value"] for choice in kind["choices"]] == ["within_promise", "part_reason", "user_reason"]
    refused = offered["mark_unreachable"]
    assert not refused["permitted"] and refused["refusal"]["rule"] == "STN-24"
    assert "cancel_and_reassign" not in {
        step["name"] for step in machine("engineer1").get(f"/orders/{ref}").json()["may"]
    }


def test_an_answer_has_a_request_id_and_is_not_cached(machine: Machines) -> None:
    cc = machine("cc")
    cc.headers["X-Request-Id"] = "client-made-1"
    answer = cc.report()
    del cc.headers["X-Request-Id"]

    assert answer["X-Request-Id"] == "client-made-1"
    assert cc.get("/me")["Cache-Control"] == "no-store"
    assert len(cc.get("/me")["X-Request-Id"]) == 16


def test_a_fault_of_ours_is_a_document_that_tells_nothing(
    machine: Machines, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a secret of the house")

    monkeypatch.setattr("mendline.orders.queries.count_unseen_notices", broken)

    answer = machine("cc").get("/me")

    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "secret" not in answer.content.decode() and "a secret of the house" in caplog.text


def test_processes_are_described_with_all_versions_and_rule_texts(machine: Machines) -> None:
    cc = machine("cc")

    listed = {item["code"]: item for item in cc.get("/processes").json()}
    shown = cc.get("/processes/unified_repair").json()

    assert listed["unified_repair"]["in_force"] == shown["in_force"] == 3
    newest = shown["versions"][0]
    assert (newest["version"], newest["parameters"]["contact_limit"]) == (3, "4h")
    assert {"name": "dispatched", "label": {"zh": "已派单", "en": "Dispatched"}, "category": "open"} in newest["states"]
    assert newest["rules"]["CAN-08"] == cc.get("/rules/CAN-08").json()["texts"]
