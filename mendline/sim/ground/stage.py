"""Where a world is played: time passes, calls go through the door, every answer is laid before the oracle."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import OperationalError

from mendline.orders.sweep import BATCH, next_due_at, sweep
from mendline.sim.ground import door as doors
from mendline.sim.ground.clock import SimulatedTime
from mendline.sim.ground.door import Door, Reply
from mendline.sim.ground.oracle.effects import SHORT
from mendline.sim.ground.oracle.leaks import leaks
from mendline.sim.ground.oracle.oracle import MOVES_SEATS, Oracle
from mendline.sim.ground.oracle.plain import Answer, Call, Finding
from mendline.sim.ground.reading import Numbers, understood
from mendline.sim.ground.situations import Seen

LOST_REQUEST, LOST_REPLY, TWICE, STALE, REUSED = "request_lost", "reply_lost", "twice", "stale", "reused"
CALL_FAULTS = (LOST_REQUEST, LOST_REPLY, doors.BEFORE, doors.AFTER, TWICE, STALE, REUSED)
OPENS_RECORDS = frozenset(("order_part", "resolve", "resolve_remotely", "report_wrong_number"))
REPLACES = frozenset(("cancel_and_reassign", "reassign_order"))
# Statements that one call may send (I19), with room for a look whether the network changed meanwhile. A step that ends
# an order also ends what is open beside it.
BUDGET = {"read": 18, "records": 8, "queue": 8, "create": 18, "step": 60}
MOST_SWEEPS = 2_000
MOST_FINDINGS = 40
UNKNOWN = Answer("unknown")


@dataclass(slots=True)
class Pause:
    """The sweeper is dead or stopped from `at` until `until`."""

    at: datetime
    until: datetime


@dataclass(slots=True)
class Stage:
    """One run against one database. `history` is what can be played again, call by call."""

    oracle: Oracle
    door: Door
    time: SimulatedTime
    looker: str  # an agent who sees everything and looks after what steps opened
    numbers: Numbers = field(default_factory=Numbers)
    seen: Seen = field(default_factory=Seen)
    findings: list[Finding] = field(default_factory=list)
    history: list[Call | Pause] = field(default_factory=list)
    asleep_until: datetime | None = None
    cut_sweeps: bool = False
    tally: Counter[str] = field(default_factory=Counter)
    statements: Counter[str] = field(default_factory=Counter)  # the most of any one call, by verb and name
    tamper: Callable[[Call, Reply], Reply] | None = None  # a lying wire, for the ground's own tests
    _trace: Any = field(default_factory=hashlib.sha256)
    _next_due: datetime | None = None
    _knows_due: bool = False  # whether nothing was written since `_next_due` was asked for

    @property
    def is_beyond_hope(self) -> bool:
        """Tell whether to stop: after so many findings the model knows nothing of the rest."""
        return len(self.findings) >= MOST_FINDINGS

    # --- time ---

    def sleep(self, until: datetime) -> None:
        """Stop the sweeper until then."""
        self.history.append(Pause(self.time.now(), until))
        self.asleep_until = until
        hours = (until - self.time.now()) / timedelta(hours=1)
        self.seen.note("paused_11_min" if hours < 1 else "paused_6_h" if hours < 24 else "paused_3_days")

    def pass_time(self, until: datetime) -> None:
        """Let time pass; what falls due takes effect at its instant, or when the sweeper comes back."""
        if self.asleep_until is not None:
            if self.asleep_until > until:
                self.time.move_to(until)
                return
            self.time.move_to(max(self.time.now(), self.asleep_until))
            self.asleep_until = None
            self._sweep(self.time.now())
        for _ in range(MOST_SWEEPS):
            due = self._due()
            if due is None or due > until:
                break
            self.time.move_to(max(due, self.time.now()))
            if not self._sweep(self.time.now()) and self._due() == due:
                self.note(Finding("timer_stands", "I11", f"到期 {due} 的计时器未处理", f"a timer due {due} stands"))
                break
        self.time.move_to(until)
        self.oracle.swept(until)

    def _due(self) -> datetime | None:
        """Return when the next timer is due. Time passes before every call, and most of them write nothing."""
        if not self._knows_due:
            self._next_due, self._knows_due = next_due_at(), True
        return self._next_due

    def _sweep(self, now: datetime) -> int:
        settled, self._knows_due = 0, False
        while True:
            if self.cut_sweeps and self.tally["sweeps"] % 17 == 16:
                self._cut_sweep(now)
            count = sweep(now)
            self.tally["sweeps"] += 1
            settled += count
            if count < BATCH:
                break
        self.oracle.swept(now)
        if settled > 1:
            self.seen.note("backlog")
        self.tell(f"sweep {now.isoformat()} {settled}")
        return settled

    def _cut_sweep(self, now: datetime) -> None:
        try:
            with doors.broken_at(doors.BEFORE if self.tally["sweeps"] % 2 else doors.AFTER):
                sweep(now)
        except OperationalError:
            self.seen.note("sweep_cut")

    # --- calls ---

    def do(self, call: Call) -> Answer:
        """Let a call happen, with what befalls it, and return what its caller learns."""
        self.pass_time(max(call.at, self.time.now()))
        call = replace(call, at=self.time.now())
        self.history.append(call)
        if call.fault == STALE and call.verb == "step":
            call = replace(call, revision=max(0, self.oracle.order_of(call.about).revision - 1))
        answer = self._once(call)
        if answer.kind == "unknown" and self._must_know_now(call):
            answer = self._once(replace(call, fault="", at=self.time.now()))
        if answer.kind == "ok":
            self._after(call, answer)
        return answer

    def again(self, call: Call) -> Answer:
        """Send a call whose outcome is unknown once more, with the key and the body it had."""
        self.pass_time(max(call.at, self.time.now()))
        call = replace(call, at=self.time.now(), fault="")
        self.history.append(call)
        answer = self._once(call)
        if answer.kind == "ok":
            self._after(call, answer)
        return answer

    def _must_know_now(self, call: Call) -> bool:
        return call.verb != "step" or call.name in MOVES_SEATS

    def _once(self, call: Call) -> Answer:
        held = self.oracle.maybes.get(call.about.partition(".")[0])
        answer = self._travel(call)
        if answer.kind == "refused" and answer.status >= 500:
            en = f"{call.verb} {call.name} was answered with {answer.status}"
            self.note(Finding("fault_of_ours", "I18", f"{call.name} 得到 {answer.status}", en, call.number))
        for finding in self.oracle.saw(call, answer):
            self.note(finding)
        if held is not None and answer.kind != "unknown":
            self._note_collapse(held.call.fault, answer)
        for finding in leaks(self.oracle, call, answer):
            self.note(finding)
        self._count(call, answer)
        self.tell(
            f"{call.at.isoformat()} {call.by} {call.verb} {call.name} {call.about} {call.fault} → {answer.kind}"
            f" {answer.status} {answer.code} {sorted(answer.rules)} {answer.state} {answer.station}"
        )
        return answer

    def _note_collapse(self, fault: str, answer: Answer) -> None:
        done = answer.replayed
        if fault in (doors.BEFORE, doors.AFTER):
            self.seen.note("commit_unknown_done" if done else "commit_unknown_undone")
        elif fault in (LOST_REPLY, LOST_REQUEST):
            self.seen.note("reply_lost" if fault == LOST_REPLY else "request_lost")

    def _travel(self, call: Call) -> Answer:
        """Send the call through what befalls it."""
        if call.fault == LOST_REQUEST:
            return UNKNOWN
        reply = self._send(call, call.fault if call.fault in (doors.BEFORE, doors.AFTER) else "")
        if call.fault == LOST_REPLY:
            return UNKNOWN
        answer = understood(reply, self.numbers)
        if answer.kind == "ok" and call.fault in (TWICE, REUSED) and call.verb in ("create", "step"):
            self._deliver_again(call, answer)
        if call.verb == "create" and answer.kind == "ok":
            self._learn_number(call, str(reply.json()["ref"]))
        if answer.status == 409 and call.fault == STALE:
            self.seen.note("stale_refused")
        return answer

    def _send(self, call: Call, cut: str = "") -> Reply:
        method, path, body = self._address(call)
        reply = self.door.send(method, path, by=call.by, body=body, key=call.key if method == "POST" else "", cut=cut)
        if method == "POST" and not 400 <= reply.status < 500:
            self._knows_due = False
        return self.tamper(call, reply) if self.tamper is not None else reply

    def _address(self, call: Call) -> tuple[str, str, dict[str, Any] | None]:
        about = self.numbers.by_label.get(call.about, "WX260401-22222AAAA")
        if call.verb == "queue":
            return "GET", "/orders?limit=100", None
        if call.verb == "records":
            return "GET", f"/records?order_ref={about}&category=all&limit=100", None
        kind = "orders" if "." not in call.about else "records"
        if call.verb == "read":
            return "GET", f"/{kind}/{about}", None
        if call.verb == "create" and call.name in SHORT:
            return "POST", f"/records/{call.name}", {"given": dict(call.given), "order_ref": about}
        if call.verb == "create":
            return "POST", "/orders", {"given": dict(call.given), "transition": call.name}
        body: dict[str, Any] = {"given": dict(call.given)}
        if call.revision is not None:
            body["revision"] = call.revision
        return "POST", f"/{kind}/{about}/transitions/{call.name}", body

    def _learn_number(self, call: Call, ref: str) -> None:
        if call.name not in SHORT:
            self.numbers.learn(call.about, ref)
            return
        number = sum(r.process == call.name for r in self.oracle.order_of(call.about).records) + 1
        self.numbers.learn(f"{call.about}.{SHORT[call.name]}{number}", ref)

    def _deliver_again(self, call: Call, first: Answer) -> None:
        """Deliver what was done once more: the same bytes come back. Another body under the key is refused."""
        if call.fault == TWICE:
            second = understood(self._send(call), self.numbers)
            if second.body != first.body or not second.replayed:
                en = f"{call.name} on {call.about} delivered twice was answered differently"
                self.note(Finding("answered_twice", "I3", f"{call.name} 两次送达答复不同", en, call.number))
            self.seen.note("delivered_twice")
            return
        other = replace(call, given={**call.given, "fault": "另一内容"})
        code = understood(self._send(other), self.numbers).code
        if code != "idempotency_key_reused":
            en = f"the key of {call.name} was taken for another body ({code or 'done'})"
            self.note(Finding("key_taken_twice", "I2", f"{call.name} 的键被另一内容使用", en, call.number))
        self.seen.note("key_reused")

    def _after(self, call: Call, answer: Answer) -> None:
        """Look after what a step opened: records get their numbers, a replacement is read at once."""
        if call.verb == "step" and call.name in OPENS_RECORDS:
            self._look_for_records(call.about)
        if call.verb == "step" and call.name in REPLACES and self.oracle.order_of(call.about).replaced_by:
            self._look_for_replacement(self.oracle.order_of(call.about).label)

    def _look_for_records(self, label: str) -> None:
        order = self.oracle.order_of(label)
        reply = self.door.send("GET", f"/records?order_ref={self.numbers.by_label[label]}&category=all&limit=100",
                               by=self.looker)  # fmt: skip
        items = sorted(reply.json()["items"], key=lambda row: str(row["created_at"]))
        for process in SHORT:
            refs = [str(row["ref"]) for row in items if row["process"] == process]
            labels = [record.label for record in order.records if record.process == process]
            if len(refs) != len(labels):
                en = f"{label} has {len(refs)} × {process}, must have {len(labels)}"
                self.note(Finding("records_wrong", "I4", f"{label} 的 {process} 数量不符", en))
            for name, ref in zip(labels, refs, strict=False):
                self.numbers.learn(name, ref)

    def _look_for_replacement(self, label: str) -> None:
        reply = self.door.send("GET", f"/orders/{self.numbers.by_label[label]}", by=self.looker)
        ref = str(reply.json()["facts"].get("replaced_by", ""))
        if not ref:
            self.note(Finding("no_replacement", "I4", f"{label} 没有改派的新单", f"{label} has no replacement"))
            return
        self.numbers.learn(f"{label}x", ref)
        self._once(Call(-1, self.time.now(), self.looker, "read", "look", f"{label}x"))

    # --- what is kept of it ---

    def note(self, finding: Finding) -> None:
        self.findings.append(finding)

    def tell(self, line: str) -> None:
        """Add a line to the trace; the same seed makes the same trace."""
        self._trace.update(line.encode() + b"\n")

    @property
    def trace(self) -> str:
        digest: str = self._trace.hexdigest()
        return digest

    def _count(self, call: Call, answer: Answer) -> None:
        self.tally["calls"] += 1
        self.tally[f"{answer.kind} {answer.status or ''}".strip()] += 1
        if answer.statements is None:
            return
        name = f"{call.verb} {call.name}"
        self.statements[name] = max(self.statements[name], answer.statements)
        if answer.statements > BUDGET[call.verb]:
            en = f"{name} took {answer.statements} statements of {BUDGET[call.verb]}"
            self.note(Finding("too_many_statements", "I19", f"{name} 用了 {answer.statements} 条语句", en, call.number))
