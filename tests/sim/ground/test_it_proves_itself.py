"""The ground sees what it is there to see: each lie told to it, each row touched behind its back, goes red."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import override_settings

from mendline.sim.ground import clock, run
from mendline.sim.ground.at_rest import differences
from mendline.sim.ground.cast import Cast
from mendline.sim.ground.door import Door, Reply
from mendline.sim.ground.moods import USUAL, Mood
from mendline.sim.ground.oracle.oracle import Oracle
from mendline.sim.ground.oracle.plain import Call, Network
from mendline.sim.ground.run import START, Story
from mendline.sim.ground.stage import BUDGET, Stage
from mendline.web.api import calls

QUIET = Mood(dict.fromkeys(USUAL, 0.0))


class Small:
    """A quiet world of a few reports, in which everything is well until somebody plants a fault."""

    def __init__(self, network: Network, time: clock.SimulatedTime) -> None:
        self.stage = Stage(Oracle(network), Door(), time, network.of_role_anywhere("cc_agent")[0])
        self.cast = Cast(self.stage, network, QUIET, 5, START)
        self.story = Story(self.cast)

    def report(self, *labels: str) -> None:
        for label in labels:
            self.story.customers.report(label, self.stage.time.now())

    def play(self, turns: int = 400) -> None:
        while self.cast.agenda and turns:
            self.cast.play_next()
            turns -= 1

    @property
    def kinds(self) -> set[str]:
        return {finding.kind for finding in (*self.stage.findings, *differences(self.stage))}


@pytest.fixture
def small(network: Network) -> Iterator[Small]:
    with clock.simulated_time(START) as time:
        yield Small(network, time)


Lie = Callable[[Call, Reply], Reply]


def lie(verb: str, what: Callable[[bytes], bytes]) -> Lie:
    """Return a wire that changes the answers to such calls."""

    def tamper(call: Call, reply: Reply) -> Reply:
        if call.verb != verb or reply.status >= 400:
            return reply
        return Reply(reply.status, what(reply.body), reply.replayed, reply.statements)

    return tamper


def behind_its_back(table: str, statement: str) -> None:
    """Change rows as nobody may: with the triggers of the table switched off by its owner."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(statement)
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def test_control_a_quiet_world_shows_nothing(small: Small) -> None:
    small.report("o11", "o21", "o31")
    small.play()

    assert small.kinds == set()
    assert {order.state for order in small.stage.oracle.orders.values()} == {"called_back"}


@pytest.mark.parametrize(
    ("verb", "what", "kind"),
    [
        ("step", lambda body: body.replace(b'"promised"', b'"contacting"'), "state_wrong"),
        ("step", lambda body: re.sub(rb'"breached":false', b'"breached":true', body), "clock_wrong"),
        ("create", lambda body: re.sub(rb'"station_no":"\d+"', b'"station_no":"000012"', body), "wrong_station"),
        ("step", lambda body: body.replace(b'"state"', b'"phone":"13700000011","state"'), "phone_shown"),
        ("step", lambda body: re.sub(rb'"revision":\d+', b'"revision":0', body), "revision_stands"),
    ],
    ids=["another state", "a breach that was none", "another station", "a whole telephone number", "an old revision"],
)
def test_a_lying_answer_is_noticed(small: Small, verb: str, what: Callable[[bytes], bytes], kind: str) -> None:
    small.stage.tamper = lie(verb, what)
    small.report("o11", "o21")
    small.play(30 if verb == "step" else 0)

    assert kind in {finding.kind for finding in small.stage.findings}


def test_an_answer_that_was_given_twice_differently_is_noticed(small: Small) -> None:
    numbers = itertools.count()
    small.stage.tamper = lie("create", lambda body: body.replace(b"{", b'{"n":%d,' % next(numbers), 1))
    agent = small.stage.looker
    given = small.story.customers._given("o11", small.cast.rng("o11"))
    small.stage.do(Call(1, START, agent, "create", "report", "o11", given, fault="twice", key="k1"))

    assert "answered_twice" in {finding.kind for finding in small.stage.findings}


def test_p11_an_answer_that_names_somebody_elses_user_is_noticed(small: Small) -> None:
    small.report("o11")
    order = small.cast.order("o11")
    other = next(p for p in small.cast.network.of_role_anywhere("station_coordinator")
                 if small.cast.network.people[p].station != order.station)  # fmt: skip
    small.stage.tamper = lie("queue", lambda body: body.replace(b'"next"', '"x":"用户o11","next"'.encode()))
    small.cast.look(other, "queue", "o11", small.stage.time.now())

    assert "foreign_named" in {finding.kind for finding in small.stage.findings}


def test_p1_a_lost_report_is_noticed(small: Small) -> None:
    small.report("o11", "o21")
    ref = small.stage.numbers.by_label["o21"]
    behind_its_back("orders_repairorder", f"DELETE FROM orders_repairorder WHERE ref = '{ref}'")

    assert "report_lost" in small.kinds


def test_p1_a_report_that_nobody_was_told_of_is_noticed(small: Small) -> None:
    small.report("o11", "o21")
    label = small.stage.numbers
    label.by_label.pop("o21")

    assert "nobody_reported" in small.kinds


def test_p2_one_seat_too_many_is_noticed(small: Small) -> None:
    small.report("o11")
    behind_its_back(
        "network_seat", "INSERT INTO network_seat (order_ref, load_id) SELECT 'WX260401-extra', id FROM network_dayload"
    )

    assert "seats_wrong" in small.kinds


def test_p3_a_timer_that_fired_twice_is_noticed(small: Small) -> None:
    small.report("o11")
    small.stage.pass_time(START + timedelta(hours=5))
    assert small.kinds == set()
    again = (
        "at, subject, kind, process, from_state, to_state, revision, actor_name, actor_role, station_no, region, data"
    )
    behind_its_back(
        "journal_entry",
        f"INSERT INTO journal_entry ({again}) SELECT {again} FROM journal_entry WHERE kind = 'clock.breach'",
    )

    assert "breach_too_many" in small.kinds


def test_p3_a_timer_that_never_fires_is_noticed(small: Small) -> None:
    small.report("o11")
    behind_its_back("process_timer", "UPDATE process_timer SET state = 'void' WHERE step = 'breach'")
    small.stage.pass_time(START + timedelta(hours=5))

    assert "breach_missing" in small.kinds


def test_i19_a_call_with_too_many_statements_is_noticed(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small.stage.door, "counted", 1)
    monkeypatch.setitem(BUDGET, "create", 1)
    small.report("o11")

    assert "too_many_statements" in {finding.kind for finding in small.stage.findings}


def test_a_story_that_breaks_off_is_noticed(small: Small) -> None:
    def break_off(now: datetime) -> None:
        raise LookupError("nobody there")

    small.cast.at(START, break_off)
    run._next(small.cast, small.stage)

    assert {finding.kind for finding in small.stage.findings} == {"story_broke"}


def test_simulated_time_is_refused_in_production() -> None:
    with override_settings(LOCAL=False), pytest.raises(clock.NotForRealWork), clock.simulated_time(START):
        pass


def test_after_the_block_the_edge_has_its_own_clock_again() -> None:
    edge = vars(calls)
    real = edge["timezone"]
    with clock.simulated_time(START):
        assert edge["timezone"].now() == START
    assert edge["timezone"] is real
