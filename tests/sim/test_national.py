"""The national demo is true: every history ends where its row stands, and whoever asks twice gets the same country."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from django.db import connection, transaction
from pytest_django import DjangoDbBlocker

from mendline.access.models import Person, Role
from mendline.dispatch.current import forget_index
from mendline.kernel.time import local_day
from mendline.network import areas
from mendline.network.directory import forget_directory
from mendline.network.revision import CHECK_EVERY, check_every
from mendline.orders.replay import replay
from mendline.process import calendar_table
from mendline.process.loading import forget_in_force, process_for
from mendline.sim.demo import logins
from mendline.sim.national import HALVES, Written, digest_of, halves, load_national
from mendline.sim.national_calls import HEAT_REGIONS, HEAT_WAVE, LAUNCH, Calls
from mendline.sim.national_huge import years_before
from mendline.sim.national_network import STATIONS, national
from mendline.sim.national_products import LAUNCHED, MODELS
from mendline.sim.national_rows import line_of
from mendline.sim.worlds import World

NOW = datetime(2026, 3, 6, 4, 0, tzinfo=UTC)  # Friday noon in Shanghai
ORDERS = 420


@contextmanager
def a_country() -> Iterator[Written]:
    """Write a thin slice of the country and forget it afterwards, with everything this process kept of it."""
    check_every(0)
    try:
        with transaction.atomic():
            yield load_national(NOW, seed=3, progress=lambda share: None, orders=ORDERS)
            transaction.set_rollback(True)
    finally:
        check_every(CHECK_EVERY.total_seconds())
        forget_index()
        forget_directory()
        forget_in_force()
        calendar_table.forget()


@pytest.fixture(scope="class")
def written(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Written]:
    with django_db_blocker.unblock(), a_country() as found:
        yield found


YEARS_BEFORE = 900


@pytest.fixture(scope="class")
def with_years_before(written: Written, django_db_blocker: DjangoDbBlocker) -> Iterator[Written]:
    with django_db_blocker.unblock(), transaction.atomic():
        years_before(written, a_world(), 5, YEARS_BEFORE, lambda share: None)
        yield written
        transaction.set_rollback(True)


def a_world() -> World:
    """Return the national network with its people as they stand in the database."""
    return World(national(), dict(Person.objects.values_list("username", "pk")))


def rows(statement: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


EVERYTHING = "SELECT ref, state, category, revision, station_no, region, clocks, due_at, facts FROM {}"
BOTH = " UNION ALL ".join(EVERYTHING.format(table) for table in ("orders_repairorder", "orders_record"))


@pytest.mark.usefixtures("written", "db")
class TestCountry:
    def test_nothing_was_refused_on_the_way(self, written: Written) -> None:
        assert written.refusals == ()
        assert written.orders >= ORDERS and written.records > ORDERS / 2

    def test_every_revision_has_its_entry_and_each_begins_where_the_one_before_ended(self) -> None:
        broken = rows(f"""
            SELECT row.ref FROM ({BOTH}) AS row JOIN LATERAL (
                SELECT count(*) AS n, max(revision) AS last, (array_agg(to_state ORDER BY id))[count(*)] AS state,
                       bool_and(from_state = coalesce(before, 'new') AND at >= coalesce(earlier, at)) AS joined
                FROM (SELECT *, lag(to_state) OVER (ORDER BY id) AS before, lag(at) OVER (ORDER BY id) AS earlier
                      FROM journal_entry WHERE subject = row.ref) AS e) AS history ON true
            WHERE history.n <> row.revision + 1 OR history.last <> row.revision OR history.state <> row.state
               OR NOT history.joined""")

        assert broken == []

    def test_every_open_order_has_an_owner_and_a_clock_that_runs(self) -> None:
        """An order in service has no clock by the procedure: somebody is at work there."""
        nobodys = rows("""
            SELECT ref, state FROM orders_repairorder WHERE category IN ('open', 'waiting') AND (
                region = '' OR (station_no = '' AND state <> 'undispatched')
                OR (due_at IS NULL AND state NOT IN ('in_service', 'multi_visit', 'contacting', 'awaiting_part')))""")

        assert nobodys == []

    def test_the_queue_sorts_by_the_next_deadline_of_the_running_clocks(self) -> None:
        wrong = rows(f"""
            SELECT ref FROM ({BOTH}) AS row WHERE due_at IS DISTINCT FROM (
                SELECT min((value->>'due')::timestamptz) FROM jsonb_each(clocks) WHERE value->>'run' = 'running')""")

        assert wrong == []

    def test_com_10_seats_and_day_loads_agree(self) -> None:
        wrong = rows("""
            SELECT d.id FROM network_dayload d
            WHERE d.taken <> (SELECT count(*) FROM network_seat s WHERE s.load_id = d.id) OR d.taken > d.capacity""")
        [(seats,)] = rows("SELECT count(*) FROM network_seat")

        assert wrong == [] and int(str(seats)) > ORDERS / 2

    def test_a_voided_order_has_no_seat_and_knows_its_replacement(self) -> None:
        kept = rows("SELECT o.ref FROM orders_repairorder o JOIN network_seat s ON s.order_ref = o.ref"
                    " WHERE o.category = 'void'")  # fmt: skip
        loose = rows("""
            SELECT o.ref FROM orders_repairorder o LEFT JOIN orders_repairorder n ON n.ref = o.replaced_by
            WHERE o.state = 'cancelled_and_reassigned' AND n.replaces IS DISTINCT FROM o.ref""")

        assert kept == [] and loose == []

    def test_every_running_clock_has_its_timer_and_no_timer_is_overdue(self) -> None:
        missing = rows(f"""
            SELECT row.ref, clock.key FROM ({BOTH}) AS row, jsonb_each(clocks) AS clock
            WHERE clock.value->>'run' = 'running' AND NOT clock.value ? 'breached' AND NOT EXISTS (
                SELECT FROM process_timer t WHERE t.subject = row.ref AND t.clock = clock.key AND t.step = 'breach'
                    AND t.state = 'open' AND t.due_at = (clock.value->>'due')::timestamptz)""")
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM process_timer WHERE state = 'open' AND due_at <= %s", [NOW])
            overdue = cursor.fetchone()

        assert missing == [] and overdue == (0,)

    def test_no_worker_sends_a_notice_of_the_past(self) -> None:
        states = rows("SELECT DISTINCT channel || ' ' || state FROM journal_outgoing")

        assert set(states) <= {("inbox shown",), ("email sent",)}

    def test_nothing_happened_in_the_future(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT (SELECT count(*) FROM journal_entry WHERE at > %s), (SELECT count(*) FROM"
                           " orders_repairorder WHERE updated_at > %s)", [NOW, NOW])  # fmt: skip
            assert cursor.fetchone() == (0, 0)

    def test_process_replay_refuses_nothing_of_it(self) -> None:
        for code, version in (("unified_repair", 3), ("cancellation_request", 1), ("part_order", 1), ("callback", 1)):
            found = replay(process_for(code, version), since=NOW - timedelta(days=40))

            assert found.refused == {} and found.steps > 0, code

    def test_p5_the_guard_of_states_is_awake_again(self) -> None:
        with pytest.raises(Exception, match="does not allow"), transaction.atomic():
            rows("UPDATE orders_repairorder SET state = 'dispatched' WHERE state = 'called_back' RETURNING ref")

    def test_one_person_of_each_role_can_sign_in_as_the_tutorial_says(self) -> None:
        assert {login.username for login in logins()} >= {"zhangmin", "liufang", "wang", "gaofeng", "admin"}
        assert len(logins()) == len(Role)

    def test_the_station_one_signs_in_as_has_work_in_every_state_and_its_region_has_verdicts_to_give(self) -> None:
        states = {state for (state,) in rows("SELECT state FROM orders_repairorder WHERE station_no = '000001'")}
        waiting = rows("SELECT ref FROM orders_record WHERE process = 'cancellation_request' AND category = 'open'"
                       " AND station_no = '000001'")  # fmt: skip

        assert states >= {"dispatched", "downloaded", "contacting", "promised", "printed", "in_service", "multi_visit",
                          "awaiting_part", "resolved"}  # fmt: skip
        assert len(waiting) >= 2

    def test_everybody_who_called_is_known(self) -> None:
        strangers = rows("SELECT ref FROM orders_repairorder o WHERE NOT EXISTS ("
                         " SELECT FROM customers_customer c WHERE c.phone = o.phone)")  # fmt: skip

        assert strangers == []


OLD = "SELECT * FROM orders_repairorder WHERE created_at < (SELECT min(at) FROM journal_entry) - interval '1 day'"


@pytest.mark.usefixtures("with_years_before", "db")
class TestYearsBefore:
    def test_they_grow_towards_the_present_and_all_have_ended(self) -> None:
        [years] = rows(f"""
            SELECT count(*) FILTER (WHERE age < 400), count(*) FILTER (WHERE age BETWEEN 400 AND 764), count(*)
            FROM (SELECT DATE '{NOW:%F}' - created_at::date AS age FROM ({OLD}) AS o) AS ages""")
        states = rows(f"SELECT DISTINCT category FROM ({OLD}) AS o")

        last_year, the_one_before, total = map(int, map(str, years))
        assert total == YEARS_BEFORE and last_year > the_one_before > total / 4
        assert set(states) == {("done",), ("void",)}

    def test_a_copy_was_moved_by_whole_weeks_with_every_date_in_it(self) -> None:
        """What a clock ran for is the same as in the pattern: none ends before its order began, nor after it ended."""
        wrong = rows(f"""
            SELECT ref FROM ({OLD}) AS o, jsonb_each(clocks) AS clock
            WHERE NOT (clock.value->>'due')::timestamptz BETWEEN created_at AND created_at + interval '60 days'
               OR updated_at < created_at
               OR ref NOT LIKE 'WX' || to_char(created_at AT TIME ZONE 'Asia/Shanghai', 'YYMMDD-%')""")

        assert wrong == []

    def test_a_caller_has_one_telephone_and_name_and_is_known(self) -> None:
        names = rows(f"SELECT phone FROM ({OLD}) AS o GROUP BY phone HAVING count(DISTINCT customer_name) > 1")
        strangers = rows(f"SELECT ref FROM ({OLD}) AS o WHERE NOT EXISTS ("
                         " SELECT FROM customers_customer c WHERE c.phone = o.phone)")  # fmt: skip

        assert names == [] and strangers == []

    def test_whoever_served_it_works_at_its_station(self) -> None:
        strangers = rows(f"SELECT o.ref FROM ({OLD}) AS o JOIN access_person p ON p.id = o.assignee_id"
                         " WHERE p.station_no <> o.station_no OR p.name <> o.assignee_name")  # fmt: skip
        served = rows(f"SELECT count(*) FROM ({OLD}) AS o WHERE assignee_id IS NOT NULL")

        assert strangers == [] and served > [(YEARS_BEFORE / 2,)]

    def test_all_indexes_stand_again_and_the_guard_is_awake(self) -> None:
        [(indexes,)] = rows("SELECT count(*) FROM pg_indexes WHERE tablename = 'orders_repairorder'")
        asleep = rows(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = 'orders_repairorder'::regclass AND tgenabled = 'D'"
        )

        assert indexes == 9 and asleep == []


@pytest.mark.django_db
def test_the_same_seed_gives_the_same_country_and_another_seed_another() -> None:
    world = World(national())
    world.build()

    first, again, other = (
        digest_of([part for part, _ in halves(world, NOW, seed, 60, lambda share: None)]) for seed in (1, 1, 2)
    )

    assert first == again != other


def test_the_network_has_its_figures() -> None:
    contents = national()
    heads = [station for station in contents.stations.values() if not station.head]
    covered = {area[:2] for station in contents.stations.values() for area, _ in station.coverage}
    roles = Counter(person.role for person in contents.people.values())

    assert (len(contents.regions), len(heads), len(contents.stations) - len(heads)) == (7, 300, 60)
    assert covered == {place.code for place in areas.children()} and len(covered) == 34
    assert len(contents.products) == 60 and {len(models) for models in MODELS.values()} == {10}
    assert roles["station_engineer"] == 1500 and roles["station_coordinator"] == 300


def test_the_network_holds_what_a_world_file_must_hold() -> None:
    contents = national()
    for station in contents.stations.values():
        head = contents.stations[station.head] if station.head else station
        assert not head.head
        assert len(set(station.coverage)) == len(station.coverage), station.number
        assert {line for _, line in station.coverage} <= set(head.capacity), station.number
        assert all(areas.exists(area) for area, _ in station.coverage) and areas.exists(station.area)
    assert len({station.name for station in contents.stations.values()}) == len(contents.stations)


def test_no_two_halves_share_a_province() -> None:
    assert sorted(province for half in HALVES for province in half) == sorted(STATIONS)


class TestCalls:
    """Enough calls that chance cannot hide the stories; drawn without a database."""

    calls = list(Calls(NOW, Random(9)).drawn(6000))

    def days_ago(self, moment: datetime) -> int:
        return (local_day(NOW) - local_day(moment)).days

    def test_the_heat_wave_brings_calls_where_it_is_hot(self) -> None:
        hot = Counter(
            HEAT_WAVE[0] >= self.days_ago(at) >= HEAT_WAVE[1]
            for at, call in self.calls
            if call.area[:2] in HEAT_REGIONS
        )
        days = HEAT_WAVE[0] - HEAT_WAVE[1] + 1

        assert hot[True] / days > 1.3 * hot[False] / (31 - days)

    def test_the_new_model_is_called_about_once_it_is_sold(self) -> None:
        of_it = Counter(self.days_ago(at) <= LAUNCH for at, call in self.calls if call.fault.product == LAUNCHED)

        assert of_it[True] > 100 and of_it[False] == 0

    def test_nobody_calls_at_night_and_fewer_on_sundays(self) -> None:
        hours = Counter(at.hour for at, _ in self.calls)
        weekdays = Counter(local_day(at).weekday() for at, _ in self.calls)

        assert hours.keys() <= set(range(7, 22)) and max(hours, key=hours.__getitem__) in (9, 10)
        assert weekdays[6] < 0.6 * weekdays[0]

    def test_some_call_again_and_some_report_twice(self) -> None:
        phones = Counter(call.phone for _, call in self.calls)
        machines = Counter(call.serial_no for _, call in self.calls)

        assert sum(n > 1 for n in phones.values()) > 200
        assert 30 < sum(n > 1 for n in machines.values()) < 200

    def test_every_province_calls_and_nobody_after_now(self) -> None:
        assert {call.area[:2] for _, call in self.calls} == set(STATIONS)
        assert max(at for at, _ in self.calls) < NOW


def test_a_row_is_written_as_copy_reads_it() -> None:
    assert line_of(["a\tb\\c\nd", None, 3, "王 先生"]) == "a\\tb\\\\c\\nd\t\\N\t3\t王 先生\n"
