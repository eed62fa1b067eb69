"""Those who sit further away: regions that judge, the parts department, quality's callbacks, and a curious outsider."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from mendline.sim.ground.cast import Cast, minutes, text_of
from mendline.sim.ground.customers import Customers
from mendline.sim.ground.oracle.model import Order, Record
from mendline.sim.ground.oracle.plain import Answer


@dataclass(slots=True)
class Offices:
    """Regions, parts and quality. `follow` is told of orders that replace others or are open again."""

    cast: Cast
    customers: Customers
    follow: Callable[[str, datetime], None]

    # --- the region ---

    def undispatched(self, label: str, now: datetime) -> timedelta:
        """Find a station for an order that has none, or in the end let the user go elsewhere."""
        order, rng = self.cast.order(label), self.cast.rng(label)
        if rng.random() < 0.75:
            by = self.cast.region(order) or self.cast.one_of("cc_agent", label)
            wish = rng.choice(sorted(self.cast.network.stations)) if rng.random() < 0.3 else ""
            answer = self.cast.step(by, "dispatch", label, now, **({"station_wish": wish} if wish else {}))
            self.cast.stage.seen.note("dispatched_later" if answer.kind == "ok" else "dispatch_refused")
            return minutes(rng, 200, 700)
        self.cast.step(self.cast.one_of("cc_agent", label), "cancel", label, now, cancel_reason="special_request",
                       requested_by="user", cancel_detail="无站可派")  # fmt: skip
        return minutes(rng, 100, 300)

    def judge(self, label: str, now: datetime) -> timedelta | None:
        """Judge a request or a form; None when nothing is left to judge."""
        record, rng = self.cast.record(label), self.cast.rng(label)
        if not record.is_open:
            if record.state == "lapsed":
                self.cast.stage.seen.note("request_lapsed")
            return None
        order = self.cast.order(record.order)
        if record.process == "special_situation":
            self._judge_form(order, record, rng, now)
        else:
            self._judge_request(order, record, rng, now)
        return minutes(rng, 30, 200)

    def _judge_request(self, order: Order, record: Record, rng: Random, now: datetime) -> None:
        cast = self.cast
        if cast.mood.is_so("withdraws", rng):
            if cast.step(cast.coordinator(order), "withdraw", record.label, now).kind == "ok":
                cast.stage.seen.note("request_withdrawn")
            return
        if cast.mood.is_so("specialist", rng):
            by = cast.one_of("region_channel_specialist", record.label, region=order.region)
            if by:
                cast.step(by, rng.choice(("approve", "cancel_order")), record.label, now)
                return
        by = cast.region(order)
        if not by:
            return
        refuses = cast.mood.is_so("region_refuses", rng) and record.reason != "wrong_phone"
        if refuses and record.state == "submitted":
            if cast.step(by, "refuse", record.label, now, verdict_note="请继续维修").kind == "ok":
                cast.stage.seen.note("request_refused")
            return
        if cast.mood.is_so("region_reassigns", rng) and record.reason in ("wrong_area", "capacity_error"):
            answer = cast.step(by, "reassign_order", record.label, now)
            if answer.kind == "ok":
                cast.stage.seen.note("request_reassigned")
                self.follow(f"{order.label}x", now + minutes(rng, 5, 60))
            return
        answer = cast.step(by, "cancel_order", record.label, now)
        if answer.kind == "ok":
            cast.stage.seen.note("request_executed")
            if record.reason == "unreachable":
                cast.stage.seen.note("five_days_unreached")
        elif answer.kind == "refused":
            cast.step(by, "refuse", record.label, now + minutes(rng, 1, 5), verdict_note="现在不可撤")

    def _judge_form(self, order: Order, record: Record, rng: Random, now: datetime) -> None:
        by = self.cast.region(order)
        name = rng.choice(("agree", "agree_and_cancel", "refuse"))
        given: dict[str, Any] = {"verdict_note": "同上"} if name == "refuse" else {}
        if self.cast.step(by, name, record.label, now, **given).kind == "ok" and name != "refuse":
            self.cast.stage.seen.note("form_agreed")

    # --- parts ---

    def supply(self, label: str, now: datetime) -> timedelta | None:
        """Ship a part or not, in time or late; the station receives it; what is broken comes back."""
        record, rng = self.cast.record(label), self.cast.rng(label)
        order = self.cast.order(record.order)
        parts = self.cast.one_of("service_support_dept", label)
        if record.state == "ordered":
            return self._ship(record, parts, rng, now)
        if record.state == "shipped":
            answer = self.cast.step(self.cast.coordinator(order), "receive", label, now)
            return minutes(rng, 100, 300) if answer.kind != "ok" else minutes(rng, 1500, 5000)
        if record.state == "arrived" and not order.is_open:
            self.cast.step(parts, "take_back", label, now, return_condition=rng.choice(("defective", "unused")))
            return minutes(rng, 60, 100)
        return minutes(rng, 1500, 4000) if record.state == "arrived" else None

    def _ship(self, record: Record, parts: str, rng: Random, now: datetime) -> timedelta:
        if self.cast.mood.is_so("part_rejected", rng):
            if self.cast.step(parts, "reject", record.label, now, refusal="无库存").kind == "ok":
                self.cast.stage.seen.note("part_rejected")
            return minutes(rng, 60, 100)
        given: dict[str, Any] = {"waybill": f"SF{rng.randrange(10**6)}"}
        delay = timedelta(0)
        if self.cast.mood.is_so("part_delay", rng):
            if rng.random() < 0.5:
                return minutes(rng, 1500, 6000)  # they have not even looked at it
            delay = timedelta(hours=rng.uniform(10, 70))
            given["part_due_at"] = text_of(now + delay - timedelta(hours=rng.choice((0, 2, 90))))
        self.cast.step(parts, "ship", record.label, now, **given)
        return delay + minutes(rng, 300, 2000)

    # --- quality ---

    def call_back(self, label: str, now: datetime) -> timedelta | None:
        """Call the user of a closed order; reopen what is not solved (STN-48, STN-45)."""
        order, rng, cast = self.cast.order(label), self.cast.rng(f"{label} callback"), self.cast
        due = order.open_records("callback")
        if not due:
            return None
        callback, user = due[0], self.customers.user(label)
        by = cast.one_of(rng.choice(("cc_agent", "info_support_dept")), callback.label)
        if cast.mood.is_so("not_answering", rng) or (callback.attempts and rng.random() < 0.5):
            if rng.random() < 0.3 or callback.attempts >= 3:
                if cast.step(by, "give_up", callback.label, now).kind == "ok":
                    cast.stage.seen.note("callback_gave_up")
            else:
                cast.step(by, "log_attempt", callback.label, now, attempt_note="未接")
            return minutes(rng, 60, 400)
        if user.unhappy and order.reopened < 2 and rng.random() < 0.7:
            if cast.step(by, "reopen_order", callback.label, now, reopen_reason="又坏了").kind == "ok":
                cast.stage.seen.note("reopened")
            return minutes(rng, 10, 60)
        answer = cast.step(by, "complete", callback.label, now, callback_outcome="satisfied", solved=rng.random() > 0.1)
        if answer.kind == "ok":
            cast.stage.seen.note("called_back")
        return minutes(rng, 20, 200)

    def called_back(self, label: str, now: datetime) -> bool:
        """Once in a while the user calls again after all; tell whether the order may be open again.

        An answer that was lost may have been a yes: whoever sees to the order has to look once more.
        """
        rng = self.cast.rng(f"{label} again")
        if not self.cast.mood.is_so("reopened_later", rng) or self.cast.order(label).reopened:
            return False
        by = self.cast.one_of("cc_agent", label)
        answer = self.cast.step(by, "reopen", label, now, reopen_reason="用户再次来电")
        if answer.kind == "ok":
            self.cast.stage.seen.note("reopened_by_agent")
        return answer.kind != "refused"

    # --- outsiders and lookers ---

    def look(self, label: str, now: datetime) -> None:
        """Somebody looks at an order, its records or a whole queue; an outsider asks for what is not his."""
        if self.cast.is_held(label):
            return
        order, rng, cast = self.cast.order(label), self.cast.rng(f"{label} looks"), self.cast
        if cast.mood.is_so("looks", rng):
            by = rng.choice([p for p in (cast.coordinator(order), cast.region(order), cast.one_of("cc_agent", label))
                             if p])  # fmt: skip
            cast.look(by, rng.choice(("read", "records", "read", "queue")), label, now)
        if cast.mood.is_so("snoops", rng):
            other = rng.choice(cast.network.of_role_anywhere(rng.choice(("station_coordinator", "region_interface"))))
            self._note(cast.look(other, "read", label, now), order, other)
            if rng.random() < 0.5:
                # Whoever was drawn may be the one whose order it is: what he says must then fit the step.
                step = rng.choice(("download", "cancel"))
                given = {"cancel_reason": "wrong_area", "requested_by": "station"} if step == "cancel" else {}
                self._note(cast.step(other, step, label, now, **given), order, other)

    def _note(self, answer: Answer, order: Order, other: str) -> None:
        if answer.status == 404:
            self.cast.stage.seen.note("outsider_absent")
