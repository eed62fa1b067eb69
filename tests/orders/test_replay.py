"""A changed procedure is tried on what was done before it is published."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from io import StringIO
from pathlib import Path

import orjson
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from mendline.journal.models import Entry
from mendline.kernel.durations import Duration
from mendline.orders.replay import records_since, replay
from mendline.process.definition import Process
from mendline.process.loading import latest
from tests.make import MONDAY_NINE, a_network, a_report, do

pytestmark = pytest.mark.django_db

SINCE = MONDAY_NINE - timedelta(days=1)


@pytest.fixture(autouse=True)
def some_history() -> None:
    """Three orders: promised at once, after an hour and after three and a half; the first with a note of the call."""
    a_network()
    for hours, note in ((0, "明天来"), (1, ""), (3.5, "")):
        now = MONDAY_NINE + timedelta(hours=hours)
        order = do(do(a_report(), "download"), "log_contact", now=now, contact_outcome="reached", contact_note=note)
        do(order, "promise", now=now, promised_at="2026-03-03T02:00:00Z")


def with_parameter(process: Process, name: str, value: Duration | int) -> Process:
    return replace(process, parameters={**process.parameters, name: value})


def test_the_procedure_as_it_is_refuses_nothing_of_what_was_done() -> None:
    before = Entry.objects.count()

    found = replay(latest("unified_repair"), since=SINCE)

    assert (found.records, found.steps, found.unsure, found.refused) == (3, 12, 0, {})
    assert found.clocks["contact"].late_was == found.clocks["contact"].late_would == 0
    assert Entry.objects.count() == before, "a replay writes nothing"


def test_stn_19_a_shorter_limit_tells_how_many_contacts_would_have_been_late() -> None:
    found = replay(with_parameter(latest("unified_repair"), "contact_limit", Duration(seconds=3 * 3600)), since=SINCE)

    met = found.clocks["contact"]
    assert (met.times, met.late_was, met.late_would) == (3, 0, 1)
    assert found.refused == {}


def test_a_step_given_to_another_role_is_refused_with_the_orders_it_concerns() -> None:
    process = latest("unified_repair")
    promise = replace(process.transitions["promise"], by=("cc_agent",), role_rule="STN-09")
    changed = replace(process, transitions={**process.transitions, "promise": promise})

    [(step, rule, refusals)] = replay(changed, since=SINCE).ranked()

    assert (step, rule, refusals.times, len(refusals.examples)) == ("promise", "STN-09", 3, 3)
    assert "协调员" not in refusals.why.zh and "CC座席" in refusals.why.zh


@pytest.mark.parametrize("most", [1, 2, 3, 5])
def test_taken_in_steps_it_comes_to_the_same(most: int) -> None:
    process = with_parameter(latest("unified_repair"), "contact_limit", Duration(seconds=3 * 3600))
    promise = replace(process.transitions["promise"], by=("cc_agent",), role_rule="STN-09")
    changed = replace(process, transitions={**process.transitions, "promise": promise})
    whole = replay(changed, since=SINCE)

    found = replay(changed, since=SINCE, most=most, keep=2)
    steps = 1
    while found.reached is not None:
        found.add(replay(changed, since=SINCE, most=most, below=found.reached))
        steps += 1

    assert steps >= 3 / most and records_since("unified_repair", SINCE) == whole.records == found.records
    assert (found.steps, found.unsure, found.clocks, found.not_asked, found.refusals) == (
        whole.steps, whole.unsure, whole.clocks, whole.not_asked, whole.refusals
    )  # fmt: skip
    assert {cause: len(them.examples) for cause, them in found.refused.items()} == {("promise", "STN-09"): 2}


def test_a_newly_required_field_counts_as_refused_where_it_was_not_given() -> None:
    process = latest("unified_repair")
    contact = process.transitions["log_contact"]
    wordy = replace(contact, requires=(*contact.requires, "contact_note"), accepts=())
    changed = replace(process, transitions={**process.transitions, "log_contact": wordy})

    found = replay(changed, since=SINCE)

    [(_, _, refusals)] = found.ranked()
    assert refusals.times == 2
    assert all("联系记录" in one.why.zh for one in refusals.examples)


def test_only_steps_of_the_period_count_and_earlier_ones_lead_up_to_them() -> None:
    found = replay(latest("unified_repair"), since=MONDAY_NINE + timedelta(hours=2))

    assert (found.records, found.steps, found.unsure) == (1, 2, 0)


def test_guards_that_the_history_cannot_answer_are_named() -> None:
    """The reply must not look more certain than it is."""
    found = replay(latest("unified_repair"), since=SINCE)

    assert set(found.not_asked) <= set().union(*(step.guards for step in latest("unified_repair").transitions.values()))
    assert found.not_asked, "a report is guarded by what is looked up"


def test_the_command_says_it_in_words_and_as_json(tmp_path: Path) -> None:
    path = tmp_path / "unified_repair.yaml"
    text = (Path(settings.PROCESS_FOLDER) / "unified_repair.yaml").read_text(encoding="utf-8")
    path.write_text(text.replace("contact_limit: 4h", "contact_limit: 3h"), encoding="utf-8")
    out = StringIO()

    call_command("process", "replay", str(path), "--days", "36500", stdout=out)
    said = out.getvalue()
    out = StringIO()
    call_command("process", "replay", str(path), "--days", "36500", "--json", stdout=out)
    told = orjson.loads(out.getvalue())

    assert "12" in said and "0 → 1" in said
    assert told["steps"] == 12 and told["clocks"]["contact"] == {"times": 3, "late_was": 0, "late_would": 1}


def test_the_command_takes_a_parameter_without_a_changed_file() -> None:
    out = StringIO()

    call_command("process", "replay", "unified_repair", "--days", "36500", "--set", "contact_limit=3h", stdout=out)

    assert "0 → 1" in out.getvalue()


@pytest.mark.parametrize("arguments", [["nosuch"], ["unified_repair", "--set", "nosuch=3h"], ["nosuch.yaml"]])
def test_what_does_not_exist_is_named(arguments: list[str]) -> None:
    with pytest.raises(CommandError, match="nosuch"):
        call_command("process", "replay", *arguments, stdout=StringIO())


def test_a_faulty_file_is_not_replayed(tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text("process: unified_repair\nversion: nine\n", encoding="utf-8")

    with pytest.raises(CommandError, match="broken"):
        call_command("process", "replay", str(path), stdout=StringIO())
