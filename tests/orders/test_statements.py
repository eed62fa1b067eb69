"""Statements of the hot path: every thread has its own connection and cursor, and what goes wrong is said as ever."""

from __future__ import annotations

import gc
import threading
import warnings

import pytest
from django.db import DatabaseError, connection, connections, transaction

from mendline.database.statements import first_row


@pytest.mark.django_db(transaction=True)
def test_threads_do_not_share_a_cursor_and_leave_nothing_open() -> None:
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


@pytest.mark.django_db
def test_a_cursor_is_kept_as_long_as_its_connection() -> None:
    first_row("SELECT 1", [])
    kept = connections["default"].__dict__["mendline_cursor"]

    first_row("SELECT 2", [])

    assert connections["default"].__dict__["mendline_cursor"] is kept


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
