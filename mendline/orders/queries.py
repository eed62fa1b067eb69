"""What people read of orders and records. Every function takes the actor and starts at the scope."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Q, QuerySet

from mendline.access.actors import OF_A_REGION, OF_A_STATION, Actor
from mendline.access.models import Person
from mendline.journal.models import Entry, Outgoing
from mendline.kernel.errors import Refused
from mendline.orders import store
from mendline.orders.models import Record, RepairOrder
from mendline.orders.store import Loaded
from mendline.orders.transitions import needs_of
from mendline.process.calendar_table import calendars_for
from mendline.process.decide import may
from mendline.process.definition import Process, Transition
from mendline.process.loading import process_for
from mendline.process.looking_up import look_up

M = TypeVar("M", RepairOrder, Record)
OPEN = ("open", "waiting")
PAGE = 50
DUPLICATE_DAYS = 30  # HCP-06: the window in which a report is likely the same trouble
MOST_UNSEEN = 99
# Written by hand and in the order of the index `outgoing_inbox`: left to itself, the planner reads the whole table for
# a role that has no notice yet, on every page.
_UNSEEN = (
    "SELECT 1 FROM journal_outgoing WHERE channel = 'inbox' AND role = %s AND id > %s"
    " AND (person_id IS NULL OR person_id = %s)"
)
# Facts whose lookup would take something; they are left to the attempt itself.
NOT_FOR_LOOKING = frozenset({"chosen_station", "new_part_order_ref", "new_order_ref"})
LIST_COLUMNS = (
    "id", "ref", "state", "category", "station_no", "region", "customer_name", "phone", "product", "product_line",
    "area", "address", "fault", "due_at", "clocks", "facts", "created_at", "assignee_name", "origin", "process",
    "process_version", "revision",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class OrderFilters:
    """What a list is narrowed to; every field may stay empty."""

    states: tuple[str, ...] = ()
    station_no: str = ""
    overdue_at: datetime | None = None  # only orders whose next deadline lies before it
    assignee_id: int | None = None
    category: str = "open"  # open | ended | all


@dataclass(frozen=True, slots=True)
class OrderRowPage:
    """One page of orders, and where the next begins (None: it is the last)."""

    rows: list[RepairOrder]
    next_after: tuple[str, int] | None


@dataclass(frozen=True, slots=True)
class Step:
    """A transition this actor's role has from here, and what stands in its way before anything is given."""

    transition: Transition
    refusal: Refused | None

    @property
    def permitted(self) -> bool:
        return self.refusal is None


@dataclass(frozen=True, slots=True)
class SubjectPage:
    """Everything one page shows of one order or record."""

    subject: Loaded
    process: Process
    steps: list[Step]
    timeline: list[Entry]
    messages: list[Outgoing]
    records: list[SubjectPage]
    path: tuple[str, ...]  # states in the order they were reached
    station_choice: Mapping[str, Any] | None  # why this station, from the history


def page_of_orders(
    actor: Actor, *, filters: OrderFilters, after: tuple[str, int] | None = None, limit: int = PAGE
) -> OrderRowPage:
    """Return one page of orders: open ones by next deadline, others by age, newest first.

    `after` is the `next_after` of the page before. A page is found by key, never by counting.
    """
    query = _narrowed(RepairOrder.objects.visible_to(actor), filters).only(*LIST_COLUMNS)
    if filters.category == "open":
        rows = _following(query.order_by("due_at", "id"), after, limit + 1)
    else:
        query = query.order_by("-created_at", "-id")
        if after:
            created, row_id = datetime.fromisoformat(after[0]), after[1]
            query = query.filter(Q(created_at__lt=created) | Q(id__lt=row_id), created_at__lte=created)
        rows = list(query[: limit + 1])
    more = len(rows) > limit
    rows = rows[:limit]
    return OrderRowPage(rows, _key_of(rows[-1], filters) if more else None)


def _narrowed(query: QuerySet[RepairOrder], filters: OrderFilters) -> QuerySet[RepairOrder]:
    if filters.category == "open":
        query = query.filter(category__in=OPEN)
    elif filters.category == "ended":
        query = query.exclude(category__in=OPEN)
    if filters.states:
        query = query.filter(state__in=filters.states)
    if filters.station_no:
        query = query.filter(station_no=filters.station_no)
    if filters.overdue_at is not None:
        query = query.filter(due_at__lt=filters.overdue_at)
    if filters.assignee_id is not None:
        query = query.filter(assignee_id=filters.assignee_id)
    return query


def _following(query: QuerySet[M], after: tuple[str, int] | None, limit: int) -> list[M]:
    """Return what follows a key in the order of deadlines; orders without a running clock come last.

    Two readings and a lower bound, so that the index begins at the key: with one OR over everything, PostgreSQL
    would read all that lies before it.
    """
    if after is None:
        return list(query[:limit])
    key, row_id = after
    rows: list[M] = []
    if key:
        due = datetime.fromisoformat(key)
        rows = list(query.filter(Q(due_at__gt=due) | Q(id__gt=row_id), due_at__gte=due)[:limit])
    if len(rows) < limit:
        rows += query.filter(due_at=None, id__gt=0 if key else row_id)[: limit - len(rows)]
    return rows


def _key_of(row: RepairOrder, filters: OrderFilters) -> tuple[str, int]:
    moment = row.due_at if filters.category == "open" else row.created_at
    return (moment.isoformat() if moment else "", row.pk)


def subject_page(actor: Actor, ref: str, now: datetime, *, with_records: bool = True) -> SubjectPage:
    """Return an order or record with its steps for this actor, its history and what hangs on it.

    Raises NotVisible.
    """
    subject = store.load(ref, actor=actor)
    process = process_for(subject.process, subject.process_version)
    timeline = list(Entry.objects.filter(subject=ref).order_by("id"))
    records: list[SubjectPage] = []
    if with_records and subject.table == "order":
        refs = Record.objects.visible_to(actor).filter(order_ref=ref).order_by("id").values_list("ref", flat=True)
        records = [subject_page(actor, record_ref, now, with_records=False) for record_ref in refs]
    choice = next((e.data["station_choice"] for e in reversed(timeline) if "station_choice" in e.data), None)
    return SubjectPage(
        subject=subject,
        process=process,
        steps=steps_for(actor, subject, process, now),
        timeline=timeline,
        messages=list(Outgoing.objects.filter(subject=ref).exclude(channel="webhook").order_by("id")),
        records=records,
        path=_path(timeline),
        station_choice=choice,
    )


order_page = subject_page


def _path(timeline: Iterable[Entry]) -> tuple[str, ...]:
    path: list[str] = []
    for entry in timeline:
        if entry.to_state and (not path or path[-1] != entry.to_state):
            path.append(entry.to_state)
    return tuple(path)


def steps_for(actor: Actor, subject: Loaded, process: Process, now: datetime) -> list[Step]:
    """Return the steps of this actor's role from where the record stands, permitted ones and refused ones."""
    facts: dict[str, Any] = {
        **subject.facts,
        "order_ref": subject.order_ref,
        "actor_id": actor.person_id,
        "actor_name": actor.name,
        "actor_station_no": actor.station_no,
        "actor_region": actor.region,
        "process_version": subject.process_version,
    }
    mine = [step for step in process.steps_from(subject.state) if actor.role in step.by]
    needed = dict.fromkeys(name for step in mine for name in needs_of(step))
    facts |= look_up([name for name in needed if name not in facts and name not in NOT_FOR_LOOKING], facts, actor, now)
    found = may(
        process,
        state=subject.state,
        role=actor.role,
        facts=facts,
        clocks=subject.clocks,
        now=now,
        calendars=calendars_for(subject.station_no),
    )
    return [Step(transition, refusal) for transition, refusal in found]


def creating_steps(actor: Actor, process: Process) -> list[Transition]:
    """Return the transitions by which this actor's role may create a record of `process`."""
    return [step for step in process.creating if actor.role in step.by]


def inbox_of_records(
    actor: Actor, processes: Iterable[str], *, after: tuple[str, int] | None = None, limit: int = PAGE
) -> list[Record]:
    """Return open records of these processes within the scope, the next deadline first."""
    query = Record.objects.visible_to(actor).filter(process__in=list(processes), category__in=OPEN)
    return _following(query.order_by("due_at", "id"), after, limit)


def duplicates(
    actor: Actor, *, phone: str, serial_no: str = "", now: datetime, days: int = DUPLICATE_DAYS, limit: int = 5
) -> list[RepairOrder]:
    """Return orders of the same telephone or serial number that are open or were taken within `days`.

    `phone` is in international form. An agent with such an order urges it instead of taking another.
    """
    same = Q(phone=phone) if phone else Q(pk=None)
    if serial_no:
        same |= Q(serial_no=serial_no)
    recent = Q(category__in=OPEN) | Q(created_at__gte=now - timedelta(days=days))
    query = RepairOrder.objects.visible_to(actor).filter(same, recent).exclude(category="void")
    return list(query.only(*LIST_COLUMNS).order_by("-created_at")[:limit])


def history_of_caller(actor: Actor, phone: str, *, limit: int = 10) -> list[RepairOrder]:
    """Return the latest orders of one telephone number (international form), newest first."""
    query = RepairOrder.objects.visible_to(actor).filter(phone=phone).only(*LIST_COLUMNS)
    return list(query.order_by("-created_at")[:limit])


def notices_for(
    actor: Actor, *, limit: int = PAGE, before_id: int | None = None, hidden: Collection[str] = ()
) -> list[Outgoing]:
    """Return the notices addressed to this actor's role and scope, newest first; without the `hidden` kinds."""
    query = _inbox(actor)
    if hidden:
        query = query.exclude(notice__in=hidden)
    if before_id is not None:
        query = query.filter(id__lt=before_id)
    return list(query.order_by("-id")[:limit])


def count_unseen_notices(actor: Actor, *, seen_id: int | None = None, hidden: Collection[str] = ()) -> int:
    """Return how many notices this person has not looked at, at most 99; the `hidden` kinds do not count.

    `seen_id` is the newest one that was looked at; whoever has the person at hand knows it.
    """
    if actor.person_id is None:
        return 0
    if seen_id is None:
        seen_id = Person.objects.filter(pk=actor.person_id).values_list("notices_seen_id", flat=True).first() or 0
    seen_part, left_out = (f"{_UNSEEN} AND notice <> ALL(%s)", [list(hidden)]) if hidden else (_UNSEEN, [])
    part = seen_part
    places: list[list[Any]] = [[]]
    if actor.role in OF_A_STATION:
        part, places = f"{seen_part} AND station_no = %s", [[""], [actor.station_no]]
    elif actor.role in OF_A_REGION:
        part, places = f"{seen_part} AND region = ANY(%s)", [[["", actor.region]]]
    parts = [f"({part} ORDER BY station_no, id DESC LIMIT {MOST_UNSEEN})"] * len(places)
    bound = [value for place in places for value in (actor.role, seen_id, actor.person_id, *left_out, *place)]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({' UNION ALL '.join(parts)}) AS unseen", bound)
        row = cursor.fetchone()
    return min(int(row[0]), MOST_UNSEEN)


def mark_notices_seen(actor: Actor) -> None:
    """Remember the newest notice as looked at by this person."""
    newest = _inbox(actor).order_by("-id").values_list("id", flat=True).first()
    if newest is not None and actor.person_id is not None:
        Person.objects.filter(pk=actor.person_id, notices_seen_id__lt=newest).update(notices_seen_id=newest)


def _inbox(actor: Actor) -> QuerySet[Outgoing]:
    to_whom = Q(person_id=None) | Q(person_id=actor.person_id)  # a named person's copy is nobody else's
    query = Outgoing.objects.filter(to_whom, channel="inbox", role=actor.role)
    if actor.role in OF_A_STATION:
        return query.filter(station_no__in=["", actor.station_no])
    if actor.role in OF_A_REGION:
        return query.filter(region__in=["", actor.region])
    return query
