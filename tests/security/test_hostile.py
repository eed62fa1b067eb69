"""`mendline hostile` asks everything there is to ask, and writes down what was asked and how it was answered."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.handlers.base import BaseHandler
from django.http import HttpRequest, HttpResponse

from config.home import ROOT
from mendline.cli import hostile, hostile_told
from mendline.cli.hostile_page import PROMISES, page, promise_of


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Commands that would have been run."""
    commands: list[list[str]] = []

    def run(command: list[str], **_: object) -> SimpleNamespace:
        commands.append(command)
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(hostile, "subprocess", SimpleNamespace(run=run))
    return commands


def files(words: list[str]) -> set[Path]:
    """Return the test files that these words of a command line name."""
    left_out = {ROOT / word.partition("=")[2] for word in words if word.startswith("--ignore=")}
    named = [ROOT / word for word in words if word.startswith("tests/")]
    return {one for path in named for one in ([path] if path.is_file() else path.rglob("test_*.py"))} - left_out


def test_all_of_it_is_its_parts_and_each_file_is_in_one(asked: list[list[str]]) -> None:
    hostile.main([])
    for part in hostile.PARTS:
        hostile.main(["--part", part, "--seed", "5"])

    whole, *parts = map(files, asked)
    assert whole == set().union(*parts)
    assert sum(map(len, parts)) == len(whole) > 10


def test_the_command_line_needs_nothing_that_only_tests_have() -> None:
    words = "import sys, mendline.cli.main; sys.exit('pytest' in sys.modules or 'django' in sys.modules)"

    subprocess.run([sys.executable, "-c", words], cwd=ROOT, check=True)


def test_what_each_test_asked_and_heard_is_written_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    statuses = iter((200, 404, 404))
    monkeypatch.setattr(BaseHandler, "get_response", lambda self, request: HttpResponse(status=next(statuses)))
    monkeypatch.setattr(hostile_told, "_told", {})
    monkeypatch.setenv(hostile.TOLD, str(tmp_path / "told.json"))
    hostile_told.pytest_configure()

    BaseHandler().get_response(HttpRequest())  # nobody's
    item: Any = SimpleNamespace(nodeid="a.py::test_it[admin]")
    protocol = hostile_told.pytest_runtest_protocol(item)
    next(protocol)
    BaseHandler().get_response(HttpRequest())
    BaseHandler().get_response(HttpRequest())
    with pytest.raises(StopIteration):
        protocol.send(None)
    for failed, when in ((True, "call"), (False, "teardown")):
        report: Any = SimpleNamespace(
            nodeid=item.nodeid, duration=1.5, failed=failed, skipped=False, longreprtext="it broke", when=when,
            user_properties=[("words", 3)],
        )  # fmt: skip
        hostile_told.pytest_runtest_logreport(report)
    hostile_told.pytest_sessionfinish()

    told = json.loads((tmp_path / "told.json").read_text(encoding="utf-8"))
    assert told == {
        "a.py::test_it[admin]": {
            "seconds": 3.0,
            "answers": {"404": 2},
            "tried": {"words": 3},
            "failed": ["it broke"],
            "skipped": False,
        }
    }


def test_every_file_of_questions_belongs_to_a_promise(asked: list[list[str]]) -> None:
    hostile.main([])

    assert [str(file.relative_to(ROOT)) for file in sorted(files(asked[0])) if not promise_of(str(file))] == []


def test_the_page_says_what_was_tried_how_often_and_what_was_found() -> None:
    def test(**changed: Any) -> dict[str, Any]:
        return {"seconds": 2.0, "answers": {}, "tried": {}, "failed": [], "skipped": False, **changed}

    told = {
        "tests/security/test_uploads.py::a": test(tried={"files / 文件": 400}, answers={"422": 7}),
        "tests/security/test_uploads.py::b": test(tried={"files / 文件": 3}, failed=["it broke"]),
        "tests/security/test_uploads.py::c": test(skipped=True),
    }

    text = page(told, command="mendline hostile --seed 5", load=(0.1, 1.0))

    assert "| `tests/security/test_uploads.py` | 2 | 403 files / 文件 | 422 7 | 6 | 1 |" in text
    assert "problems found: 1**" in text
    assert "    it broke" in text
    assert "| tests left out / 未做的测试 | 1 |" in text
    assert "`mendline hostile --seed 5`" in text
    assert text.count("Not tried in this run") == len(PROMISES) - 1


def test_the_page_is_written_where_it_is_wanted(
    asked: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(command: list[str], *, env: dict[str, str], **_: object) -> SimpleNamespace:
        Path(env[hostile.TOLD]).write_text("{}", encoding="utf-8")
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(hostile, "subprocess", SimpleNamespace(run=run))

    assert hostile.main(["--seed", "5", "--part", "walls", "--page", str(tmp_path / "page.md")]) == 0
    assert "`mendline hostile --seed 5 --examples 30 --part walls`" in (tmp_path / "page.md").read_text("utf-8")
