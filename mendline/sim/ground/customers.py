"""Those whose machines are broken and the agents who take their calls: reports, nagging, second thoughts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from mendline.sim.ground.cast import Cast, minutes, office_hour, text_of
from mendline.sim.ground.crowds import Crowd
from mendline.sim.ground.oracle.cancelling import A_USERS, CLOSED_NORMALLY
from mendline.sim.ground.oracle.plain import Answer, day_of
from mendline.sim.ground.reading import name_of_user

FAULTS = ("开机黑屏", "自动重启", "不通电", "卡纸", "电池充不进电", "花屏", "键盘失灵", "连不上网络")
FIRST_PHONE = 13_700_000_000


@dataclass(frozen=True, slots=True)
class User:
    """One user with a broken machine; most of it only shows when somebody calls or comes."""

    reach: float  # how likely the telephone is answered
    has_wrong_number: bool
    refuses: bool
    by_telephone: bool
    needs_part: bool
    shows_on_site: bool  # nobody can tell by telephone that a part is needed
    passes: int
    unhappy: bool
    moves: bool


@dataclass(slots=True)
class Customers:
    """Everybody who reports. `follow` is told of each order that now exists."""

    cast: Cast
    follow: Callable[[str, datetime], None]
    users: dict[str, User] = field(default_factory=dict)
    crowd: Crowd = field(init=False)

    def __post_init__(self) -> None:
        self.crowd = Crowd(self.cast)

    def user(self, label: str) -> User:
        """Return who stands behind an order and all that replaced it."""
        root = label.rstrip("x")
        if root not in self.users:
            rng, so = self.cast.rng(f"user {root}"), self.cast.mood.is_so
            shows_on_site = so("shows_on_site", self.cast.rng(f"machine {root}"))
            self.users[root] = User(
                reach=0.0 if so("never_reached", rng) else 0.3 if so("hard_to_reach", rng) else 0.85,
                has_wrong_number=so("wrong_number", rng), refuses=so("refuses_visit", rng),
                by_telephone=so("by_telephone", rng), needs_part=so("needs_part", rng), shows_on_site=shows_on_site,
                passes=1 + so("second_pass", rng) + so("second_pass", rng), unhappy=so("unhappy", rng),
                moves=so("moves_visit", rng),
            )  # fmt: skip
        return self.users[root]

    def report(self, label: str, moment: datetime) -> None:
        """Let a user report; sometimes badly first, sometimes twice, sometimes at a station's own counter."""
        rng, so = self.cast.rng(label), self.cast.mood.is_so
        given = {**self._given(label, rng), **self.crowd.drawn_in(label, moment)}
        if so("bad_report", rng):
            self._bad_report(label, given, rng, moment)
        if so("own_orders", rng) and self._at_a_counter(label, given, rng, moment):
            return
        if so("named_station", rng):
            given["station_wish"] = rng.choice(sorted(self.cast.network.stations))
        answer = self._call_the_centre(label, given, rng, moment)
        if answer.kind == "refused":
            self._note_refused(answer, given)
            given.pop("station_wish", None)
            moment += minutes(rng, 1, 4)
            answer = self._call_the_centre(label, given, rng, moment)
        if answer.kind == "refused":
            return  # a product whose channel does not use this procedure
        self._afterwards(label, moment, rng)

    def _call_the_centre(self, label: str, given: dict[str, Any], rng: Random, moment: datetime) -> Answer:
        agent = rng.choice(self.cast.network.of_role("cc_agent"))
        line = self.cast.network.lines[given["product"]]
        full = self.cast.stage.oracle.seats.finest_is_full(given["area"], line, day_of(moment))
        answer = self.cast.create(agent, "report", label, given, moment)
        if answer.kind == "ok" and answer.state == "undispatched":
            self.cast.stage.seen.note("undispatched")
        elif answer.kind == "ok" and full:
            self.cast.stage.seen.note("day_full")
        return answer

    def _note_refused(self, answer: Answer, given: dict[str, Any]) -> None:
        self.cast.stage.seen.note("wish_refused" if given.get("station_wish") else "report_refused")

    def _given(self, label: str, rng: Random) -> dict[str, Any]:
        network = self.cast.network
        product = rng.choice(sorted(network.lines))
        return {
            "customer": {"name": name_of_user(label), "phone": str(FIRST_PHONE + int(label[1:]))},
            "product": product, "area": rng.choice(network.areas), "address": f"学院路{rng.randrange(1, 300)}号",
            "fault": rng.choice(FAULTS), "serial_no": f"SN{rng.randrange(10**6, 10**7)}",
            "service_mode": "send_in" if rng.random() < 0.2 else "on_site", "caller": "user",
        }  # fmt: skip

    def _bad_report(self, label: str, given: dict[str, Any], rng: Random, moment: datetime) -> None:
        """Something is missing, or a station calls the 800 line, or the work was done before the order."""
        agent = rng.choice(self.cast.network.of_role("cc_agent"))
        kind = rng.randrange(3)
        if kind == 0:
            bad = {name: value for name, value in given.items() if name != "address"}
        else:
            bad = {**given, "caller": "station"} if kind == 1 else {**given, "served_already": True}
        answer = self.cast.create(agent, "report", label, bad, moment)
        if answer.kind == "refused":
            self.cast.stage.seen.note("incomplete_report" if kind == 0 else "report_refused")

    def _at_a_counter(self, label: str, given: dict[str, Any], rng: Random, moment: datetime) -> bool:
        """A station makes its own order (COM-01); users of areas with the 800 line may not come by themselves."""
        coordinator = rng.choice(self.cast.network.of_role_anywhere("station_coordinator"))
        line = self.cast.network.lines[given["product"]]
        station = self.cast.network.people[coordinator].station
        has_seat = self.cast.stage.oracle.seats.left(station, line, day_of(moment)) > 0
        own = {name: value for name, value in given.items() if name != "caller"}
        if rng.random() < 0.1:
            own["direct_report"] = True
        answer = self.cast.create(coordinator, "self_order", label, own, moment)
        if answer.kind == "refused":
            self.cast.stage.seen.note("report_refused")
            return False
        self.cast.stage.seen.note("own_order" if has_seat else "own_without_seat")
        self._afterwards(label, moment, rng)
        return True

    def _afterwards(self, label: str, moment: datetime, rng: Random) -> None:
        cast, so = self.cast, self.cast.mood.is_so
        self.follow(label, moment + minutes(rng, 5, 30))
        if so("nags", rng):
            cast.at(moment + timedelta(hours=rng.uniform(1, 40)), lambda now: self._nag(label, now))
        if so("cancels", rng):
            cast.at(moment + timedelta(hours=rng.uniform(0.5, 60)), lambda now: self._cancel(label, now))
        if so("agent_reassigns", rng):
            cast.at(moment + timedelta(hours=rng.uniform(0.2, 5)), lambda now: self._reassign(label, now))
        if so("duplicates", rng) and len(label) < 7:
            cast.at(moment + timedelta(hours=rng.uniform(0.5, 30)), lambda now: self._duplicate(label, now))

    def _agent(self, label: str) -> str:
        return self.cast.one_of("cc_agent", label)

    def _nag(self, label: str, moment: datetime) -> None:
        rng = self.cast.rng(label)
        if self.cast.is_held(label) or label not in self.cast.stage.oracle.orders:
            return
        moment = office_hour(moment, rng)
        name = "urge" if rng.random() < 0.7 else "correct"
        given = {"urge_note": "怎么还没来"} if name == "urge" else {"wished_at": text_of(moment + timedelta(days=1))}
        if self.cast.step(self._agent(label), name, label, moment, **given).kind == "ok" and name == "urge":
            self.cast.stage.seen.note("urged")
        if rng.random() < 0.4:
            self.cast.at(moment + timedelta(hours=rng.uniform(2, 30)), lambda now: self._nag(label, now))

    def _cancel(self, label: str, moment: datetime) -> None:
        """The user has thought better of it; the agent cancels, where the procedure lets him."""
        rng = self.cast.rng(label)
        if self.cast.is_held(label) or not self.cast.order(label).is_open:
            return
        wrong = self.cast.mood.is_so("wrong_cancel", rng)
        reason = rng.choice(sorted(CLOSED_NORMALLY if wrong else A_USERS))
        had_seat = self.cast.order(label).seat is not None
        answer = self.cast.step(
            self._agent(label), "cancel", label, moment, cancel_reason=reason, requested_by="user",
            cancel_detail="用户来电",
        )  # fmt: skip
        if answer.kind == "ok":
            self.cast.stage.seen.note("cancelled_by_user")
            if had_seat:
                self.cast.stage.seen.note("seat_freed")
        elif answer.kind == "refused" and wrong:
            self.cast.stage.seen.note("closed_normally")
        elif answer.kind == "refused":
            self.cast.stage.seen.note("not_its_cancellation")

    def _reassign(self, label: str, moment: datetime) -> None:
        rng = self.cast.rng(label)
        if self.cast.is_held(label) or not self.cast.order(label).is_open:
            return
        answer = self.cast.step(
            self._agent(label), "cancel_and_reassign", label, moment, cancel_reason="wrong_area",
            requested_by="user", cancel_detail="地址说错了", corrected_area=rng.choice(self.cast.network.areas),
        )  # fmt: skip
        if answer.kind == "ok":
            self.cast.stage.seen.note("reassigned_by_agent")
            self.follow(f"{label}x", moment + minutes(rng, 5, 60))

    def _duplicate(self, label: str, moment: datetime) -> None:
        """The same user reports the same trouble a second time: by this procedure a second order."""
        if self.cast.is_held(label):
            return
        rng = self.cast.rng(label)
        given = dict(self.cast.order(label).given)
        given.pop("station_wish", None)
        given.pop("direct_report", None)
        given["caller"] = "user"
        second = f"{label}9"  # reports of a run end in another digit
        given["customer"] = {"name": name_of_user(second), "phone": str(FIRST_PHONE + int(label[1:]))}
        answer = self._call_the_centre(second, given, rng, moment)
        if answer.kind != "refused":
            self.cast.stage.seen.note("duplicate_report")
            self.follow(second, moment + minutes(rng, 10, 60))
