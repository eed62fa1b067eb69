"""The worker does what is due, survives what goes wrong, and ends when asked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event

import pytest
from django.conf import settings
from django.core import mail
from django.core.management import call_command
from django.db import OperationalError, connection

from mendline.access.models import Person
from mendline.contact import loops
from mendline.contact.chores import ANSWERS_KEPT, forget_old_answers
from mendline.contact.loops import Loop
from mendline.journal.models import Entry, Outgoing
from mendline.network.models import StationStanding
from mendline.orders.models import IdempotencyKey
from tests.contact.conftest import ARow
from tests.make import MONDAY_NINE, a_network, a_report


@pytest.mark.django_db(transaction=True)
def test_once_carries_out_timers_mail_and_standings() -> None:
    """Real time, so the report is long past: its contact limit is over."""
    a_network()
    order = a_report()
    Person.objects.create_user("qian", name="钱", role="hq_interface", email="qian@example.com")
    Outgoing.objects.create(
        key="k", at=MONDAY_NINE, subject=order.ref, notice="n", channel="email", role="hq_interface",
        data={"zh": "撤单", "en": "Cancelled"}, next_try_at=MONDAY_NINE,
    )  # fmt: skip

    call_command("worker", "--once")

    assert Entry.objects.filter(subject=order.ref, kind="clock.breach").exists()
    assert [sent.to for sent in mail.outbox] == [["qian@example.com"]]
    assert Outgoing.objects.get(key="k").state == "sent"
    standing = StationStanding.objects.get(station_no="000001")
    assert standing.open_orders == 1


@pytest.mark.django_db
def test_answers_are_kept_for_thirty_days_and_no_longer() -> None:
    for days in (29, 31):
        IdempotencyKey.objects.create(
            person_id=1, key=str(days), request_digest="", status=200, body="", created_at=MONDAY_NINE - timedelta(days)
        )
    IdempotencyKey.objects.create(
        person_id=1, key="30", request_digest="", status=200, body="", created_at=MONDAY_NINE - ANSWERS_KEPT
    )

    assert not forget_old_answers(MONDAY_NINE)

    assert set(IdempotencyKey.objects.values_list("key", flat=True)) == {"29", "30"}


class Script:
    """Work that does what it is told in each round, and stops the loop after the last."""

    def __init__(self, *rounds: Exception | bool) -> None:
        self.rounds = list(rounds)
        self.stopping = Event()
        self.rests: list[float] = []

    def work(self, now: datetime) -> bool:
        step = self.rounds.pop(0)
        if not self.rounds:
            self.stopping.set()
        if isinstance(step, Exception):
            raise step
        return step

    def run(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def rest(timeout: float | None = None) -> bool:
            self.rests.append(timeout or 0)
            return self.stopping.is_set()

        monkeypatch.setattr(self.stopping, "wait", rest)
        monkeypatch.setattr(loops, "forget_connection", lambda: None)
        Loop("test", 7.0, self.work).run(self.stopping)


def test_a_loop_goes_on_at_once_while_there_is_more_and_rests_when_there_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    script = Script(True, True, False, True)
    script.run(monkeypatch)
    assert script.rests == [7.0]


def test_a_loop_outlives_a_database_that_is_away_with_growing_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script(OperationalError(), ValueError(), OperationalError(), False, OperationalError(), False)
    script.run(monkeypatch)
    assert script.rests == [0.5, 1.0, 2.0, 7.0, 0.5, 7.0]


@pytest.mark.django_db(transaction=True)
def test_a_loop_takes_a_new_connection_after_its_own_was_cut() -> None:
    """What a restart of the database does to a worker."""
    done: list[int] = []
    stopping = Event()

    def work(now: datetime) -> bool:
        with connection.cursor() as cursor:
            if not done:
                done.append(0)
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
            cursor.execute("SELECT 1")
            done.append(cursor.fetchone()[0])
        stopping.set()
        return False

    Loop("test", 0.0, work).run(stopping)

    assert done == [0, 1]


WORKER = """
import sys
from pathlib import Path
from config import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
settings.MEDIA_ROOT = Path(sys.argv[2])
settings.LOGGING["root"]["level"] = "INFO"
from django.core.management import execute_from_command_line
execute_from_command_line(["mendline", "worker"])
"""


@pytest.mark.django_db(transaction=True)
def test_sigterm_ends_a_worker_in_order(a_row: ARow, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WORKER, connection.settings_dict["NAME"], str(tmp_path)],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"},
    ) as worker:
        assert worker.stderr is not None
        said = []
        for line in worker.stderr:
            said.append(line)
            if "worker started" in line:
                worker.send_signal(signal.SIGTERM)
        worker.wait(120)

    assert worker.returncode == 0, "".join(said)
    assert not any("stopped in the middle" in line or "Traceback" in line for line in said), "".join(said)


@pytest.fixture
def no_jobs(transactional_db: None) -> Iterator[None]:
    """The queue's tables are not Django's, so nobody else empties them between tests."""
    _empty_the_queue()
    yield
    _empty_the_queue()


def _empty_the_queue() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_periodic_defers")
        cursor.execute("DELETE FROM procrastinate_jobs")
        cursor.execute("DELETE FROM procrastinate_workers")


def a_job(name: str) -> int:
    from procrastinate.contrib.django import app

    return int(app.configure_task(f"mendline.contact.jobs.{name}").defer(timestamp=0))


def leave_to_a_dead_worker(job_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '5 minutes') RETURNING id"
        )
        dead = cursor.fetchone()[0]
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s WHERE id = %s", [dead, job_id])


def status_of(job_id: int) -> str | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT status FROM procrastinate_jobs WHERE id = %s", [job_id])
        row = cursor.fetchone()
    return str(row[0]) if row else None


def test_jobs_of_a_killed_worker_are_given_back_to_the_queue(no_jobs: None) -> None:
    """The library leaves them `doing` for ever. A finished job is deleted."""
    job_id = a_job("remove_finished_jobs")
    leave_to_a_dead_worker(job_id)
    assert status_of(job_id) == "doing"
    a_job("retry_stalled_jobs")

    for _ in range(2):  # a worker that is to end does not wait for what its own jobs bring
        call_command("worker", "--once")

    assert status_of(job_id) is None


def test_a_left_job_whose_like_waits_already_does_not_keep_the_others(no_jobs: None) -> None:
    left = a_job("remove_finished_jobs")
    leave_to_a_dead_worker(left)
    waiting = a_job("remove_finished_jobs")
    a_job("retry_stalled_jobs")
    with connection.cursor() as cursor:  # the upkeep comes first
        cursor.execute("UPDATE procrastinate_jobs SET priority = -1 WHERE id = %s", [waiting])

    for _ in range(2):  # a worker that is to end does not wait for what its own jobs bring
        call_command("worker", "--once")

    assert (status_of(left), status_of(waiting)) == (None, None)


def test_files_that_no_order_names_are_put_aside_by_night(
    no_jobs: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(settings, "MEDIA_ROOT", tmp_path)
    stray = tmp_path / "ab" / ("x" * 32)
    stray.parent.mkdir()
    stray.write_bytes(b"left by an upload")
    os.utime(stray, (0, 0))
    job_id = a_job("put_stray_files_aside")

    call_command("worker", "--once")

    assert status_of(job_id) is None
    assert not stray.exists() and (tmp_path / "lost" / f"ab-{stray.name}").exists()
