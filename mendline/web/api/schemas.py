"""Shapes of answers and bodies, for the description of the interface. What is sent is made in `shown.py`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import ConfigDict, Field

# Words of an address: no control characters, because no stored word has any.
Word = Annotated[str, Field(max_length=80, pattern=r"^[^\x00-\x1f\x7f]*$")]
Limit = Annotated[int, Field(ge=1, le=100)]
Category = Literal["open", "ended", "all"]


def takes(schema: type[Schema]) -> dict[str, Any]:
    """Describe a body that is read by `bodies.json_object` and not by the router."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema.model_json_schema()}}}}


class Texts(Schema):
    zh: str
    en: str


class Problem(Schema):
    """A problem document (RFC 9457). `code` is stable; `detail` is in the language asked for."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    rule: str
    rules: list[str]
    texts: Texts
    fields: dict[str, Texts] | None = None


class StepIn(Schema):
    """What a step is given. Which facts it takes is in `may` of the record and in the process."""

    model_config = ConfigDict(extra="forbid")
    given: dict[str, Any] = {}
    revision: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None


class CreateIn(Schema):
    """A new order: the facts of the report. `transition` may be left out; the role then decides."""

    model_config = ConfigDict(extra="forbid")
    given: dict[str, Any]
    transition: Annotated[str, Field(max_length=40)] | None = None


class CreateRecordIn(CreateIn):
    """A new record, beside the order `order_ref` where its process has one."""

    order_ref: Annotated[str, Field(max_length=40)] | None = None


class ReasonIn(Schema):
    model_config = ConfigDict(extra="forbid")
    reason: Literal["call_user", "call_back", "check_number", "other_duty"]


class ClockBrief(Schema):
    run: Literal["running", "paused", "stopped"]
    due_at: datetime
    breached: bool


class Receipt(Schema):
    """How the order or record stands after the step."""

    ref: str
    state: str
    station_no: str
    revision: int
    clocks: dict[str, ClockBrief]
    due_at: datetime | None


class FieldForm(Schema):
    model_config = ConfigDict(extra="allow")
    name: str
    type: str
    label: Texts
    required: bool


class Refusal(Schema):
    code: str
    rule: str
    rules: list[str]
    texts: Texts


class Offer(Schema):
    """A step of the caller's role from here; `refusal` says what stands in its way."""

    name: str
    label: Texts
    help: Texts | None
    danger: bool
    form: list[FieldForm]
    rules: list[str]
    permitted: bool
    refusal: Refusal | None = None


class SubjectOut(Schema):
    """An order or record as it stands, with the steps that the caller has."""

    ref: str
    process: str
    process_version: int
    label: Texts
    state: str
    state_label: Texts
    category: str
    region: str
    station_no: str
    revision: int
    order_ref: str | None
    created_at: datetime
    updated_at: datetime
    due_at: datetime | None
    clocks: dict[str, dict[str, Any]]
    facts: dict[str, Any]
    may: list[Offer]
    records: list[dict[str, Any]] | None = None
    attachments: list[dict[str, Any]] | None = None
    station_choice: list[dict[str, Any]] | None = None


class Row(Schema):
    model_config = ConfigDict(extra="allow")
    ref: str
    process: str
    state: str
    category: str
    station_no: str
    region: str
    revision: int
    due_at: datetime | None
    overdue: bool
    created_at: datetime


class Page(Schema):
    """One page; `next` is the cursor of the next, absent on the last."""

    items: list[Row]
    next: str | None


class EntryOut(Schema):
    id: int
    at: datetime
    kind: str
    from_state: str
    to_state: str
    revision: int
    by: dict[str, str]
    station_no: str
    data: dict[str, Any]


class History(Schema):
    items: list[EntryOut]
    next: int | None


class PhoneOut(Schema):
    ref: str
    phone: str


class Me(Schema):
    name: str
    role: str
    region: str
    station_no: str
    unseen_notices: int


class NoticeOut(Schema):
    id: int
    at: datetime
    subject: str
    notice: str
    texts: Texts


class Notices(Schema):
    items: list[NoticeOut]
    next: int | None


class RuleOut(Schema):
    id: str
    texts: Texts
    inferred: bool


class ProcessBrief(Schema):
    code: str
    kind: str
    label: Texts
    versions: list[int]
    in_force: int


class ProcessOut(Schema):
    """Every version of a process, the newest first."""

    code: str
    in_force: int
    versions: list[dict[str, Any]]


class Proposal(Schema):
    """The stations considered, the one that would get the order first. Nothing is taken."""

    stations: list[dict[str, Any]]


class DuplicatesIn(Schema):
    """Give one of the two."""

    phone: str = Field("", max_length=40)
    serial_no: str = Field("", max_length=60)


class Duplicates(Schema):
    items: list[Row]


class AttachmentOut(Schema):
    stored_as: str
    name: str
    fact: str
    media_type: str
    size: int
    uploaded_at: datetime


class Attachments(Schema):
    items: list[AttachmentOut]


class WebhookIn(Schema):
    """An address that is told of events; without `events`, of all."""

    model_config = ConfigDict(extra="forbid")
    url: Annotated[str, Field(max_length=500)]
    events: list[str] | None = None


class WebhookOut(Schema):
    id: int
    url: str
    events: list[str]
    active: bool
    created_at: datetime


class WebhookMade(WebhookOut):
    secret: str


class Webhooks(Schema):
    items: list[WebhookOut]
