"""The page of a night says what was done how often, what failed, and how that is found again."""

from __future__ import annotations

from pathlib import Path

from mendline.sim.faults.page import page
from mendline.sim.faults.walking import never_met, of_nobody, registered
from mendline.sim.ground.situations import SITUATIONS
from tests.sim.faults.nights import MACHINE, a_drill, a_night


def test_every_claim_of_the_page_has_its_n(tmp_path: Path) -> None:
    night = a_night(tmp_path)
    night.totals = {
        "nth": {"scenarios": 3, "commands": 9, "faults": 300, "unknown": 7, "swept": [["p", 1, "t", "new", "r"]],
                "met": [["unified_repair", 3, "report", "new", "cc_agent"]], "files_left": 12},
        "orders": {"plays": {"the last seats": 50}, "waits": 5, "steps": 900, "again": 5, "seeds": 50},
        "world": {"seeds": 6, "pieces": ["small 1-6"], "reports": 1800, "calls": 30000, "findings": 0,
                  "situations": {"day_full": 41}},
        "real": {"storms": 1, "blows": {"kill web 0": 2, "kill web 1": 1, "cut_after line 0": 4}, "acknowledged": 600,
                 "stored": 600, "statuses": {"201": 600, "503": 12}, "broke": {"unsent": 3, "unanswered": 90},
                 "met": {"cut_after line 0": 71, "cut_after database line 1": 5}, "repeated": 100},
        "hostile": {"runs": ["description 1"], "parts": {"description": {
            "tests": 2, "requests": 682, "answers": {"200": 600, "422": 82}, "by": {"cc_agent": 341, "admin": 341},
            "failed": 0}}},
        "upgrade": {"drill": a_drill(), "control": a_drill(faults=9)},
        "controls": {"a wall": 4, "another": 0},
    }  # fmt: skip
    night.problems = ["L2 seed 1: I1 lost: 0-1 was acknowledged", "L1 the last seats, seed 3: dispatched: 3, must be 2"]

    text = page(night, MACHINE)

    for claim in (
        "0 of 300 (< 1 %)",
        "12 scenario files were not reached",
        "1 of 50 (2 %)",
        "| orders / 单 | 1,800 |",
        "0 of 30,000 (< 0.01 %)",
        f"| 1 of {len(SITUATIONS)} |",
        "| the finest stations were full; a coarser one took it / 最细一级产能用完，派给上一级 | 41 |",
        "1 of 600 (0.17 %)",
        "0 of 600 (< 0.5 %)",
        "| kill web | 3 | – |",
        "callers / 调用者: cut after the request, before the answer / 请求送达后、答复前断线 | 4 | 71 |",
        "not sent / 未送出 3, sent, no answer / 送出而无答复 90 | 93 |",
        "| 503: 12 |",
        "0 of 105 (< 2.9 %)",
        "682 requests in 2 tests",
        "cc_agent 341, admin 341",
        "0 of 682 (< 0.44 %)",
        "| together / 合计 | 0 of 30 (< 10 %) |",
        "9 of 39 (23 %)",
        "| another | **no / 否** |",
        "at most 180",
    ):
        assert claim in text
    assert text.startswith("# Storms / 风暴\n\n> **摘要**")


def test_the_page_says_what_nobody_came_through(tmp_path: Path) -> None:
    night = a_night(tmp_path)
    met = [["unified_repair", 3, "report", "new", "cc_agent"], ["clock", 0, "unified_repair:visit.warn", "", "timer"]]
    night.totals = {
        "nth": {"scenarios": 1, "commands": 1, "faults": 3, "unknown": 0, "swept": [], "met": met},
        "world": {"seeds": 2, "situations": dict.fromkeys(list(SITUATIONS)[2:], 3)},
    }

    text = page(night, MACHINE)

    assert never_met([]) == sorted(registered())
    assert f"({len(registered() - of_nobody()) - 1}): `" in text
    assert f"({len(of_nobody())}): `callback.lapse`, " in text
    assert "`unified_repair.report`" not in text
    assert "`unified_repair.promise`" in text
    unseen = "; ".join(f"{says.en} / {says.zh}" for says in list(SITUATIONS.values())[:2])
    assert f"Never seen / 未见：{unseen}." in text


def test_a_page_of_an_older_night_counts_its_tries_as_it_can(tmp_path: Path) -> None:
    night = a_night(tmp_path)
    night.totals["real"] = {"storms": 2, "blows": {"cut_after line 0": 4}, "acknowledged": 5, "unanswered": 7,
                            "stored": 5, "statuses": {"0": 4, "201": 5, "422": 1, "503": 3}, "touched": 9,
                            "repeated": 2}  # fmt: skip

    text = page(night, MACHINE)

    assert "| tries without an answer / 没有答复的尝试 | 4 |" in text
    assert "| answers that say come again, by status / 要求重试的答复 | 503: 3 |" in text
    assert "before the answer / 请求送达后、答复前断线 | 4 | ? |" in text


def test_a_problem_stands_on_the_page_whole_with_the_command_that_finds_it_again(tmp_path: Path) -> None:
    night = a_night(tmp_path)
    body = "请填写“用户”；" * 400
    night.found("L2 seed 5:", [f"I18: odd 5-241 422 {body}end"], "mendline storm --repeat real 5")
    night.rig_failures.append("real: RigFailed: " + "line\n" * 90 + "its last line")

    text = page(night, MACHINE)

    assert f"````text\nL2 seed 5: I18: odd 5-241 422 {body}end\n````" in text
    assert "Again / 复现: `mendline storm --repeat real 5`" in text
    assert "its last line" in text


def test_layers_by_other_commits_are_named_with_theirs(tmp_path: Path) -> None:
    night = a_night(tmp_path)
    night.spent = {"nth": 60.0, "orders": 60.0, "hostile": 120.0}
    night.commits = {"orders": ["one"], "hostile": ["one", "two"]}

    assert "| ? (nth); one (orders, hostile); two (hostile) |" in page(night, MACHINE)
