"""The same figures, counted slowly and in another way: entry by entry over the history, in plain Python.

Nothing here reads the orders' rows, the conditions in SQL or the prepared figures.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import pairwise
from typing import Any

from mendline.journal.models import Entry
from mendline.kernel.time import local_day, parse_moment

DONE = {"resolved", "called_back"}
VOID = {"cancelled", "cancelled_and_reassigned"}


@dataclass
class Told:
    """What the history tells of one order."""

    ref: str
    reported_at: datetime
    station_no: str = ""
    region: str = ""
    product: str = ""
    state: str = ""
    ended_at: datetime | None = None
    contact: str = ""  # what happened to the clock last
    contact_due: datetime | None = None
    first_promise: datetime | None = None
    first_start: datetime | None = None
    passes: int = 0
    reopened: int = 0
    outcome: str = ""
    reason: str = ""
    cancelled_by: int | None = None
    assignee: int | None = None
    replaces: str = ""
    steps: list[str] = field(default_factory=list)
    stations: list[str] = field(default_factory=list)

    @property
    def is_void(self) -> bool:
        return self.state in VOID

    @property
    def has_ended(self) -> bool:
        return self.state in DONE | VOID

    def take(self, entry: Entry) -> None:
        """Go on by one entry."""
        given, changed = entry.data.get("given") or {}, entry.data.get("changed") or {}
        moved = entry.from_state != entry.to_state
        self.station_no, self.region = entry.station_no, entry.region
        self.stations += [entry.station_no] if entry.station_no else []
        step = entry.kind.removeprefix("order.")
        if entry.kind.startswith("order.") and moved:
            self.steps.append(f"{step}:{entry.to_state}")
        if entry.to_state in DONE | VOID and entry.from_state not in DONE | VOID:
            self.ended_at = entry.at
        if entry.to_state in VOID and moved:
            self.cancelled_by, self.reason = entry.actor_id, given.get("cancel_reason", "")
        self.state = entry.to_state
        for event in entry.data.get("clocks") or []:
            if event["clock"] == "contact" and event["verb"] in ("started", "stopped", "stopped late", "breached"):
                self.contact, self.contact_due = event["verb"], datetime.fromisoformat(event["due"])
        self.product = given.get("product", self.product)
        self.assignee = changed.get("assignee_id", self.assignee)
        self.outcome = given.get("callback_outcome", self.outcome)
        self.reopened += step == "reopen"
        if given.get("promised_at") and self.first_promise is None:
            self.first_promise = parse_moment(str(given["promised_at"]))
        if step == "start_service":
            self.passes += 1
            self.first_start = self.first_start or entry.at

    def as_fact(self, ancestors: list[Told], now: datetime) -> dict[str, Any]:
        """Return what the prepared row must say."""
        late = self.contact in ("breached", "stopped late") or (
            self.contact == "started" and self.contact_due is not None and self.contact_due < now
        )
        kept = broken = False
        if self.first_promise is not None:
            if self.first_start is not None:
                kept, broken = self.first_start <= self.first_promise, self.first_start > self.first_promise
            else:
                broken = not self.has_ended and self.first_promise < now
        walked = [station for told in ancestors for station in told.stations] + self.stations
        way = walked[:1] + [there for here, there in pairwise(walked) if here != there]
        ended_on: date | None = local_day(self.ended_at) if self.has_ended and self.ended_at else None
        return {
            "reported_on": local_day(self.reported_at), "ended_on": ended_on, "region": self.region,
            "station_no": self.station_no, "product": self.product, "assignee_id": self.assignee,
            "cancelled_by": self.cancelled_by if self.is_void else None,
            "cancel_reason": self.reason if self.is_void else "", "handovers": max(0, len(way) - 1),
            "stations": " > ".join(way) if len(way) > 1 else "", "came_back": len(set(way)) < len(way),
            "contacts_late": late, "contacts_in_time": self.contact == "stopped" and not self.is_void,
            "promises_kept": kept, "promises_broken": broken, "serviced": self.passes >= 1,
            "repeat_visits": self.passes >= 2, "cancelled": self.is_void, "closed": self.state in DONE,
            "callbacks_satisfied": self.outcome == "satisfied",
            "callbacks_dissatisfied": self.outcome == "dissatisfied", "reopened": self.reopened >= 1,
            "steps": " ".join(self.steps),
        }  # fmt: skip


def counted(now: datetime) -> dict[str, dict[str, Any]]:
    """Return, for every order of the history, what its prepared row must say."""
    told: dict[str, Told] = {}
    heirs: dict[str, str] = {}
    for entry in Entry.objects.filter(subject__startswith="WX").order_by("id"):
        order = told.setdefault(entry.subject, Told(entry.subject, entry.at))
        order.take(entry)
        heir = (entry.data.get("changed") or {}).get("replaced_by")
        if heir:
            heirs[heir] = entry.subject
    found: dict[str, dict[str, Any]] = {}
    for ref, order in told.items():
        ancestors: list[Told] = []
        before = heirs.get(ref)
        while before:
            ancestors.insert(0, told[before])
            before = heirs.get(before)
        found[ref] = order.as_fact(ancestors, now)
    return found


def by(facts: dict[str, dict[str, Any]], name: str) -> dict[Any, int]:
    """Count the orders of each value."""
    counts: dict[Any, int] = defaultdict(int)
    for fact in facts.values():
        counts[fact[name]] += 1
    return dict(counts)
