"""Deciding is pure: same question, same answer, no database, no clock of its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mendline.kernel.calendars import standard
from mendline.kernel.errors import Forbidden, Invalid, Refused
from mendline.process.clock_state import ClockState
from mendline.process.decide import Decision, decide, decide_timer
from mendline.process.loading import process_for
from mendline.process.values import stored_moment

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def deciding(name: str, state: str, role: str = "station_coordinator", *, now: datetime = NOW, **kept: Any) -> Decision:
    facts: dict[str, Any] = {
        "t1": stored_moment(NOW),
        "open_requests": [],
        "engineer_entry": None,
        "part_due_at_default": None,
    }
    facts |= kept.pop("facts", {})
    return decide(
        process_for("unified_repair", 3),
        name,
        state=state,
        role=role,
        given=kept.pop("given", {}),
        facts=facts,
        clocks=kept.pop("clocks", {}),
        now=now,
        calendars=standard,
    )


def a_running(due: datetime) -> dict[str, ClockState]:
    return {"contact": ClockState("running", 1, NOW, NOW, due)}


def test_stn_09_the_first_promise_makes_t2_and_stops_the_contact_clock() -> None:
    given = {"promised_at": (NOW + 5 * HOUR).isoformat()}

    decision = deciding("promise", "downloaded", now=NOW + HOUR, given=given, clocks=a_running(NOW + 4 * HOUR))

    assert decision.to_state == "promised"
    assert decision.changes["t2"] == stored_moment(NOW + HOUR)
    assert decision.clocks["contact"].run == "stopped"
    assert decision.ended_clocks == ("contact",)


@pytest.mark.parametrize(("written", "refused"), [(0, False), (2, False), (3, True)])
def test_stn_08_three_promises_and_no_fourth(written: int, refused: bool) -> None:
    given = {"promised_at": (NOW + 5 * HOUR).isoformat()}
    facts = {"promises_written": written, "t3_promises": [{"slot": "T31"}] * written, "t2": stored_moment(NOW)}

    if refused:
        with pytest.raises(Refused, match="STN-08"):
            deciding("promise", "contacting", given=given, facts=facts)
    else:
        assert deciding("promise", "contacting", given=given, facts=facts).changes["promises_written"] == written + 1


def test_a_time_without_zone_names_the_field_and_the_remedy() -> None:
    with pytest.raises(Invalid) as refused:
        deciding("promise", "contacting", given={"promised_at": "2026-03-02T15:00"})

    assert "时区" in refused.value.fields["promised_at"].zh


@pytest.mark.parametrize(
    "value", ["2026-02-29T10:00+08:00", "yesterday", 5, True, None, ["2026-03-02"], {}, "x" * 100_000]
)
def test_what_is_no_moment_is_refused_and_never_raises_anything_else(value: Any) -> None:
    with pytest.raises(Invalid):
        deciding("promise", "contacting", given={"promised_at": value})


@given(
    st.dictionaries(st.text(max_size=20), st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists))
)
def test_whatever_is_given_the_answer_is_a_decision_or_a_refusal(given: dict[str, Any]) -> None:
    try:
        deciding("promise", "contacting", given=given)
    except Refused as refusal:
        assert refusal.rules


@given(st.text(min_size=1, max_size=300))
def test_any_text_is_stored_as_it_was_or_refused(text: str) -> None:
    try:
        decision = deciding("log_contact", "contacting", given={"contact_outcome": "busy", "contact_note": text})
    except Invalid:
        return
    assert decision.changes.get("contact_note", "") == text.replace("\r\n", "\n").strip()


def test_the_same_question_has_the_same_answer() -> None:
    given = {"promised_at": (NOW + 5 * HOUR).isoformat()}

    first, second = (deciding("promise", "contacting", given=given, clocks=a_running(NOW + 4 * HOUR)) for _ in range(2))

    assert first == second


def test_stn_02_downloading_is_the_coordinators() -> None:
    with pytest.raises(Forbidden, match="STN-02"):
        deciding("download", "dispatched", "station_engineer")


def test_a_timer_of_an_earlier_run_has_nothing_to_say() -> None:
    process = process_for("unified_repair", 3)
    clocks = {"contact": ClockState("running", 2, NOW, NOW, NOW + 4 * HOUR)}

    for generation, speaks in ((1, False), (2, True)):
        decision = decide_timer(
            process, "contact", "breach", generation, facts={}, state="dispatched", clocks=clocks, now=NOW + 5 * HOUR,
            calendars=standard,
        )  # fmt: skip
        assert (decision is not None) == speaks


def test_a_step_that_would_count_from_the_same_instant_leaves_the_clock_as_it_is() -> None:
    """STN-33: a promise that was missed is not missed once more because a part is ordered meanwhile."""
    due = stored_moment(NOW)
    late = ClockState("running", 1, NOW, NOW, NOW, breached_at=NOW)
    promised = {"t3_due_at": due, "promised_at": due, "t3_promises": [{"slot": "T31", "at": due, "written_at": due}]}

    decision = deciding(
        "order_part", "promised", now=NOW + HOUR, clocks={"visit": late},
        facts={**promised, "part_due_at_default": due, "new_part_order_ref": "BJ1"},
        given={"part_code": "MB-H61", "told_user_why": True, "borrowing": "not_available"},
    )  # fmt: skip

    assert decision.clocks["visit"] == late
    assert decision.timers == () and decision.clock_events == ()
