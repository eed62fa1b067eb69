"""The page of the drill says what the two runs found, and which of them was to go red."""

from __future__ import annotations

from mendline.sim.upgrade.page import page


def test_the_page_counts_requests_faults_and_losses() -> None:
    found = {
        "commits": {"before": "a" * 40, "after": "b" * 40}, "acknowledged": 7, "lost": 0, "migrated": ["figures.0002"],
        "migrate_seconds": 3.0, "cpu": "a processor", "at": "2026-03-02",
        "phases": [
            {"name": "first", "answers": {"200": 20, "201": 7, "409": 1}, "slowest_ms": 12.0},
            {"name": "second", "answers": {"200": 5, "no answer": 1}, "slowest_ms": 30000.0},
        ],
    }  # fmt: skip
    control = {"phases": [{"name": "first", "answers": {"200": 4, "500": 9}, "slowest_ms": 1.0}]}

    said = page(found, control)

    assert "34 requests, **1 answered with 5xx or not at all**" in said
    assert "| first | 28 | 27 | 0 | 12 |" in said and "| second | 6 | 5 | 1 | 30000 |" in said
    assert "It went red: 9 of 13 answers were faults" in said
