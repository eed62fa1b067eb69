"""Deadlines are a matter of the instant at which something happened, not of anybody's wall clock (P10)."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mendline.sim.faults.crew import on_the_test_database, run_job
from tests.faults.deadlines import deadlines_from
from tests.make import a_network

ZONES = (
    "Asia/Shanghai", "UTC", "America/New_York", "Europe/London", "Australia/Lord_Howe", "Asia/Kathmandu",
    "Pacific/Apia", "Africa/Casablanca",
)  # fmt: skip
CONTACT = timedelta(hours=4)  # STN-19
FIRST = datetime(2025, 1, 1, tzinfo=UTC)
zones = st.sampled_from(ZONES)
moments = st.integers(0, 3 * 365 * 24 * 60).map(lambda minutes: FIRST + timedelta(minutes=minutes))
quickly = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@contextmanager
def host_zone(name: str) -> Iterator[None]:
    """Let this process believe that it stands somewhere else."""
    before = os.environ.get("TZ")
    try:
        os.environ["TZ"] = name
        time.tzset()
        yield
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        time.tzset()


@pytest.mark.django_db
def test_p10_a_deadline_is_the_same_wherever_the_host_stands() -> None:
    a_network(per_day=1000)

    @quickly
    @given(moment=moments, here=zones, there=zones)
    def holds(moment: datetime, here: str, there: str) -> None:
        with host_zone(here):
            one = deadlines_from(moment.astimezone(ZoneInfo(there)))
        with host_zone(there):
            other = deadlines_from(moment)
        assert one == other
        assert one["contact"] == moment + CONTACT

    holds()


@pytest.mark.django_db
def test_p10_who_starts_later_is_never_due_earlier() -> None:
    a_network(per_day=1000)

    @quickly
    @given(moment=moments, later=st.timedeltas(timedelta(0), timedelta(days=10)))
    def holds(moment: datetime, later: timedelta) -> None:
        first, second = deadlines_from(moment), deadlines_from(moment + later)
        assert {clock: first[clock] <= second[clock] for clock in first} == dict.fromkeys(first, True)

    holds()


@pytest.mark.django_db(transaction=True)
def test_p10_a_process_started_in_another_zone_computes_the_same_deadlines() -> None:
    a_network(per_day=1000)
    # The night on which Apia has its own date, a holiday's eve, and the hour that New York has twice.
    starts = [
        datetime(2025, 12, 31, 10, 30, tzinfo=UTC),
        datetime(2026, 2, 13, 9, 59, tzinfo=UTC),
        datetime(2026, 11, 1, 5, 30, tzinfo=UTC),
    ]
    here = [{clock: due.isoformat() for clock, due in deadlines_from(start).items()} for start in starts]

    environment = {**on_the_test_database(), "TZ": "America/New_York", "PGTZ": "Pacific/Apia"}
    there = run_job("tests.faults.deadlines:deadlines", environment, starts=[start.isoformat() for start in starts])

    assert there == here
