"""A version with other parameters: derived from its file, numbered beside it, refused where it makes no sense."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from mendline.access import tokens
from mendline.access.actors import THE_CLOCK, Actor
from mendline.access.models import Person
from mendline.kernel.durations import Duration
from mendline.kernel.errors import Conflict, Refused
from mendline.orders.store import Loaded, load
from mendline.orders.sweep import sweep
from mendline.orders.transitions import begin, perform
from mendline.process import diagram, loading, overlays, table
from mendline.process.loading import Unsound, load_all, process_for, processes
from mendline.process.models import AllowedChange, Overlay, ProcedureVersion
from mendline.process.overlays import faults_of, texts_that_say, with_settings
from tests.make import MONDAY_NINE, a_network, a_report

REPAIR = processes()["unified_repair", 3]
SOON = MONDAY_NINE + timedelta(seconds=5)


def somebody(role: str) -> Actor:
    person, _ = Person.objects.get_or_create(username=f"the-{role}", defaults={"name": role, "role": role})
    return person.as_actor("test")


def a_proposal(limits: str = "contact_limit=3h", **given: object) -> Loaded:
    wanted = {
        "title": "联系时限", "changes_process": "unified_repair", "changes_version": 3, "new_limits": limits,
        "change_reason": "用户要求更快", **given,
    }  # fmt: skip
    return begin("parameter_change", "propose", actor=somebody("channel_management"), now=MONDAY_NINE, given=wanted)


def in_force(limits: str = "contact_limit=3h", **given: object) -> Loaded:
    """A change that was proposed, reviewed and approved, with its moment come."""
    change = a_proposal(limits, **given)
    perform(change.ref, "review", actor=somebody("service_support_dept"), now=MONDAY_NINE)
    perform(change.ref, "approve", actor=somebody("hq_interface"), now=MONDAY_NINE)
    while sweep(SOON):
        pass
    return load(change.ref, actor=THE_CLOCK)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("nosuch", "3h", "没有参数"),
        ("contact_limit", "3", "没有单位"),
        ("contact_limit", "0m", "一开始就会超时"),
        ("contact_quota", "six", "不小于零的数"),
        ("contact_quota", "-1", "不小于零的数"),
        ("contact_quota", "1.5", "不小于零的数"),
        ("form_for_refusal", "perhaps", "只能是"),
        ("special_t31", "2011-01-01", "只能是"),
        ("further_grounds", "one,one", "不重复的代码"),
        ("further_grounds", "Robert'); DROP", "不重复的代码"),
        ("contact_limit", "4h", "没有一个参数与流程文件不同"),
    ],
)
def test_uds_06_a_limit_that_makes_no_sense_is_refused_in_words(name: str, value: str, says: str) -> None:
    faults = faults_of(REPAIR, {name: value})

    assert len(faults) == 1 and says in faults[0].zh, faults


def test_all_faults_of_a_change_are_told_at_once() -> None:
    assert len(faults_of(REPAIR, {"nosuch": "1", "contact_limit": "soon", "contact_quota": "x"})) == 3


def test_a_change_of_a_calendar_kind_is_as_good_as_any_where_the_clock_allows_it() -> None:
    """5 working days may become 5 days: the kind of unit is the operator's choice, the check is the file's."""
    assert faults_of(REPAIR, {"unreachable_cancel_after": "5d"}) == []


def test_notices_that_state_the_old_limit_in_words_are_found() -> None:
    assert texts_that_say(REPAIR, "contact_limit")
    assert texts_that_say(REPAIR, "t3_max_writes") == []


def test_nothing_but_parameters_differs() -> None:
    changed = with_settings(REPAIR, {"contact_limit": "3h"})

    assert changed.parameters["contact_limit"] == Duration(seconds=3 * 3600)
    assert replace(changed, parameters=REPAIR.parameters) == REPAIR


def test_a_version_is_written_with_a_point_and_kept_as_a_whole_number() -> None:
    assert replace(REPAIR, version=3012).edition == "3.12"
    assert REPAIR.edition == "3"


@pytest.mark.django_db
def test_can_33_an_order_keeps_the_limits_it_began_with() -> None:
    a_network()
    before = a_report()

    change = in_force()
    after = a_report(now=SOON)

    assert (before.process_version, after.process_version, change.facts["edition"]) == (3, 3001, "3.1")
    assert after.clocks["contact"].due_at == SOON + timedelta(hours=3)
    assert load(before.ref, actor=THE_CLOCK).clocks["contact"].due_at == MONDAY_NINE + timedelta(hours=4)


@pytest.mark.django_db
def test_another_process_learns_of_an_overlay_by_one_query_and_then_asks_no_more() -> None:
    a_network()
    in_force()
    overlays.forget()

    with CaptureQueriesContext(
        connection,
    ) as first:
        found = process_for("unified_repair", 3001)
    with CaptureQueriesContext(connection) as later:
        process_for("unified_repair", 3001)
        process_for("unified_repair", 3)

    assert found.parameters["contact_limit"] == Duration(seconds=3 * 3600)
    assert (len(first), len(later)) == (1, 0)


@pytest.mark.django_db
def test_a_number_that_never_was_in_force_is_unknown() -> None:
    a_network()

    with pytest.raises(Refused, match="3.1"):
        process_for("unified_repair", 3001)


@pytest.mark.django_db
def test_tables_pictures_and_allowed_changes_of_an_overlay_are_those_of_its_file() -> None:
    a_network()
    in_force()
    overlay = process_for("unified_repair", 3001)

    assert table.rows(overlay)[1:] == table.rows(REPAIR)[1:]
    assert diagram.svg(overlay, "zh") == diagram.svg(REPAIR, "zh")
    pairs = [
        set(
            AllowedChange.objects.filter(process="unified_repair", version=version).values_list(
                "from_state", "to_state"
            )
        )
        for version in (3, 3001)
    ]
    assert pairs[0] == pairs[1]


@pytest.mark.django_db
def test_loading_the_files_again_keeps_the_overlays() -> None:
    a_network()
    in_force()

    load_all()

    assert AllowedChange.objects.filter(process="unified_repair", version=3001).exists()
    assert a_report(now=SOON).process_version == 3001


@pytest.mark.django_db
def test_a_file_that_orders_of_an_overlay_need_cannot_go_unnoticed(monkeypatch: pytest.MonkeyPatch) -> None:
    a_network()
    in_force()
    files = {key: process for key, process in processes().items() if key != ("unified_repair", 3)}
    monkeypatch.setattr(loading, "processes", lambda: files)

    with pytest.raises(Unsound, match="unified_repair 3.1: *|stands on version 3"):
        load_all()


@pytest.mark.django_db
def test_uds_03_a_file_changed_between_proposal_and_approval_is_checked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    a_network()
    change = a_proposal()
    perform(change.ref, "review", actor=somebody("service_support_dept"), now=MONDAY_NINE)
    without = {name: value for name, value in REPAIR.parameters.items() if name != "contact_limit"}
    monkeypatch.setitem(processes(), ("unified_repair", 3), replace(REPAIR, parameters=without))

    with pytest.raises(Refused, match="contact_limit"):
        perform(change.ref, "approve", actor=somebody("hq_interface"), now=MONDAY_NINE)


@pytest.mark.django_db
def test_uds_01_two_versions_are_never_in_force_for_one_line() -> None:
    a_network()
    in_force()
    in_force("contact_limit=5h")

    open_rows = ProcedureVersion.objects.filter(process="unified_repair", ended_at=None)
    assert [(row.version, row.product_line) for row in open_rows] == [(3002, "")]
    with pytest.raises(IntegrityError), transaction.atomic():
        ProcedureVersion.objects.create(process="unified_repair", version=3, in_force_from=SOON)


@pytest.mark.django_db
def test_what_an_overlay_says_cannot_be_rewritten_by_the_application() -> None:
    a_network()
    in_force()

    for statement in ("UPDATE process_overlay SET settings = '{}'", "DELETE FROM process_overlay"):
        with pytest.raises(Exception, match="permission denied"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL ROLE mendline_app")
            cursor.execute(statement)
    assert Overlay.objects.get().settings == {"contact_limit": "3h"}


@pytest.mark.django_db
def test_uds_06_the_effect_on_the_past_is_kept_with_the_proposal() -> None:
    a_network()
    a_report()

    change = a_proposal()

    assert change.facts["effect"]["headline"]["zh"].startswith("1 单 1 步中，0 步")
    assert change.facts["limits"] == {"contact_limit": "3h"}


@pytest.mark.django_db(transaction=True)
def test_an_edition_being_published_is_not_waited_for() -> None:
    """Whoever publishes waits for the record of the change; waiting in turn would be a deadlock."""
    from django.db import connections

    a_network()
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(hashtext('process.in_force'), hashtext('unified_repair'))")
        with pytest.raises(Conflict), transaction.atomic():
            overlays.next_version("unified_repair", 3)
    finally:
        other.close()


@pytest.mark.django_db
def test_a_machine_reads_the_limits_that_hold_in_the_version_that_is_in_force(client: Client) -> None:
    a_network()
    in_force("contact_limit=3h")
    reader = Person.objects.create(username="reader", name="reader", role="process_owner")
    caller = {"Authorization": f"Bearer {tokens.issue(reader, 'bridge')}"}

    listed = client.get("/api/v1/processes", headers=caller).json()
    shown = client.get("/api/v1/processes/unified_repair", headers=caller).json()

    [repair] = [one for one in listed if one["code"] == "unified_repair"]
    assert repair["in_force"] == shown["in_force"] == 3001
    assert repair["versions"][0] == shown["versions"][0]["version"] == 3001
    assert "contact_limit" in shown["versions"][0]["parameters"]
    assert shown["versions"][0]["parameters"] != shown["versions"][1]["parameters"]
