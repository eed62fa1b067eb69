"""P18: a request that is too much is an answer, and a statement that never ends ends."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from django.db import connection
from django.test import Client

from mendline.cli.serve import WEB_LIMITS_MS
from mendline.database.address import django_database
from mendline.web.console import in_turn
from tests.api.conftest import Machines
from tests.console.conftest import SignIn
from tests.console.conftest import network as network
from tests.console.conftest import signed_in as signed_in

pytestmark = pytest.mark.django_db


def test_a_statement_of_a_web_process_is_ended_after_its_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MENDLINE_STATEMENT_TIMEOUT_MS", "50")
    options = django_database(tmp_path, production=False)["OPTIONS"]["options"]
    here = connection.get_connection_params()

    who = {name: here[name] for name in ("host", "port", "dbname", "user", "password") if name in here}

    with psycopg.connect(**who, options=options) as own, pytest.raises(psycopg.errors.QueryCanceled):
        own.execute("SELECT pg_sleep(60)")

    assert int(WEB_LIMITS_MS["MENDLINE_STATEMENT_TIMEOUT_MS"]) <= 5000
    assert int(WEB_LIMITS_MS["MENDLINE_LOCK_TIMEOUT_MS"]) <= 3000


@pytest.mark.parametrize("path", ["/accounts/login/", "/i18n/setlang/"])
def test_a_form_of_too_many_fields_is_refused(path: str) -> None:
    answer = Client(raise_request_exception=False).post(path, {f"field{number}": "x" for number in range(1001)})

    assert answer.status_code == 400


def test_a_form_of_too_many_files_or_too_many_bytes_is_refused(machine: Machines) -> None:
    cc = machine("cc")
    ref = cc.report().json()["ref"]
    boundary = "x"
    part = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\nx\r\n'
    many = (part * 101 + f"--{boundary}--\r\n").encode()
    for raw, announced in ((many, len(many)), (b"x", 11 * 1024 * 1024), (b"", -1)):
        answer = cc.client.generic(
            "POST", f"/api/v1/orders/{ref}/attachments", raw, f"multipart/form-data; boundary={boundary}",
            headers={**cc.headers, "Idempotency-Key": f"many-{announced}-{len(raw)}"}, CONTENT_LENGTH=str(announced),
        )  # fmt: skip
        assert answer.status_code in (400, 413, 422), (announced, answer.content)


ODD_HEADERS: tuple[dict[str, str], ...] = (
    {"Authorization": "Bearer " + "x" * 100_000},
    {"Authorization": "Bearer"},
    {"Authorization": "\x00"},
    {"Accept-Language": "zh;q=" + "9" * 50_000},
    {"Accept-Language": ",".join(["zh"] * 20_000)},
    {"X-Request-Id": "x" * 100_000},
    {"X-Request-Id": "a\r\nSet-Cookie: x=1"},
    {"Cookie": "a=" + "x" * 60_000},
    {"Idempotency-Key": "x" * 81},
    {"Idempotency-Key": "键"},
    {"X-Forwarded-For": "," * 10_000},
    {f"X-Header-{number}": "x" for number in range(500)},
)


def test_a_header_that_is_too_long_or_odd_is_no_fault_of_ours(machine: Machines) -> None:
    cc = machine("cc")
    for headers in ODD_HEADERS:
        answer = cc.client.get("/api/v1/me", headers={**cc.headers, **headers})
        page = cc.client.get("/accounts/login/", headers=headers)

        assert answer.status_code in (200, 400, 401) and page.status_code in (200, 400), list(headers)[:1]
        assert len(answer["X-Request-Id"]) <= 64 and "Set-Cookie" not in answer["X-Request-Id"]


def test_a_list_without_end_is_refused(machine: Machines) -> None:
    cc = machine("cc")
    for query in ("limit=1000000000", "limit=-1", "cursor=" + "A" * 80, "state=" + "x" * 81, "limit=1&" * 2000):
        answer = cc.client.get(f"/api/v1/orders?{query}", headers=cc.headers)

        assert answer.status_code in (400, 422), query[:30]


TABLES = ("/network/stations.xlsx", "/network/stations/000001/coverage.xlsx", "/network/gaps.xlsx",
          "/network/no800.xlsx", "/network/export.xlsx", "/figures/overview.xlsx")  # fmt: skip


@pytest.mark.parametrize("path", TABLES)
def test_a_table_more_than_is_made_and_waited_for_is_told_when_to_come_again(
    path: str, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = in_turn.Turns(1)
    monkeypatch.setattr(in_turn, "TURNS", turns)
    manager = signed_in("admin")
    assert turns.room.acquire(blocking=False) and turns.room.acquire(blocking=False), "one is made, and one waits"

    refused = manager.get(path)
    turns.room.release()
    made = manager.get(path)

    assert (refused.status_code, refused["Retry-After"]) == (429, str(in_turn.AGAIN_SECONDS))
    assert "请稍后再试" in refused.content.decode() and "流程不允许" not in refused.content.decode()
    assert made.status_code == 200 and turns.room.acquire(blocking=False), "a turn that is over is free"


def test_one_table_is_made_at_a_time(signed_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    turns, free = in_turn.Turns(1), []
    monkeypatch.setattr(in_turn, "TURNS", turns)

    def look(*_: object, **__: object) -> bytes:
        free.append(turns.turn.acquire(blocking=False))
        return b"PK"

    monkeypatch.setattr("mendline.web.console.import_page.export_network", look)

    assert signed_in("admin").get("/network/export.xlsx").status_code == 200
    assert free == [False] and turns.turn.acquire(blocking=False)
