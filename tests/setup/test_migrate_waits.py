"""P8: a change of tables steps back when somebody holds them, says who, and lets everybody else work on."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction

from mendline.cli import migrate
from mendline.database import lock_wait
from mendline.database.errors import DatabaseUnavailable
from mendline.database.lock_wait import in_turns
from mendline.orders.models import RepairOrder
from mendline.web.models import TourTaken

pytestmark = pytest.mark.django_db(transaction=True)
SHORTLY = timedelta(milliseconds=100)
NOT_AT_ALL = timedelta(0)
CHANGE = "ALTER TABLE orders_repairorder ADD COLUMN floor integer"


@contextmanager
def somebody_reads(*tables: str) -> Iterator[psycopg.Connection[Any]]:
    """A session that looked at tables in a transaction and was left open, as a report that somebody forgot is."""
    with psycopg.connect(**connection.get_connection_params()) as holder:
        holder.execute("SET application_name = 'left open'")
        holder.commit()
        for table in tables:
            holder.execute(f"SELECT count(*) FROM {table}")
        yield holder


def change() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(CHANGE)


def columns(table: str = "orders_repairorder") -> set[str]:
    with connection.cursor() as cursor:
        return {column.name for column in connection.introspection.get_table_description(cursor, table)}


@pytest.fixture
def _without_the_column() -> Iterator[None]:
    yield
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE orders_repairorder DROP COLUMN IF EXISTS floor")


def test_p8_whoever_holds_the_table_is_named_and_everybody_else_works_on() -> None:
    said: list[str] = []

    with somebody_reads("orders_repairorder") as holder:
        with pytest.raises(DatabaseUnavailable) as given_up:
            in_turns(change, told=said.append, lock_timeout=SHORTLY, patience=NOT_AT_ALL)

        assert RepairOrder.objects.unscoped("everybody else, while it is still held").count() == 0
        message = str(given_up.value)
        assert f"pid {holder.info.backend_pid} " in message and "left open" in message
        assert "orders_repairorder" in message and "pg_terminate_backend" in message
    assert "floor" not in columns()


@pytest.mark.usefixtures("_without_the_column")
def test_p8_it_comes_again_until_the_table_is_free() -> None:
    said: list[str] = []
    with somebody_reads("orders_repairorder") as holder:

        def heard(text: str) -> None:
            said.append(text)
            holder.rollback()

        in_turns(change, told=heard, lock_timeout=SHORTLY, pause=NOT_AT_ALL)

    assert len(said) == 1 and "left open" in said[0]
    assert "floor" in columns()


def test_p8_control_without_the_limit_others_wait_behind_it() -> None:
    """What the limit is for: the change waits for the reader, and whoever comes next for the change."""
    parameters = connection.get_connection_params()
    with somebody_reads("orders_repairorder"), psycopg.connect(**parameters) as changing:

        def wait_for_ever() -> None:
            with pytest.raises(psycopg.errors.QueryCanceled):
                changing.execute("SET lock_timeout = 0")
                changing.execute(CHANGE)

        with ThreadPoolExecutor(1) as aside:
            waiting = aside.submit(wait_for_ever)
            while not _is_waiting(changing.info.backend_pid):
                assert not waiting.done(), waiting.result()
            with psycopg.connect(**parameters) as next_one, pytest.raises(psycopg.errors.LockNotAvailable):
                next_one.execute("SET lock_timeout = '100ms'")
                next_one.execute("SELECT count(*) FROM orders_repairorder")
            changing.cancel()
            waiting.result()


def _is_waiting(pid: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s", [pid])
        return bool(cursor.fetchone()[0])


def test_another_fault_is_not_taken_for_a_held_table() -> None:
    def broken() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    with pytest.raises(Exception, match="division by zero"):
        in_turns(broken, told=lambda text: None, patience=NOT_AT_ALL)


def test_the_limit_ends_with_the_work() -> None:
    in_turns(lambda: None, told=lambda text: None)

    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone()[0] == "0"


def test_an_index_that_was_not_finished_is_made_anew() -> None:
    """A build that steps back leaves an index of no use behind, under the very name that the next one wants."""
    said: list[str] = []
    with somebody_reads("orders_repairorder") as holder, connection.cursor() as cursor:
        holder.execute("LOCK TABLE orders_repairorder IN ROW EXCLUSIVE MODE")  # as whoever writes does

        def heard(text: str) -> None:
            said.append(text)
            holder.rollback()

        def build() -> None:
            cursor.execute("CREATE INDEX CONCURRENTLY by_fault ON orders_repairorder (fault)")

        in_turns(build, told=heard, lock_timeout=SHORTLY, pause=NOT_AT_ALL)

        cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = 'by_fault'::regclass")
        assert cursor.fetchone()[0]
        cursor.execute("DROP INDEX by_fault")
    assert len(said) == 2 and "left open" in said[0] and "by_fault" in said[1]


def test_p8_the_command_gives_up_in_words_and_goes_on_where_it_stood(capsys: pytest.CaptureFixture[str]) -> None:
    waiting = ["--lock-timeout", "0.1", "--patience", "0"]
    try:
        with somebody_reads("web_tourtaken"), pytest.raises(DatabaseUnavailable, match="web_tourtaken"):
            migrate.main([*waiting, "web", "0001", "--verbosity", "0"])
        assert TourTaken.objects.count() == 0  # the table is still there

        assert migrate.main([*waiting, "web", "0001", "--verbosity", "0"]) == 0
        assert TourTaken._meta.db_table not in connection.introspection.table_names()
    finally:
        migrate.main(["--verbosity", "0"])
    assert TourTaken.objects.count() == 0


def test_what_is_no_number_of_seconds_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        migrate.main(["--patience", "long"])

    assert "不是秒数" in capsys.readouterr().err


def test_the_time_that_people_wait_is_short() -> None:
    assert lock_wait.LOCK_TIMEOUT <= timedelta(seconds=2)
