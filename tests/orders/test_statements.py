"""Statements of the hot path: threads share nothing, and what goes wrong is said as ever."""

from __future__ import annotations

import gc
import threading
import warnings
from contextlib import nullcontext
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from django.db import DatabaseError, OperationalError, connection, transaction

from mendline.database.statements import first_row, numbered


@pytest.mark.django_db(transaction=True)
def test_threads_share_nothing_and_leave_nothing_open() -> None:
    seen: dict[int, int] = {}
    gate = threading.Barrier(4, timeout=120)

    def ask(number: int) -> None:
        try:
            for _ in range(20):
                gate.wait()  # so that every thread finds what another one has just used
                row = first_row("SELECT pg_backend_pid(), %s::int", [number])
                assert row is not None and row[1] == number
                seen[number] = row[0]
        finally:
            connection.close()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(240)
        gc.collect()

    assert len(set(seen.values())) == 4


@pytest.mark.django_db(transaction=True)
def test_a_statement_is_prepared_once_for_a_connection() -> None:
    for number in range(3):
        assert first_row("SELECT %s::int + 1", [number]) == (number + 1,)

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement = 'SELECT $1::int + 1'")
        assert cursor.fetchone() == (1,)


@pytest.mark.django_db(transaction=True)
def test_what_the_server_forgot_is_prepared_again() -> None:
    assert first_row("SELECT %s::int", [1]) == (1,)
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")  # as the driver does after a rollback

    assert first_row("SELECT %s::int", [2]) == (2,)


@pytest.mark.django_db(transaction=True)
def test_a_lost_connection_is_an_operational_error_and_the_next_one_works() -> None:
    first_row("SELECT 1", [])
    with pytest.raises(OperationalError):
        first_row("SELECT pg_terminate_backend(pg_backend_pid())", [])
    connection.close_if_unusable_or_obsolete()

    assert first_row("SELECT 2", []) == (2,)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("within", [False, True])
def test_values_arrive_as_what_they_are(within: bool) -> None:
    moment = datetime(2026, 2, 28, 23, 59, 59, 999999, tzinfo=ZoneInfo("Asia/Shanghai"))
    bound = {"text": "深圳' 🙂 %s", "number": -5, "yes": True, "day": moment.date(), "at": moment, "none": None}
    statement = (
        "SELECT %(text)s::text, %(number)s::int, %(yes)s::bool, %(day)s::date, %(at)s::timestamptz, %(none)s::text,"
        " %(number)s::int, '[1]'::jsonb"
    )

    with transaction.atomic() if within else nullcontext():
        row = first_row(statement, bound)

    assert row == (*bound.values(), -5, "[1]")


@pytest.mark.django_db(transaction=True)
def test_a_transaction_holds_what_is_sent_in_it() -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        first_row("SELECT set_config('mendline.mark', 'set', true)", [])
        assert first_row("SELECT current_setting('mendline.mark')", []) == ("set",)
        raise RuntimeError

    assert first_row("SELECT current_setting('mendline.mark', true)", []) in [("",), (None,)]


@pytest.mark.parametrize("wrong", ["SELECT 5 %", "SELECT %d", "SELECT 5 %% 2"])
def test_a_percent_sign_that_stands_for_nothing_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="%"):
        numbered(wrong)


@pytest.mark.django_db
def test_a_fault_comes_as_django_tells_it_and_the_next_statement_works() -> None:
    with pytest.raises(DatabaseError, match="nosuch"), transaction.atomic():
        first_row("SELECT * FROM nosuch", [])

    assert first_row("SELECT 3", []) == (3,)


@pytest.mark.django_db
def test_whoever_listens_hears_these_statements_too() -> None:
    heard: list[str] = []

    def listen(execute, sql, params, many, context):  # type: ignore[no-untyped-def]
        heard.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(listen):
        first_row("SELECT 4", [])

    assert heard == ["SELECT 4"]
