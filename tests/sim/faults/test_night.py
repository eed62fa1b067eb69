"""A night goes through its layers, notes every piece, goes on where it was stopped, and says what failed in what."""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from mendline.sim.faults import callers, commanded, pieces
from mendline.sim.faults.baton import RigFailed
from mendline.sim.faults.callers import report_of
from mendline.sim.faults.journals import Journal, told
from mendline.sim.faults.night import LAYERS, SHARES, Night, Piece, weather_the_night
from mendline.sim.faults.page import page
from mendline.sim.faults.rig import Rig
from mendline.sim.faults.walking import by_what_is_new, never_met, of_nobody, registered, scenario_files
from mendline.sim.faults.weather import kinds, script
from mendline.sim.ground.situations import SITUATIONS

MACHINE = "two cores"
OF_OLD = ("nth", "orders", "world", "real", "controls")  # the layers of a night before there were more


@contextmanager
def no_rig() -> Iterator[Rig]:
    yield Rig(Path("/nowhere"), server=None)  # type: ignore[arg-type]


class Quick:
    """Layers that are one quick piece each: what they return or raise, by layer."""

    def __init__(self) -> None:
        self.answers: dict[str, list[bool | BaseException]] = {layer: [False] for layer in LAYERS}

    def weather(self, night: Night) -> None:
        weather_the_night(night, {layer: self._piece(layer) for layer in LAYERS}, no_rig)

    def _piece(self, layer: str) -> Piece:
        def piece(night: Night, rig: Rig) -> bool:
            answer = self.answers[layer].pop(0)
            if isinstance(answer, BaseException):
                raise answer
            night.totals.setdefault(layer, {"pieces": 0})["pieces"] += 1
            return answer

        return piece


@pytest.fixture
def quick() -> Quick:
    return Quick()


def a_night(tmp_path: Path, **named: Any) -> Night:
    return Night(tmp_path / "storm.json", 1, 180.0, lambda line: None, **named)


def test_a_night_goes_through_all_its_layers(tmp_path: Path, quick: Quick) -> None:
    night = a_night(tmp_path)
    quick.answers["nth"] = [True, True, False]

    quick.weather(night)

    assert night.finished == list(LAYERS) == list(pieces.PIECES)
    assert night.totals["nth"] == {"pieces": 3}


def test_the_shares_of_the_layers_are_the_night_and_hostile_input_has_its_half_hour(tmp_path: Path) -> None:
    assert sum(SHARES.values()) == pytest.approx(1)
    assert a_night(tmp_path).left("hostile") == pytest.approx(30.6 * 60)


def test_who_wants_some_layers_only_gives_them_all_the_time(tmp_path: Path) -> None:
    night = a_night(tmp_path, only=("hostile", "upgrade"))

    assert night.left("hostile") + night.left("upgrade") == pytest.approx(180 * 60)


def test_a_night_that_was_stopped_goes_on_at_the_piece_where_it_was(tmp_path: Path, quick: Quick) -> None:
    quick.answers["orders"] = [True, KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        quick.weather(a_night(tmp_path, begun="yesterday"))

    night = a_night(tmp_path, begun="today")
    night.take_up()
    assert (night.finished, night.totals["orders"], night.begun) == (["nth"], {"pieces": 1}, "yesterday")
    quick.answers["orders"] = [False]
    quick.weather(night)

    assert night.finished == list(LAYERS)
    assert night.totals["orders"] == {"pieces": 2}
    fresh = a_night(tmp_path)
    fresh.take_up()
    assert fresh.finished == [], "a night that is over is not gone on with"


def test_a_night_that_knew_fewer_layers_goes_on_with_the_new_ones_only(tmp_path: Path, quick: Quick) -> None:
    spent = dict.fromkeys(OF_OLD, 9e9)
    kept = {"seed": 7, "minutes": 33.0, "spent": spent, "totals": {"nth": {"pieces": 4}}, "problems": ["L0 a problem"],
            "rig_failures": ["nth: RigFailed: no port"] * 4, "finished": list(OF_OLD)}  # fmt: skip
    (tmp_path / "storm.json").write_text(json.dumps(kept), encoding="utf-8")
    night = a_night(tmp_path, commit="new")
    night.take_up()
    quick.answers = {layer: [] for layer in OF_OLD} | {"hostile": [RigFailed("no port"), False], "upgrade": [False]}

    quick.weather(night)

    assert (night.seed, night.problems, night.totals["nth"]) == (7, ["L0 a problem"], {"pieces": 4})
    assert night.commits == {"hostile": ["new"], "upgrade": ["new"]}
    assert {layer: night.spent[layer] for layer in OF_OLD} == spent
    assert set(night.finished) == set(LAYERS)


def test_a_bench_that_fails_once_is_noted_and_one_that_fails_always_ends_the_night(
    tmp_path: Path, quick: Quick
) -> None:
    night = a_night(tmp_path)
    quick.answers["real"] = [RigFailed("no port"), False]
    quick.weather(night)
    assert night.problems == []
    assert night.rig_failures == ["real: RigFailed: no port"]

    night = a_night(tmp_path, only=("real",))
    night.minutes = 0.0
    quick.answers["real"] = [RigFailed("no port"), True]
    quick.weather(night)
    assert night.totals["real"] == {"pieces": 1}, "a layer of which nothing was done is not finished"

    quick.answers["orders"] = [RigFailed("no port")] * 9
    with pytest.raises(RigFailed):
        quick.weather(a_night(tmp_path, only=("orders",)))


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


def a_drill(*, faults: int = 0) -> dict[str, Any]:
    wrong = ["POST /orders: 500"] if faults else []
    phases = [{"name": "both", "wrong": wrong, "answers": {"200": 25, "201": 5} | ({"500": faults} if faults else {})}]
    return {"commits": {"before": "a" * 40, "after": "b" * 40}, "phases": phases, "acknowledged": 5, "lost": 0,
            "broken": [], "migrated": ["figures.0002"]}  # fmt: skip


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


class Commands:
    """Commands of ours that wrote what is put here; `asked` holds how they were called."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.tell: dict[str, Any] = {}
        monkeypatch.setattr(commanded, "_told", self._told)

    def _told(self, rig: Rig, *command: str, **named: str) -> Any:
        self.asked.append(command)
        control = "--control" in command
        return self.tell[command[0] + (" control" if control else "")]


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> Commands:
    return Commands(monkeypatch)


def do(night: Night, layer: str) -> bool:
    with no_rig() as rig:
        return pieces.PIECES[layer](night, rig)


def test_the_world_is_played_with_other_seeds_each_time_and_a_finding_says_how_to_see_it(
    tmp_path: Path, commands: Commands
) -> None:
    night = a_night(tmp_path)
    finding = {"seed": 3, "kind": "oversold", "invariant": "I5", "zh": "超卖", "en": "oversold", "call": 1}
    commands.tell["simulate"] = {"figures": {"orders": 10}, "calls": 70, "findings": [], "situations": {"day_full": 2}}

    assert do(night, "world")
    commands.tell["simulate"]["findings"] = [finding]
    assert do(night, "world")

    seeds = [command[command.index("--seed") + 1] for command in commands.asked]
    assert seeds == ["1-4", "5-8"]
    assert night.totals["world"] | {"pieces": []} == {
        "seeds": 8, "reports": 20, "calls": 140, "findings": 1, "situations": {"day_full": 4}, "pieces": [],
    }  # fmt: skip
    assert night.problems == [
        "L1 world tight, seed 3: I5 oversold: 超卖 oversold\n⟲ mendline simulate --world tight --seed 3 --faults storm"
    ]


def test_hostile_questions_are_asked_in_full_once_and_then_drawn_anew(tmp_path: Path, commands: Commands) -> None:
    night = a_night(tmp_path)
    commands.tell["hostile"] = {
        "tests/api/test_fuzz.py::test_it[admin]": {"answers": {"200": 3, "500": 1}, "failed": ["a 500\nof ours"]},
        "tests/api/test_fuzz.py::test_other": {"answers": {"404": 2}, "failed": []},
        "tests/api/test_fuzz.py::test_control_a_fault_is_found": {"answers": {"500": 7}, "failed": []},
    }

    for _ in range(6):
        assert do(night, "hostile")

    total = night.totals["hostile"]
    assert [run.split()[0] for run in total["runs"][:4]] == ["description", "steps", "matrix", "walls"]
    assert set(total["runs"][4:]) == {"description 5", "steps 6"}
    assert len({run.split()[1] for run in total["runs"]}) == 6, "a seed comes twice"
    assert total["parts"]["matrix"] == {
        "tests": 3, "requests": 6, "answers": {"200": 3, "500": 1, "404": 2}, "by": {"admin": 4}, "failed": 1,
    }  # fmt: skip
    assert night.problems[0].startswith("hostile tests/api/test_fuzz.py::test_it[admin]: a 500\nof ours\n⟲ mendline ")


def test_an_upgrade_is_drilled_and_its_control_must_go_red(
    tmp_path: Path, commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commanded, "ROOT", tmp_path)
    night = a_night(tmp_path)
    assert not do(night, "upgrade")
    assert commands.asked == []
    assert "Left out / 未做: there is no repository" in page(night, MACHINE)

    (tmp_path / ".git").mkdir()
    commands.tell = {"upgrade-drill": a_drill(), "upgrade-drill control": a_drill()}

    assert not do(night, "upgrade")
    assert [problem.split(":")[0] for problem in night.problems] == ["control did not go red"]

    night.problems = []
    commands.tell = {
        "upgrade-drill": a_drill(faults=2) | {"lost": 1, "broken": ["I5"]},
        "upgrade-drill control": a_drill(faults=4),
    }
    do(night, "upgrade")
    assert [problem.split("\n")[0] for problem in night.problems] == [
        "upgrade both: 2 faults, the first: POST /orders: 500",
        "upgrade I1 lost: 1 of 5 acknowledged orders are not there",
        "upgrade I5",
    ]


def test_a_command_that_tells_nothing_is_a_fault_of_the_bench(tmp_path: Path) -> None:
    with pytest.raises(RigFailed, match="(?s)mendline hostile --no-such-option ended with 2: .*--no-such-option"):
        commanded._told(Rig(tmp_path, server=None), "hostile", "--no-such-option")  # type: ignore[arg-type]


class NeverEnding(subprocess.Popen[str]):
    """A command that is given up once it has said that all its processes are there."""

    def communicate(self, input: str | None = None, timeout: float | None = None) -> tuple[str, str]:
        if timeout == commanded.LONGEST:
            assert self.stdout is not None
            assert self.stdout.readline() == "ready\n"
            raise subprocess.TimeoutExpired(self.args, timeout)
        return super().communicate(input, timeout)


def test_a_command_that_never_ends_is_ended_with_all_its_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "Popen", NeverEnding)
    held = tmp_path / "held"
    os.mkfifo(held)

    with pytest.raises(subprocess.TimeoutExpired):
        commanded._ended(["sh", "-c", f"(exec <>'{held}'; echo ready; cat) & wait"], {**os.environ})

    assert [link for link in Path("/proc").glob("[0-9]*/fd/*") if _target(link) == str(held)] == []


def _target(link: Path) -> str:
    with suppress(OSError):
        return str(link.readlink())
    return ""


def test_files_come_in_the_order_in_which_most_is_new() -> None:
    files = scenario_files()
    ordered = by_what_is_new(files)

    assert sorted(ordered) == sorted(files)
    assert ordered == by_what_is_new(reversed(files))
    assert len(steps_of(ordered[:10])) > 2 * len(steps_of(files[:10]))


def steps_of(files: list[Path]) -> set[str]:
    return {name for path in files for name in re.findall(r"\bdo: (\w+)", path.read_text(encoding="utf-8"))}


def test_one_thing_of_a_page_is_done_again_with_what_the_page_says(tmp_path: Path) -> None:
    night = pieces.repeated("real", ["20260303"], tmp_path / "x.json", lambda line: None)
    assert (night.only, night.seed, night.left("real")) == (("real",), 20260303, 0)

    name = scenario_files()[7].name
    walked = pieces.repeated("nth", [name], tmp_path / "x.json", lambda line: None).totals["nth"]["walked"]
    assert {path.name for path in scenario_files()} - {Path(one).name for one in walked} == {name}

    for wrong in (["nowhere", "1"], ["real", "monday"], ["nth", "nofile.yaml"]):
        with pytest.raises(CommandError, match="--repeat LAYER"):
            call_command("storm", "--repeat", *wrong)


def test_a_script_is_the_same_for_a_seed_and_leaves_no_kind_out() -> None:
    many = len(kinds())

    assert list(islice(script(7), 3 * many)) == list(islice(script(7), 3 * many))
    assert {(blow.kind, blow.target) for blow in islice(script(7), many)} == set(kinds())
    assert {blow.kind for blow in islice(script(7, ("kill database",)), 5)} == {"kill"}


def test_what_callers_noted_is_read_back(tmp_path: Path) -> None:
    journal = Journal(tmp_path, 3)
    journal.note("sent", "3-0")
    journal.note("unanswered", "3-0", "0")
    journal.note("acknowledged", "3-0", "WX1/abc")

    heard = told(tmp_path)

    assert (heard.sent, heard.acknowledged, heard.unanswered["3-0"]) == ({"3-0"}, {"3-0": "WX1/abc"}, 1)
    assert report_of("3-0")["fault"] == "3-0"


def test_what_is_odd_is_kept_whole_and_on_one_line(tmp_path: Path) -> None:
    body = '{"detail":"one\n two"}' + "长" * 500
    Journal(tmp_path, 1).note("odd", "1-5", f"422 {body}")

    assert told(tmp_path).odd == [f"odd 1-5 422 {body}".replace("\n ", " ")]


def test_a_try_says_how_far_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    class Line:
        breaks_at = ""

        def __init__(self, *_: object, **__: object) -> None: ...

        def request(self, *_: object) -> None:
            self._break("request")

        def getresponse(self) -> Line:
            self._break("answer")
            return self

        @property
        def status(self) -> int:
            return 201

        def read(self) -> bytes:
            self._break("body")
            return b"whole"

        def close(self) -> None: ...

        def _break(self, place: str) -> None:
            if place == self.breaks_at:
                raise ConnectionResetError

    monkeypatch.setattr(http.client, "HTTPConnection", Line)
    heard = callers.Heard()
    for place in ("request", "answer", "answer", "body", ""):
        Line.breaks_at = place
        heard.note(callers.ask(1, "secret", "0-0", {}))

    assert heard.broke == {"unsent": 1, "unanswered": 2, "half answered": 1}
    assert heard.statuses == {"201": 1}
