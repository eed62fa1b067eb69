"""The index in memory follows the network, whoever changes it and however much."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction

from mendline.dispatch import current
from mendline.dispatch.current import current_index
from mendline.network.history import serve_area, stop_serving
from mendline.network.models import No800Area, Region, Station, StationStanding
from mendline.network.revision import check_every, current_revision, look_again, stations_changed_since

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
AStation = Callable[..., Station]
KEY = ("desktop", "110108")


def behind_our_back(statement: str) -> None:
    """Change the network as another process would: nothing in this one is told."""
    with connection.cursor() as cursor:
        cursor.execute(statement)


def serving() -> list[str]:
    return sorted(service.station for service in current_index(NOW).served.get(KEY, ()))


@pytest.mark.django_db
def test_a_new_station_and_an_ended_coverage_are_seen(a_station: AStation) -> None:
    a_station("000001")
    assert serving() == ["000001"]
    a_station("000002")
    assert serving() == ["000001", "000002"]
    stop_serving("000001", "110108", "desktop", since=NOW.date())
    index = current_index(NOW)
    assert [s.until for s in index.served[KEY] if s.station == "000001"] == [NOW.date().toordinal()]


@pytest.mark.django_db
def test_a_change_of_one_station_reads_that_station_only(a_station: AStation, monkeypatch: pytest.MonkeyPatch) -> None:
    a_station("000001"), a_station("000002")
    before = current_index(NOW)
    monkeypatch.setattr(current, "read_index", lambda since: pytest.fail("everything was read again"))
    behind_our_back("UPDATE network_station SET name = '新名' WHERE number = '000002'")
    after = current_index(NOW)
    assert after.stations["000002"].name == "新名"
    assert after.stations["000001"] is before.stations["000001"]


@pytest.mark.django_db
def test_a_point_that_gets_another_head_moves_its_coverage(a_station: AStation) -> None:
    head = a_station("000001", areas=())
    a_station("000002", areas=())
    a_station("000003", head=head, per_day=None)
    assert current_index(NOW).points == {"000001": ("000003",)}
    behind_our_back("UPDATE network_station SET head_id = '000002' WHERE number = '000003'")
    assert current_index(NOW).points == {"000002": ("000003",)}


@pytest.mark.django_db
def test_a_change_of_a_region_reads_everything_again(a_station: AStation) -> None:
    a_station("000001")
    current_index(NOW)
    revision = current_revision()
    Region.objects.update(name="华北大区")
    assert stations_changed_since(revision) is None
    assert serving() == ["000001"]


@pytest.mark.django_db
def test_a_change_that_was_rolled_back_is_not_remembered(a_station: AStation) -> None:
    a_station("000001")
    current_index(NOW)
    with transaction.atomic():
        a_station("000002")
        assert serving() == ["000001", "000002"]
        transaction.set_rollback(True)
    assert serving() == ["000001"]
    a_station("000003")
    assert serving() == ["000001", "000003"]


@pytest.mark.django_db
def test_a_step_dated_back_sees_the_coverage_of_its_day(a_station: AStation) -> None:
    a_station("000001")
    stop_serving("000001", "110108", "desktop", since=datetime(2026, 1, 10, tzinfo=UTC).date())
    assert serving() == []
    earlier = current_index(datetime(2026, 1, 5, tzinfo=UTC))
    assert [service.station for service in earlier.served[KEY]] == ["000001"]


@pytest.mark.django_db
def test_standings_are_read_with_the_index(a_station: AStation) -> None:
    a_station("000001")
    StationStanding.objects.create(station_no="000001", on_time_percent=40, open_orders=7, reckoned_at=NOW)
    assert current_index(NOW).standings["000001"].on_time_percent == 40


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO network_no800area (area, filed_on, effective_from) VALUES ('11', '2026-01-01', '2026-01-01')",
        "UPDATE network_capacity SET effective_until = '2026-05-01'",
        "UPDATE network_productline SET channel = 'x'",
        "TRUNCATE network_no800area",
    ],
)
def test_every_change_of_the_network_has_a_revision_of_its_own(a_station: AStation, statement: str) -> None:
    a_station("000001")
    before = current_revision()
    behind_our_back(statement)
    assert current_revision() > before
    No800Area.objects.count()


@pytest.mark.django_db
def test_a_statement_that_changes_no_row_leaves_the_revision_as_it_is(a_station: AStation) -> None:
    a_station("000001")
    before = current_revision()
    behind_our_back("UPDATE network_station SET name = 'x' WHERE number = 'nobody'")
    assert current_revision() == before


@pytest.mark.django_db(transaction=True)
def test_within_a_second_the_network_is_not_asked_again_and_look_again_asks(a_station: AStation) -> None:
    a_station("000001")
    check_every(3600)
    assert serving() == ["000001"]
    behind_our_back(
        "INSERT INTO network_station (number, name, region_id, area, address, phone, works_in_cc_web, is_central,"
        " active_from, part_delivery_days)"
        " VALUES ('000009', 'x', 'north', '110108', '', '', true, false, '2026-01-01', 3)"
    )
    assert "000009" not in current_index(NOW).stations
    look_again()
    assert "000009" in current_index(NOW).stations


@pytest.mark.django_db(transaction=True)
def test_a_large_network_is_read_again_aside_while_the_old_index_serves(
    a_station: AStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_station("000001")
    a_station("000002")
    monkeypatch.setattr(current, "REBUILT_AT_ONCE", 1)
    assert serving() == ["000001", "000002"]
    serve_area("000001", "110105", "desktop", since=NOW.date())
    Region.objects.update(name="华北大区")  # concerns every station
    old = current_index(NOW)
    assert ("desktop", "110105") not in old.served
    builder = current._holder._builder
    assert builder is not None
    builder.join(timeout=120)
    assert ("desktop", "110105") in current_index(NOW).served
