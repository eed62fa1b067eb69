"""`/status/` tells a monitor in one word and an administrator what to do, and strangers nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from mendline.journal.models import Outgoing
from mendline.web.console import status_page
from tests.console.conftest import SignIn
from tests.make import a_report

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def looked_at_anew() -> Iterator[None]:
    status_page.forget_findings()
    yield
    status_page.forget_findings()


def a_late_timer() -> None:
    """An order whose warnings and breach nobody has carried out: the worker is not there."""
    a_report(now=timezone.now() - timedelta(hours=6))


def test_a_monitor_hears_that_everything_works(network: None) -> None:
    answer = Client().get("/status/", headers={"accept": "application/json"})

    assert (answer.status_code, answer.json()["ok"]) == (200, True)


def test_timers_that_nobody_takes_up_are_noticed(network: None) -> None:
    a_late_timer()

    answer = Client().get("/status/", headers={"accept": "application/json"})

    assert (answer.status_code, answer.json()["ok"]) == (503, False)
    assert answer.json()["findings"] == {
        "timers": False, "email": True, "webhook": True, "deliveries": True, "calendar": True,
    }  # fmt: skip


@pytest.mark.parametrize(("language", "todo"), [("zh-hans", "是否在运行"), ("en", "see whether the process")])
def test_an_administrator_reads_what_to_do(signed_in: SignIn, language: str, todo: str) -> None:
    a_late_timer()

    answer = signed_in("admin", language=language).get("/status/")

    assert answer.status_code == 503
    assert "mendline worker" in answer.content.decode() and todo in answer.content.decode()


def test_mail_that_waits_and_why_it_fails(signed_in: SignIn) -> None:
    past = timezone.now() - timedelta(minutes=9)
    Outgoing.objects.create(
        key="k", at=past, subject="WX1", notice="n", channel="email", attempts=2, next_try_at=past, error="550 <b>no"
    )

    said = signed_in("admin").get("/status/").content.decode()

    assert "最早的已等 9 分钟" in said and "550 &lt;b&gt;no" in said


@pytest.mark.parametrize("role", [None, "cc_agent"])
def test_others_hear_no_details(network: None, signed_in: SignIn, role: str | None) -> None:
    a_late_timer()

    answer = (signed_in(role) if role else Client()).get("/status/")

    assert answer.status_code == 503
    assert "有事要处理" in answer.content.decode() and "worker" not in answer.content.decode()


def test_a_database_that_does_not_answer_is_said_and_no_500(network: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(now: object) -> None:
        raise DatabaseError("gone")

    monkeypatch.setattr(status_page, "findings", gone)

    answer = Client().get("/status/", headers={"accept": "application/json"})

    assert (answer.status_code, answer.json()) == (503, {"ok": False, "findings": {"database": False}})
