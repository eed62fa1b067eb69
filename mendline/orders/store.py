"""The hot path's SQL: one statement that locks a row within its scope, one that writes what was decided.

Lock and write are two statements on purpose: a statement that does both takes its snapshot before
it waits, and then does not see what the other side wrote. `mendline_write` (a function of the
database, see `migrations/0002_door.py`) writes row, history, timers and messages in one call; the
application's role may not change a state in any other way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

import orjson
from django.db import DatabaseError, connection

from mendline.access.actors import OF_A_REGION, OF_A_STATION, Actor
from mendline.database.statements import first_row
from mendline.kernel.errors import Conflict, NotVisible
from mendline.kernel.text import Text
from mendline.process.clock_state import ClockState, PlannedTimer
from mendline.process.decide import ClockEvent
from mendline.process.registry import Question

Table: TypeAlias = Literal["order", "record"]
ORDER_PREFIX = "WX"

# Facts of an order that are columns of their own, because people search and sort by them.
ORDER_COLUMNS = (
    "origin", "product_line", "product", "serial_no", "service_mode", "area", "address", "fault", "assignee_id",
    "assignee_name", "replaces", "replaced_by",
)  # fmt: skip
SHARED = (
    "id", "ref", "process", "process_version", "state", "category", "region", "station_no", "revision", "facts",
    "clocks", "due_at", "created_at", "updated_at", "created_by",
)  # fmt: skip
_ORDER_SELECT = ", ".join((*SHARED, *ORDER_COLUMNS, "customer_name", "phone"))
_RECORD_SELECT = ", ".join((*SHARED, "order_ref"))
LAST_REVISION = 2**31 - 1  # what the column holds
# How `mendline_write` says why it wrote nothing.
_MOVED_ON, _NO_SEAT, _IN_FLIGHT = "40001", "ML010", "ML409"
_LOCK_ORDER_OF = """
    SELECT o.id FROM orders_repairorder o WHERE o.ref = (SELECT r.order_ref FROM orders_record r WHERE r.ref = %s)
    FOR UPDATE
"""


@dataclass(frozen=True, slots=True)
class Loaded:
    """An order or record as it stands. `facts` holds everything known, column facts included."""

    table: Table
    id: int
    ref: str
    process: str
    process_version: int
    state: str
    category: str
    region: str
    station_no: str
    revision: int
    facts: dict[str, Any]
    clocks: dict[str, ClockState]
    due_at: datetime | None
    created_at: datetime
    updated_at: datetime
    created_by: int | None
    order_ref: str = ""

    @property
    def product_line(self) -> str:
        return str(self.facts.get("product_line", ""))


def table_of(ref: str) -> Table:
    return "order" if ref.startswith(ORDER_PREFIX) else "record"


def load(ref: str, *, actor: Actor, lock: bool = False, confirm: Question | None = None) -> Loaded:
    """Return the record if it lies in the actor's scope; `lock` holds it until the transaction ends.

    `confirm` is asked in the same statement, and raises when what the caller relied on does not hold.

    A record's order is locked before the record: everybody locks in that order, so that a verdict
    and a cancellation of the same order cannot wait for each other.

    Raises:
        NotVisible: absent or out of scope, which is the same answer.
    """
    table = table_of(ref)
    columns, name = (_ORDER_SELECT, "orders_repairorder") if table == "order" else (_RECORD_SELECT, "orders_record")
    scope, bound = _scope(actor)
    ending = " FOR UPDATE" if lock else ""
    if lock and table == "record":
        first_row(_LOCK_ORDER_OF, [ref])
    also = f", ({confirm.sql})::text" if confirm is not None else ""
    asked = f"SELECT {columns}{also} FROM {name} WHERE ref = %s{scope}{ending}"
    row = first_row(asked, [*(confirm.bound if confirm is not None else ()), ref, *bound])
    if row is None:
        raise NotVisible
    if confirm is not None:
        confirm.read(row[-1])
        row = row[:-1]
    return from_row(table, row)


def load_locked(refs: Iterable[str]) -> dict[str, Loaded]:
    """Lock and return many records for the sweeper, in one order of locking; those held by others are left out."""
    wanted = sorted(set(refs))
    found: dict[str, Loaded] = {}
    with connection.cursor() as cursor:
        for table, columns, name in (
            ("order", _ORDER_SELECT, "orders_repairorder"),
            ("record", _RECORD_SELECT, "orders_record"),
        ):
            chosen = [ref for ref in wanted if table_of(ref) == table]
            if chosen:
                cursor.execute(
                    f"SELECT {columns} FROM {name} WHERE ref = ANY(%s) ORDER BY id FOR UPDATE SKIP LOCKED", [chosen]
                )
                found |= {row[1]: from_row(table, row) for row in cursor.fetchall()}  # type: ignore[arg-type]
    return found


def _scope(actor: Actor) -> tuple[str, list[str]]:
    if actor.sees_everything:
        return "", []
    if actor.role in OF_A_STATION and actor.station_no:
        return " AND station_no = %s", [actor.station_no]
    if actor.role in OF_A_REGION and actor.region:
        return " AND region = %s", [actor.region]
    return " AND false", []


def from_row(table: Table, row: tuple[Any, ...]) -> Loaded:
    """Build a `Loaded` from a row in the order of `SHARED` and what follows it."""
    shared = dict(zip(SHARED, row, strict=False))
    facts = _json(shared["facts"])
    order_ref = ""
    if table == "order":
        facts.update(zip(ORDER_COLUMNS, row[len(SHARED) :], strict=False))
        facts["customer"] = {"name": row[-2], "phone": row[-1]}
        order_ref = shared["ref"]
    else:
        order_ref = row[-1]
    facts |= {"ref": shared["ref"], "station_no": shared["station_no"], "region": shared["region"]}
    return Loaded(
        table=table,
        order_ref=order_ref,
        clocks={name: ClockState.from_json(kept) for name, kept in _json(shared["clocks"]).items()},
        facts=facts,
        **{name: shared[name] for name in SHARED if name not in ("facts", "clocks")},
    )


def _json(value: Any) -> dict[str, Any]:
    found: dict[str, Any] = value if isinstance(value, dict) else orjson.loads(value)
    return found


class Overtaken(Exception):
    """What was decided does not hold any more: the record moved on, or the seat went. Nothing was written."""


class AnsweredMeanwhile(Exception):
    """The caller's own number has an answer by now. Nothing was written."""


@dataclass(frozen=True, slots=True)
class Seat:
    """A place in a station's day that an order takes with what is written (COM-10). `day` is Shanghai-local."""

    station_no: str
    line: str
    day: str


@dataclass(frozen=True, slots=True)
class Once:
    """The caller's own number for a step, and the answer kept with it: sent again, the step is not done again."""

    person_id: int
    key: str
    digest: str  # of the request, to tell another one under the same number
    answer: Callable[[Loaded], tuple[int, str]]  # status and body
    # Asked together with what the step asks: whether the caller is who he was taken for. Raises when not.
    confirm: Question | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One row to write, with its history entry, its timers and what the world is to be told."""

    before: Loaded | None  # None creates
    after: Loaded
    kind: str  # journal kind, e.g. `order.cancel`
    actor: Actor
    now: datetime
    data: Mapping[str, Any]
    ended_clocks: tuple[str, ...] = ()
    timers: tuple[PlannedTimer, ...] = ()
    messages: tuple[Mapping[str, Any], ...] = ()
    seat: Seat | None = None
    once: Once | None = None


def write(changes: Iterable[Change]) -> list[int]:
    """Write all changes in one call, all or none, and return the ids of their rows, in order.

    Raises:
        Overtaken: a record moved on since it was read, or a seat that was free is taken.
        AnsweredMeanwhile: `once` was carried out by somebody else who came first.
        Conflict: the same call is under way (`in_flight`), or a created number exists already.
    """
    payload = orjson.dumps([_as_json(change) for change in changes]).decode()
    try:
        row = first_row("SELECT mendline_write(%s::jsonb)", [payload])
    except DatabaseError as problem:
        raise (_meaning_of(problem) or problem) from problem.__cause__
    assert row is not None
    return list(row[0])


def _meaning_of(problem: DatabaseError) -> Exception | None:
    """Return what the database's refusal says to whoever wanted to write; None for all others."""
    told = getattr(problem.__cause__, "diag", None)
    state, constraint = getattr(told, "sqlstate", ""), getattr(told, "constraint_name", "")
    if state in (_MOVED_ON, _NO_SEAT):
        return Overtaken(str(problem))
    if constraint == "one_answer_per_key":
        return AnsweredMeanwhile(str(problem))
    if constraint in ("orders_repairorder_ref_key", "orders_record_ref_key"):
        return Conflict("number_taken", Text("编号冲突，请重试", "the number was taken; try again"))
    return in_flight() if state == _IN_FLIGHT else None


def in_flight() -> Conflict:
    """Return what is said to whoever sends the same call again while it is under way."""
    said = Text("同一请求正在处理，请稍后重试", "the same request is still under way; try again shortly")
    return Conflict("in_flight", said)


def after(before: Loaded, **fields: Any) -> Loaded:
    return replace(before, revision=before.revision + 1, **fields)


def next_due(clocks: Mapping[str, ClockState]) -> datetime | None:
    """Return the earliest deadline of the running clocks: what the queue sorts by."""
    return min((clock.due_at for clock in clocks.values() if clock.is_running), default=None)


def _as_json(change: Change) -> dict[str, Any]:
    now, new = change.now.astimezone(UTC).isoformat(), change.after
    asked: dict[str, Any] = {}
    if change.seat is not None:
        asked["seat"] = {"station_no": change.seat.station_no, "line": change.seat.line, "day": change.seat.day}
    if change.once is not None:
        status, body = change.once.answer(new)
        asked["once"] = {
            "person": change.once.person_id, "key": change.once.key, "digest": change.once.digest,
            "status": status, "body": body,
        }  # fmt: skip
    return {
        **asked,
        "table": new.table,
        "id": change.before.id if change.before else None,
        "revision": change.before.revision if change.before else None,
        "row": _row(new),
        "entry": {
            "at": now,
            "subject": new.ref,
            "kind": change.kind,
            "process": new.process,
            "from_state": change.before.state if change.before else "new",
            "to_state": new.state,
            "revision": new.revision,
            "actor_id": change.actor.person_id,
            "actor_name": change.actor.name,
            "actor_role": change.actor.role,
            "station_no": new.station_no,
            "region": new.region,
            "data": change.data,
        },
        "ended": list(change.ended_clocks),
        "timers": [
            {
                "clock": timer.clock,
                "step": timer.step,
                "generation": timer.generation,
                "due_at": timer.due_at.isoformat(),
            }
            for timer in change.timers
        ],
        "messages": list(change.messages),
    }


def _row(new: Loaded) -> dict[str, Any]:
    facts = dict(new.facts)
    for derived in ("ref", "station_no", "region"):
        facts.pop(derived, None)
    row: dict[str, Any] = {
        "ref": new.ref, "process": new.process, "process_version": new.process_version, "state": new.state,
        "category": new.category, "region": new.region, "station_no": new.station_no, "revision": new.revision,
        "clocks": {name: clock.as_json() for name, clock in new.clocks.items()},
        "due_at": new.due_at.isoformat() if new.due_at else None,
        "created_at": new.created_at.isoformat(), "updated_at": new.updated_at.isoformat(),
        "created_by": new.created_by,
    }  # fmt: skip
    if new.table == "order":
        customer = facts.pop("customer", {})
        row |= {"customer_name": customer.get("name", ""), "phone": customer.get("phone", "")}
        for column in ORDER_COLUMNS:
            row[column] = facts.pop(column, None if column == "assignee_id" else "")
    else:
        row["order_ref"] = new.order_ref
    row["facts"] = facts
    return row


def clock_events_json(events: Iterable[ClockEvent]) -> list[dict[str, str]]:
    return [event.as_json() for event in events]
