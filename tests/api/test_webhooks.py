"""Webhooks are set up by those who run the system, and tell their secret once."""

from __future__ import annotations

import pytest

from mendline.channels.models import Webhook
from tests.api.conftest import Machines

pytestmark = pytest.mark.django_db
URL = "https://example.org/hook"


def test_a_webhook_is_entered_listed_and_switched_off(machine: Machines) -> None:
    admin = machine("admin")

    made = admin.post("/webhooks", {"url": URL, "events": ["order.report"]})
    number = made.json()["id"]

    assert made.status_code == 201 and made.json()["secret"] == Webhook.objects.get().secret
    listed = admin.get("/webhooks").json()["items"]
    assert [(row["id"], row["events"], row["active"]) for row in listed] == [(number, ["order.report"], True)]
    assert "secret" not in listed[0] and "secret" not in admin.get(f"/webhooks/{number}").json()
    assert admin.delete(f"/webhooks/{number}").json()["active"] is False
    assert admin.delete(f"/webhooks/{number + 1}").status_code == 404


@pytest.mark.parametrize("username", ["cc", "north", "station1"])
def test_nobody_else_sets_up_webhooks(machine: Machines, username: str) -> None:
    caller = machine(username)

    assert caller.get("/webhooks").status_code == 403
    assert caller.post("/webhooks", {"url": URL}).status_code == 403
    assert caller.delete("/webhooks/1").status_code == 403
    assert not Webhook.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"),
        ({"url": "http://example.org/"}, "url"),
        ({"url": "ftp://example.org/"}, "url"),
        ({"url": "https://user:secret@example.org/"}, "url"),
        ({"url": URL, "events": "order.report"}, "events"),
        ({"url": URL, "events": ["' OR 1"]}, "events"),
        ({"url": URL, "events": [1]}, "events"),
        ({"url": 5}, "url"),
        ({"url": URL, "secret": "mine"}, "secret"),
    ],
)
def test_what_is_no_webhook_is_refused_by_field(machine: Machines, body: dict[str, object], field: str) -> None:
    answer = machine("admin").post("/webhooks", body)

    assert answer.status_code == 422
    assert field in answer.json()["fields"]
