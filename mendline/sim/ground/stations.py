"""Repair stations: a coordinator who calls, promises, orders parts and prints, an engineer who goes and repairs.

A station works on an order again and again; each turn looks at how it stands and does the next thing, in time
or late, by the rules or against them. `turn` returns when the next one is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from mendline.sim.ground.cast import Cast, minutes, office_hour, text_of
from mendline.sim.ground.customers import Customers, User
from mendline.sim.ground.oracle.cancelling import A_STATIONS, CLOSED_NORMALLY
from mendline.sim.ground.oracle.model import Order
from mendline.sim.ground.oracle.objections import EARLIEST_UNREACHABLE, REMOTE
from mendline.sim.ground.oracle.plain import CHINA, Answer, day_of

PARTS = ("MEM-8G", "PSU-300", "HDD-1T", "ROL-A4", "BAT-57")
AN_HOUR = timedelta(hours=1)
Opened = Callable[[str, datetime], None]


@dataclass(slots=True)
class Stations:
    """All stations. `opened` is told of requests and forms that a station has filed."""

    cast: Cast
    customers: Customers
    opened: Opened

    def turn(self, label: str, now: datetime) -> timedelta:
        """Do the next thing on an order, and return how long until the one after."""
        order, rng = self.cast.order(label), self.cast.rng(label)
        if self.cast.mood.is_so("out_of_turn", rng):
            self._out_of_turn(order, rng, now)
        counts_calls = bool(order.promises) and order.promises[-1].at is None  # its own way out: after five days
        if not counts_calls and self.cast.mood.is_so("asks_to_cancel", rng) and rng.random() < 0.3:
            self._ask_to_cancel(order, rng, now)
        if self.cast.is_held(label) or not order.is_open:
            return minutes(rng, 2, 10)
        turn = {
            "dispatched": self._dispatched, "downloaded": self._call, "contacting": self._call,
            "promised": self._promised, "awaiting_part": self._awaiting, "printed": self._printed,
            "in_service": self._in_service, "multi_visit": self._multi_visit,
        }[order.state]  # fmt: skip
        return turn(order, rng, now)

    def _do(self, order: Order, name: str, now: datetime, *, as_engineer: bool = False, **given: Any) -> Answer:
        role = "station_engineer" if as_engineer else "station_coordinator"
        by = self.cast.one_of(role, order.label, station=order.station) or self.cast.coordinator(order)
        return self.cast.step(by, name, order.label, now, **given)

    # --- contact ---

    def _dispatched(self, order: Order, rng: Random, now: datetime) -> timedelta:
        if self.cast.mood.is_so("late_contact", rng):
            self._do(order, "download", now)
            return minutes(rng, 200, 400)
        if rng.random() < 0.7:
            self._do(order, "download", now)
            return minutes(rng, 5, 90)
        return self._call(order, rng, now)

    def _call(self, order: Order, rng: Random, now: datetime) -> timedelta:
        """Call the user; agree a time, or solve it, or find that nobody answers."""
        user = self.customers.user(order.label)
        if order.promises and order.promises[-1].at is None and user.reach == 0:
            return self._keep_calling(order, rng, now)
        if user.has_wrong_number and not order.open_records("cancellation_request") and rng.random() < 0.5:
            if self._do(order, "report_wrong_number", now, contact_note="号码不存在").kind == "ok":
                self.cast.stage.seen.note("wrong_number")
                self.opened(f"{order.label}.request{len(_requests(order))}", now)
            return minutes(rng, 60, 200)
        reached = rng.random() < _reach(order, user)
        outcome = "reached" if reached else rng.choice(("no_answer", "busy", "powered_off"))
        if self._do(order, "log_contact", now, contact_outcome=outcome).kind != "ok" or self._is_gone(order):
            return minutes(rng, 2, 30)
        if not reached:
            self._perhaps_mark(order, rng, now + minutes(rng, 1, 2))
            return minutes(rng, 30, 70)
        now += minutes(rng, 1, 6)
        if user.by_telephone and rng.random() < 0.7:
            return self._solve_by_telephone(order, rng, now)
        if user.needs_part and not user.shows_on_site and order.state != "dispatched" and not list(order.parts()):
            return self._order_part(order, rng, now)
        return self._promise(order, rng, now)

    def _perhaps_mark(self, order: Order, rng: Random, now: datetime) -> None:
        early = order.t1 is not None and now < order.t1 + EARLIEST_UNREACHABLE
        if early and not self.cast.mood.is_so("too_eager", rng):
            return
        if order.promises or order.reached_at is not None:
            return
        answer = self._do(order, "mark_unreachable", now)
        if answer.kind == "ok":
            self.cast.stage.seen.note("special_t31")
        elif answer.kind == "refused" and early:
            self.cast.stage.seen.note("mark_too_early")

    def _keep_calling(self, order: Order, rng: Random, now: datetime) -> timedelta:
        """Six contacts on each of three working days, then the region after five; the lazy ones call less."""
        lazy = self.cast.mood.is_so("lazy_caller", self.cast.rng(f"lazy {order.label}")) and rng.random() < 0.5
        if order.open_records("cancellation_request"):
            return minutes(rng, 300, 600)
        if order.t1 is not None and now - order.t1 > timedelta(days=7):
            user = rng.random() < 0.25 and lazy
            if user:
                return self._promise(order, rng, now)
            self._submit(order, "unreachable", now)
            return minutes(rng, 600, 1400)
        today = order.attempts.get(day_of(now), 0)
        if today >= (3 if lazy else 6):
            return self._tomorrow(now, rng)
        self._do(order, "log_contact", now, contact_outcome="no_answer")
        return minutes(rng, 20, 60)

    def _tomorrow(self, now: datetime, rng: Random) -> timedelta:
        local = now.astimezone(CHINA)
        return local.replace(hour=8, minute=30, second=0) + timedelta(days=1) - local + minutes(rng, 1, 60)

    def _solve_by_telephone(self, order: Order, rng: Random, now: datetime) -> timedelta:
        right = rng.random() > 0.15
        self._do(order, "resolve_remotely", now, as_engineer=rng.random() < 0.5,
                 promise_reason=rng.choice(REMOTE) if right else "电话解决", promise_kind="within_promise")  # fmt: skip
        if order.state == "resolved":
            self.cast.stage.seen.note("solved_by_telephone")
        return minutes(rng, 10, 60)

    # --- promises ---

    def _promise(self, order: Order, rng: Random, now: datetime) -> timedelta:
        """Agree a time, with what a change of it must say; a fourth one is refused (STN-08)."""
        if order.written >= 3 and rng.random() < 0.6:
            return self._stuck(order, rng, now)
        visit = office_hour(now + timedelta(hours=rng.uniform(2, 46)), rng)
        waiting = [part.due for part in order.awaited() if part.due is not None and not part.late]
        if waiting and rng.random() < 0.9:
            visit = max(visit, max(waiting) + AN_HOUR)
        given: dict[str, Any] = {"promised_at": text_of(visit)}
        late = order.late_part()
        if late is not None and late in order.awaited():
            given["promise_kind"] = "part_reason"
        elif order.written and rng.random() < 0.85:
            given |= {"promise_kind": "user_reason", "promise_reason": "用户改期"}
        before = order.written
        answer = self._do(order, "promise", now, **given)
        if answer.kind == "refused" and "STN-08" in answer.rules:
            self.cast.stage.seen.note("fourth_refused")
        elif answer.kind == "refused" and "STN-49" in answer.rules:
            self.cast.stage.seen.note("incomplete_change")
        elif answer.kind == "ok" and before == 2:
            self.cast.stage.seen.note("t33_reached")
        return minutes(rng, 20, 120)

    def _promised(self, order: Order, rng: Random, now: datetime) -> timedelta:
        if order.awaited():
            if rng.random() < 0.2 and self._do(order, "print_order", now).kind == "refused":
                self.cast.stage.seen.note("print_without_part")
            return minutes(rng, 120, 400)
        visit = order.promised_at
        if visit is None:
            return self._promise(order, rng, now)
        if self.customers.user(order.label).moves and rng.random() < 0.4:
            return self._promise(order, rng, now)
        if rng.random() < 0.25:
            engineer = self.cast.one_of("station_engineer", order.label, station=order.station)
            self._do(order, "assign_engineer", now, engineer=engineer if rng.random() < 0.9 else "nobody")
            return minutes(rng, 5, 30)
        early = visit - timedelta(minutes=rng.randrange(20, 90))
        if now < early:
            late = self.cast.mood.is_so("misses_visit", rng)
            return early - now + (minutes(rng, 100, 300) if late else timedelta(0))
        return self._print(order, rng, now)

    def _print(self, order: Order, rng: Random, now: datetime) -> timedelta:
        if rng.random() < 0.05:
            self._do(order, "start_service", now, as_engineer=True, system_failure="打印机故障")
        else:
            self._do(order, "print_order", now)
        return minutes(rng, 10, 25)

    def _printed(self, order: Order, rng: Random, now: datetime) -> timedelta:
        missed = order.visit_due is not None and now > order.visit_due
        answer = self._do(order, "start_service", now, as_engineer=True, user_agrees=True)
        if answer.kind == "ok":
            self.cast.stage.seen.note("promise_missed" if missed else "promise_kept")
        return minutes(rng, 15, 90)

    # --- parts ---

    def _order_part(self, order: Order, rng: Random, now: datetime) -> timedelta:
        given: dict[str, Any] = {
            "part_code": rng.choice(PARTS), "told_user_why": rng.random() > 0.08, "borrowing": "not_available",
        }  # fmt: skip
        if rng.random() < 0.4:
            given["part_due_at"] = text_of(now + timedelta(hours=rng.uniform(6, 60)))
        if rng.random() < 0.3:
            given |= {"promised_at": text_of(office_hour(now + timedelta(hours=rng.uniform(50, 90)), rng)),
                      "promise_kind": "within_promise"}  # fmt: skip
        on_site = order.state == "in_service"
        if self._do(order, "order_part", now, **given).kind == "ok":
            self.cast.stage.seen.note("part_missing_on_site" if on_site else "part_ordered")
            self.opened(list(order.parts())[-1].label, now)
        return minutes(rng, 100, 400)

    def _awaiting(self, order: Order, rng: Random, now: datetime) -> timedelta:
        if order.late_part() is not None:
            self.cast.stage.seen.note("part_late")
        if self.cast.mood.is_so("borrows", rng) and order.awaited():
            code = order.awaited()[0].code if rng.random() < 0.8 else "OTHER-1"
            if self._do(order, "borrow_part", now, part_code=code, lender="兄弟站").kind == "ok":
                self.cast.stage.seen.note("part_borrowed")
            return minutes(rng, 30, 60)
        if order.late_part() is not None and order.written < 3 and rng.random() < 0.2:
            return self._promise(order, rng, now)
        if not order.awaited():
            # Nothing is awaited and yet it stands here: every part was borrowed one by one.
            return self._order_part(order, rng, now)
        return minutes(rng, 200, 600)

    # --- service ---

    def _in_service(self, order: Order, rng: Random, now: datetime) -> timedelta:
        user = self.customers.user(order.label)
        if user.refuses and not order.agreed:
            return self._refused_at_the_door(order, rng, now)
        if rng.random() < 0.4:
            self._do(order, "write_back", now, as_engineer=True, findings="检测中", work_done="清洁")
            return minutes(rng, 10, 40)
        if user.needs_part and not list(order.parts()) and rng.random() < 0.7:
            return self._order_part(order, rng, now)
        if order.passes < user.passes:
            given: dict[str, Any] = {"findings": "一次未解决"}
            if rng.random() < 0.4 and order.written < 3:
                given["promised_at"] = text_of(office_hour(now + timedelta(hours=rng.uniform(4, 40)), rng))
            if self._do(order, "leave_unresolved", now, as_engineer=True, **given).kind == "ok":
                self.cast.stage.seen.note("second_pass")
            return minutes(rng, 60, 300)
        came = any(part.arrived for part in order.parts())
        returns = not self.cast.mood.is_so("forgets_return", rng)
        answer = self._do(order, "resolve", now, as_engineer=rng.random() < 0.7, user_signature="签字",
                          work_done="已修复",
                          **({"part_returned": True} if returns else {}))  # fmt: skip
        if answer.kind == "refused" and came and not returns:
            self.cast.stage.seen.note("part_not_returned")
        elif answer.kind == "ok" and order.reopened:
            self.cast.stage.seen.note("closed_after_reopening")
        return minutes(rng, 5, 30)

    def _refused_at_the_door(self, order: Order, rng: Random, now: datetime) -> timedelta:
        self.cast.stage.seen.note("visit_refused")
        if not order.open_records("special_situation"):
            kind = "user_refuses_plan" if rng.random() < 0.8 else "other"
            answer = self.cast.create(self.cast.coordinator(order), "special_situation", order.label,
                                      {"situation_kind": kind, "situation": "用户不同意"}, now)  # fmt: skip
            if answer.kind == "ok":
                self.opened(order.records[-1].label, now)
        return minutes(rng, 120, 500)

    def _multi_visit(self, order: Order, rng: Random, now: datetime) -> timedelta:
        if order.awaited():
            return minutes(rng, 100, 400)
        if order.promised_at is None and order.written < 3:
            return self._promise(order, rng, now)
        if order.promised_at is not None and now < order.promised_at - AN_HOUR:
            return order.promised_at - AN_HOUR - now
        return self._print(order, rng, now)

    def _stuck(self, order: Order, rng: Random, now: datetime) -> timedelta:
        """All three promises are written: go without another where that is possible, else ask the region."""
        if order.state in ("contacting", "dispatched", "downloaded"):
            user = self.customers.user(order.label)
            if user.reach and rng.random() < 0.5:
                return self._solve_by_telephone(order, rng, now)
            self._submit(order, "special_request", now)
            return minutes(rng, 300, 900)
        return minutes(rng, 60, 200)

    # --- what a station should not do, and what it must ask for ---

    def _submit(self, order: Order, reason: str, now: datetime) -> None:
        """Cancel what the station booked itself, or ask the region; whoever called too little says otherwise then."""
        if order.origin == "station" and reason not in CLOSED_NORMALLY:
            answer = self._do(
                order, "cancel", now, cancel_reason=reason, requested_by="station", cancel_detail="本站单"
            )
        else:
            answer = self.cast.create(self.cast.coordinator(order), "cancellation_request", order.label,
                                      {"cancel_reason": reason, "cancel_detail": "详见记录"}, now)  # fmt: skip
            if answer.kind == "ok":
                self.opened(order.records[-1].label, now)
        if answer.kind == "refused" and "STN-25" in answer.rules:
            self.cast.stage.seen.note("quota_missed")
            now += minutes(self.cast.rng(order.label), 1, 9)
            self._submit(order, "user_postponed", now)

    def _ask_to_cancel(self, order: Order, rng: Random, now: datetime) -> None:
        if self.cast.is_held(order.label) or not order.is_open or order.open_records("cancellation_request"):
            return
        if self.cast.mood.is_so("wrong_cancel", rng):
            reason = rng.choice(sorted({*CLOSED_NORMALLY, "filled_in_wrongly", "unreachable", "user_refuses"}))
        else:
            reason = rng.choice(sorted(A_STATIONS - {"unreachable", "user_refuses"}))
        answer = self.cast.create(self.cast.coordinator(order), "cancellation_request", order.label,
                                  {"cancel_reason": reason, "cancel_detail": "申请"}, now)  # fmt: skip
        if answer.kind == "ok":
            self.opened(order.records[-1].label, now)
        elif answer.kind == "refused" and reason in CLOSED_NORMALLY:
            self.cast.stage.seen.note("closed_normally")

    def _out_of_turn(self, order: Order, rng: Random, now: datetime) -> None:
        """Try something that this role, this state or this moment does not allow."""
        if self.cast.is_held(order.label):
            return
        name, given = rng.choice(
            (
                ("resolve", {"user_signature": "签", "work_done": "完成"}), ("print_order", {}),
                ("start_service", {"user_agrees": False}), ("dispatch", {}), ("urge", {}),
                ("promise", {"promised_at": text_of(now - AN_HOUR)}), ("order_part", {"part_code": "X1"}),
                ("cancel", {"cancel_reason": "capacity_error", "requested_by": "station"}),
                ("reopen", {"reopen_reason": "再开"}), ("write_back", {"findings": "记录"}),
            )
        )  # fmt: skip
        answer = self._do(order, name, now, as_engineer=rng.random() < 0.3, **given)
        if answer.kind != "refused":
            return
        if answer.status == 403:
            self.cast.stage.seen.note("wrong_role")
        elif answer.code == "wrong_state":
            self.cast.stage.seen.note("wrong_state")
        elif name == "cancel":
            self.cast.stage.seen.note("not_its_cancellation")

    def _is_gone(self, order: Order) -> bool:
        return self.cast.is_held(order.label) or not order.is_open


def _reach(order: Order, user: User) -> float:
    """Return how likely the telephone is answered. Who agreed a time once can be reached again, sooner or later."""
    agreed = any(promise.at is not None for promise in order.promises)
    return max(user.reach, 0.5) if agreed else user.reach


def _requests(order: Order) -> list[str]:
    return [record.label for record in order.records if record.process == "cancellation_request"]
