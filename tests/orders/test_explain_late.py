"""Why late, and through whom: told from the history alone, in numbers."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from mendline.journal.models import Entry
from mendline.kernel.calendars import always, working_days, working_hours
from mendline.kernel.time import SHANGHAI
from mendline.orders.explain_late import ClockRun, clock_runs
from mendline.process.definition import Process
from mendline.process.loading import processes

CALENDARS = {"always": always(), "working_days": working_days(), "working_hours": working_hours()}
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def at(clock: str, day: int = 2) -> datetime:
    """A moment in the week of Monday, 2 March 2026."""
    return datetime.fromisoformat(f"2026-03-{day:02d}T{clock}").replace(tzinfo=SHANGHAI)


def entry(when: datetime, kind: str, state: str, *clocks: tuple[str, str, datetime], **changed: Any) -> Entry:
    events = [{"clock": clock, "verb": verb, "due": due.isoformat()} for clock, verb, due in clocks]
    return Entry(
        at=when, subject="WX1", kind=kind, process="unified_repair", from_state="", to_state=state, revision=0,
        actor_role="station_coordinator", actor_name="李明", station_no="000001",
        data={"clocks": events, "changed": changed},
    )  # fmt: skip


def runs(*entries: Entry, now: datetime, process: Process | None = None) -> list[ClockRun]:
    chosen = process or processes()[("unified_repair", 3)]
    return clock_runs(chosen, entries, now=now, calendars=CALENDARS.__getitem__)


REPORT = entry(at("09:00"), "order.report", "dispatched", ("contact", "started", at("13:00")))
DOWNLOAD = entry(at("10:30"), "order.download", "downloaded")


def promise(when: datetime, verb: str) -> Entry:
    due = at("15:00", 3)
    clocks = (("contact", verb, at("13:00")), ("visit", "started", due))
    return entry(when, "order.promise", "promised", *clocks, promised_at=due.isoformat())


@pytest.mark.parametrize(
    ("contacted", "verb", "outcome", "used", "over"),
    [
        ("12:59", "stopped", "in_time", 239, 0),
        ("13:00", "stopped", "in_time", 240, 0),
        ("13:01", "stopped late", "late", 240, 1),
        ("14:20", "stopped late", "late", 240, 80),
    ],
)
def test_stn_19_the_time_within_the_limit_and_beyond_it_on_both_sides(
    contacted: str, verb: str, outcome: str, used: int, over: int
) -> None:
    [contact, _] = runs(REPORT, DOWNLOAD, promise(at(contacted), verb), now=at("18:00"))

    assert (contact.outcome, contact.used, contact.over) == (outcome, used * MINUTE, over * MINUTE)
    assert contact.limit.seconds == 4 * 3600
    assert contact.clock.rules == ("STN-19",)


def test_the_stages_say_where_the_time_went_and_who_had_it() -> None:
    [contact, _] = runs(REPORT, DOWNLOAD, promise(at("14:20"), "stopped late"), now=at("18:00"))

    told = [(stage.verb, stage.state, stage.used, stage.over, stage.total) for stage in contact.stages]
    assert told == [
        ("started", "dispatched", 90 * MINUTE, timedelta(0), 90 * MINUTE),
        ("", "downloaded", 150 * MINUTE, timedelta(0), 240 * MINUTE),
        ("due", "downloaded", timedelta(0), 80 * MINUTE, 320 * MINUTE),
    ]
    assert contact.by_state() == {"dispatched": 90 * MINUTE, "downloaded": 230 * MINUTE}
    assert contact.longest.state == "downloaded"
    assert {stage.station_no for stage in contact.stages} == {"000001"}
    assert contact.ended_by is not None and contact.ended_by.kind == "order.promise"


def test_an_alarm_that_came_late_does_not_move_the_deadline() -> None:
    alarm = entry(at("13:07"), "clock.breach", "dispatched", ("contact", "breached", at("13:00")))
    [contact] = runs(REPORT, alarm, now=at("13:30"))

    assert (contact.outcome, contact.used, contact.over) == ("running_late", 4 * HOUR, 30 * MINUTE)
    assert [stage.begun_at for stage in contact.stages if stage.verb == "due"] == [at("13:00")]


def test_a_clock_that_still_runs_is_told_until_now() -> None:
    [contact] = runs(REPORT, DOWNLOAD, now=at("11:00"))

    assert (contact.outcome, contact.used, contact.over) == ("running", 2 * HOUR, timedelta(0))
    assert contact.ended_by is None and contact.ended_at == at("11:00")


def test_stn_26_nights_count_and_days_off_do_not_towards_the_five_working_days() -> None:
    thursday, due = at("09:00", 5), at("09:00", 12)
    marked = entry(
        at("12:40", 5), "order.mark_unreachable", "contacting", ("unreachable", "started", due), t1=thursday.isoformat()
    )
    [unreachable] = runs(marked, now=at("09:00", 10))

    assert unreachable.counted_from == thursday  # it counts from T1, not from when it was marked
    assert unreachable.used == 3 * 24 * HOUR  # to Friday's, Monday's and Tuesday's 09:00; nothing of the weekend


def test_stn_33_before_the_promised_time_nothing_counts_and_after_it_everything_is_late() -> None:
    begun = entry(at("16:30", 3), "order.start_service", "in_service", ("visit", "stopped late", at("15:00", 3)))
    visit = runs(REPORT, promise(at("12:00"), "stopped"), begun, now=at("18:00", 3))[1]

    assert (visit.clock.name, visit.used, visit.over) == ("visit", timedelta(0), 90 * MINUTE)
    assert visit.due_at == at("15:00", 3)


def test_a_pause_takes_nothing_and_moves_the_deadline() -> None:
    process = processes()[("unified_repair", 3)]
    contact = replace(process.clocks["contact"], pauses=frozenset({"awaiting_part"}))
    process = replace(process, clocks={**process.clocks, "contact": contact})
    told = runs(
        REPORT,
        entry(at("10:00"), "order.order_part", "awaiting_part", ("contact", "paused", at("13:00"))),
        entry(at("15:00"), "order.part_arrived", "contacting", ("contact", "resumed", at("18:00"))),
        entry(at("18:30"), "order.promise", "promised", ("contact", "stopped late", at("18:00"))),
        now=at("20:00"), process=process,
    )  # fmt: skip

    [run] = told
    assert (run.used, run.over, run.due_at) == (4 * HOUR, 30 * MINUTE, at("18:00"))
    paused = run.stages[1]
    assert (paused.verb, paused.is_counting, paused.used + paused.over) == ("paused", False, timedelta(0))
    assert [stage.verb for stage in run.stages] == ["started", "paused", "resumed", "due"]


def test_a_clock_started_again_is_a_run_of_its_own() -> None:
    again = entry(at("09:00", 4), "order.reopen", "contacting", ("contact", "started", at("13:00", 4)))
    told = runs(REPORT, promise(at("10:00"), "stopped"), again, now=at("10:00", 4))

    contacts = [run for run in told if run.clock.name == "contact"]
    assert [(run.outcome, run.used) for run in contacts] == [("in_time", HOUR), ("running", HOUR)]


def test_looking_at_a_number_is_no_progress() -> None:
    looked = entry(at("11:00"), "order.reveal_phone", "dispatched")
    [contact] = runs(REPORT, looked, now=at("12:00"))

    assert [stage.verb for stage in contact.stages] == ["started"]
