"""T1 to T4 in the legacy system's columns, with the two meanings of 2010-01-01."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mendline.channels.legacy.t_columns import (
    COLUMNS,
    KIND,
    REASON,
    STATE,
    LegacyTimes,
    read_columns,
    reads_back,
    times_of,
    write_columns,
)
from mendline.kernel.time import Unreadable
from mendline.orders import changes
from mendline.orders.guards import REMOTE_REASONS
from mendline.process.loading import process_for
from tests.make import MONDAY_NINE, a_network, a_report, do

SPECIAL = "2010-01-01"
AN_INTERVAL = st.timedeltas(min_value=timedelta(microseconds=1), max_value=timedelta(days=40))


def process() -> Any:
    return process_for("unified_repair", 3)


class History:
    """An order's facts as the real changes write them, one step after the other."""

    def __init__(self, reported: datetime) -> None:
        self.now = reported
        self.state = "dispatched"
        self.facts: dict[str, Any] = {"station_no": "000001"}
        self.step("record_t1")

    def step(self, name: str, **given: Any) -> None:
        facts = {
            **self.facts,
            **given,
            "now": self.now,
            "given_names": frozenset(given),
            "actor_role": "station_engineer",
        }
        self.facts |= given | dict(getattr(changes, name)(facts, process().parameters))


A_REASON = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=20).map(str.strip),
    st.sampled_from(REMOTE_REASONS),
)


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Reported, perhaps not reached, promised up to three times, then open, served, solved by telephone or void."""
    start = draw(st.datetimes(datetime(2010, 1, 3), datetime(2090, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
    history = History(start)

    def later() -> None:
        history.now += draw(AN_INTERVAL)

    if draw(st.booleans()):
        later()
        history.step("write_special_t31")
        history.state = "contacting"
    end = draw(st.sampled_from(["open", "resolve", "resolve_remotely", "called_back", "cancel"]))
    for _ in range(draw(st.integers(0, 3 - len(history.facts.get("t3_promises", ()))))):
        later()
        kind = draw(st.sampled_from(["within_promise", "part_reason", "user_reason"]))
        # A serviced order does not have one of the two fixed texts: these columns could not tell (see `reads_back`).
        reason = draw(A_REASON.filter(lambda text: end not in ("resolve", "called_back") or text not in REMOTE_REASONS))
        promised = history.now + draw(AN_INTERVAL)
        history.step("record_promise", promised_at=promised.isoformat(), promise_kind=kind, promise_reason=reason)
        history.state = "promised"
    later()
    if end == "resolve_remotely":
        history.step("record_remote_solution", promise_reason=draw(st.sampled_from(REMOTE_REASONS)))
        history.state = "resolved"
    elif end in ("resolve", "called_back"):
        history.step("record_completion")
        history.state = {"resolve": "resolved", "called_back": "called_back"}[end]
    elif end == "cancel":
        history.state = "cancelled"
    return history


@given(histories())
def test_stn_22_29_whatever_happened_reads_back_from_the_columns(history: History) -> None:
    times = times_of(history.facts, history.state)

    cells = write_columns(times, process())

    assert tuple(cells) == COLUMNS and all(isinstance(cell, str) for cell in cells.values())
    assert read_columns(cells, process()) == times


@given(histories())
def test_stn_22_29_the_kept_outcomes_can_be_made_again_from_the_columns(history: History) -> None:
    """Not only the columns: the facts behind them, as far as columns can hold them."""
    facts = history.facts

    read = read_columns(write_columns(times_of(facts, history.state), process()), process())

    kept = facts.get("t3_promises") or []
    assert [slot if isinstance(slot, str) else slot.isoformat() for slot in read.t3] == [
        promise["at"] and datetime.fromisoformat(promise["at"]).isoformat() or promise["kind"] for promise in kept
    ]
    unreachable = bool(read.t3) and read.t3[0] == "unreachable"
    assert (read.t2 if unreachable else None) == _moment(facts.get("special_t31_at"))
    assert (read.resolution or None) == facts.get("resolution")


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def test_stn_22_not_reached_is_the_special_date_on_an_order_that_goes_on() -> None:
    history = History(MONDAY_NINE)
    history.now += timedelta(hours=3.5)
    history.step("write_special_t31")

    cells = write_columns(times_of(history.facts, "contacting"), process())

    assert cells == {
        "T1": "2026-03-02T09:00:00+08:00", "T2": "2026-03-02T12:30:00+08:00", "T31": SPECIAL, "T32": "", "T33": "",
        "T4": "", KIND: "", REASON: "", STATE: "联系用户",
    }  # fmt: skip
    assert read_columns(cells, process()).t3 == ("unreachable",)


def test_stn_29_30_31_solved_by_telephone_is_the_special_date_with_type_and_text_on_a_closed_order() -> None:
    history = History(MONDAY_NINE)
    history.now += timedelta(hours=1)
    history.step("record_remote_solution", promise_reason="软件问题，电话解决")

    cells = write_columns(times_of(history.facts, "resolved"), process())

    assert (cells["T31"], cells[KIND], cells[REASON], cells[STATE]) == (
        SPECIAL,
        "承诺时间内",
        "软件问题,电话解决",
        "已解决",
    )
    read = read_columns(cells, process())
    assert (read.t3, read.resolution) == (("resolved_remotely",), "resolved_remotely")


@pytest.mark.parametrize(
    ("changed", "meaning", "resolution"),
    [
        ({STATE: "联系用户", "T4": ""}, "unreachable", ""),
        ({KIND: "用户原因"}, "unreachable", "serviced"),
        ({REASON: "软件问题"}, "unreachable", "serviced"),
        (
            {"T2": "2026-03-02T09:30"},
            "unreachable",
            "resolved_remotely",
        ),  # not reached first, solved by telephone later
    ],
)
def test_stn_30_31_without_one_of_the_three_marks_the_special_date_means_not_reached(
    changed: dict[str, str], meaning: str, resolution: str
) -> None:
    cells = {
        "T1": "2026-03-02T09:00", "T2": "2026-03-02T10:00", "T31": SPECIAL, "T4": "2026-03-02T10:00",
        KIND: "承诺时间内", REASON: "其他问题,电话解决", STATE: "已解决",
    }  # fmt: skip
    assert read_columns(cells, process()).resolution == "resolved_remotely"

    read = read_columns({**cells, **changed}, process())

    assert (read.t3, read.resolution) == ((meaning,), resolution)


@pytest.mark.parametrize("cell", [SPECIAL, "2010/1/1", "2010-1-1 00:00", "2010-01-01T00:00:00", "2010-01-01 08:00"])
def test_stn_22_the_special_date_is_known_in_the_forms_people_write(cell: str) -> None:
    assert read_columns({"T31": cell, STATE: "联系用户"}, process()).t3 == ("unreachable",)


@pytest.mark.parametrize(
    "cells",
    [
        {"T1": SPECIAL}, {"T32": SPECIAL, "T31": "2026-03-02T10:00"}, {"T32": "2026-03-02T10:00"}, {"T1": "明天"},
        {"T1": "2026-02-30T10:00"}, {KIND: "别的"}, {STATE: "不知道"}, {STATE: ""},
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_its_column(cells: dict[str, str]) -> None:
    with pytest.raises(Unreadable) as refused:
        read_columns({STATE: "联系用户", **cells}, process())

    column = next(reversed(cells)) if len(cells) == 1 else "T32"
    assert column in refused.value.detail.zh and column in refused.value.detail.en


def test_orders_that_the_columns_cannot_tell_apart_are_named() -> None:
    times = LegacyTimes(
        MONDAY_NINE, MONDAY_NINE, (), MONDAY_NINE, "within_promise", REMOTE_REASONS[0], "resolved", "serviced"
    )

    assert not reads_back(times, process())
    assert reads_back(replace(times, resolution="resolved_remotely"), process())


@pytest.mark.django_db
def test_stn_22_29_real_orders_of_both_meanings_read_back() -> None:
    a_network()
    missed, solved = a_report(), a_report()
    missed = do(missed, "mark_unreachable", now=MONDAY_NINE + timedelta(hours=3.5))
    solved = do(do(solved, "download"), "resolve_remotely", promise_reason="其他问题,电话解决")

    meanings = [
        read_columns(write_columns(times_of(order.facts, order.state), process()), process()).t3
        for order in (missed, solved)
    ]

    assert meanings == [("unreachable",), ("resolved_remotely",)]
