"""Says of every answer whether it may be so, and keeps what follows from it.

A call is asked about twice: `expect` before it is sent, `saw` when its answer is known. An answer that
never came leaves two possible worlds of that one report (`Maybe`); both live on, clocks included, until
the same call, sent again under its key, tells which of them it was.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime

from mendline.sim.ground.oracle import clocks, effects, objections
from mendline.sim.ground.oracle.comparing import Expected, clock_faults, compare, differs, same_list
from mendline.sim.ground.oracle.model import Order, Record
from mendline.sim.ground.oracle.plain import Answer, Call, Finding, Network, Person, day_of
from mendline.sim.ground.oracle.stations import Seats
from mendline.sim.ground.oracle.steps import (
    BESIDE_AN_ORDER,
    CREATING,
    OF_ORDERS,
    OF_RECORDS,
    REPORT_NEEDS,
    SEES_ALL,
    Step,
    offered,
)

# Who is sent again at once: while nobody knows whether a seat was taken or freed, nobody else's place can be judged.
MOVES_SEATS = frozenset(
    ("dispatch", "cancel", "cancel_and_reassign", "cancel_order", "reassign_order", "agree_and_cancel")
)
ORIGIN = {"cc_agent": "cc", "region_interface": "region", "station_coordinator": "station"}


OK = Expected("ok")


@dataclass(slots=True)
class Maybe:
    """A call of which nobody knows whether it happened, and the report as it stands if it did."""

    call: Call
    expected: Expected
    done: Order | None


@dataclass(slots=True)
class Oracle:
    """The world as it must be. `orders` by label, in the order they were first asked for."""

    network: Network
    seats: Seats = field(init=False)
    orders: dict[str, Order] = field(default_factory=dict)
    maybes: dict[str, Maybe] = field(default_factory=dict)  # by label of the order
    _agenda: list[tuple[datetime, str]] = field(default_factory=list)  # when which order has something due

    def __post_init__(self) -> None:
        self.seats = Seats(self.network)

    # --- asking ---

    def person(self, call: Call) -> Person:
        return self.network.people[call.by]

    def order_of(self, label: str) -> Order:
        return self.orders[label.partition(".")[0]]

    def record(self, label: str) -> Record:
        return next(record for record in self.order_of(label).records if record.label == label)

    def family(self, label: str) -> Iterator[str]:
        """Return an order and all that it replaces or is replaced by; each has an `x` more than the last."""
        member = label.rstrip("x")
        while member in self.orders:
            yield member
            member += "x"

    def sees(self, username: str, order: Order) -> bool:
        person = self.network.people[username]
        if person.role in SEES_ALL:
            return True
        if person.region:
            return person.region == order.region
        return bool(person.station) and person.station == order.station

    def expect(self, call: Call) -> Expected:
        """Return what the answer to this call must be."""
        person = self.person(call)
        if call.verb == "create":
            return self._expect_creation(call, person)
        if call.verb == "queue":
            return OK
        order = self.order_of(call.about)
        if call.verb == "records":
            return OK
        if not self.sees(call.by, order):
            return Expected("absent")
        if call.verb == "read":
            return OK
        if call.revision is not None and call.revision < order.revision:
            return Expected("conflict")
        if "." not in call.about:
            step = OF_ORDERS[call.name]
            return _judged(step, person.role, order.state, call) or _of(
                objections.to_step(order, call, person.role, self.network) | self._no_station(order, call)
            )
        record = self.record(call.about)
        step = OF_RECORDS[record.process][call.name]
        return _judged(step, person.role, record.state, call) or _of(
            objections.to_record_step(order, record, call, person.role)
        )

    def _expect_creation(self, call: Call, person: Person) -> Expected:
        if call.name in BESIDE_AN_ORDER:
            step = BESIDE_AN_ORDER[call.name]
            if person.role not in step.by:
                return Expected("forbidden")
            order = self.order_of(call.about)
            if not self.sees(call.by, order):
                return Expected("absent")
            return _judged(step, person.role, "new", call) or _of(objections.to_begin(order, call))
        judged = _judged(CREATING[call.name], person.role, "new", call)
        if judged is not None:
            return judged
        given = call.given
        found = {"code:invalid"} if any(not given.get(name) for name in REPORT_NEEDS) else set()
        if found:
            return _of(found)
        if given.get("caller") == "station":
            found |= {"STN-42", "CAN-10"}
        if given.get("served_already"):
            found.add("STN-42")
        line = self.network.lines.get(str(given["product"]))
        if line is None:
            found.add("UDS-07")
        elif line not in self.network.served:
            found |= {"CAN-34", "STN-01"}
        if given.get("direct_report") and not str(given["area"]).startswith(self.network.without_800):
            found.add("COM-04")
        if call.name == "report" and given.get("station_wish") and line and not self._choice(call):
            found.add("any")
        return _of(found)

    def _choice(self, call: Call) -> set[str]:
        line = self.network.lines[str(call.given["product"])]
        wish = str(call.given.get("station_wish", ""))
        return self.seats.best(str(call.given["area"]), line, day_of(call.at), wish=wish)

    def _no_station(self, order: Order, call: Call) -> set[str]:
        if call.name != "dispatch":
            return set()
        return set() if self._fit_to_dispatch(order, call) else {"any"}

    def _fit_to_dispatch(self, order: Order, call: Call) -> set[str]:
        """The station that a replaced order was taken from stays left out, whoever dispatches it later (CAN-02)."""
        wish = str(call.given.get("station_wish", ""))
        return self.seats.best(order.area, order.line, day_of(call.at), wish=wish, excluded=self._excluded(order))

    # --- learning ---

    def saw(self, call: Call, answer: Answer) -> list[Finding]:
        """Take note of an answer; return what is wrong with it."""
        label = call.about.partition(".")[0]
        held = self.maybes.get(label)
        try:
            return self._take_note(call, answer, held, label)
        finally:
            self._remember_due(label)
            self._remember_due(f"{label}x")

    def _take_note(self, call: Call, answer: Answer, held: Maybe | None, label: str) -> list[Finding]:
        if answer.kind == "unknown":
            return self._lost(call, label)
        if held is not None and held.call.key == call.key:
            return self._collapse(call, answer, held, label)
        expected = self.expect(call)
        findings = compare(call, expected, answer)
        if answer.kind == "ok" and not findings:
            findings += self._learn(call, answer)
        return findings

    def _lost(self, call: Call, label: str) -> list[Finding]:
        if label in self.maybes:  # lost again: nothing new is known
            return []
        expected = self.expect(call)
        done = None
        if expected.answer == "ok" and call.verb == "step" and call.name not in MOVES_SEATS:
            done = deepcopy(self.orders[label])
            _carry_out(done, call, self.network, self.seats)
        self.maybes[label] = Maybe(call, expected, done)
        return []

    def _collapse(self, call: Call, answer: Answer, held: Maybe, label: str) -> list[Finding]:
        """The retry tells: a replayed answer means that the first call had happened, any other that it had not."""
        del self.maybes[label]
        if not answer.replayed:
            return self.saw(call, answer)
        findings = compare(held.call, held.expected, answer)
        if findings or answer.kind != "ok":
            return findings
        if held.done is not None:
            self.orders[label] = held.done
            held.done.done.append(call.name)
            return self._receipt(call, held.done, answer)
        return self._learn(held.call, answer)

    def _learn(self, call: Call, answer: Answer) -> list[Finding]:
        """Carry out on the model what was done, and hold the answer against it."""
        if call.verb == "create":
            return self._created(call, answer)
        if call.verb != "step":
            return self._looked(call, answer)
        order = self.order_of(call.about)
        order.done.append(call.name)
        _carry_out(order, call, self.network, self.seats)
        found: list[Finding] = []
        if call.name == "dispatch":
            found += self._seated(order, call, answer)
        replaced = call.name in ("cancel_and_reassign", "reassign_order")
        if replaced:
            self._replace(order, call)
        return found + self._receipt(call, order, answer)

    def _created(self, call: Call, answer: Answer) -> list[Finding]:
        if call.name in BESIDE_AN_ORDER:
            order = self.order_of(call.about)
            record = effects.add_record(order, call.name, "submitted", call.at)
            record.reason = str(call.given.get("cancel_reason") or call.given.get("situation_kind"))
            return self._receipt(_about(call, record.label), order, answer)
        given, person = call.given, self.person(call)
        order = Order(
            label=call.about, origin=ORIGIN[person.role], line=self.network.lines[str(given["product"])],
            area=str(given["area"]), mode=str(given["service_mode"]), created_at=call.at, given=dict(given),
        )  # fmt: skip
        self.orders[call.about] = order
        return self._placed(order, call, answer, str(given.get("station_wish", "")))

    def _placed(self, order: Order, call: Call, answer: Answer, wish: str) -> list[Finding]:
        """Hold the station of a new order against those that could have had it."""
        found: list[Finding] = []
        if call.name == "self_order":
            station = self.person(call).station
            order.state, order.station, order.t1 = "dispatched", station, call.at
            order.region = self.network.stations[station].region
            if self.seats.left(station, order.line, day_of(call.at)) > 0:
                order.seat = (station, order.line, day_of(call.at))
                self.seats.take(order.seat)
        else:
            best = self.seats.best(order.area, order.line, day_of(call.at), wish=wish, excluded=self._excluded(order))
            order.state = "dispatched" if best else "undispatched"
            if best:
                found += self._seat_taken(order, call, answer.station, best)
            order.region = self._region(order)
        clocks.move(order, call.name, "new", call.at)
        return found + self._receipt(call, order, answer)

    def _excluded(self, order: Order) -> str:
        old = self.orders.get(order.replaces)
        return old.station if old is not None and not order.given.get("station_wish") else ""

    def _region(self, order: Order) -> str:
        if order.station:
            return self.network.stations[order.station].region
        return self.network.region_of.get(order.area[:2], "")

    def _seated(self, order: Order, call: Call, answer: Answer) -> list[Finding]:
        found = self._seat_taken(order, call, answer.station, self._fit_to_dispatch(order, call))
        order.region = self._region(order)
        return found

    def _seat_taken(self, order: Order, call: Call, station: str, best: set[str]) -> list[Finding]:
        if station not in best:
            zh = f"{order.label} 派给了 {station or '无'}，只能派给 {sorted(best)}"
            en = f"{order.label} went to {station or 'nobody'}, possible were {sorted(best)}"
            return [Finding("wrong_station", "I5", zh, en, call.number)]
        order.station, order.t1 = station, call.at
        order.seat = (station, order.line, day_of(call.at))
        self.seats.take(order.seat)
        return []

    def _replace(self, order: Order, call: Call) -> None:
        """Begin the order that takes the place of a voided one; whose it is, is read at once."""
        label = f"{order.label}x"
        given = {**order.given, **{name: call.given[name] for name in ("station_wish",) if call.given.get(name)}}
        given.pop("station_wish", None) if not call.given.get("station_wish") else None
        area = str(call.given.get("corrected_area") or order.area)
        self.orders[label] = Order(
            label=label, origin=ORIGIN[self.person(call).role], line=order.line, area=area, mode=order.mode,
            created_at=call.at, given={**given, "area": area}, replaces=order.label, state="unplaced",
        )  # fmt: skip
        order.replaced_by = label

    # --- looking ---

    def _looked(self, call: Call, answer: Answer) -> list[Finding]:
        if call.verb == "read":
            order = self.order_of(call.about)
            if order.state == "unplaced":
                made = _at(call, order.created_at)
                order.state = "new"
                return self._placed(order, made, answer, str(order.given.get("station_wish", "")))
            return self._receipt(call, order, answer)
        if call.verb == "records" and answer.listed is not None:
            order = self.order_of(call.about)
            held = [] if not self.sees(call.by, order) else [record.label for record in order.records]
            return same_list(call, "records_wrong", sorted(held), sorted(answer.listed))
        if call.verb == "queue" and answer.listed is not None:
            mine = {o.label for o in self.orders.values() if o.is_open and self.sees(call.by, o)}
            unsure = set(self.maybes)
            if answer.more:
                listed = set(answer.listed)
                return same_list(call, "queue_wrong", sorted(listed - unsure), sorted(listed & mine - unsure))
            return same_list(call, "queue_wrong", sorted(mine - unsure), sorted(set(answer.listed) - unsure))
        return []

    def _receipt(self, call: Call, order: Order, answer: Answer) -> list[Finding]:
        """Hold an answer that shows how an order or record stands against the model."""
        if "." in call.about:
            record = self.record(call.about)
            return clock_faults(call, record.clocks, answer) + differs(call, "state", record.state, answer.state)
        found = differs(call, "state", order.state, answer.state)
        found += differs(call, "station", order.station, answer.station)
        found += clock_faults(call, order.clocks, answer)
        if answer.may is not None:
            held = offered(self.person(call).role, order.state)
            found += differs(call, "may", " ".join(sorted(held)), " ".join(sorted(answer.may)))
        if answer.revision is not None:
            if answer.revision < order.revision + (call.verb == "step"):
                zh = f"{order.label} 的修订号没有增加：{order.revision} → {answer.revision}"
                en = f"the revision of {order.label} did not rise: {order.revision} → {answer.revision}"
                found.append(Finding("revision_stands", "I4", zh, en, call.number))
            order.revision = answer.revision
        return found

    # --- time ---

    def swept(self, now: datetime) -> None:
        """The sweeper came by: everything due takes effect, in both worlds of what is uncertain."""
        while self._agenda and self._agenda[0][0] <= now:
            _, label = heapq.heappop(self._agenda)
            for order in self._worlds_of(label):
                clocks.sweep(order, now)
            self._remember_due(label)

    def _remember_due(self, label: str) -> None:
        dues = [due for order in self._worlds_of(label) if (due := clocks.next_due(order)) is not None]
        for due in set(dues):
            heapq.heappush(self._agenda, (due, label))

    def _worlds_of(self, label: str) -> Iterator[Order]:
        if label in self.orders:
            yield self.orders[label]
        maybe = self.maybes.get(label)
        if maybe is not None and maybe.done is not None:
            yield maybe.done

    # --- when all is calm ---

    def unrest(self) -> list[Finding]:
        """Return what is not at rest after the calm: reports nobody owns, outcomes nobody knows, days oversold."""
        found: list[Finding] = []
        for maybe in self.maybes.values():
            zh, en = f"{maybe.call.about} 的结果始终未知", f"the outcome of {maybe.call.about} was never known"
            found.append(Finding("never_known", "I20", zh, en, maybe.call.number))
        for order in self.orders.values():
            if order.is_open or order.state in ("unplaced", "resolved"):
                zh = f"{order.label} 停在 {order.state}"
                found.append(Finding("not_at_rest", "I20", zh, f"{order.label} still stands at {order.state}"))
        for seat in self.seats.oversold():
            found.append(Finding("oversold", "I5", f"超派 {seat}", f"oversold {seat}"))
        return found


def _carry_out(order: Order, call: Call, network: Network, seats: Seats) -> None:
    if "." not in call.about:
        effects.do_step(order, call, network, seats)
    else:
        record = next(record for record in order.records if record.label == call.about)
        effects.do_record_step(order, record, call, seats)


def _judged(step: Step, role: str, state: str, call: Call) -> Expected | None:
    """Return the answer that role, state or a missing fact already decide."""
    if role not in step.by:
        return Expected("forbidden")
    if state not in step.sources:
        return Expected("refused", frozenset(("code:wrong_state",)))
    missing = [name for name in step.needs if call.given.get(name) in (None, "")]
    return Expected("refused", frozenset(("code:invalid",))) if missing else None


def _of(found: set[str]) -> Expected:
    if not found:
        return OK
    return Expected("forbidden" if found == {"CAN-06"} else "refused", frozenset(found))


def _about(call: Call, label: str) -> Call:
    return Call(call.number, call.at, call.by, call.verb, call.name, label, call.given)


def _at(call: Call, at: datetime | None) -> Call:
    return Call(call.number, at or call.at, call.by, "read", "reorder", call.about, call.given)
