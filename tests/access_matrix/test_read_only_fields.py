"""Every write of the interface, with every field that is nobody's to write.

Each question begins with a body that is answered with success; then one thing more is put into it: a column of the
row, at the top, among the facts of the step or within one of them, or a fact that another step takes. JSON is
strict: the answer is 422 and names the field. A form (an upload) passes over what it does not know: then all rows are
what they are without it.

In every run a share of the scenarios is asked, another one after every commit; MENDLINE_MATRIX_SHARE=7 asks the seventh
once more, as a fault that was found says it, and MENDLINE_MATRIX=whole asks all.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zlib import crc32

import orjson
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import models, transaction
from django.http import HttpRequest
from django.test import Client

from config.home import ROOT
from mendline.access.models import Person
from mendline.channels.webhook.models import Webhook
from mendline.journal.models import Entry, Outgoing
from mendline.orders import attachments
from mendline.orders.models import Attachment, Record, RepairOrder
from mendline.process import values
from mendline.sim import scenarios, worlds
from mendline.sim.faults.calls import Response, at_time
from mendline.sim.faults.rows import Effect, Rows
from mendline.sim.faults.walking import of_nobody, registered, scenario_files
from mendline.sim.scenario_files import read
from mendline.web.api import bodies, files, limits, orders, records, subjects
from tests.access_matrix.cast import NOW, Cast
from tests.access_matrix.valid_bodies import (
    Doors,
    Extra,
    Sent,
    all_writes,
    columns_of,
    extras,
    listed_at,
    taken_back,
)

pytestmark = pytest.mark.django_db
WHOLE = os.environ.get("MENDLINE_MATRIX") == "whole"
SHARES = 1 if WHOLE else 80  # of the scenarios
ONE_IN = 1 if WHOLE else 7  # of the questions about a step
TURNS = 80 * 7 * 3  # until all was asked in every combination
STEPS = {"create_order", "create_record", "carry_out", "carry_out_on_record"}  # what the scenarios send
JSON = "application/json"
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
KEPT_ANSWER = " orders_idempotencykey "  # holds a digest of what was sent, which is another one every time
NEVER_SENT = {"unified_repair.reorder"}  # a guard leaves it to `cancel_and_reassign`, whoever asks (CAN-02)
A_MOVE = "agent-reassigns-for-the-user.yaml"


def a_turn() -> int:
    """Return which share it is this time: the commit says; without git the first."""
    if chosen := os.environ.get("MENDLINE_MATRIX_SHARE"):
        return int(chosen)
    asked = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return int(asked.stdout.strip()[:8] or "0", 16) % TURNS


def told(turn: int, wrong: list[str]) -> str:
    """Return what was wrong, and how to ask the same questions again."""
    return "\n".join([f"MENDLINE_MATRIX_SHARE={turn} asks the same again", *wrong])


@dataclass(slots=True)
class Tally:
    """Which steps were asked about, how often, and what was wrong about the answers."""

    turn: int = 0
    one_in: int = 1
    asked: int = 0
    steps: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)

    def ask(self, sent: Sent, send: Callable[[Mapping[str, Any]], Response]) -> None:
        """Ask everything about a body, if it is the first of its step that succeeds."""
        if sent.name in self.steps:
            return
        status = send(sent.body).status
        if status == 401:
            self.wrong.append(f"{sent.name}: the one who asks has no key")
        if status not in (200, 201):
            return
        self.steps.add(sent.name)
        for extra in extras(sent):
            question = f"{sent.name} {extra.place} {extra.column}"
            if crc32(question.encode()) % self.one_in == self.turn % self.one_in:
                self.asked += 1
                self.judge(question, extra, send(extra.into(sent.body)))

    def judge(self, question: str, extra: Extra, heard: Response) -> None:
        named = set(heard.json.get("fields") or {})
        if heard.status != 422 or named != {extra.named}:
            self.wrong.append(f"{question}: {heard.status}, naming {sorted(named)}")

    @property
    def taken(self) -> set[str]:
        """Return the steps asked about, as `process.transition`."""
        return {f"{name.split()[0]}.{name.split()[2]}" for name in self.steps}


def walk(files: list[Path], tally: Tally) -> Tally:
    """Play scenarios, asking about each step before it is taken."""
    by_world: dict[str, list[Path]] = {}
    for path in files:
        by_world.setdefault(scenarios.world_key(read(path)), []).append(path)
    for name, here in by_world.items():
        world = worlds.load(name)
        with scenarios.built(world), (doors := Doors(tally.ask)).in_place():
            for person_id in world.person_ids.values():
                doors.secrets(person_id)  # before the scenarios, each of which is taken back
            for path in here:
                result = scenarios.play(read(path), world)
                assert result.passed, f"{path.name}: {result.problem}"
    return tally


def the_file(name: str) -> list[Path]:
    return [path for path in scenario_files() if path.name == name]


def test_no_field_that_is_not_listed_is_taken_by_any_step() -> None:
    turn = a_turn()
    tally = walk(scenario_files()[turn % SHARES :: SHARES], Tally(turn, ONE_IN))

    assert not tally.wrong, told(turn, tally.wrong)
    assert tally.asked > 20 * len(tally.steps) / ONE_IN > 0
    if WHOLE:
        assert registered() - tally.taken - of_nobody() == NEVER_SENT, "no scenario sends these over the interface"


def test_control_where_the_listing_of_inputs_is_switched_off_every_step_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in (bodies, orders, records, subjects):
        monkeypatch.setattr(module, "only", lambda *_: None)
    tally = walk(the_file(A_MOVE), Tally(one_in=6))

    assert tally.steps
    for step in tally.steps:
        assert any(wrong.startswith(f"{step}  ") and ": 20" in wrong for wrong in tally.wrong), step


def test_control_a_fact_that_a_step_does_not_ask_for_and_takes_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    asked_for = values.accept_given
    monkeypatch.setattr(
        "mendline.orders.transitions.accept_given",
        lambda process, step, given: asked_for(
            process, step, {name: value for name, value in given.items() if name in step.takes}
        ),
    )
    tally = walk(the_file(A_MOVE), Tally(one_in=6))

    assert tally.steps
    for step in tally.steps:
        assert any(wrong.startswith(f"{step} given ") and ": 20" in wrong for wrong in tally.wrong), step


# Every other write of the interface: who sends what to where, what it may hold, and whose columns it must not touch.


@dataclass(frozen=True, slots=True)
class Write:
    """One write that succeeds. `things` are what its row and those above it consist of."""

    role: str
    method: str
    path: str
    body: Mapping[str, Any]
    things: tuple[type[models.Model], ...]


def other_writes(cast: Cast) -> dict[str, Write]:
    order, record = cast.mine["order"], cast.mine["cancellation_request"]
    hook = Webhook.objects.create(url="https://example.org/a", events=[], created_by=1, created_at=NOW)
    reason = {"reason": "call_user"}
    hooked = {"url": "https://example.org/hook", "events": ["order.cancel"]}
    return {
        "reveal_phone": Write("cc_agent", "POST", f"/api/v1/orders/{order}/reveal", reason, (RepairOrder, Entry)),
        "mark_notices_seen": Write("cc_agent", "POST", "/api/v1/notices/seen", {}, (Person, Outgoing)),
        "find_duplicates": Write("cc_agent", "POST", "/api/v1/duplicates", {"phone": "13800000000"}, (RepairOrder,)),
        "add_webhook": Write("admin", "POST", "/api/v1/webhooks", hooked, (Webhook,)),
        "stop_webhook": Write("admin", "DELETE", f"/api/v1/webhooks/{hook.pk}", {}, (Webhook,)),
        "attach": Write("cc_agent", "FORM", f"/api/v1/orders/{order}/attachments", {}, (Attachment, RepairOrder)),
        "attach_to_record": Write(
            "station_coordinator", "FORM", f"/api/v1/records/{record}/attachments", {}, (Attachment, Record)
        ),
    }


def sent_by(cast: Cast, write: Write, body: Mapping[str, Any], rows: Rows) -> tuple[Response, Effect]:
    """Send a write and take back what it does; return the answer, and what a form does to all rows."""
    headers = {"Authorization": f"Bearer {cast.secrets[write.role]}", "Idempotency-Key": "read-only"}
    with taken_back(), at_time(NOW):
        if write.method == "FORM":
            before = rows.now()
            flat = {name: value if isinstance(value, str) else str(value) for name, value in body.items()}
            form = {**flat, "file": SimpleUploadedFile("单.pdf", PDF)}
            heard = Client().post(write.path, form, headers=headers)
            effect = rows.since(before).effect()
        else:
            effect = ()
            heard = Client().generic(write.method, write.path, orjson.dumps(body), JSON, headers=headers)
    return Response(heard.status_code, heard.content), tuple(line for line in effect if KEPT_ANSWER not in line)


def wrongly_taken(cast: Cast, name: str, write: Write, wanted: Collection[str] | None = None) -> list[str]:
    """Return what a write takes, or passes over, that is not listed for it; `wanted` are the columns to try."""
    listed = listed_at(name)
    rows = Rows()
    valid, meant = sent_by(cast, write, write.body, rows)
    assert valid.status in (200, 201), f"{name}: {valid.status} {valid.body.decode()}"
    wrong = []
    for column, value in {**columns_of(*write.things), "given": {"state": "closed"}}.items():
        if column in listed or (wanted is not None and column not in wanted):
            continue
        heard, effect = sent_by(cast, write, {**write.body, column: value}, rows)
        named = set(heard.json.get("fields") or {})
        refused = heard.status == 422 and named == {column}
        passed_over = write.method == "FORM" and heard.status == valid.status and effect == meant
        if not refused and not passed_over:
            wrong.append(f"{name} with {column}: {heard.status}, naming {sorted(named)}")
    return wrong


def test_no_other_write_takes_a_column_of_its_row(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "take", lambda *_: None)
    turn, wrong = a_turn(), list[str]()
    with transaction.atomic():
        known = other_writes(cast)
        for name, write in known.items():
            columns = (*columns_of(*write.things), "given")
            wrong += wrongly_taken(cast, name, write, columns if WHOLE else columns[turn % 5 :: 5])
        transaction.set_rollback(True)

    assert not wrong, told(turn, wrong)
    assert set(known) | STEPS == all_writes(), "a write that nobody asks about: give it a body that succeeds"


def test_control_an_upload_that_takes_a_column_from_its_form_is_found(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = attachments.keep
    monkeypatch.setattr(limits, "take", lambda *_: None)
    read = files._uploaded

    def whatever_is_sent(request: HttpRequest) -> Any:
        sent.clear()
        sent.update(request.POST.items())
        return read(request)

    def taken(*args: Any, **named: Any) -> Attachment:
        row = kept(*args, **named)
        if "media_type" in sent:
            Attachment.objects.filter(pk=row.pk).update(media_type=sent["media_type"])
        return row

    sent: dict[str, Any] = {}
    monkeypatch.setattr(files, "_uploaded", whatever_is_sent)
    monkeypatch.setattr(attachments, "keep", taken)
    with transaction.atomic():
        wrong = wrongly_taken(cast, "attach", other_writes(cast)["attach"], ("sha256", "media_type"))
        transaction.set_rollback(True)

    assert wrong == ["attach with media_type: 201, naming []"]
