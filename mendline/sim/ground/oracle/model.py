"""What the oracle knows of each report: its order, the records beside it, their clocks; no product numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

OPEN = frozenset(
    ("undispatched", "dispatched", "downloaded", "contacting", "promised", "awaiting_part", "printed", "in_service",
     "multi_visit")
)  # fmt: skip
VOID = frozenset(("cancelled", "cancelled_and_reassigned"))
RECORD_ENDED = frozenset(("executed", "refused", "lapsed", "agreed", "returned", "rejected", "recalled", "done",
                          "reopened", "not_reached"))  # fmt: skip
MOST_PROMISES = 3


@dataclass(slots=True)
class Clock:
    """One run of a clock. `breached_at` is when the sweeper came, not when it was due."""

    due: datetime
    counted_from: datetime
    running: bool = True
    breached_at: datetime | None = None
    late: bool = False  # stopped after its deadline
    stopped_at: datetime | None = None

    @property
    def shows_breach(self) -> bool:
        return self.late if not self.running else self.breached_at is not None


@dataclass(slots=True)
class Record:
    """A request, a special situation, a part order or a callback beside an order."""

    label: str
    process: str
    order: str
    state: str
    reason: str = ""  # ground of a request, kind of a situation
    code: str = ""  # of a part
    due: datetime | None = None  # of a part
    late: bool = False
    arrived: bool = False
    dropped: bool = False
    attempts: int = 0
    opened_at: datetime | None = None
    clocks: dict[str, Clock] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        return self.state not in RECORD_ENDED


@dataclass(slots=True)
class Promise:
    at: datetime | None  # None: the special T31
    written_at: datetime


@dataclass(slots=True)
class Order:
    """One order as it must stand."""

    label: str
    origin: str
    line: str
    area: str
    mode: str
    state: str = "new"
    station: str = ""
    region: str = ""
    created_at: datetime | None = None
    t1: datetime | None = None
    promises: list[Promise] = field(default_factory=list)
    promised_at: datetime | None = None
    visit_due: datetime | None = None  # a promise that nobody has kept yet
    special_at: datetime | None = None
    reached_at: datetime | None = None
    attempts: dict[date, int] = field(default_factory=dict)
    borrowed: set[str] = field(default_factory=set)
    started_at: datetime | None = None
    passes: int = 0
    returned: bool = False  # the replaced part went back; another part ordered is another to return (STN-47)
    agreed: bool = False  # the region consented to the form on a refusal
    seat: tuple[str, str, date] | None = None
    replaces: str = ""
    replaced_by: str = ""
    cancel_reason: str = ""
    ended_at: datetime | None = None
    reopened: int = 0
    revision: int = 0  # the last one that was shown to anybody
    revision_at_least: int = 0
    given: dict[str, object] = field(default_factory=dict)
    clocks: dict[str, Clock] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    breaches: list[tuple[str, str, datetime]] = field(default_factory=list)  # label, clock, due: each once
    done: list[str] = field(default_factory=list)  # acknowledged steps

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def written(self) -> int:
        return len(self.promises)

    @property
    def arrived(self) -> bool:
        return self.started_at is not None or self.state == "in_service"

    def parts(self) -> Iterator[Record]:
        return (record for record in self.records if record.process == "part_order")

    def awaited(self) -> list[Record]:
        """Return the parts the job still waits for: not arrived, not refused, not borrowed meanwhile (STN-38)."""
        return [p for p in self.parts() if not p.arrived and not p.dropped and p.code not in self.borrowed]

    def late_part(self) -> Record | None:
        late = [part for part in self.parts() if part.late]
        return late[-1] if late else None

    def open_records(self, process: str = "") -> list[Record]:
        return [r for r in self.records if r.is_open and process in ("", r.process)]

    def visit_stands_while_waiting(self) -> bool:
        """Tell whether an order that awaits a part has a visit promised that did not take place yet."""
        if self.state != "awaiting_part" or not self.promises or self.promises[-1].at is None:
            return False
        return self.started_at is None or self.started_at <= self.promises[-1].written_at
