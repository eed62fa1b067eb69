"""What people do at the same time: a few who want the same thing, and what must be true afterwards in any order.

Each play stands on the world `tight` (a station has one seat a day) and says who does what, how many of them may
get their way, and that nobody is left with a fault of ours as his answer. What must hold of the rows is the same
for all (`invariants.broken`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any, TypeAlias

from django.db import connection

from mendline.dispatch.current import current_index, forget_index
from mendline.kernel.time import SHANGHAI, local_day
from mendline.network.directory import current_directory
from mendline.network.history import set_capacity
from mendline.orders import store
from mendline.orders.sweep import sweep
from mendline.orders.transitions import begin, perform
from mendline.process import loading
from mendline.sim import invariants, worlds
from mendline.sim.faults.baton import Crew, Played, chooser_of
from mendline.sim.faults.calls import Response, Secrets, application, at_time, post
from mendline.sim.faults.rows import Rows
from mendline.web.api import callers

MONDAY_NINE = datetime(2026, 3, 2, 9, tzinfo=SHANGHAI)
OVERDUE = MONDAY_NINE + timedelta(hours=4, minutes=1)
WORLD = "tight"
HAIDIAN, CHAOYANG = "000001", "000002"
Act: TypeAlias = Callable[[], Any]


@dataclass(slots=True)
class Scene:
    """The world as the play finds it, and how its people act."""

    world: worlds.World
    secrets: Secrets
    now: datetime = MONDAY_NINE
    refs: dict[str, str] = field(default_factory=dict)
    _callers: Iterator[int] = field(default_factory=lambda: count(1))

    def person(self, who: str) -> int:
        found = self.world.actor(who).person_id
        assert found is not None
        return found

    def given(self, **changed: Any) -> dict[str, Any]:
        customer = {"name": "王先生", "phone": f"1380000{next(self._callers):04d}"}
        return {
            "customer": customer, "product": "desktop", "area": "110108", "address": "上地信息路2号",
            "fault": "开机黑屏", "service_mode": "on_site", **changed,
        }  # fmt: skip

    def calls(self, who: str, path: str, key: str, body: Mapping[str, Any]) -> Act:
        secret = self.secrets(self.person(who))
        return lambda: post(path, secret, key, body)

    def reports(self, who: str, key: str, **changed: Any) -> Act:
        return self.calls(who, "/api/v1/orders", key, {"given": self.given(**changed)})

    def steps(self, who: str, ref: str, name: str, **given: Any) -> Act:
        kind = "orders" if store.table_of(ref) == "order" else "records"
        return self.calls(who, f"/api/v1/{kind}/{ref}/transitions/{name}", f"{who}-{name}-{ref}", {"given": given})

    def an_order(self, name: str = "order", **changed: Any) -> str:
        actor = self.world.actor("cc_agent")
        made = begin("unified_repair", "report", actor=actor, now=self.now, given=self.given(**changed))
        self.refs[name] = made.ref
        return made.ref

    def did(self, who: str, ref: str, name: str, **given: Any) -> None:
        perform(ref, name, actor=self.world.actor(who), now=self.now, given=given)


@dataclass(frozen=True, slots=True)
class Play:
    """`acts` prepares the scene and returns who does what; `faults` says what is wrong with the answers."""

    name: str
    acts: Callable[[Scene], dict[str, Act]]
    faults: Callable[[Scene, Mapping[str, Any]], list[str]] = lambda scene, answers: []
    at: datetime = MONDAY_NINE


def _states(answers: Mapping[str, Any]) -> Counter[str]:
    return Counter(str(one.json.get("state")) for one in answers.values() if isinstance(one, Response) and
                   one.status in (200, 201))  # fmt: skip


def _exactly(wanted: Mapping[str, int]) -> Callable[[Scene, Mapping[str, Any]], list[str]]:
    """Check how many of the answers say which state, `refused` for those that say no."""

    def check(scene: Scene, answers: Mapping[str, Any]) -> list[str]:
        found = _states(answers)
        found["refused"] = sum(isinstance(one, Response) and one.status in (409, 422) for one in answers.values())
        return [f"{what}: {found[what]}, must be {many}" for what, many in wanted.items() if found[what] != many]

    return check


def _last_seats(scene: Scene) -> dict[str, Act]:
    """Four callers, two stations that could come, a seat at each."""
    return {f"agent {n}": scene.reports("cc_agent", f"seat-{n}") for n in range(4)}


def _cancel_and_book(scene: Scene) -> dict[str, Act]:
    """A seat is free and another comes back with an order that is being voided; three want one."""
    set_capacity(HAIDIAN, "desktop", 2, since=local_day(scene.now), today=local_day(scene.now))
    ref = scene.an_order()
    scene.an_order("other", station_wish=CHAOYANG)
    return {
        "canceller": scene.steps("cc_agent", ref, "cancel", cancel_reason="user_solved", requested_by="user"),
        **{f"agent {n}": scene.reports("cc_agent", f"after-{n}") for n in range(3)},
    }


def _two_moves(scene: Scene) -> dict[str, Act]:
    """Two orders change places while a third is reported; both stations must have a seat more for that."""
    for station in (HAIDIAN, CHAOYANG):
        set_capacity(station, "desktop", 2, since=local_day(scene.now), today=local_day(scene.now))
    one, other = scene.an_order("one"), scene.an_order("other", area="110105")
    words = {"cancel_reason": "wrong_area", "requested_by": "user"}
    return {
        "first": scene.steps("cc_agent", one, "cancel_and_reassign", station_wish=CHAOYANG, **words),
        "second": scene.steps("cc_agent", other, "cancel_and_reassign", station_wish=HAIDIAN,
                              corrected_area="110108", corrected_address="上地信息路2号", **words),
        "agent": scene.reports("cc_agent", "third"),
    }  # fmt: skip


def _capacity_goes(scene: Scene) -> dict[str, Act]:
    """A station's capacity is lowered while its day is opened and its seats are being taken."""
    today = local_day(scene.now)
    set_capacity(HAIDIAN, "desktop", 3, since=today, today=today)

    def lowered() -> str:
        set_capacity(HAIDIAN, "desktop", 1, since=today, today=today)
        return "lowered"

    return {"filing": lowered, **{f"agent {n}": scene.reports("cc_agent", f"cap-{n}") for n in range(3)}}


def _day_follows_the_filing(scene: Scene, answers: Mapping[str, Any]) -> list[str]:
    """Check that the day, if somebody opened it, has the capacity that was filed last (COM-10)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT capacity FROM network_dayload WHERE station_no = %s AND day = %s AND capacity <> 1",
            [HAIDIAN, local_day(scene.now)],
        )
        return [f"I5 the day has {capacity} seats, 1 was filed" for (capacity,) in cursor.fetchall()]


def _same_order(scene: Scene) -> dict[str, Act]:
    """Two coordinators have the same screen before them."""
    ref = scene.an_order()
    coordinator = f"station_coordinator@{HAIDIAN}"
    body = {"given": {}, "revision": 0}
    path = f"/api/v1/orders/{ref}/transitions/download"
    return {f"screen {n}": scene.calls(coordinator, path, f"screen-{n}", body) for n in range(3)}


def _verdict_and_cancellation(scene: Scene) -> dict[str, Act]:
    """The region executes the station's request while the call centre voids the order."""
    ref = scene.an_order()
    coordinator = scene.world.actor(f"station_coordinator@{HAIDIAN}")
    request = begin("cancellation_request", "submit", actor=coordinator, now=scene.now,
                    given={"cancel_reason": "wrong_area"}, order_ref=ref)  # fmt: skip
    return {
        "region": scene.steps("region_interface@north", request.ref, "cancel_order"),
        "agent": scene.steps("cc_agent", ref, "cancel", cancel_reason="user_solved", requested_by="user"),
        "station": scene.steps(f"station_coordinator@{HAIDIAN}", ref, "download"),
    }


def _alarm_and_person(scene: Scene) -> dict[str, Act]:
    """Two sweepers find the first call overdue while the station downloads the order and the agent urges it."""
    ref = scene.an_order()
    scene.an_order("other")
    return {
        "sweeper 1": lambda: sweep(OVERDUE), "sweeper 2": lambda: sweep(OVERDUE),
        "station": scene.steps(f"station_coordinator@{HAIDIAN}", ref, "download"),
        "agent": scene.steps("cc_agent", ref, "cancel", cancel_reason="user_solved", requested_by="user"),
    }  # fmt: skip


def _same_key(scene: Scene) -> dict[str, Act]:
    """An impatient client sends the same report three times, and once another one under its key."""
    body = {"given": scene.given()}
    act = scene.calls("cc_agent", "/api/v1/orders", "impatient", body)
    other = scene.calls("cc_agent", "/api/v1/orders", "impatient", {"given": scene.given(fault="蓝屏")})
    return {"once": act, "twice": act, "thrice": act, "other": other}


def _one_answer(scene: Scene, answers: Mapping[str, Any]) -> list[str]:
    """Check that all who were answered for the same request got the same bytes, and one order was made."""
    done = {name: one.body for name, one in answers.items() if isinstance(one, Response) and one.status == 201}
    same = {body for name, body in done.items() if name != "other"}
    wrong = [f"the same request was answered in {len(same)} ways"] if len(same) > 1 else []
    if "other" in done and same:
        wrong.append("another request under the same key was answered as if it were new")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM orders_repairorder")
        [made] = cursor.fetchone()
    return wrong + ([f"{made} orders for one key"] if made != 1 else [])


PLAYS: tuple[Play, ...] = (
    Play("the last seats", _last_seats, _exactly({"dispatched": 2, "undispatched": 2, "refused": 0})),
    Play("a seat comes back", _cancel_and_book),
    Play("two orders change places", _two_moves),
    Play("a capacity is lowered", _capacity_goes, _day_follows_the_filing),
    Play("one screen, three people", _same_order, _exactly({"downloaded": 1, "refused": 2})),
    Play("verdict and cancellation", _verdict_and_cancellation),
    Play("the alarm and the person", _alarm_and_person, at=OVERDUE),
    Play("the same key again", _same_key, _one_answer),
)
SESSIONS = 4


class Theatre:
    """The world `tight` in the database we are connected to as its owner, put back after every play."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        application()
        self._rows = Rows()
        self._empty = self._rows.now()
        self.world = worlds.load(WORLD)
        self.world.build()
        self._secrets = Secrets()
        for person_id in self.world.person_ids.values():
            self._secrets(person_id)
        with connection.cursor() as cursor:  # noted once in five minutes of the clock: not by these
            cursor.execute("UPDATE access_token SET last_used_at = '2100-01-01'")
        self._built = self._rows.now()
        self._rehearsed: set[str] = set()

    def seed(self, play: Play, seed: int) -> tuple[Played, list[str]]:
        """Carry out one play in the order of a seed; return how it went and everything that is wrong.

        The first time is a rehearsal, after which everybody knows what they know at every later time.
        """
        if play.name not in self._rehearsed:
            self._rehearsed.add(play.name)
            self._played(play, 0)
        return self._played(play, seed)

    def _played(self, play: Play, seed: int) -> tuple[Played, list[str]]:
        scene = Scene(self.world, self._secrets)
        acts = play.acts(scene)
        _same_start(play.at)
        try:
            with at_time(play.at):
                played = self._crew.play(acts, chooser_of(seed, list(acts)))
            wrong = [*_faults_of_ours(played.answers), *play.faults(scene, played.answers)]
            with connection.cursor() as cursor:
                wrong += map(str, invariants.broken(cursor, play.at))
        finally:
            self._rows.put_back(self._rows.since(self._built))
        return played, wrong

    def leave(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM access_token")
        self._rows.put_back(self._rows.since(self._empty))


@contextmanager
def a_theatre(crew: Crew) -> Iterator[Theatre]:
    theatre = Theatre(crew)
    try:
        yield theatre
    finally:
        theatre.leave()


def _same_start(now: datetime) -> None:
    """Let the process know as much as it will know when the seed is played again."""
    callers._REMEMBERED.clear()
    loading.forget_in_force()
    loading.in_force("unified_repair", "desktop", now)
    forget_index()
    current_index(now)
    current_directory()


def _faults_of_ours(answers: Mapping[str, Any]) -> list[str]:
    """Name everybody who got an error instead of an answer, or an answer that says it is our fault (I18).

    To be told that too many want the same is our fault as well: these are four, and whoever waits for somebody
    gets on when that one is done. Only where two wait for each other does the database send one away.
    """
    return [
        f"I18 {name}: {one.status if isinstance(one, Response) else type(one).__name__} "
        f"{one.body[:160].decode(errors='replace') if isinstance(one, Response) else one}"
        for name, one in answers.items()
        if isinstance(one, Exception) or (isinstance(one, Response) and (one.status >= 500 or _is_busy(one)))
    ]


def _is_busy(answer: Response) -> bool:
    return answer.status == 409 and answer.json.get("code") == "busy"
