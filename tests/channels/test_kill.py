"""A worker that is killed between sending and marking loses nothing; the receiver recognises the second copy."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.conf import settings as django_settings
from django.db import connection
from pytest_django import Settings

from mendline.channels.email.adapter import Email
from mendline.contact.outbox import CLAIM, deliver_next
from mendline.journal.models import Outgoing
from tests.channels.conftest import MailServer
from tests.make import MONDAY_NINE

# A worker of its own process. Its mail adapter kills it, before or after the mail has really gone out.
WORKER = """
import os, signal, sys
from datetime import datetime
from config import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", int(sys.argv[2])
settings.DEFAULT_FROM_EMAIL = "Mendline <repair@brand.example>"
import django
django.setup()
from mendline.channels.email.adapter import Email
from mendline.contact import outbox

class Killed(Email):
    def send(self, message):
        if sys.argv[4] == "mark-first":
            outbox._execute(outbox._SENT, now, message.id)
            os.kill(os.getpid(), signal.SIGKILL)
        super().send(message)
        os.kill(os.getpid(), signal.SIGKILL)

now = datetime.fromisoformat(sys.argv[3])
outbox.deliver_next("email", Killed(), now=now)
"""


@pytest.fixture
def row(transactional_db: None) -> Iterator[Outgoing]:
    made = Outgoing.objects.create(
        key="WX1:3:order_cancelled:1", at=MONDAY_NINE, subject="WX1", notice="order_cancelled", channel="email",
        address="li@example.com", data={"zh": "WX1 已撤单。", "en": "WX1 was cancelled."}, next_try_at=MONDAY_NINE,
    )  # fmt: skip
    yield made
    Outgoing.objects.all().delete()


def killed_worker(order: str, settings: Settings, now: datetime) -> None:
    arguments = [connection.settings_dict["NAME"], str(settings.EMAIL_PORT), now.isoformat(), order]
    worker = subprocess.run(
        [sys.executable, "-c", WORKER, *arguments], cwd=django_settings.ROOT, env={**os.environ}, capture_output=True
    )
    assert worker.returncode == -signal.SIGKILL, worker.stderr.decode()


def test_a_kill_between_send_and_mark_sends_a_second_copy_with_the_same_key(
    row: Outgoing, mail_server: MailServer, settings: Settings
) -> None:
    killed_worker("send-first", settings, MONDAY_NINE)
    row.refresh_from_db()
    assert (len(mail_server.mails), row.state) == (1, "pending")

    next_worker_at = MONDAY_NINE + CLAIM
    assert not deliver_next("email", Email(), now=next_worker_at - timedelta(seconds=1))
    assert deliver_next("email", Email(), now=next_worker_at)

    row.refresh_from_db()
    first, second = mail_server.mails
    assert row.state == "sent"
    assert first["Message-ID"] == second["Message-ID"] and first["X-Mendline-Key"] == second["X-Mendline-Key"]


def test_control_a_worker_that_marks_first_and_is_killed_loses_the_mail(
    row: Outgoing, mail_server: MailServer, settings: Settings
) -> None:
    """The same kill with the two steps the other way round: this is what the order of steps is for."""
    killed_worker("mark-first", settings, MONDAY_NINE)

    assert not deliver_next("email", Email(), now=MONDAY_NINE + timedelta(days=3))
    assert mail_server.mails == []
