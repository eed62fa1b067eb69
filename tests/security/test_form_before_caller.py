"""P11: what is wrong with a request is told to whoever may send it; a stranger learns that he is one."""

from __future__ import annotations

import logging

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.api.conftest import Machines
from tests.make import REPORT

pytestmark = pytest.mark.django_db
WRONG_FORMS = {
    "no file": ("post", "/api/v1/orders/WX990101-222222222/attachments", {}),
    "not multipart": ("json", "/api/v1/orders/WX990101-222222222/attachments", {"file": "x"}),
    "no file of a record": ("post", "/api/v1/records/CD990101-222222222/attachments", {}),
    "no area": ("get", "/api/v1/stations/proposed", {}),
    "a limit that is none": ("get", "/api/v1/orders", {"limit": "x"}),
    "a category that is none": ("get", "/api/v1/records", {"category": "x"}),
}
KEYS = {
    "nobody": "",
    "a key of nobody": "Bearer ml_" + "A" * 43,
    "no key at all": "Bearer x",
    "another scheme": "Basic eA==",
}


@pytest.mark.parametrize("who", KEYS)
def test_a_stranger_with_a_wrong_form_is_a_stranger(people: object, who: str) -> None:
    headers = {"Idempotency-Key": "one", **({"Authorization": KEYS[who]} if KEYS[who] else {})}
    client = Client(raise_request_exception=False)
    for form, (method, path, data) in WRONG_FORMS.items():
        if method == "json":
            answer = client.post(path, data, content_type="application/json", headers=headers)
        else:
            answer = getattr(client, method)(path, data, headers=headers)

        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), form


def test_whoever_may_ask_is_told_what_is_wrong(machine: Machines) -> None:
    cc = machine("cc")
    ref = cc.report().json()["ref"]

    no_file = cc.client.post(
        f"/api/v1/orders/{ref}/attachments", {"other": SimpleUploadedFile("a.jpg", b"x")},
        headers={**cc.headers, "Idempotency-Key": "one"},
    )  # fmt: skip

    assert (no_file.status_code, list(no_file.json()["fields"])) == (422, ["file"])
    assert list(cc.get("/stations/proposed").json()["fields"]) == ["area", "product"]


def test_who_looks_for_a_telephone_number_names_it_in_no_address(machine: Machines) -> None:
    cc = machine("cc")
    ref = cc.report().json()["ref"]

    assert cc.get("/duplicates", {"phone": "13800000001"}).status_code == 405
    found = cc.post("/duplicates", {"phone": REPORT["customer"]["phone"]})
    assert [row["ref"] for row in found.json()["items"]] == [ref]


def test_a_question_by_post_from_another_site_is_refused(people: dict[str, object]) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(people["cc"], backend="allauth.account.auth_backends.AuthenticationBackend")  # type: ignore[arg-type]

    answer = browser.post("/api/v1/duplicates", {"phone": "13800000001"}, content_type="application/json")

    assert (answer.status_code, answer.json()["code"]) == (403, "csrf")


def test_the_number_of_a_fault_is_in_the_answer_and_in_the_log(
    machine: Machines, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The answer tells people to name it to the administrator, who then must find it."""

    def broken(*_: object) -> None:
        raise RuntimeError("something")

    monkeypatch.setattr("mendline.orders.queries.count_unseen_notices", broken)
    with caplog.at_level(logging.ERROR):
        answer = machine("cc").get("/me")

    assert answer.status_code == 500
    assert answer["X-Request-Id"] in caplog.text


def test_a_line_break_in_an_address_begins_no_line_of_the_log(
    machine: Machines, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("something")

    monkeypatch.setattr("mendline.orders.store.load", broken)
    with caplog.at_level(logging.INFO):
        machine("cc").get("/attachments/a%0A2026-01-01%20ERROR%20root%20forged")
        machine("cc").get("/orders/a%0D%0A2026-01-01%20ERROR%20root%20forged")
        Client().get("/no/such%0A2026-01-01%20ERROR%20root%20forged")

    said = [line for record in caplog.records for line in record.getMessage().splitlines()]
    assert not any(line.startswith("2026-01-01 ERROR root forged") for line in said), said
