"""What a run says of itself: figures that add up, a page without scripts, enough situations to matter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from mendline.sim.ground.figures import Figures, merged
from mendline.sim.ground.league import Results
from mendline.sim.ground.oracle import clocks
from mendline.sim.ground.oracle.model import Order
from mendline.sim.ground.oracle.oracle import Oracle
from mendline.sim.ground.oracle.plain import Network
from mendline.sim.ground.page import SECTIONS, page
from mendline.sim.ground.run import Plan
from mendline.sim.ground.situations import SITUATIONS


def a_seed(number: int, **changed: Any) -> dict[str, Any]:
    figures = {**Figures().as_json(), "orders": 3, "states": {"called_back": 2, "cancelled": 1},
               "clocks_met": {"contact": 2}, "clocks_missed": {"contact": 1}, "contact_hours": [1.0, 5.0],
               "cancel_reasons": {"user_solved": 1}, "load_per_station": {"000001": 3}}  # fmt: skip
    return {
        "seed": number, "trace": "ab" * 32, "findings": [], "seconds": 1.0, "cpu_seconds": 0.5, "calls": 50,
        "memory_mib": 100,
        "seen": {"urged": 2}, "statements": {}, "figures": figures, **changed,
    }  # fmt: skip


def test_there_are_forty_situations_to_be_seen_and_each_is_said_in_both_languages() -> None:
    assert len(SITUATIONS) >= 40
    assert all(text.zh and text.en for text in SITUATIONS.values())


def test_a_situation_that_nobody_saw_is_named() -> None:
    results = Results(Plan(), [a_seed(1)])
    assert "urged" not in results.never_seen
    assert "t33_reached" in results.never_seen


def test_figures_of_several_seeds_are_those_of_one_run() -> None:
    total = merged([a_seed(1)["figures"], a_seed(2)["figures"]])
    assert total["orders"] == 6
    assert total["states"] == {"called_back": 4, "cancelled": 2}
    assert total["contact_hours"] == [1.0, 1.0, 5.0, 5.0]


def test_what_another_limit_would_change_agrees_with_the_clock_where_the_limit_is_the_present_one() -> None:
    start, oracle = datetime(2026, 4, 1, 1, tzinfo=UTC), Oracle(Network({}, {}, {}, frozenset(), {}, ()))
    for number, hours in enumerate((1.0, 3.5, 4.0, 5.0, 9.0)):
        order = Order(f"o{number}1", "cc", "desktop", "110108", "on_site", "dispatched")
        clocks.move(order, "report", "new", start)
        clocks.stop(order.clocks["contact"], start + timedelta(hours=hours))
        oracle.orders[order.label] = order
    figures = Figures()
    figures.count(oracle)

    assert figures.what_if()["late_with_contact_limit"] == {"2h": 4, "3h": 4, "4h": 2, "6h": 1, "8h": 1}
    assert (figures.met["contact"], figures.missed["contact"]) == (3, 2)


def test_the_page_needs_no_script_and_nothing_from_elsewhere() -> None:
    finding = {"kind": "state_wrong", "invariant": "I4", "zh": "<错>", "en": "<wrong>", "call": 3}
    shown = page(Results(Plan(), [a_seed(1, findings=[finding]), a_seed(2)], cases=["a.json"]).as_json())

    assert shown.count('class="bar"') > 10
    assert "<script" not in shown
    assert "src=" not in shown
    assert "&lt;wrong&gt;" in shown
    assert 'lang="zh-Hans"' in shown


def test_every_chart_stands_in_the_page_in_both_languages_and_speaks_of_things_by_their_names() -> None:
    zh, en = page(Results(Plan(), [a_seed(1)]).as_json()).split('<main id="zh"')[::-1]

    assert all(f"<h2>{title.zh}</h2>" in zh and f"<h2>{title.en}</h2>" in en for title, _ in SECTIONS)
    assert "已回访" in zh and "called_back" not in zh
    assert "用户自行解决" in zh and "User solved it alone" in en
    assert "000001 北京上地维修站" in zh
