"""Seats of a station's day are never sold twice, whoever asks at the same moment (COM-10)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from psycopg.errors import DeadlockDetected

from mendline.dispatch import seats
from mendline.dispatch.choice import Wanted
from mendline.dispatch.choosing import Found, look_for_station
from mendline.network.history import set_capacity
from mendline.network.models import DayLoad, Seat, Station

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
TODAY = date(2026, 3, 2)
AStation = Callable[..., Station]


def take(ref: str, *, wish: str = "", excluded: str = "", day: date = TODAY) -> Found:
    """Choose and take a seat as the door does: chosen anew while the chosen one's last seat goes to another."""
    wanted = Wanted("110108", "desktop", day, wish, frozenset(filter(None, [excluded])))
    while True:
        found = look_for_station(wanted, NOW)
        if not found.station_no or take_seat(ref, found.station_no, day):
            return found


def take_seat(ref: str, station: str, day: date = TODAY) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT network_take_seat(%s, %s, 'desktop', %s)", [ref, station, day])
    except DatabaseError as problem:
        if "COM-10" not in str(problem):
            raise
        return False
    return True


def taken(station: str) -> int:
    return DayLoad.objects.get(station_no=station, day=TODAY).taken


def at_once(count: int, work: Callable[[int], None]) -> list[Exception]:
    """Run `work` in as many threads with a connection each, all let go at the same moment."""
    gate, failed = threading.Barrier(count), list[Exception]()

    def run(number: int) -> None:
        try:
            connection.ensure_connection()
            gate.wait(timeout=120)
            work(number)
        except Exception as problem:
            failed.append(problem)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=240)
    return failed


@pytest.mark.django_db
def test_com_10_the_tenth_seat_is_given_and_the_eleventh_is_not(a_station: AStation) -> None:
    a_station("000001", per_day=10)
    assert [take(f"WX{number}").station_no for number in range(11)] == ["000001"] * 10 + [""]
    assert (taken("000001"), seats.seats_left("000001", "desktop", TODAY)) == (10, 0)


@pytest.mark.django_db
def test_an_order_without_a_station_belongs_to_the_areas_region_and_says_why(a_station: AStation) -> None:
    a_station("000001", per_day=0)
    found = take("WX1")
    assert (found.station_no, found.region) == ("", "north")
    assert [verdict.outcome for verdict in found.choice.verdicts] == ["no_capacity"]


@pytest.mark.django_db
def test_a_new_shanghai_day_has_its_seats_again(a_station: AStation) -> None:
    a_station("000001", per_day=1)
    assert take("WX1").station_no == "000001"
    assert take("WX2").station_no == ""
    assert take("WX3", day=date(2026, 3, 3)).station_no == "000001"


@pytest.mark.django_db
def test_a_seat_given_back_is_given_back_once(a_station: AStation) -> None:
    a_station("000001", per_day=3)
    take("WX1"), take("WX2")
    assert [seats.release("WX1"), seats.release("WX1"), seats.release("WX-none")] == [True, False, False]
    assert (taken("000001"), Seat.objects.count()) == (1, 1)


@pytest.mark.django_db
def test_com_10_an_order_never_has_two_seats(a_station: AStation) -> None:
    a_station("000001", per_day=3)
    take("WX1")
    with pytest.raises(IntegrityError), transaction.atomic():
        take("WX1")
    assert taken("000001") == 1


@pytest.mark.django_db
def test_com_10_a_seat_that_went_meanwhile_is_refused(a_station: AStation) -> None:
    """The next order chooses anew, and finds the station full."""
    a_station("000001", per_day=1)
    assert [take_seat("WX1", "000001"), take_seat("WX2", "000001")] == [True, False]
    assert [verdict.outcome for verdict in take("WX2").choice.verdicts] == ["full"]


@pytest.mark.django_db
def test_looking_takes_nothing(a_station: AStation) -> None:
    a_station("000001", per_day=1)
    assert look_for_station(Wanted("110108", "desktop", TODAY), NOW).station_no == "000001"
    assert not DayLoad.objects.exists()


@pytest.mark.django_db
def test_a_refused_order_takes_its_seat_back_with_it(a_station: AStation) -> None:
    a_station("000001", per_day=1)

    class Refusal(Exception):
        pass

    with pytest.raises(Refusal), transaction.atomic():
        take("WX1")
        raise Refusal
    assert take("WX2").station_no == "000001"


@pytest.mark.django_db
def test_com_10_lowering_below_what_is_taken_only_stops_further_dispatch(a_station: AStation) -> None:
    a_station("000001", per_day=3)
    for number in range(3):
        take(f"WX{number}")
    set_capacity("000001", "desktop", 2, since=TODAY, today=TODAY)
    assert (taken("000001"), take("WX9").station_no) == (3, "")
    seats.release("WX0")
    assert take("WX9").station_no == ""
    set_capacity("000001", "desktop", 4, since=TODAY, today=TODAY)
    assert [take("WX9").station_no, take("WX10").station_no, take("WX11").station_no] == ["000001", "000001", ""]


@pytest.mark.django_db
def test_com_10_the_database_refuses_to_oversell_whoever_connects(a_station: AStation) -> None:
    a_station("000001", per_day=1)
    take("WX1")
    with pytest.raises(DatabaseError, match="COM-10"), transaction.atomic():
        DayLoad.objects.update(taken=2)
    with pytest.raises(DatabaseError, match="COM-10"), transaction.atomic():
        DayLoad.objects.create(station_no="000001", product_line="desktop", day=date(2026, 3, 9), capacity=1, taken=2)
    with pytest.raises(DatabaseError, match="never_less_than_none"), transaction.atomic():
        DayLoad.objects.update(taken=-1)


@pytest.mark.django_db
def test_the_network_is_seen_as_it_is_now_even_between_two_checks(a_station: AStation) -> None:
    """The count of the day brings the network's revision along, so a choice is never made from an old index."""
    from mendline.network.revision import check_every

    a_station("000001", per_day=1)
    take("WX1")
    check_every(3600)
    a_station("000002", per_day=1)
    with connection.cursor() as cursor:  # as another process would: nobody here calls look_again()
        cursor.execute("UPDATE network_station SET works_in_cc_web = false WHERE number = '000001'")
    assert take("WX2").station_no == "000002"


@pytest.mark.django_db(transaction=True)
def test_com_10_sixty_four_at_once_share_the_last_ten_seats(a_station: AStation) -> None:
    a_station("000001", per_day=10)
    won: list[str] = []

    def order(number: int) -> None:
        if take(f"WX{number:02d}").station_no:
            won.append(f"WX{number:02d}")

    assert at_once(64, order) == []
    assert (len(won), taken("000001"), Seat.objects.count()) == (10, 10, 10)


@pytest.mark.django_db(transaction=True)
def test_com_10_whoever_loses_the_last_seat_gets_the_next_station_and_nobody_deadlocks(a_station: AStation) -> None:
    for number in ("000001", "000002", "000003"):
        a_station(number, per_day=8)
    found: list[str] = []
    assert at_once(32, lambda number: found.append(take(f"WX{number:02d}").station_no)) == []
    assert sorted(found) == [""] * 8 + ["000001"] * 8 + ["000002"] * 8 + ["000003"] * 8


@pytest.mark.django_db(transaction=True)
def test_can_02_orders_moved_crosswise_at_once_do_not_wait_for_each_other(a_station: AStation) -> None:
    a_station("000001", per_day=20)
    a_station("000002", per_day=20)
    for number in range(16):
        take(f"WX{number:02d}", wish="000001" if number % 2 else "000002")

    def move(number: int) -> None:
        with transaction.atomic():
            seats.announce_move()
            seats.release(f"WX{number:02d}")
            here = "000001" if number % 2 else "000002"
            assert take(f"WX{number + 50}", excluded=here).station_no not in ("", here)

    assert at_once(16, move) == []
    assert (taken("000001"), taken("000002"), Seat.objects.count()) == (8, 8, 16)


@pytest.mark.django_db(transaction=True)
def test_can_02_control_moves_that_nobody_announced_wait_for_each_other(a_station: AStation) -> None:
    """Red on purpose: both have given their seat back, and hold its counter, before either takes the other's.

    It proves that the test above would notice: the database sends one of the two away.
    """
    a_station("000001", per_day=20)
    a_station("000002", per_day=20)
    for number in range(2):
        take(f"WX{number:02d}", wish="000001" if number % 2 else "000002")
    both_hold_one = threading.Barrier(2)

    def move(number: int) -> None:
        with transaction.atomic():
            seats.release(f"WX{number:02d}")
            both_hold_one.wait(timeout=120)
            take(f"WX{number + 50}", excluded="000001" if number % 2 else "000002")

    [sent_away] = at_once(2, move)
    assert isinstance(sent_away.__cause__, DeadlockDetected)


@pytest.mark.django_db(transaction=True)
def test_com_10_control_a_count_without_its_condition_oversells(a_station: AStation) -> None:
    """Red on purpose: read, then write what was read, without the condition and without the guard trigger.

    It proves that the tests above would notice: with 24 at once, more are told yes than there are seats.
    """
    a_station("000001", per_day=4)
    take("WX-opens-the-day")
    won: list[int] = []
    both_have_read = threading.Barrier(24)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE network_dayload DISABLE TRIGGER network_dayload_never_oversold")

    def naive(number: int) -> None:
        load = DayLoad.objects.get(station_no="000001", day=TODAY)
        both_have_read.wait(timeout=120)
        if load.taken < load.capacity:
            DayLoad.objects.filter(pk=load.pk).update(taken=load.taken + 1)
            won.append(number)

    try:
        assert at_once(24, naive) == []
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE network_dayload ENABLE TRIGGER network_dayload_never_oversold")
    assert len(won) > 3
